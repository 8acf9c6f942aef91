import { registerHooks } from 'node:module';

/** `ai` is its next major here. */
registerHooks({
  resolve(specifier, context, next) {
    return next(specifier.replace(/^ai(?=$|\/)/, 'ai7'), context);
  },
});
