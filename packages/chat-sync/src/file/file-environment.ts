import { systemEnvironment, systemTimers, type Timers } from '@chatdoc/schema';
import { type FileSystem, nodeFileSystem } from './fs.js';

/** What document files take from the world. Tests inject their own. */
export interface FileEnvironment extends Pick<Timers, 'setTimer' | 'clearTimer'> {
  readonly fileSystem: FileSystem;
  /** Names what this process leaves behind if it is killed. */
  readonly process_id: number;
  /** Whether that process may still be there. Only patience depends on it: true where it cannot be known. */
  isRunning(process_id: number): boolean;
  random(bytes: number): Uint8Array;
  /** Milliseconds. */
  sleep(ms: number): Promise<void>;
}

export const nodeFileEnvironment: FileEnvironment = {
  fileSystem: nodeFileSystem,
  process_id: process.pid,
  isRunning(processId) {
    try {
      process.kill(processId, 0);
      return true;
    } catch (error) {
      // EPERM: it is somebody else's, and there.
      return (error as NodeJS.ErrnoException).code !== 'ESRCH';
    }
  },
  random: systemEnvironment.random,
  sleep: (ms) => new Promise((resolve) => systemTimers.setTimer(() => resolve(), ms)),
  // A process that has not flushed stays until it has.
  setTimer: systemTimers.setTimer,
  clearTimer: systemTimers.clearTimer,
};
