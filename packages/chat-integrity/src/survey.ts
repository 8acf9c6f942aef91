import type {
  Chat,
  CountedEntry,
  Entry,
  LineFaults,
  LineReport,
  Message,
  SubjectRole,
  Thread,
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

/**
 * What the rules read: the records of a chat and the entries behind them, read once for all rules. Most messages are
 * plain: their record says all that their lines say, and nothing is wrong. Their lines are read again only for a rule
 * that asks for `entries` of a type that they are made of (message, part, finish) or for `allEntries`.
 */
export interface Survey {
  readonly chat: Chat;
  /** Lines that do not count, each once a lane. */
  readonly faults: LineFaults;
  readonly threads: readonly Thread[];
  /** By id, also those whose thread is not there. */
  readonly messages: ReadonlyMap<string, Message>;
  /** In no order that means anything; byte-equal lines once. */
  entries<T extends Entry['type']>(type: T): readonly SurveyedEntry<T>[];
  allEntries(): readonly SurveyedEntry[];
  /** As `entries`, without those of plain messages: what may be forged, cut, waiting or of one id is here. */
  unusualEntries<T extends Entry['type']>(type: T): readonly SurveyedEntry<T>[];
  allUnusualEntries(): readonly SurveyedEntry[];
}

export interface SurveyedSubject {
  readonly entries: readonly SurveyedEntry[];
  /** Undefined where nothing is wrong. */
  readonly faults: LineFaults | undefined;
}

/** Reads the whole document. */
export function createSurvey(chat: Chat): Survey {
  const { messages, plain, unusual, faults } = readDocument(chat);
  const unusualByType = groupByType(unusual);
  let all: readonly SurveyedEntry[] | undefined;
  let allByType: ReadonlyMap<string, readonly SurveyedEntry[]> | undefined;
  const allEntries = (): readonly SurveyedEntry[] => {
    all ??= plain.length === 0 ? unusual : [...unusual, ...plain.flatMap((each) => readPlain(chat, each))];
    return all;
  };
  return {
    chat,
    faults,
    threads: chat.threads(),
    messages,
    entries: <T extends Entry['type']>(type: T) => {
      if (!PLAIN_TYPES.has(type)) return ofType(unusualByType, type);
      allByType ??= groupByType(allEntries());
      return ofType(allByType, type);
    },
    allEntries,
    unusualEntries: <T extends Entry['type']>(type: T) => ofType(unusualByType, type),
    allUnusualEntries: () => unusual,
  };
}

/** What plain messages are made of. */
const PLAIN_TYPES: ReadonlySet<Entry['type']> = new Set(['message', 'part', 'finish']);
const ROLES: readonly SubjectRole[] = ['thread', 'message', 'attempt'];

function readDocument(chat: Chat): {
  readonly messages: ReadonlyMap<string, Message>;
  readonly plain: readonly Message[];
  readonly unusual: readonly SurveyedEntry[];
  readonly faults: LineFaults;
} {
  const { inspector } = chat;
  const messages = new Map<string, Message>();
  const plain: Message[] = [];
  const plainAttempts = new Set<string>();
  const unusual: SurveyedEntry[] = [];
  const found: LineFaults[] = [inspector.documentFaults()];
  for (const role of ROLES) {
    for (const id of inspector.subjects(role)) {
      if (role === 'message') {
        const message = chat.message(id);
        if (message !== undefined) {
          messages.set(id, message);
          if (inspector.isPlain(id)) {
            plain.push(message);
            if (message.attempt !== undefined) plainAttempts.add(message.attempt.attempt);
            continue;
          }
        }
      } else if (role === 'attempt' && plainAttempts.has(id)) continue;
      const { entries, faults } = inspector.read(role, id);
      for (const entry of entries) unusual.push(asSurveyed(entry));
      found.push(faults);
    }
  }
  for (const entry of inspector.documentEntries()) unusual.push(asSurveyed(entry));
  const faults = {
    duplicates: distinct(found.flatMap(({ duplicates }) => duplicates)),
    quarantined: distinct(found.flatMap(({ quarantined }) => quarantined)),
    ignored: distinct(found.flatMap(({ ignored }) => ignored)),
  };
  return { messages, plain, unusual, faults };
}

function groupByType(entries: readonly SurveyedEntry[]): ReadonlyMap<string, readonly SurveyedEntry[]> {
  const byType = new Map<string, SurveyedEntry[]>();
  for (const entry of entries) {
    const known = byType.get(entry.type);
    if (known === undefined) byType.set(entry.type, [entry]);
    else known.push(entry);
  }
  return byType;
}

function ofType<T extends Entry['type']>(
  byType: ReadonlyMap<string, readonly SurveyedEntry[]>,
  type: T,
): readonly SurveyedEntry<T>[] {
  return (byType.get(type) ?? []) as unknown as readonly SurveyedEntry<T>[];
}

function distinct<T extends LineReport & { readonly reason?: string }>(lines: readonly T[]): readonly T[] {
  const byName = new Map(
    lines.map((each) => [`${each.lane_id ?? ''} ${each.reason ?? ''} ${each.line}`, each]),
  );
  return [...byName.values()];
}

/** What stands about a subject, line by line. */
export function readSubject(chat: Chat, role: SubjectRole, id: string): SurveyedSubject {
  const { entries, faults } = chat.inspector.read(role, id);
  return { entries: entries.map(asSurveyed), faults };
}

function readPlain(chat: Chat, message: Message): readonly SurveyedEntry[] {
  const { message_id: id, attempt } = message;
  if (attempt !== undefined) {
    return [
      ...readSubject(chat, 'message', id).entries,
      ...readSubject(chat, 'attempt', attempt.attempt).entries,
    ];
  }
  // Such a record has the fields of its line.
  const entry = message as unknown as SurveyedEntry<'message'>['entry'];
  return [{ id, type: 'message', entry, problem: undefined, cut: false }];
}

function asSurveyed(entry: CountedEntry): SurveyedEntry {
  return entry as unknown as SurveyedEntry;
}
