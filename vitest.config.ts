import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const conditions = ['@chatdoc/source'];

interface ProjectOptions {
  readonly setupFiles?: string[];
  readonly globalSetup?: string[];
  readonly alias?: { readonly find: RegExp; readonly replacement: string }[];
}

const project = (
  name: string,
  root: string,
  include: string,
  { setupFiles = [], globalSetup = [], alias = [] }: ProjectOptions = {},
) => ({
  extends: true as const,
  root,
  resolve: { alias },
  test: { name, include: [include], setupFiles, globalSetup },
});

const react18 = fileURLToPath(new URL('tools/react-18/node_modules', import.meta.url));

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    reporters: ['default', './tools/closing-line.ts'],
    // Nothing depends on the time that it takes; a machine that is ten times slower must not fail.
    testTimeout: 1_200_000,
    hookTimeout: 1_200_000,
    // Files of a project share the modules that they import: loading those anew for each took a third of the time.
    isolate: false,
    // Vitest leaves one processor to itself, which needs next to nothing here.
    maxWorkers: availableParallelism(),
    projects: [
      project('chat-schema', 'packages/chat-schema', 'test/**/*.test.ts'),
      project('chat-migrate', 'packages/chat-migrate', 'test/**/*.test.ts'),
      project('chat-integrity', 'packages/chat-integrity', 'test/**/*.test.ts'),
      project('chat-sync', 'packages/chat-sync', 'test/**/*.test.ts', {
        setupFiles: ['test/setup.ts'],
      }),
      // Connections once more, with the provider of Hocuspocus 4.
      project('chat-sync-provider-4', 'packages/chat-sync', 'test/connect.test.ts', {
        setupFiles: ['test/setup.ts'],
        alias: [{ find: /^@hocuspocus\/provider$/, replacement: 'hocuspocus-provider-4' }],
      }),
      project('chat-turns', 'packages/chat-turns', 'test/**/*.test.ts'),
      project('chat-react', 'packages/chat-react', 'test/**/*.test.ts', {
        setupFiles: ['test/setup.ts'],
      }),
      // The hooks alone: what other libraries are, they bring their own React for.
      project('chat-react-18', 'packages/chat-react', 'test/hooks/*.test.ts', {
        setupFiles: ['test/setup.ts'],
        alias: [{ find: /^(react|react-dom)(\/.*)?$/, replacement: `${react18}/$1$2` }],
      }),
      project('chat-cli', 'packages/chat-cli', 'test/**/*.test.ts', {
        globalSetup: ['test/bundle-program.ts'],
      }),
      project('examples', 'examples', '*/test/*.test.ts'),
      project('tools', 'tools', 'test/*.test.ts'),
    ],
  },
});
