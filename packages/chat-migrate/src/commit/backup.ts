import { basename, dirname, join } from 'node:path';
import { createFile, type FileEnvironment, type FileFault, readFile } from '@chatdoc/sync/file';
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';

export function digestOf(bytes: Uint8Array): string {
  return bytesToHex(sha256(bytes));
}

/** Digits of the digest in the name. */
const NAMED = 16;

/** `NAME.SHA256.backup`: named by its content, so that no backup ever takes the place of another. */
export function backupName(source: string, bytes: Uint8Array): string {
  return `${basename(source)}.${digestOf(bytes).slice(0, NAMED)}.backup`;
}

export type BackedUp =
  | { readonly ok: true }
  | FileFault
  | { readonly ok: false; readonly code: 'backup_damaged' };

/**
 * Keeps a copy of the source in the folder of the document. A file that has its name is read and compared,
 * so that `ok` means that the copy is whole and on the disk.
 */
export async function backUp(
  source: string,
  bytes: Uint8Array,
  document: string,
  environment: FileEnvironment,
): Promise<BackedUp> {
  const path = join(dirname(document), backupName(source, bytes));
  let present = await readFile(path, environment);
  if (!present.ok && present.code === 'not_found') {
    const created = await createFile(path, bytes, environment);
    if (created.ok || created.code !== 'exists') return created;
    present = await readFile(path, environment);
  }
  if (!present.ok) return present;
  return digestOf(present.bytes) === digestOf(bytes) ? { ok: true } : { ok: false, code: 'backup_damaged' };
}
