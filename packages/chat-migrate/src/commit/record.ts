import { createFile, type FileEnvironment, type FileFault, readFile, replaceFile } from '@chatdoc/sync/file';
import { z } from 'zod';

/**
 * The record that a commit leaves beside the document, in `NAME.ychat.migration.json`: from what it was made, where the backup
 * is, and which generations were rolled back. Names are relative to the folder of the document.
 */
export interface MigrationRecord {
  readonly version: 1;
  readonly source: string;
  /** Hex SHA-256 of the source when it was migrated last. */
  readonly source_sha256: string;
  readonly source_bytes: number;
  readonly format: string;
  /** A copy of the source under its digest. */
  readonly backup: string;
  readonly doc_id: string;
  /** That the next commit writes: one more than the greatest that was rolled back. */
  readonly generation: number;
  readonly rolled_back: readonly RolledBackDocument[];
}

interface RolledBackDocument {
  readonly generation: number;
  /** Where the document of that generation is kept. */
  readonly document: string;
}

const count = z.number().int().min(0);
const schema = z.object({
  version: z.literal(1),
  source: z.string(),
  source_sha256: z.string().regex(/^[0-9a-f]{64}$/),
  source_bytes: count,
  format: z.string(),
  backup: z.string(),
  doc_id: z.string(),
  generation: count,
  rolled_back: z.array(z.object({ generation: count, document: z.string() })),
});

export function recordPath(document: string): string {
  return `${document}.migration.json`;
}

/** Where a document is kept after its migration was rolled back. */
export function rolledBackPath(document: string, generation: number): string {
  return `${document}.rolled-back-${generation}`;
}

export type ReadRecord =
  | { readonly ok: true; readonly record: MigrationRecord | undefined }
  | FileFault
  /** The file exists, and is not a migration record. */
  | { readonly ok: false; readonly code: 'bad_record' };

/** Undefined where there is none. */
export async function readRecord(document: string, environment: FileEnvironment): Promise<ReadRecord> {
  const read = await readFile(recordPath(document), environment);
  if (!read.ok) return read.code === 'not_found' ? { ok: true, record: undefined } : read;
  try {
    const parsed = schema.safeParse(JSON.parse(new TextDecoder().decode(read.bytes)));
    if (parsed.success) return { ok: true, record: parsed.data };
  } catch {
    // No JSON.
  }
  return { ok: false, code: 'bad_record' };
}

/** Writes nothing where the file has it already. */
export async function writeRecord(
  document: string,
  record: MigrationRecord,
  before: MigrationRecord | undefined,
  environment: FileEnvironment,
): Promise<{ readonly ok: true } | FileFault> {
  const bytes = encodeRecord(record);
  if (before === undefined) return createFile(recordPath(document), bytes, environment);
  const expected = encodeRecord(before);
  if (isEqual(bytes, expected)) return { ok: true };
  const isExpected = (present: Uint8Array): boolean => isEqual(present, expected);
  return replaceFile(recordPath(document), bytes, isExpected, environment);
}

function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}

function encodeRecord(record: MigrationRecord): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify(record, null, 2)}\n`);
}
