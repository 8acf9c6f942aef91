import { fileURLToPath } from 'node:url';
import { build } from 'vite';

const conditions = ['@chatdoc/source', 'module', 'browser', 'import', 'default'];

/** Builds the page into `outDir`: a few files, and its service worker. Takes some seconds. */
export async function buildPage(outDir: string): Promise<void> {
  const root = fileURLToPath(new URL('../page', import.meta.url));
  const shared = {
    configFile: false,
    root,
    base: './',
    logLevel: 'warn',
    resolve: { conditions },
    // Whatever the process that builds is for: React is twice as large in development.
    mode: 'production',
    define: { 'process.env.NODE_ENV': '"production"' },
    oxc: { jsx: { runtime: 'automatic', development: false } },
  } as const;
  await build({
    ...shared,
    build: { outDir, emptyOutDir: true, target: 'es2022', chunkSizeWarningLimit: 1000 },
  });
  await build({
    ...shared,
    build: {
      outDir,
      emptyOutDir: false,
      target: 'es2022',
      lib: {
        entry: fileURLToPath(new URL('../page/service-worker.ts', import.meta.url)),
        formats: ['es'],
        fileName: () => 'service-worker.js',
      },
    },
  });
}
