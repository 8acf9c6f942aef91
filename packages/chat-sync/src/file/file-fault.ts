import { errnoOf } from './fs.js';

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
