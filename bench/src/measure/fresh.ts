import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';

/** A module of `jobs`, which runs in a process of its own and answers once; see `jobs/job.ts`. */
export type JobName = 'heap' | 'hostile' | 'migrate' | 'read';

export type Fresh<T> =
  | { readonly ok: true; readonly result: T }
  | { readonly ok: false; readonly code: 'timeout' | 'out_of_memory' };

export interface FreshOptions {
  /** Defaults to no limit. */
  readonly timeoutMs?: number;
  /** Of the old generation, in MB. Defaults to Node's own limit. */
  readonly heapMb?: number;
}

let folder: string | undefined;
const bundles = new Map<JobName, string>();

/** A folder for files that jobs read. It goes when the bench ends. */
export function scratchFolder(): string {
  if (folder === undefined) {
    const created = mkdtempSync(join(tmpdir(), 'chatdoc-bench-'));
    process.once('exit', () => rmSync(created, { recursive: true, force: true }));
    folder = created;
  }
  return folder;
}

/**
 * Runs a job in a new process, with garbage collection exposed. The code is bundled first: a process that
 * translates every module as it loads it would begin with a heap of translations.
 */
export function runFresh<T>(name: JobName, input: unknown, options: FreshOptions = {}): Promise<Fresh<T>> {
  const args = ['--expose-gc', bundle(name), JSON.stringify(input)];
  if (options.heapMb !== undefined) args.unshift(`--max-old-space-size=${options.heapMb}`);
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let timedOut = false;
  const timer =
    options.timeoutMs === undefined
      ? undefined
      : setTimeout(() => {
          timedOut = true;
          child.kill('SIGKILL');
        }, options.timeoutMs);
  let output = '';
  let errors = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      clearTimeout(timer);
      if (timedOut) resolve({ ok: false, code: 'timeout' });
      else if (code === 0) resolve({ ok: true, result: JSON.parse(output) as T });
      else if (/heap out of memory|allocation failed/i.test(errors))
        resolve({ ok: false, code: 'out_of_memory' });
      else reject(new Error(`job ${name} ended with ${code}: ${errors.slice(0, 2_000)}`));
    });
  });
}

/** The result of a job that has no reason to fail. */
export async function mustRunFresh<T>(name: JobName, input: unknown): Promise<T> {
  const fresh = await runFresh<T>(name, input);
  if (!fresh.ok) throw new Error(`job ${name}: ${fresh.code}`);
  return fresh.result;
}

function bundle(name: JobName): string {
  const known = bundles.get(name);
  if (known !== undefined) return known;
  const outfile = join(scratchFolder(), `${name}.mjs`);
  buildSync({
    entryPoints: [fileURLToPath(new URL(`../jobs/${name}.ts`, import.meta.url))],
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    conditions: ['@chatdoc/source'],
    logLevel: 'error',
  });
  bundles.set(name, outfile);
  return outfile;
}
