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

/** What the rules read: the records of a chat and the entries behind them, read once for all rules. */
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
}

export interface SurveyedSubject {
  readonly entries: readonly SurveyedEntry[];
  /** Undefined where nothing is wrong. */
  readonly faults: LineFaults | undefined;
}

export function createSurvey(chat: Chat): Survey {
  const { entries: all, faults } = readDocument(chat);
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
    faults,
    threads: chat.threads(),
    messages,
    entries: <T extends Entry['type']>(type: T) =>
      (byType.get(type) ?? []) as unknown as readonly SurveyedEntry<T>[],
    allEntries: () => all,
  };
}

const ROLES: readonly SubjectRole[] = ['thread', 'message', 'attempt'];

function readDocument(chat: Chat): {
  readonly entries: readonly SurveyedEntry[];
  readonly faults: LineFaults;
} {
  const { inspector } = chat;
  const entries: SurveyedEntry[] = [];
  const found: LineFaults[] = [inspector.documentFaults()];
  for (const role of ROLES) {
    for (const id of inspector.subjects(role)) {
      const subject = readSubject(chat, role, id);
      for (const entry of subject.entries) entries.push(entry);
      if (subject.faults !== undefined) found.push(subject.faults);
    }
  }
  for (const entry of inspector.documentEntries()) entries.push(asSurveyed(entry));
  const faults = {
    duplicates: distinct(found.flatMap(({ duplicates }) => duplicates)),
    quarantined: distinct(found.flatMap(({ quarantined }) => quarantined)),
    ignored: distinct(found.flatMap(({ ignored }) => ignored)),
  };
  return { entries, faults };
}

function distinct<T extends LineReport & { readonly reason?: string }>(lines: readonly T[]): readonly T[] {
  const byName = new Map(
    lines.map((each) => [`${each.lane_id ?? ''} ${each.reason ?? ''} ${each.line}`, each]),
  );
  return [...byName.values()];
}

/** What stands about a subject. Of a plain message its record, which says the same and is there already. */
export function readSubject(chat: Chat, role: SubjectRole, id: string): SurveyedSubject {
  const { inspector } = chat;
  if (role === 'message' && inspector.isPlain(id)) {
    const entry = chat.message(id) as unknown as SurveyedEntry<'message'>['entry'];
    return { entries: [{ id, type: 'message', entry, problem: undefined, cut: false }], faults: undefined };
  }
  const { entries, faults } = inspector.read(role, id);
  return { entries: entries.map(asSurveyed), faults };
}

function asSurveyed(entry: CountedEntry): SurveyedEntry {
  return entry as unknown as SurveyedEntry;
}
