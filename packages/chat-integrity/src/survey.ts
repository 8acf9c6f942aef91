import type { Chat, ChatReport, CountedEntry, Entry, Message, SubjectRole, Thread } from '@chatdoc/schema';

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
  /** In no order that means anything; byte-equal lines once. */
  entries<T extends Entry['type']>(type: T): readonly SurveyedEntry<T>[];
  allEntries(): readonly SurveyedEntry[];
}

export function createSurvey(chat: Chat): Survey {
  const all = readAllEntries(chat);
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

const ROLES: readonly SubjectRole[] = ['thread', 'message', 'attempt'];

function readAllEntries(chat: Chat): readonly SurveyedEntry[] {
  const { inspector } = chat;
  const entries: SurveyedEntry[] = [];
  for (const role of ROLES) {
    for (const id of inspector.subjects(role)) {
      for (const entry of readEntriesAbout(chat, role, id)) entries.push(entry);
    }
  }
  for (const entry of inspector.documentEntries()) entries.push(asSurveyed(entry));
  return entries;
}

/** Of a plain message its record, which says the same and is there already. */
export function readEntriesAbout(chat: Chat, role: SubjectRole, id: string): readonly SurveyedEntry[] {
  const { inspector } = chat;
  if (role === 'message' && inspector.isPlain(id)) {
    const entry = chat.message(id) as unknown as SurveyedEntry<'message'>['entry'];
    return [{ id, type: 'message', entry, problem: undefined, cut: false }];
  }
  return inspector.entries(role, id).map(asSurveyed);
}

function asSurveyed(entry: CountedEntry): SurveyedEntry {
  return entry as unknown as SurveyedEntry;
}
