import { execFile } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import type { Job, Told } from './fault-child.js';

/** Real processes at real files. */

export interface Ran {
  readonly told: readonly Told[];
  readonly isKilled: boolean;
  /** What it said when it failed in another way. */
  readonly error: string;
}

/** The child as one file, which starts in a fraction of the time that its sources take. */
export async function buildChild(): Promise<string> {
  const outDir = mkdtempSync(join(tmpdir(), 'chatdoc-child-'));
  const conditions = ['@chatdoc/source', 'node', 'import', 'module', 'default'];
  await build({
    configFile: false,
    logLevel: 'silent',
    root: outDir,
    resolve: { conditions },
    ssr: { noExternal: true, resolve: { conditions } },
    build: {
      ssr: fileURLToPath(new URL('./fault-child.ts', import.meta.url)),
      outDir,
      emptyOutDir: false,
      minify: false,
      target: 'node20',
      rollupOptions: { output: { entryFileNames: 'child.mjs' } },
    },
  });
  return join(outDir, 'child.mjs');
}

export function runChild(child: string, job: Job): Promise<Ran> {
  return new Promise((resolve) => {
    execFile(process.execPath, [child, JSON.stringify(job)], { timeout: 30_000 }, (error, stdout, stderr) => {
      const told = stdout
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as Told);
      const isKilled = error?.signal === 'SIGKILL' && error.killed !== true;
      resolve({ told, isKilled, error: error === null || isKilled ? '' : `${stderr}${error.message}` });
    });
  });
}

export function confirmedOf({ told }: Ran): string[] {
  return told.flatMap((each) => ('confirmed' in each ? [each.confirmed] : []));
}

/** Runs `work` on each, two at a time. */
export async function inPairs<T>(all: readonly T[], work: (each: T) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < all.length) {
      const each = all[next] as T;
      next += 1;
      await work(each);
    }
  };
  await Promise.all([worker(), worker()]);
}
