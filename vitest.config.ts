import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

const conditions = ['@chatdoc/source'];

const project = (name: string, root: string, include: string) => ({
  extends: true as const,
  root,
  test: { name, include: [include] },
});

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    reporters: ['default', './tools/closing-line.ts'],
    testTimeout: 120_000,
    // Vitest leaves one processor to itself, which needs next to nothing here.
    maxWorkers: availableParallelism(),
    projects: [
      project('chat-schema', 'packages/chat-schema', 'test/**/*.test.ts'),
      project('chat-migrate', 'packages/chat-migrate', 'test/**/*.test.ts'),
      project('chat-integrity', 'packages/chat-integrity', 'test/**/*.test.ts'),
      project('chat-sync', 'packages/chat-sync', 'test/**/*.test.ts'),
      project('chat-turns', 'packages/chat-turns', 'test/**/*.test.ts'),
      project('chat-cli', 'packages/chat-cli', 'test/**/*.test.ts'),
      project('examples', 'examples', '*/test/*.test.ts'),
      project('tools', 'tools', 'test/*.test.ts'),
    ],
  },
});
