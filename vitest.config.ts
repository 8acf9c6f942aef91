import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

const conditions = ['@chatdoc/source'];

interface ProjectOptions {
  readonly setupFiles?: string[];
  readonly globalSetup?: string[];
}

const project = (
  name: string,
  root: string,
  include: string,
  { setupFiles = [], globalSetup = [] }: ProjectOptions = {},
) => ({
  extends: true as const,
  root,
  test: { name, include: [include], setupFiles, globalSetup },
});

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
      project('chat-turns', 'packages/chat-turns', 'test/**/*.test.ts'),
      project('chat-cli', 'packages/chat-cli', 'test/**/*.test.ts', {
        globalSetup: ['test/bundle-program.ts'],
      }),
      project('examples', 'examples', '*/test/*.test.ts'),
      project('tools', 'tools', 'test/*.test.ts'),
    ],
  },
});
