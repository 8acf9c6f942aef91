import {
  type DocumentEntry,
  deriveUlid,
  type Entry,
  encodeLine,
  type LaneEntry,
  SCHEMA_VERSION,
  timeOfUlid,
} from '@chatdoc/schema';
import { readCocalc } from './cocalc.js';
import { detectFormat, type LegacyFormat } from './detect.js';
import { canonicalText } from './json-value.js';
import { readJupyter } from './jupyter.js';
import { checkLedger, type Ledger } from './ledger.js';
import { PlanDraft, type Problem } from './plan-draft.js';
import type { Reading } from './reading.js';
import type { WrittenEntry } from './write-entry.js';

/** Beyond this many bytes the text of the result would not fit a string. */
const MAX_BYTES = 192 * 1024 * 1024;

export interface MigrationPlan {
  readonly format: Exclude<LegacyFormat, 'chatdoc' | 'unknown'>;
  /** In the order of `jsonl`, without the header. */
  readonly entries: readonly Entry[];
  /** One lane: its header and the entries, one a line. What `importJSONL` takes. */
  readonly jsonl: string;
  readonly lane_id: string;
  readonly ledger: Ledger;
  /** By row. */
  readonly problems: readonly Problem[];
}

export type PlanFailure =
  /** It is a chat of this library: nothing to migrate. */
  | 'already_chatdoc'
  /** Rows and what became of them do not add up: a bug of this package, and nothing is given out. */
  | 'ledger_mismatch'
  | 'too_large'
  | 'unknown_format';

export type PlanResult =
  | { readonly ok: true; readonly plan: MigrationPlan }
  | { readonly ok: false; readonly code: PlanFailure; readonly message: string };

/**
 * What a legacy chat becomes: a pure function of its bytes. Nothing is written; the plan of the same bytes is the
 * same on every machine, and plans of two revisions of one chat merge to the union of their rows.
 */
export function planMigration(bytes: Uint8Array): PlanResult {
  if (bytes.length > MAX_BYTES) {
    return {
      ok: false,
      code: 'too_large',
      message: `expected at most ${MAX_BYTES} bytes, got ${bytes.length}`,
    };
  }
  const { format, reason } = detectFormat(bytes);
  switch (format) {
    case 'chatdoc':
      return { ok: false, code: 'already_chatdoc', message: `${reason}: open it instead of migrating it` };
    case 'unknown':
      return { ok: false, code: 'unknown_format', message: reason };
    case 'empty':
      return assemblePlan(format, { rows: [], draft: new PlanDraft() });
    case 'cocalc':
      return assemblePlan(format, readCocalc(bytes));
    case 'jupyter':
      return assemblePlan(format, readJupyter(bytes));
  }
}

function assemblePlan(format: MigrationPlan['format'], { rows, draft, identity }: Reading): PlanResult {
  if (identity !== undefined)
    draft.share([identity.row], createDocument(identity.doc_id, format, rows.length));
  const written = sortEntries(draft.entries());
  const ledger = draft.ledger(rows);
  const check = checkLedger(ledger, rows.length, new Set(written.map(({ ref }) => ref)));
  if (!check.ok) return check;
  const body = written.map(({ line }) => `${line}\n`).join('');
  const header = createHeader(findEarliest(written), body);
  return {
    ok: true,
    plan: {
      format,
      entries: written.map(({ entry }) => entry),
      jsonl: `${encodeLine(header)}\n${body}`,
      lane_id: header.lane_id,
      ledger,
      problems: [...draft.problems].sort((a, b) => a.row - b.row),
    },
  };
}

/** Its id hashes its content: two revisions of a file name one document in two entries. */
function createDocument(doc_id: string, format: string, rows: number): DocumentEntry {
  const migrated_from = { format, rows };
  const id = deriveUlid(
    timeOfUlid(doc_id),
    'legacy_document_entry',
    doc_id,
    canonicalText(migrated_from) ?? '',
  );
  return { type: 'document', id, doc_id, migrated_from };
}

/**
 * The writer is the same for every migration: parts count only under the writer of their message, and those that a
 * newer revision of a file adds stand in another lane than the message.
 */
function createHeader(time: number, body: string): LaneEntry {
  return {
    type: 'lane',
    lane_id: deriveUlid(time, 'legacy_lane', SCHEMA_VERSION, body),
    schema_version: SCHEMA_VERSION,
    min_reader: SCHEMA_VERSION,
    generation: 0,
    writer_id: deriveUlid(0, 'legacy_writer'),
  };
}

function findEarliest(written: readonly WrittenEntry[]): number {
  let earliest = '';
  for (const { entry } of written) {
    if (entry.type === 'message' && (earliest === '' || entry.message_id < earliest))
      earliest = entry.message_id;
  }
  return earliest === '' ? 0 : timeOfUlid(earliest);
}

const PLACE: Readonly<Record<Entry['type'], number>> = {
  document: 0,
  thread: 1,
  thread_config: 2,
  thread_state: 3,
  activation: 4,
  variables: 5,
  message: 6,
  part: 6,
  finish: 6,
  stop: 6,
  retry: 6,
  interrupt: 6,
  revision: 6,
  redaction: 6,
  annotation: 6,
  legacy_row: 7,
};

/** Threads, settings, each message with what is about it, and at the end what was kept aside. */
function sortEntries(written: readonly WrittenEntry[]): readonly WrittenEntry[] {
  const keyed = written.map((one) => ({ one, key: sortKey(one) }));
  keyed.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  return keyed.map(({ one }) => one);
}

function sortKey({ entry, line }: WrittenEntry): string {
  const place = PLACE[entry.type];
  switch (entry.type) {
    case 'message':
      return `${place} ${entry.message_id} 0 ${line}`;
    case 'part':
      return `${place} ${entry.attempt} 1 ${String(entry.n).padStart(16, '0')} ${line}`;
    case 'revision':
      return `${place} ${entry.message_id} 2 ${line}`;
    case 'annotation':
      return `${place} ${entry.message_id ?? ''} 3 ${line}`;
    default:
      return `${place} ${line}`;
  }
}
