import { systemEnvironment } from '@chatdoc/schema';
import { type FileSystem, nodeFileSystem } from './file-system.js';

/** What document files take from the world. Tests inject their own. */
export interface FileEnvironment {
  readonly fileSystem: FileSystem;
  /** Names what this process leaves behind if it is killed. */
  readonly process_id: number;
  /** Whether that process may still be there. Only patience depends on it: true where it cannot be known. */
  isRunning(process_id: number): boolean;
  random(bytes: number): Uint8Array;
  /** Milliseconds. */
  sleep(ms: number): Promise<void>;
  setTimer(callback: () => void, ms: number): unknown;
  clearTimer(timer: unknown): void;
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
  // biome-ignore lint/plugin: the one place of this package that waits
  sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  // biome-ignore lint/plugin: the one place of this package that sets timers
  setTimer: (callback, ms) => setTimeout(callback, ms).unref(),
  clearTimer: (timer) => clearTimeout(timer as NodeJS.Timeout),
};
