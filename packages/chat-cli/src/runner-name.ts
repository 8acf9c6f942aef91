import { hostname } from 'node:os';
import { nodeFileEnvironment } from '@chatdoc/sync/file';

/** Says of the attempts of this process whose they are: `chatdoc@HOST:PROCESS`. */
export function nameRunner(): string {
  return `chatdoc@${hostname()}:${nodeFileEnvironment.process_id}`;
}

const NAME = /^chatdoc@(.+):(\d{1,10})$/s;

/**
 * Whether the process that `nameRunner` named is gone for certain: it was one of this machine, and no process has its
 * number. Of any other runner that cannot be known from a file.
 */
export function isRunnerGone(name: string): boolean {
  const [, host, processId] = NAME.exec(name) ?? [];
  if (host !== hostname()) return false;
  // Our own number, before we run anything: that of a process before us.
  return name === nameRunner() || !nodeFileEnvironment.isRunning(Number(processId));
}
