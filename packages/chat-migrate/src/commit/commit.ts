import { dirname, relative } from 'node:path';
import { formatUlid } from '@chatdoc/schema/internal';
import {
  type FileEnvironment,
  type FlushResult,
  nodeFileEnvironment,
  type OpenFault,
} from '@chatdoc/sync/file';
import { type MigrationPlan, type PlanOptions, type PlanRefusal, planMigration } from '../plan/plan.js';
import { type VerifyRefusal, verifyPlan } from '../plan/verify.js';
import type { OnProgress } from '../source/progress.js';
import { backUp, backupName, digestOf } from './backup.js';
import { removeMigrationLeftovers } from './leftovers.js';
import { readLegacyFile } from './legacy-file.js';
import { addMissing, createDocument, openPresent, readBack, readWithout } from './migrated-document.js';
import { type MigrationRecord, readRecord, writeRecord } from './record.js';

export interface CommitOptions {
  /** Path of the document; its folder must exist. Defaults to `NAME.ychat` beside `NAME.chat`. */
  readonly output?: string;
  /** Format to read the source as, where its content does not show it. */
  readonly format?: NonNullable<PlanOptions['format']>;
  /** Returns the result that a commit would have, and writes nothing. Defaults to false. */
  readonly dryRun?: boolean;
  readonly fileEnvironment?: FileEnvironment;
  readonly onProgress?: OnProgress;
}

export type CommitResult =
  | {
      readonly ok: true;
      /** `same`: the document holds all of the source already, and nothing was written. */
      readonly outcome: 'written' | 'updated' | 'same';
      readonly output: string;
      /** Name of the copy of the source, in the folder of the document. */
      readonly backup: string;
      readonly doc_id: string;
      readonly generation: number;
      /** Lines that the document did not hold. */
      readonly lines: number;
      readonly plan: MigrationPlan;
    }
  | {
      readonly ok: false;
      readonly code: CommitRefusal;
      /** Of which file, if it is about one. */
      readonly path?: string;
      readonly message?: string;
    };

export type CommitRefusal =
  | PlanRefusal
  | VerifyRefusal
  | OpenFault['code']
  | Exclude<FlushResult, { ok: true }>['code']
  | 'bad_record'
  /** The file under the name of the backup is not the source. */
  | 'backup_damaged'
  /** The output is a document of another chat. */
  | 'other_document'
  /** The document that was written does not read back as the plan. */
  | 'not_as_planned';

/**
 * Migrates a legacy file into a document file. The source is only read. In this order, each step on the disk before
 * the next: a verified copy of the source, the record of the migration, the document; of a document that is there
 * already the record comes last. Killed anywhere, the source is there, and a new run goes on.
 */
export async function commitMigration(source: string, options: CommitOptions = {}): Promise<CommitResult> {
  const { fileEnvironment: environment = nodeFileEnvironment, dryRun = false } = options;
  const output = options.output ?? defaultOutput(source);
  const read = await readLegacyFile(source, environment);
  if (!read.ok) return { ...read, path: source };
  const { onProgress, format } = options;
  const planned = planMigration(read.bytes, {
    ...(onProgress !== undefined && { onProgress }),
    ...(format !== undefined && { format }),
  });
  if (!planned.ok) return { ...planned, path: source };
  const { plan } = planned;
  const verified = verifyPlan(plan);
  if (!verified.ok) return { ...verified, path: source };
  const known = await readRecord(output, environment);
  if (!known.ok) return { ...known, path: output };
  const record = createRecord(known.record, relative(dirname(output), source), {
    source_sha256: digestOf(read.bytes),
    source_bytes: read.bytes.length,
    format: plan.format,
    backup: backupName(source, read.bytes),
    own_id: verified.chat.docId() ?? nameUnknown(plan, environment),
  });
  if (record === undefined) return { ok: false, code: 'other_document', path: output };
  const { doc_id, backup } = record;
  if (dryRun) {
    const found = await readWithout(output, record, plan, environment);
    if (!found.ok) return { ...found, path: output };
    const { generation, lines = countLines(plan), outcome } = found;
    return { ok: true, outcome, output, backup, doc_id, generation, lines, plan };
  }
  await removeMigrationLeftovers(source, output, environment);
  const present = await openPresent(output, record, environment);
  if (!present.ok) return { ...present, path: output };
  let { file } = present;
  try {
    const kept = await backUp(source, read.bytes, output, environment);
    if (!kept.ok) return { ...kept, path: output };
    const isNew = file === undefined;
    if (file === undefined) {
      // First the record: it has the generation that the document must have.
      const recorded = await writeRecord(output, record, known.record, environment);
      if (!recorded.ok) return { ...recorded, path: output };
      const created = await createDocument(output, record, verified.doc, environment);
      if (!created.ok) return { ...created, path: output };
      file = created.file;
    }
    const lines = isNew ? countLines(plan) : addMissing(file.chat, plan, file.generation);
    const { generation } = file;
    const digest = file.chat.digest();
    const closed = await file.close();
    if (!closed.ok) return { ...closed, path: output };
    const checked = await readBack(output, digest, environment);
    if (!checked.ok) return { ...checked, path: output };
    if (!isNew) {
      // Last the record: the source that it names is in the document by now.
      const recorded = await writeRecord(output, record, known.record, environment);
      if (!recorded.ok) return { ...recorded, path: output };
    }
    const outcome = isNew ? 'written' : lines > 0 ? 'updated' : 'same';
    return { ok: true, outcome, output, backup, doc_id, generation, lines, plan };
  } finally {
    await file?.close();
  }
}

const ENDING = /(?<=[^/\\])\.(?:chat|sage-chat|smc-chat|jsonl?|csv)$/i;

/** `NAME.ychat` beside `NAME.chat`, or any other ending that legacy files have; another one stays. */
export function defaultOutput(source: string): string {
  return `${source.replace(ENDING, '')}.ychat`;
}

/** Without its header. */
function countLines({ jsonl }: MigrationPlan): number {
  return jsonl.split('\n').length - 2;
}

/**
 * The id of a document whose rows do not identify the chat: that of its content. Chats in which nobody has written
 * yet have all the same, and must not become one: a random one.
 */
function nameUnknown({ ledger, lane_id }: MigrationPlan, environment: FileEnvironment): string {
  return ledger.rows.length > 0 ? lane_id : formatUlid(0, environment.random(10));
}

/** Undefined if the document was made from another chat. */
function createRecord(
  known: MigrationRecord | undefined,
  source: string,
  {
    own_id,
    ...facts
  }: Pick<MigrationRecord, 'source_sha256' | 'source_bytes' | 'format' | 'backup'> & {
    readonly own_id: string;
  },
): MigrationRecord | undefined {
  // The source may have lost the row by which it was named.
  if (known !== undefined && known.source !== source && known.doc_id !== own_id) return undefined;
  const { doc_id = own_id, generation = 0, rolled_back = [] } = known ?? {};
  return { version: 1, source, ...facts, doc_id, generation, rolled_back };
}
