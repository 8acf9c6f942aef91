import { execFile } from 'node:child_process';
import { type Bundle, bundle } from '../../../tools/bundle.js';
import type { Job, Told } from './fault-child.js';

/** Real processes at real files. */

export interface Ran {
  readonly told: readonly Told[];
  readonly isKilled: boolean;
  /** What it said when it failed in another way. */
  readonly error: string;
}

export function buildChild(): Promise<Bundle> {
  return bundle(new URL('./fault-child.ts', import.meta.url));
}

export function runChild(child: string, job: Job): Promise<Ran> {
  return new Promise((resolve) => {
    execFile(process.execPath, [child, JSON.stringify(job)], (error, stdout, stderr) => {
      const told = stdout
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as Told);
      const isKilled = error?.signal === 'SIGKILL';
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
