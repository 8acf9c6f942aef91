import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';

const ENTRY = fileURLToPath(new URL('./fault-child.ts', import.meta.url));

export interface ChildResult {
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The child in one file, so that each start takes a fraction of that from source. */
export async function buildChild(): Promise<{
  run(argv: readonly string[]): Promise<ChildResult>;
  remove(): void;
}> {
  const folder = mkdtempSync(join(tmpdir(), 'chatdoc-child-'));
  await build({
    configFile: false,
    logLevel: 'silent',
    resolve: { conditions: ['@chatdoc/source', 'node', 'import', 'default'] },
    ssr: { noExternal: true, resolve: { conditions: ['@chatdoc/source', 'node', 'import', 'default'] } },
    build: {
      ssr: ENTRY,
      outDir: folder,
      target: 'node20',
      minify: false,
      rollupOptions: { output: { entryFileNames: 'child.mjs' } },
    },
  });
  return {
    run: (argv) => runChild(join(folder, 'child.mjs'), argv),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

function runChild(file: string, argv: readonly string[]): Promise<ChildResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [file, ...argv], { stdio: ['ignore', 'pipe', 'pipe'] });
    const texts = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].on('data', (chunk) => {
        texts[name] += chunk;
      });
    }
    child.on('error', reject);
    child.on('close', (_, signal) => resolve({ signal, ...texts }));
  });
}
