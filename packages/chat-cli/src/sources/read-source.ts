import { readFile, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Io } from '../io.js';

/** Something that could not be done, with what to do about it. No stack, no content. */
export interface Failure {
  readonly ok: false;
  readonly code: string;
  readonly message: string;
}

export type SourceBytes = { readonly ok: true; readonly bytes: Uint8Array } | Failure;

/** Beyond this many bytes the text of a file does not fit a string. */
const MAX_BYTES = 448 * 1024 * 1024;

export type FoundFile =
  | { readonly ok: true; readonly path: string /** Or a pipe. */; readonly isFile: boolean }
  | Failure;

/** A file that can be read, as far as can be seen without opening it. */
export async function findFile(file: string, io: Io): Promise<FoundFile> {
  try {
    if (file === '') return fail('missing', 'the name of the file is empty');
    const path = resolve(io.cwd, file);
    const found = await stat(path);
    if (found.isDirectory()) {
      return fail('directory', 'this is a folder; name the chat files in it, such as FOLDER/*.chat');
    }
    if (!found.isFile() && !found.isFIFO()) return fail('no_file', 'this is neither a file nor a pipe');
    if (found.size > MAX_BYTES) return fail('too_large', describeSize(found.size));
    return { ok: true, path, isFile: found.isFile() };
  } catch (error) {
    return describeReadError(error);
  }
}

/** The bytes of a file; `-` is standard input. */
export async function readSource(file: string, io: Io): Promise<SourceBytes> {
  try {
    if (file === '-') return { ok: true, bytes: await readStream(io.stdin) };
    const found = await findFile(file, io);
    return found.ok ? { ok: true, bytes: await readFile(found.path) } : found;
  } catch (error) {
    return describeReadError(error);
  }
}

async function readStream(stream: Io['stdin']): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream)
    chunks.push(typeof chunk === 'string' ? Buffer.from(chunk) : Buffer.from(chunk));
  return Buffer.concat(chunks);
}

export function describeReadError(error: unknown): Failure {
  const code = codeOf(error);
  switch (code) {
    case 'ENOENT':
    case 'ENOTDIR':
      return fail('missing', 'there is no such file; check the name and the folder that you are in');
    case 'EACCES':
    case 'EPERM':
      return fail('unreadable', 'you may not read this file; ask its owner, or change its permissions');
    case 'ELOOP':
      return fail('unreadable', 'this link leads back to itself; name the file that it should lead to');
    default:
      return fail('unreadable', `this file cannot be read (${code}); check the disk that it is on`);
  }
}

export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
}

export function fail(code: string, message: string): Failure {
  return { ok: false, code, message };
}

function describeSize(size: number): string {
  const [is, limit] = [size, MAX_BYTES].map((bytes) => Math.ceil(bytes / 1024 / 1024));
  return `this file has ${is} MB, and chatdoc reads files of up to ${limit} MB`;
}
