import { link, open, readdir, rename, stat, unlink } from 'node:fs/promises';
import { systemEnvironment, systemTimers, type Timers } from '@chatdoc/schema';

/** What is used of a file system; `node:fs/promises` fits. Tests inject every fault at every call. */
export interface FileSystem {
  /** Flags as `fs.open` takes them; a new file gets mode 0o666 less the process's mask. */
  open(path: string, flags: string | number): Promise<FileHandle>;
  rename(from: string, to: string): Promise<void>;
  /** Fails if `to` is there: what gives a new file its name, and never takes the place of another. */
  link(from: string, to: string): Promise<void>;
  unlink(path: string): Promise<void>;
  stat(path: string): Promise<FileStat>;
  readdir(path: string): Promise<string[]>;
}

export interface FileHandle {
  read(
    buffer: Uint8Array,
    offset: number,
    length: number,
    position: number,
  ): Promise<{ readonly bytesRead: number }>;
  /** May write less than it was asked to: callers loop. */
  write(
    buffer: Uint8Array,
    offset: number,
    length: number,
    position: number | null,
  ): Promise<{ readonly bytesWritten: number }>;
  sync(): Promise<void>;
  stat(): Promise<FileStat>;
  close(): Promise<void>;
}

export interface FileStat {
  readonly dev: number;
  readonly ino: number;
  readonly size: number;
  /** When it was changed, ms; absent where that is not known. */
  readonly mtimeMs?: number;
  isDirectory(): boolean;
}

export const nodeFileSystem: FileSystem = { open, rename, link, unlink, stat, readdir };

/** Whether two names, or two times of looking at one, mean the same file. */
export function isSameFile(a: FileStat, b: FileStat): boolean {
  return a.dev === b.dev && a.ino === b.ino;
}

/** The error code of the operating system, such as `ENOSPC`; `UNKNOWN` for anything else. */
export function errnoOf(error: unknown): string {
  if (typeof error !== 'object' || error === null || !('code' in error)) return 'UNKNOWN';
  return typeof error.code === 'string' ? error.code : 'UNKNOWN';
}

/** Why a file could not be read or written. What was on disk before is still there. */
export interface FileFault {
  readonly ok: false;
  readonly code: FileFaultCode;
  /** Of the operating system, where it said something. */
  readonly errno?: string;
}

export type FileFaultCode =
  /** No file of that name, or it was removed. */
  | 'not_found'
  /** A file of that name is there already. */
  | 'exists'
  /** A folder, not a file. */
  | 'directory'
  /** Not allowed to read or write there. */
  | 'forbidden'
  /** No space, no quota, or the file is too large for its file system. */
  | 'disk_full'
  /** Too many open files. */
  | 'too_many_files'
  /** The system failed in another way; see `errno`. */
  | 'io'
  /** What was written did not read back as it was. */
  | 'not_as_written'
  /** Another process put something else in its place meanwhile. */
  | 'conflict'
  /** Frames of a later version of the library. */
  | 'later_version'
  /** Not one line of it can be recovered. */
  | 'unreadable';

const CODES: Readonly<Record<string, FileFaultCode>> = {
  ENOENT: 'not_found',
  ENOTDIR: 'not_found',
  EEXIST: 'exists',
  EISDIR: 'directory',
  EACCES: 'forbidden',
  EPERM: 'forbidden',
  EROFS: 'forbidden',
  ENOSPC: 'disk_full',
  EDQUOT: 'disk_full',
  EFBIG: 'disk_full',
  EMFILE: 'too_many_files',
  ENFILE: 'too_many_files',
};

/** The fault that a thrown error of a file system means. Never throws. */
export function describeFault(error: unknown): FileFault {
  if (error instanceof FaultError) return error.fault;
  const errno = errnoOf(error);
  return { ok: false, code: CODES[errno] ?? 'io', errno };
}

/** Carries a fault up through code that cleans up on its way. Never leaves the package. */
export class FaultError extends Error {
  readonly fault: FileFault;
  constructor(code: FileFaultCode, errno?: string) {
    super(code);
    this.fault = { ok: false, code, ...(errno !== undefined && { errno }) };
  }
}

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
