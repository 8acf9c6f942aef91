import { registerHooks } from 'node:module';

/** `ai` and its hooks for React are their next major here. */
registerHooks({
  resolve(specifier, context, next) {
    const isOurs = !context.parentURL?.includes('/node_modules/');
    const name = isOurs ? specifier.replace(/^(ai|@ai-sdk\/react)(?=$|\/)/, '$17') : specifier;
    return next(name, context);
  },
});
