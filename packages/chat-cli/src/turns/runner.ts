import { hostname } from 'node:os';
import type { Attempt } from '@chatdoc/schema';
import { nodeFileEnvironment } from '@chatdoc/sync/file';
import type { Io } from '../io.js';

/** Says of the attempts of this process whose they are: `chatdoc@HOST:PROCESS`. */
export function nameRunner(): string {
  return `chatdoc@${hostname()}:${nodeFileEnvironment.process_id}`;
}

const NAME = /^chatdoc@(.+):(\d{1,10})$/s;
const own = new Set<string>();

/** Remembers that this process runs it: a process before this one may have had the same number. */
export function claimAttempt(attempt: string): void {
  own.add(attempt);
}

/**
 * Whether the process that runs an attempt is gone for certain: it was one of this machine, and no process has its
 * number. Of any other runner that cannot be known from a file.
 */
export function isRunnerGone({ attempt, runner_id }: Attempt): boolean {
  const [, host, processId] = NAME.exec(runner_id) ?? [];
  if (host !== hostname()) return false;
  if (runner_id === nameRunner()) return !own.has(attempt);
  return !nodeFileEnvironment.isRunning(Number(processId));
}

/** Who writes: as named, or as the system calls whoever runs the program. */
export function nameUser(named: string | undefined, { env }: Io): string {
  const names = [named, env['CHATDOC_USER'], env['USER'], env['USERNAME']];
  return names.find((name) => name !== undefined && name.trim() !== '') ?? 'user';
}
