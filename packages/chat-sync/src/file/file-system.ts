import { link, open, readdir, rename, stat, unlink } from 'node:fs/promises';

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
