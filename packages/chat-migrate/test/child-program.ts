import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';

export interface ChildResult {
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ChildPlace {
  readonly node?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** A program of the tests in one file, so that each start takes a fraction of that from source. */
export async function buildChild(entry: 'fault-child.ts' | 'machine-child.ts'): Promise<{
  run(argv: readonly string[], place?: ChildPlace): Promise<ChildResult>;
  remove(): void;
}> {
  const folder = mkdtempSync(join(tmpdir(), 'chatdoc-child-'));
  await build({
    configFile: false,
    logLevel: 'silent',
    resolve: { conditions: ['@chatdoc/source', 'node', 'import', 'default'] },
    ssr: { noExternal: true, resolve: { conditions: ['@chatdoc/source', 'node', 'import', 'default'] } },
    build: {
      ssr: fileURLToPath(new URL(entry, import.meta.url)),
      outDir: folder,
      target: 'node20',
      minify: false,
      rollupOptions: { output: { entryFileNames: 'child.mjs' } },
    },
  });
  return {
    run: (argv, place = {}) => runChild(join(folder, 'child.mjs'), argv, place),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

function runChild(
  file: string,
  argv: readonly string[],
  { node = process.execPath, env }: ChildPlace,
): Promise<ChildResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(node, [file, ...argv], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
    });
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
