import { type Entry, type LaneEntry, SCHEMA_VERSION, timeOfUlid } from '@chatdoc/schema';
import { compareText, type DocumentEntry, encodeLine } from '@chatdoc/schema/internal';
import { readCocalc } from '../cocalc/reader.js';
import { readImport } from '../conversations/formats.js';
import { type JupyterDocument, readJupyterDocument } from '../jupyter/document.js';
import { readJupyter } from '../jupyter/reader.js';
import {
  type Detected,
  detectFormat,
  detectValue,
  JUPYTER_START,
  type LegacyFormat,
} from '../source/detect.js';
import { canonicalText, parseJson } from '../source/json-value.js';
import { type OnProgress, Progress } from '../source/progress.js';
import { decodeBytes } from '../source/rows.js';
import { readRelational } from '../tables/relational.js';
import { readTasks } from '../tables/tasks.js';
import { deriveId } from './derive-id.js';
import { PlanDraft, type Problem } from './draft.js';
import { LaneText } from './lane.js';
import type { Ledger } from './ledger.js';
import type { Reading } from './reading.js';
import type { WrittenEntry } from './written-entry.js';

/** Beyond this many bytes the text of the result would not fit a string. */
export const MAX_BYTES: number = 192 * 1024 * 1024;

export interface MigrationPlan {
  readonly format: Exclude<LegacyFormat, 'chatdoc' | 'unknown'>;
  /** In the order of `jsonl`, without the header. Read from it when first asked for, and kept. */
  readonly entries: readonly Entry[];
  /** One lane: its header and the entries, one a line. What `importJSONL` takes. Made when first asked for, and kept. */
  readonly jsonl: string;
  readonly lane_id: string;
  readonly ledger: Ledger;
  /** By row. */
  readonly problems: readonly Problem[];
}

export type PlanRefusal =
  /** It is a chat of this library: nothing to migrate. */
  | 'already_chatdoc'
  /** Rows and what became of them do not add up: a bug of this package, and nothing is given out. */
  | 'ledger_mismatch'
  | 'too_large'
  | 'unknown_format';

export type PlanResult =
  | { readonly ok: true; readonly plan: MigrationPlan }
  | { readonly ok: false; readonly code: PlanRefusal; readonly message: string };

export interface PlanOptions {
  /** Format to read the file as, where its content does not show it. Ignored for an empty file. */
  readonly format?: Exclude<MigrationPlan['format'], 'empty'>;
  /** Called at least once for each MB of the file, the last time with all of it. */
  readonly onProgress?: OnProgress;
}

/**
 * Plans the migration of a legacy chat: a pure function of its bytes. Nothing is written; the plan of the same bytes is the
 * same on every machine, and plans of two revisions of one chat merge to the union of their rows.
 */
export function planMigration(source: Uint8Array, options: PlanOptions = {}): PlanResult {
  if (source.length > MAX_BYTES) {
    return {
      ok: false,
      code: 'too_large',
      message: `expected at most ${MAX_BYTES} bytes, got ${source.length}`,
    };
  }
  // A file is read as a Buffer of Node: each range of that is another, and takes several times as long to make.
  const bytes = new Uint8Array(source.buffer, source.byteOffset, source.length);
  const progress = new Progress(bytes.length, options.onProgress);
  const { format, reason, document } = detect(bytes, progress);
  const { format: wanted } = options;
  if (wanted !== undefined && format !== 'chatdoc' && format !== 'empty' && format !== wanted) {
    const planned = readAs(wanted, bytes, document, progress);
    if (!planned.ok || planned.plan.ledger.became > 0) return planned;
    return {
      ok: false,
      code: 'unknown_format',
      message: `no row of it reads as ${wanted}: name another format`,
    };
  }
  switch (format) {
    case 'chatdoc':
      return { ok: false, code: 'already_chatdoc', message: `${reason}: open it instead of migrating it` };
    case 'unknown':
      return { ok: false, code: 'unknown_format', message: reason };
    case 'empty':
      return assemblePlan(format, { rows: [], draft: new PlanDraft() }, progress);
    default:
      return readAs(format, bytes, document, progress);
  }
}

function readAs(
  format: Exclude<MigrationPlan['format'], 'empty'>,
  bytes: Uint8Array,
  document: JupyterDocument | undefined,
  progress: Progress,
): PlanResult {
  switch (format) {
    case 'cocalc':
      return assemblePlan(format, readCocalc(bytes, progress), progress);
    case 'jupyter':
      return assemblePlan(
        format,
        readJupyter(document ?? readJupyterDocument(bytes, progress), progress),
        progress,
      );
    case 'relational':
      return assemblePlan(format, readRelational(bytes), progress);
    case 'tasks':
      return assemblePlan(format, readTasks(bytes), progress);
    default:
      return assemblePlan(format, readImport(format, bytes, progress), progress);
  }
}

/** Enough of a file to detect lines of rows: beyond it, a file is not decoded whole only for that. */
const HEAD_BYTES = 64 * 1024;
const NEWLINE = 10;

interface DetectedFile extends Detected {
  /** Where it was read to know it. */
  readonly document?: JupyterDocument;
}

function detect(bytes: Uint8Array, progress: Progress): DetectedFile {
  const end = bytes.lastIndexOf(NEWLINE, HEAD_BYTES);
  if (bytes.length > 2 * HEAD_BYTES && end > 0) {
    const head = bytes.subarray(0, end);
    // Two lines of which the first is JSON: no whole document begins so, and rows are known by the first of them.
    const [first, second] = decodeBytes(head).trimStart().split('\n', 2);
    if (second !== undefined && second.trim() !== '' && parseJson(first ?? '') !== undefined) {
      const detected = detectFormat(head);
      if (detected.format === 'cocalc') return detected;
    }
  }
  if (JUPYTER_START.test(decodeBytes(bytes.subarray(0, START_BYTES)).trimStart())) {
    // Reading it also shows whether it is one, and a value of the whole would take much more memory.
    const document = readJupyterDocument(bytes, progress);
    const detected = document.outline === undefined ? undefined : detectValue(document.outline);
    if (detected?.format === 'jupyter') return { ...detected, document };
  }
  return detectFormat(bytes);
}

const START_BYTES = 256;

function assemblePlan(
  format: MigrationPlan['format'],
  { rows, draft, identity }: Reading,
  progress: Progress,
): PlanResult {
  if (identity !== undefined)
    draft.share([identity.row], createDocument(identity.doc_id, format, rows.length));
  progress.endStage();
  const check = draft.checkLedger(rows);
  if (!check.ok) return check;
  const ledger = draft.ledger(rows);
  const written = sortEntries(draft.entries());
  const lane = new LaneText(SCHEMA_VERSION, progress);
  for (const one of written) lane.add(one);
  const header = createHeader(lane.finish(findEarliest(written)));
  progress.endStage();
  let text: LaneText | undefined = lane;
  let jsonl = '';
  const readJsonl = (): string => {
    if (text !== undefined) jsonl = `${encodeLine(header)}\n${text.read()}`;
    text = undefined;
    return jsonl;
  };
  let entries: readonly Entry[] | undefined;
  return {
    ok: true,
    plan: {
      format,
      get entries() {
        entries ??= readEntries(readJsonl());
        return entries;
      },
      get jsonl() {
        return readJsonl();
      },
      lane_id: header.lane_id,
      ledger,
      problems: [...draft.problems].sort((a, b) => a.row - b.row),
    },
  };
}

function readEntries(jsonl: string): readonly Entry[] {
  const lines = jsonl.split('\n');
  return lines.slice(1, -1).map((line) => JSON.parse(line) as Entry);
}

/** Its id hashes its content: two revisions of a file name one document in two entries. */
function createDocument(doc_id: string, format: string, rows: number): DocumentEntry {
  const migrated_from = { format, rows };
  const id = deriveId(
    timeOfUlid(doc_id),
    'legacy_document_entry',
    doc_id,
    canonicalText(migrated_from) ?? '',
  );
  return { type: 'document', id, doc_id, migrated_from };
}

/**
 * The writer is the same for every migration: parts count only under the writer of their message, and those that a
 * newer revision of a file adds are in another lane than the message.
 */
function createHeader(lane_id: string): LaneEntry {
  return {
    type: 'lane',
    lane_id,
    schema_version: SCHEMA_VERSION,
    min_reader: SCHEMA_VERSION,
    generation: 0,
    writer_id: deriveId(0, 'legacy_writer'),
  };
}

function findEarliest(written: readonly WrittenEntry[]): number {
  let earliest = '';
  for (const { type, ref } of written) {
    if (type === 'message' && (earliest === '' || ref < earliest)) earliest = ref;
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

/** Of what is about one message. */
const RANK: Readonly<Partial<Record<Entry['type'], number>>> = {
  message: 0,
  part: 1,
  revision: 2,
  annotation: 3,
};

/** Threads, settings, each message with what is about it, and at the end what was kept aside. */
function sortEntries(written: readonly WrittenEntry[]): readonly WrittenEntry[] {
  const places: WrittenEntry[][] = [];
  for (const one of written) {
    const place = PLACE[one.type];
    const same = places[place];
    if (same === undefined) places[place] = [one];
    else same.push(one);
  }
  // Files are written in about this order, and entries about a message are made after it: little is left to sort.
  return places.flatMap((same) => (isSorted(same) ? same : same.sort(compareEntries)));
}

function isSorted(written: readonly WrittenEntry[]): boolean {
  let before: WrittenEntry | undefined;
  for (const one of written) {
    if (before !== undefined && compareEntries(before, one) > 0) return false;
    before = one;
  }
  return true;
}

function compareEntries(a: WrittenEntry, b: WrittenEntry): number {
  // What has no subject comes after all that has one: no id begins with a brace.
  const first = a.subject ?? a.line;
  const second = b.subject ?? b.line;
  if (first > second) return 1;
  if (first < second) return -1;
  const ranks = (RANK[a.type] ?? 0) - (RANK[b.type] ?? 0);
  return ranks || a.n - b.n || compareText(a.line, b.line);
}
