import {
  type Chat,
  type ChatReport,
  type Entry,
  type EntryType,
  entrySchemas,
  type Message,
  parseLine,
  readEntry,
  SCHEMA_VERSION,
  type Thread,
} from '@chatdoc/schema';

type EntryOf<T extends Entry['type']> = Extract<Entry, { readonly type: T }>;

/** One line that the fold takes. A field that does not fit its schema is absent, so every field may be. */
export interface SurveyedEntry<T extends Entry['type'] = Entry['type']> {
  /** As the head of the line writes it; of a part its attempt. */
  readonly id: string;
  readonly type: T;
  readonly entry: { readonly [K in keyof EntryOf<T>]?: EntryOf<T>[K] | undefined };
  /** Names of fields only. */
  readonly problem: string | undefined;
  readonly cut: boolean;
}

/** What the rules read: the records of a chat and the entries behind them, read once for all rules. */
export interface Survey {
  readonly chat: Chat;
  readonly report: ChatReport;
  readonly threads: readonly Thread[];
  /** By id, also those whose thread is not there. */
  readonly messages: ReadonlyMap<string, Message>;
  /** In the order of lanes; byte-equal lines once. */
  entries<T extends Entry['type']>(type: T): readonly SurveyedEntry<T>[];
  allEntries(): readonly SurveyedEntry[];
}

export function createSurvey(chat: Chat): Survey {
  const all = readEntries(chat);
  const byType = new Map<string, SurveyedEntry[]>();
  for (const entry of all) {
    const known = byType.get(entry.type);
    if (known === undefined) byType.set(entry.type, [entry]);
    else known.push(entry);
  }
  const messages = new Map<string, Message>();
  for (const { id } of byType.get('message') ?? []) {
    const message = chat.message(id);
    if (message !== undefined) messages.set(id, message);
  }
  return {
    chat,
    report: chat.report(),
    threads: chat.threads(),
    messages,
    entries: <T extends Entry['type']>(type: T) =>
      (byType.get(type) ?? []) as unknown as readonly SurveyedEntry<T>[],
    allEntries: () => all,
  };
}

const HEAD = /^\{"type":"([a-z_]+)","(message_id|thread_id|attempt|id|lane_id)":"([0-9A-Z]{26})"/;

/** Every line but those that the fold leaves out: quarantined, outranked, ignored, or in a hidden lane. */
function readEntries(chat: Chat): readonly SurveyedEntry[] {
  const left = new Set<string>();
  for (const lines of [chat.quarantine(), chat.duplicates(), chat.report().ignored]) {
    for (const { lane_id, line } of lines) left.add(`${lane_id ?? ''} ${line}`);
  }
  const entries = new Map<string, SurveyedEntry>();
  let lane: string | undefined;
  for (const line of chat.toJSONL().split('\n')) {
    const head = HEAD.exec(line);
    const [, type = '', key = '', id = ''] = head ?? [];
    if (head !== null && type === 'lane') {
      lane = isReadable(line) ? id : undefined;
    } else if (head !== null && lane !== undefined && isKnown(type) && !left.has(`${lane} ${line}`)) {
      const entry = readLine(line, type, key, id);
      if (entry !== undefined) entries.set(line, entry);
    }
  }
  return [...entries.values()];
}

function isKnown(type: string): type is Entry['type'] {
  return Object.hasOwn(entrySchemas, type);
}

function isReadable(header: string): boolean {
  const parsed = parseLine(header);
  if (!parsed.ok || !entrySchemas.lane.safeParse(parsed.body).success) return false;
  return Number(parsed.body['min_reader']) <= SCHEMA_VERSION;
}

function readLine(
  line: string,
  type: Exclude<EntryType, 'lane'>,
  key: string,
  id: string,
): SurveyedEntry | undefined {
  const parsed = parseLine(line);
  if (!parsed.ok) return undefined;
  const { entry, problem } = readEntry(type, parsed.body);
  const isForged = parsed.body[key] !== id;
  return {
    id,
    type,
    entry,
    problem: isForged ? `head: ${key}` : problem,
    cut: parsed.body['cut'] === true,
  };
}
