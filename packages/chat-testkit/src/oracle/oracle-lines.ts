import type { QuarantineReason, Slot } from '@chatdoc/schema';
import { deriveSlotThreadId, deriveUlid, type EntryType, parseLine } from '@chatdoc/schema/internal';
import * as Y from 'yjs';
import { entrySchemas } from './entry-schemas.js';

/**
 * The first half of the oracle: from the text of lanes to chosen entries, slowly and from SPEC.md alone. Every
 * line is parsed at once and nothing is kept from one run to the next.
 */

export interface LaneText {
  readonly key: string;
  readonly text: string;
}

interface Header {
  readonly lane_id: string;
  /** False where the line fails its schema: what is under it has no header. */
  readonly valid: boolean;
  readonly writer_id: string;
  readonly user_id: string | undefined;
  readonly schema_version: number;
  readonly min_reader: number;
  readonly rolled_back: string | undefined;
}

type Body = Readonly<Record<string, unknown>>;

export interface OracleEntry {
  readonly type: Exclude<EntryType, 'lane'>;
  readonly own: string;
  /** The thread, message or attempt it is about. */
  readonly subject: string;
  readonly about: 'thread' | 'message' | 'attempt' | 'none';
  readonly body: Body;
  readonly problem: boolean;
  readonly cut: boolean;
  /** After redaction, closing and healing. */
  readonly line: string;
  /** Every header that a byte-equal line is under. */
  readonly headers: Header[];
}

export interface Chosen {
  readonly entries: readonly OracleEntry[];
  /** Parts and finishes, not chosen yet: which of them count depends on the message line that they follow. */
  readonly tails: readonly OracleEntry[];
  readonly losers: readonly OracleEntry[];
  /** [FD5] Lines of threads with a derived id that another one replaces: not duplicates, and not a part of the digest. */
  readonly merged: readonly OracleEntry[];
  readonly quarantine: readonly { lane_id: string | null; line: string; reason: QuarantineReason }[];
  readonly unknown: readonly { line: string; type: string }[];
  readonly hidden: readonly string[];
  readonly rolledBack: readonly string[];
  /** Lines that the digest covers beside entries: lane id, line. */
  readonly covered: readonly (readonly [string | null, string])[];
}

/** [LA2] Own ContentStrings of the client that owns the map entry, in clock order; a run deleted is one `\0`. */
export function extractTexts(doc: Y.Doc, root = 'chat'): LaneText[] {
  const map = doc.getMap(root);
  const texts: LaneText[] = [];
  for (const [key, item] of map._map) {
    if (item.deleted) continue;
    const type = item.content.getContent()[0] as unknown;
    if (!(type instanceof Y.Text)) continue;
    let text = '';
    let gap = false;
    for (const struct of doc.store.clients.get(item.id.client) ?? []) {
      if (!(struct instanceof Y.Item) || struct.parent !== type) continue;
      if (struct.deleted) {
        if (!gap) text += '\0';
        gap = true;
      } else if (struct.content instanceof Y.ContentString) {
        text += struct.content.str;
        gap = false;
      }
    }
    texts.push({ key, text });
  }
  return texts;
}

const U = '([0-7][0-9A-HJKMNP-TV-Z]{25})';
const about = (type: string, subject: string): RegExp =>
  new RegExp(`^\\{"type":"${type}","id":"${U}","${subject}_id":"${U}"`);
const alone = (type: string, own: string): RegExp => new RegExp(`^\\{"type":"${type}","${own}":"${U}"`);

type Form = readonly [type: EntryType, about: OracleEntry['about'], pattern: RegExp];
const FORMS: readonly Form[] = [
  ['lane', 'none', alone('lane', 'lane_id')],
  ['document', 'none', alone('document', 'id')],
  ['thread', 'thread', alone('thread', 'thread_id')],
  ['thread_config', 'thread', about('thread_config', 'thread')],
  ['thread_state', 'thread', about('thread_state', 'thread')],
  ['activation', 'thread', about('activation', 'thread')],
  ['annotation', 'message', about('annotation', 'message')],
  ['annotation', 'thread', about('annotation', 'thread')],
  ['revision', 'message', about('revision', 'message')],
  ['redaction', 'message', about('redaction', 'message')],
  ['stop', 'message', about('stop', 'message')],
  ['retry', 'message', about('retry', 'message')],
  ['interrupt', 'message', about('interrupt', 'message')],
  ['finish', 'attempt', new RegExp(`^\\{"type":"finish","id":"${U}","attempt":"${U}"`)],
  ['part', 'attempt', new RegExp(`^\\{"type":"part","attempt":"${U}","n":([1-9]\\d{0,15})`)],
  ['variables', 'none', alone('variables', 'id')],
  ['legacy_row', 'message', about('legacy_row', 'message')],
  ['legacy_row', 'none', new RegExp(`${alone('legacy_row', 'id').source}(?!,"message_id":")`)],
];
const PLAIN = new RegExp(`^\\{"type":"message","message_id":"${U}","thread_id":"${U}"(?!,"prompt_id":")`);
const ANSWER = new RegExp(
  `^\\{"type":"message","message_id":"${U}","thread_id":"${U}","prompt_id":"${U}","attempt":"${U}"`,
);
const KNOWN = new Set<string>(Object.keys(entrySchemas));

export interface LineHead {
  readonly type: EntryType;
  readonly about: OracleEntry['about'];
  readonly own: string;
  readonly subject: string;
  /** Ids of the head by the name of their field. */
  readonly ids: Readonly<Record<string, string | number>>;
}

/** [LN5] Type and ids, or undefined. */
export function headOf(line: string): LineHead | undefined {
  const answer = ANSWER.exec(line);
  if (answer !== null) {
    const [, message_id = '', thread_id = '', prompt_id = '', attempt = ''] = answer;
    const ids = { message_id, thread_id, prompt_id, attempt };
    return { type: 'message', about: 'message', own: `${message_id}/${attempt}`, subject: message_id, ids };
  }
  const plain = PLAIN.exec(line);
  if (plain !== null) {
    const [, message_id = '', thread_id = ''] = plain;
    return {
      type: 'message',
      about: 'message',
      own: message_id,
      subject: message_id,
      ids: { message_id, thread_id },
    };
  }
  for (const [type, role, pattern] of FORMS) {
    const match = pattern.exec(line);
    if (match === null) continue;
    const [, own = '', second] = match;
    if (type === 'part') {
      const n = Number(second);
      return { type, about: role, own: `${own}/${n}`, subject: own, ids: { attempt: own, n } };
    }
    if (type === 'thread') return { type, about: role, own, subject: own, ids: { thread_id: own } };
    if (type === 'lane') return { type, about: role, own, subject: '', ids: { lane_id: own } };
    const ids: Record<string, string> = { id: own };
    if (second !== undefined) ids[role === 'attempt' ? 'attempt' : `${role}_id`] = second;
    return { type, about: role, own, subject: second ?? '', ids };
  }
  return undefined;
}

/** [LN6] The name of a type that this version does not know. */
function unknownType(line: string): string | undefined {
  const name = /^\{"type":"([a-z][a-z0-9_]{0,63})"/.exec(line)?.[1];
  return name === undefined || KNOWN.has(name) ? undefined : name;
}

/** [LN11] `\0` as all that is between the quotes of a value. */
function fillBlanks(line: string): string {
  return line.replace(/([:[,]")\0(?=")/g, '$1');
}

/** [LN10] */
function close(open: string): string | undefined {
  const half = /(?:^|[^\\])(?:\\\\)*(\\(?:u[0-9a-fA-F]{0,3})?)$/.exec(open)?.[1] ?? '';
  const closed = fillBlanks(`${open.slice(0, open.length - half.length)}","cut":true}`);
  return parseLine(closed).ok ? closed : undefined;
}

const KEPT = new Set(
  'type id message_id thread_id prompt_id attempt epoch runner_id replaces reply_to_message_id after client_message_id sender_id author_id date expects n kind part_id state continues finish_reason acp_usage acp_thread_id deleted cut'.split(
    ' ',
  ),
);

/** [RX1] A line without what is between the quotes of its strings, except ids, times and names. */
function blank(line: string): string {
  let out = '';
  let depth = 0;
  let keep = true;
  for (let at = 0; at < line.length; at += 1) {
    const unit = line.charAt(at);
    if (unit !== '"') {
      if (unit === '{' || unit === '[') depth += 1;
      if (unit === '}' || unit === ']') depth -= 1;
      out += unit;
      continue;
    }
    let end = at + 1;
    while (end < line.length && line.charAt(end) !== '"') end += line.charAt(end) === '\\' ? 2 : 1;
    const closed = end < line.length;
    const inside = line.slice(at + 1, end);
    const isKey = closed && line.charAt(end + 1) === ':';
    if (isKey && depth === 1) {
      keep = KEPT.has(inside) || (inside === 'reason' && line.startsWith('{"type":"legacy_row",'));
    }
    out += `"${isKey || keep ? inside : ''}${closed ? '"' : ''}`;
    at = end;
  }
  return out;
}

interface RawLine {
  readonly line: string;
  readonly open: boolean;
  readonly header: Header | null;
}

/** [LA3] Every line with its header. Headers come too, under themselves. */
function splitTexts(texts: readonly LaneText[]): RawLine[] {
  const lines: RawLine[] = [];
  for (const { text } of texts) {
    const pieces = text.split('\n');
    let header: Header | null = null;
    pieces.forEach((raw, at) => {
      const open = at === pieces.length - 1;
      if (open && raw === '') return;
      const line = open ? raw : fillBlanks(raw);
      const head = headOf(line);
      // An open header heads nothing yet.
      if (!open && head?.type === 'lane') header = readHeader(line, head.own);
      lines.push({ line, open, header });
    });
  }
  return lines;
}

function readHeader(line: string, lane_id: string): Header {
  const parsed = parseLine(line);
  if (!parsed.ok || !entrySchemas.lane.safeParse(parsed.body).success) {
    return {
      lane_id,
      valid: false,
      writer_id: '',
      user_id: undefined,
      schema_version: 0,
      min_reader: 0,
      rolled_back: undefined,
    };
  }
  const { writer_id, user_id, schema_version, min_reader, rolled_back } = parsed.body as unknown as Header;
  return { lane_id, valid: true, writer_id, user_id, schema_version, min_reader, rolled_back };
}

const isFolded = (header: Header | null): header is Header =>
  header?.valid === true && header.min_reader <= 2 && header.rolled_back === undefined;

/** [FD3], [FD4] and what comes before them. */
export function chooseEntries(texts: readonly LaneText[]): Chosen {
  const lines = splitTexts(texts);
  const redacted = new Set<string>();
  const attempts = new Set<string>();
  for (const { line, open, header } of lines) {
    const head = headOf(line);
    if (!isFolded(header) || head?.type !== 'redaction') continue;
    if (parseLine(open ? (close(line) ?? '') : line).ok) redacted.add(head.subject);
  }
  for (const { line, header } of lines) {
    const head = headOf(line);
    if (!isFolded(header) || head?.type !== 'message') continue;
    if (redacted.has(head.subject)) attempts.add(String(head.ids['attempt'] ?? head.subject));
  }

  const quarantine = new Map<string, Chosen['quarantine'][number]>();
  const unknown = new Map<string, Chosen['unknown'][number]>();
  const hidden = new Set<string>();
  const rolledBack = new Set<string>();
  const entries = new Map<string, OracleEntry>();
  const covered = new Map<string, readonly [string | null, string]>();
  const cover = (lane_id: string | null, line: string): void => {
    covered.set(JSON.stringify([lane_id, line]), [lane_id, line]);
  };
  for (const raw of lines) {
    const { header, open } = raw;
    const head = headOf(raw.line);
    const isBlank =
      head !== undefined &&
      (head.type === 'message' || head.type === 'revision' || head.type === 'legacy_row'
        ? redacted.has(head.subject)
        : (head.type === 'part' || head.type === 'finish') && attempts.has(head.subject));
    const text = isBlank && isFolded(header) ? blank(raw.line) : raw.line;
    const closed = open ? close(text) : undefined;
    const isOpenHeader = open && head?.type === 'lane';
    const line = open ? (closed ?? text) : fillBlanks(text);
    // A header that is open heads nothing, but is of its own lane.
    const place = (isOpenHeader ? head.own : header?.lane_id) ?? null;
    const reject = (reason: QuarantineReason): void => {
      const lane_id = header?.valid === true ? header.lane_id : null;
      // Listed as it is: only what is read is blanked.
      const listed = open
        ? closed === undefined
          ? raw.line
          : (close(raw.line) ?? raw.line)
        : fillBlanks(raw.line);
      quarantine.set(JSON.stringify([lane_id, listed, reason]), { lane_id, line: listed, reason });
    };
    if (header?.valid === true && (header.min_reader > 2 || header.rolled_back !== undefined)) {
      (header.rolled_back === undefined ? hidden : rolledBack).add(header.lane_id);
      cover(place, line);
      continue;
    }
    const parsed = parseLine(line);
    const type = unknownType(line);
    const isTorn = open && closed === undefined;
    if (type !== undefined && isFolded(header) && !isTorn) unknown.set(line, { line, type });
    if (isTorn) reject('torn');
    else if (!isFolded(header)) reject('no_header');
    else if (isOpenHeader || (head === undefined && type === undefined)) reject('head');
    else if (head?.type === 'lane') {
      cover(place, line);
      continue;
    } else if (!parsed.ok) reject(parsed.reason);
    else if (head !== undefined) {
      addEntry(entries, head, parsed.body, line, header);
      continue;
    }
    cover(place, line);
  }
  const isTail = ({ type }: OracleEntry): boolean => type === 'part' || type === 'finish';
  const tails = [...entries.values()].filter(isTail);
  const { chosen, losers, merged } = chooseWithin([...entries.values()].filter((entry) => !isTail(entry)));
  return {
    entries: chosen,
    tails,
    losers,
    merged,
    quarantine: [...quarantine.values()],
    unknown: [...unknown.values()],
    hidden: [...hidden].sort(),
    rolledBack: [...rolledBack].sort(),
    covered: [...covered.values()],
  };
}

/** [LN8] The ids of the head, and every field that fits. */
function addEntry(
  entries: Map<string, OracleEntry>,
  head: LineHead,
  source: Body,
  line: string,
  header: Header,
): void {
  const same = entries.get(line);
  if (same !== undefined) {
    if (
      same.headers.every(
        ({ lane_id, writer_id }) => lane_id !== header.lane_id || writer_id !== header.writer_id,
      )
    ) {
      same.headers.push(header);
    }
    return;
  }
  const parsed = entrySchemas[head.type].safeParse(source);
  const bad = new Set(parsed.success ? [] : parsed.error.issues.map((issue) => String(issue.path[0] ?? '')));
  const body: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(source)) if (!bad.has(key)) body[key] = value;
  const differs = Object.entries(head.ids).some(([key, value]) => source[key] !== value);
  Object.assign(body, head.ids);
  // The fields of an answer are in its head or not at all.
  const isPlain = head.type === 'message' && head.ids['attempt'] === undefined;
  const strays = isPlain ? ['attempt', 'prompt_id'].filter((key) => source[key] !== undefined) : [];
  for (const key of strays) delete body[key];
  entries.set(line, {
    type: head.type as OracleEntry['type'],
    own: head.own,
    subject: head.subject,
    about: head.about,
    body,
    problem: bad.size > 0 || differs || strays.length > 0 || (source['cut'] === true && head.type !== 'part'),
    cut: source['cut'] === true,
    line,
    headers: [header],
  });
}

const AUTHOR: Readonly<Record<string, string>> = {
  message: 'sender_id',
  revision: 'author_id',
  thread: 'created_by',
  thread_config: 'updated_by',
  stop: 'by',
  retry: 'by',
  redaction: 'by',
  annotation: 'user_id',
};

function isByAuthor({ type, body, headers }: OracleEntry): boolean {
  const author = body[AUTHOR[type] ?? ''];
  return author !== undefined && headers.some((header) => header.user_id === author);
}

/** [FD4] Negative: `a` is chosen before `b`. */
function compareDuplicates(a: OracleEntry, b: OracleEntry): number {
  if (a.cut !== b.cut) return a.cut ? 1 : -1;
  if (a.cut && a.line.length !== b.line.length) return b.line.length - a.line.length;
  if (isByAuthor(a) !== isByAuthor(b)) return isByAuthor(a) ? -1 : 1;
  return b.line.length - a.line.length || compare(a.line, b.line);
}

export interface Choice {
  readonly chosen: OracleEntry[];
  readonly losers: OracleEntry[];
  readonly merged: OracleEntry[];
}

/** [FD4] among entries of one (type, subject) and own id. */
export function chooseWithin(entries: readonly OracleEntry[]): Choice {
  const groups = new Map<string, OracleEntry[]>();
  for (const entry of entries) {
    const key = JSON.stringify([entry.type, entry.about, entry.subject, entry.own]);
    groups.set(key, [...(groups.get(key) ?? []), entry]);
  }
  const chosen: OracleEntry[] = [];
  const losers: OracleEntry[] = [];
  const merged: OracleEntry[] = [];
  for (const group of groups.values()) {
    const derived = group.filter(isDerivedThread).sort(compareThreads);
    const first = derived[0] ?? (group.sort(compareDuplicates)[0] as OracleEntry);
    chosen.push(first);
    for (const entry of group) if (entry !== first) (isDerivedThread(entry) ? merged : losers).push(entry);
  }
  return { chosen, losers, merged };
}

/** [FD5] */
function isDerivedThread({ type, subject, body }: OracleEntry): boolean {
  if (type !== 'thread') return false;
  const legacy = body['legacy'] as Record<string, unknown> | null | undefined;
  if (body['slot'] !== undefined)
    return deriveSlotThreadId(body['slot'] as Slot, String(body['purpose'])) === subject;
  const [name, chatId] = [legacy?.['thread_id'], legacy?.['chat_id']];
  if (typeof name === 'string') {
    const time = /^legacy-thread-(-?\d{1,16})$/.exec(name)?.[1] ?? '0';
    return deriveUlid(Number(time), 'legacy_thread_id', name) === subject;
  }
  return typeof chatId === 'string' && deriveUlid(0, 'jupyter_thread', chatId) === subject;
}

function compareThreads(a: OracleEntry, b: OracleEntry): number {
  return compare(String(a.body['created_at']), String(b.body['created_at'])) || compare(a.line, b.line);
}

/** By code unit. */
export function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
