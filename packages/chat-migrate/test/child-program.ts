import { spawn } from 'node:child_process';
import { type Bundle, bundle } from '../../../tools/bundle.js';

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
  readonly remove: Bundle['remove'];
}> {
  const { file, remove } = await bundle(new URL(entry, import.meta.url));
  return {
    run: (argv, place = {}) => runChild(file, argv, place),
    remove,
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
