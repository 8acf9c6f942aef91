import { basename, dirname, join } from 'node:path';
import {
  createFile,
  type FileEnvironment,
  type FileFault,
  moveFile,
  nodeFileEnvironment,
  type OpenFault,
  openChatFile,
  readFile,
} from '@chatdoc/sync/file';
import { digestOf } from './backup.js';
import { removeMigrationLeftovers } from './leftovers.js';
import { type MigrationRecord, readRecord, rolledBackPath, writeRecord } from './record.js';

export interface RollbackOptions {
  readonly fileEnvironment?: FileEnvironment;
}

export type RollbackResult =
  | {
      readonly ok: true;
      /** `unchanged`: the source still stood there as it was migrated. */
      readonly outcome: 'restored' | 'unchanged' | 'done_before';
      readonly source: string;
      /** Where the document is kept. */
      readonly document: string;
      /** That of the next commit: replicas of what was rolled back do not count there. */
      readonly generation: number;
    }
  | { readonly ok: false; readonly code: RollbackRefusal; readonly path: string };

export type RollbackRefusal =
  | FileFault['code']
  | OpenFault['code']
  | 'bad_record'
  /** No migration made this document. */
  | 'not_migrated'
  /** The backup is not what was backed up. */
  | 'backup_damaged'
  /** Somebody has written to the source since it was migrated: it stays, and so does the document. */
  | 'source_changed';

/**
 * Rolls a migration back: the source is there again, byte for byte, and the document is kept beside it under
 * `NAME.ychat.rolled-back-GENERATION`. Nothing is deleted. Killed anywhere, the source or the document is there, and
 * a new run goes on.
 */
export async function rollBackMigration(
  output: string,
  { fileEnvironment: environment = nodeFileEnvironment }: RollbackOptions = {},
): Promise<RollbackResult> {
  const known = await readRecord(output, environment);
  if (!known.ok) return { ...known, path: output };
  const { record } = known;
  if (record === undefined) return { ok: false, code: 'not_migrated', path: output };
  const source = join(dirname(output), record.source);
  await removeMigrationLeftovers(source, output, environment);
  const restored = await restoreSource(source, output, record, environment);
  if (!restored.ok) return restored;
  const done = record.rolled_back.find(({ generation }) => generation === record.generation - 1);
  const opened = await openChatFile(output, { fileEnvironment: environment, readOnly: true });
  if (!opened.ok) {
    if (opened.code !== 'not_found' || done === undefined) return { ...opened, path: output };
    const document = join(dirname(output), done.document);
    return { ok: true, outcome: 'done_before', source, document, generation: record.generation };
  }
  const { generation } = opened.file;
  await opened.file.close();
  const document = rolledBackPath(output, generation);
  const next: MigrationRecord = {
    ...record,
    generation: generation + 1,
    rolled_back: [
      ...record.rolled_back.filter((one) => one.generation !== generation),
      { generation, document: basename(document) },
    ],
  };
  // First the record: a commit that comes in between must not take up the old generation again.
  const recorded = await writeRecord(output, next, record, environment);
  if (!recorded.ok) return { ...recorded, path: output };
  const moved = await moveFile(output, document, environment);
  if (!moved.ok) return { ...moved, path: output };
  return { ok: true, outcome: restored.outcome, source, document, generation: generation + 1 };
}

type Restored =
  | { readonly ok: true; readonly outcome: 'restored' | 'unchanged' }
  | { readonly ok: false; readonly code: RollbackRefusal; readonly path: string };

async function restoreSource(
  source: string,
  output: string,
  record: MigrationRecord,
  environment: FileEnvironment,
): Promise<Restored> {
  const present = await readFile(source, environment);
  if (present.ok) {
    const isSame = digestOf(present.bytes) === record.source_sha256;
    return isSame ? { ok: true, outcome: 'unchanged' } : { ok: false, code: 'source_changed', path: source };
  }
  if (present.code !== 'not_found') return { ...present, path: source };
  const backup = join(dirname(output), record.backup);
  const kept = await readFile(backup, environment);
  if (!kept.ok) return { ...kept, path: backup };
  if (digestOf(kept.bytes) !== record.source_sha256)
    return { ok: false, code: 'backup_damaged', path: backup };
  const created = await createFile(source, kept.bytes, environment);
  return created.ok ? { ok: true, outcome: 'restored' } : { ...created, path: source };
}
