import {
  type ChatReader,
  type Entry,
  type Json,
  type JsonObject,
  type LaneEntry,
  SCHEMA_VERSION,
} from '@chatdoc/schema';
import {
  type DocumentEntry,
  parseLine,
  type RevisionEntry,
  readEntry,
  type ThreadConfigEntry,
  type ThreadStateEntry,
  type VariablesEntry,
} from '@chatdoc/schema/internal';
import { isJsonObject } from '../source/json-value.js';

/** The input of an export: a chat, and its lines for what no record shows. */
export type ExportableChat = ChatReader & { toJSONL(): string };

/** Facts that the lines of a document have and its records leave out. */
export interface Unshown {
  /** Formats that the document was migrated from, each once. */
  readonly formats: ReadonlySet<string>;
  /** Threads that have messages and, as far as this replica knows, no line of their own. Sorted. */
  readonly bareThreads: readonly string[];
  /** By thread, of each that has settings of any kind. */
  readonly settings: ReadonlyMap<string, UnshownSettings>;
  /** By thread, the newest state by a host or an import. */
  readonly states: ReadonlyMap<string, ThreadStateEntry>;
  /** By revision, what else the version of the old file said. */
  readonly revisions: ReadonlyMap<string, JsonObject>;
  /** How many variables there are, over all scopes. */
  readonly variables: number;
}

interface UnshownSettings {
  /** Columns that no field has. */
  readonly legacy: JsonObject;
  /** The newest entry. */
  readonly latest: ThreadConfigEntry;
}

const OTHER = /^\{"type":"(document|thread_config|thread_state|revision|variables)",/;
const MESSAGE = /^\{"type":"message","message_id":"[0-9A-Z]{26}","thread_id":"([0-9A-Z]{26})"/;
const LANE = '{"type":"lane",';

/** Never throws, whatever the document holds. */
export function readUnshown(chat: ExportableChat): Unshown {
  const threads = new Set<string>();
  const settings = new Map<string, ThreadConfigEntry[]>();
  const found = {
    formats: new Set<string>(),
    states: new Map<string, ThreadStateEntry>(),
    revisions: new Map<string, JsonObject>(),
  };
  const variables = new Set<string>();
  for (const entry of iterateEntries(chat.toJSONL(), threads)) {
    switch (entry.type) {
      case 'document':
        addFormat(found.formats, entry);
        break;
      case 'thread_config':
        addTo(settings, entry);
        break;
      case 'thread_state':
        if (isNewer(entry, found.states.get(entry.thread_id))) found.states.set(entry.thread_id, entry);
        break;
      case 'revision':
        if (isJsonObject(entry.legacy)) found.revisions.set(entry.id, entry.legacy);
        break;
      case 'variables':
        for (const name of Object.keys(entry.values ?? {}))
          variables.add(JSON.stringify([entry.scope, entry.scope_id, name]));
    }
  }
  return {
    ...found,
    bareThreads: [...threads].filter((id) => chat.thread(id) === undefined).sort(),
    settings: new Map([...settings].map(([thread_id, entries]) => [thread_id, mergeSettings(entries)])),
    variables: variables.size,
  };
}

type ReadEntry = DocumentEntry | ThreadConfigEntry | ThreadStateEntry | RevisionEntry | VariablesEntry;

/** Lines of lanes that count, and of these types only. Puts the threads of messages into `threads`. */
function* iterateEntries(jsonl: string, threads: Set<string>): Generator<ReadEntry> {
  let isHidden = false;
  for (const line of jsonl.split('\n')) {
    if (line.startsWith(LANE)) {
      isHidden = isHiddenLane(line);
      continue;
    }
    if (isHidden) continue;
    const thread = MESSAGE.exec(line)?.[1];
    if (thread !== undefined) threads.add(thread);
    const type = OTHER.exec(line)?.[1] as ReadEntry['type'] | undefined;
    const parsed = type === undefined ? undefined : parseLine(line);
    if (type !== undefined && parsed?.ok === true) yield readEntry(type, parsed.body).entry as ReadEntry;
  }
}

function isHiddenLane(line: string): boolean {
  const parsed = parseLine(line);
  if (!parsed.ok) return true;
  const { min_reader, rolled_back } = parsed.body as Partial<LaneEntry>;
  return rolled_back !== undefined || !(Number(min_reader) <= SCHEMA_VERSION);
}

function addTo(settings: Map<string, ThreadConfigEntry[]>, entry: ThreadConfigEntry): void {
  const entries = settings.get(entry.thread_id);
  if (entries === undefined) settings.set(entry.thread_id, [entry]);
  else entries.push(entry);
}

function addFormat(formats: Set<string>, { migrated_from }: DocumentEntry): void {
  const format = isJsonObject(migrated_from) ? migrated_from['format'] : undefined;
  if (typeof format === 'string') formats.add(format);
}

function isNewer(entry: Entry & { id: string }, known: { readonly id: string } | undefined): boolean {
  return known === undefined || entry.id > known.id;
}

/** Of two entries with one column, the later one counts, as with the fields themselves. */
function mergeSettings(entries: readonly ThreadConfigEntry[]): UnshownSettings {
  const inOrder = [...entries].sort((a, b) => (a.id < b.id ? -1 : 1));
  const merged = new Map<string, Json>();
  for (const { legacy } of inOrder)
    if (isJsonObject(legacy)) for (const [column, value] of Object.entries(legacy)) merged.set(column, value);
  return { legacy: Object.fromEntries(merged), latest: inOrder.at(-1) as ThreadConfigEntry };
}
