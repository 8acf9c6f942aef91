import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { buildSync } from 'esbuild';
import { progress } from '../measure/progress.js';
import { figure, judge, type Measured } from '../report/figure.js';

/** What a page loads that imports `openChat` and nothing else. Exact. */
export function benchBundle(): Measured {
  progress('bundle: openChat for a browser');
  const { outputFiles } = buildSync({
    stdin: {
      contents: `export { openChat } from '@chatdoc/schema';`,
      resolveDir: fileURLToPath(new URL('..', import.meta.url)),
    },
    bundle: true,
    minify: true,
    write: false,
    format: 'esm',
    platform: 'browser',
    conditions: ['@chatdoc/source'],
    external: ['yjs'],
    legalComments: 'none',
    logLevel: 'error',
  });
  const code = outputFiles[0]?.contents ?? new Uint8Array();
  return {
    figures: [
      judge('bundle', null, gzipSync(code, { level: 9 }).length / 1e3),
      figure('`openChat` in a browser, minified', null, code.length / 1e3, 'kB'),
    ],
  };
}
