import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { KillerResult, KillerRun } from './killer-run.js';
import type { Killer, Mutant } from './mutant.js';

/** What became of a mutant. All but `caught` is a fault, of the tests or of the mutant. */
export type Verdict =
  | { readonly outcome: 'caught'; readonly by: string }
  /** All of its killers passed. */
  | { readonly outcome: 'survived' }
  | { readonly outcome: 'timed_out' }
  /** Its killers do not load the module, or no test has the name. */
  | { readonly outcome: 'missed'; readonly reason: string }
  /** It breaks more than it should: a file does not load. */
  | { readonly outcome: 'broken'; readonly reason: string };

export type Ended =
  | { readonly ok: true; readonly result: KillerResult }
  | { readonly ok: false; readonly code: 'timed_out' | 'crashed' };

const ENTRY = fileURLToPath(new URL('killer-run.ts', import.meta.url));

/** Runs killers in a process of their own, which is ended after `limit` milliseconds. */
export function startKillers(run: KillerRun, limit: number): Promise<Ended> {
  // The seed and the number of runs are those of CI.
  const { CHATDOC_SEED: _, ...rest } = process.env;
  const env = { ...rest, CHATDOC_RUNS: 'deep' };
  const child = fork(ENTRY, {
    execArgv: ['--import', 'tsx'],
    env,
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    // It leads a group of its own, with the workers that it starts: all of them end with it.
    detached: true,
  });
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      resolve({ ok: false, code: 'timed_out' });
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    }, limit);
    child.once('message', (result: KillerResult) => resolve({ ok: true, result }));
    child.once('error', () => resolve({ ok: false, code: 'crashed' }));
    child.once('exit', () => {
      clearTimeout(timer);
      resolve({ ok: false, code: 'crashed' });
    });
    child.send(run);
  });
}

export async function judge(mutant: Mutant, limit: number): Promise<Verdict> {
  const ended = await startKillers({ mutant, killers: mutant.killers, bail: true, workers: 1 }, limit);
  if (!ended.ok) {
    return ended.code === 'timed_out'
      ? { outcome: 'timed_out' }
      : { outcome: 'broken', reason: 'it crashed' };
  }
  const { failed, empty, errors, isPlanted } = ended.result;
  const [by] = failed;
  if (by !== undefined) return { outcome: 'caught', by: by.name };
  const [error] = errors;
  if (error !== undefined) return { outcome: 'broken', reason: error };
  const [unused] = empty;
  if (unused !== undefined) return { outcome: 'missed', reason: `no test of ${nameKiller(unused)} ran` };
  return isPlanted ? { outcome: 'survived' } : { outcome: 'missed', reason: `nothing loads ${mutant.file}` };
}

function nameKiller({ file, test }: Killer): string {
  return test === undefined ? file : `${file} "${test}"`;
}
