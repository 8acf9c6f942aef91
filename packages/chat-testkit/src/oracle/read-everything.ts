import type { Chat, ChatReader } from '@chatdoc/schema';
import { sortKeys } from '../../../chat-integrity/src/testing/simulation/canonical.js';
import { compareReports } from './oracle.js';
import type { Everything, Probe } from './oracle-types.js';

/** Everything that a chat gives about the ids of a probe, in the shape of the oracle. */
export function readEverything(chat: Chat, probe: Probe): Everything {
  const report = chat.report();
  return {
    ...readRecords(chat, probe),
    quarantine: chat
      .quarantine()
      .map(({ lane_id, line, reason }) => ({ lane_id, line, reason }))
      .sort(compareReports),
    duplicates: [...chat.duplicates()].sort(compareReports),
    ignored: [...report.ignored].sort(compareReports),
    waiting: chat.waiting(),
    unknown: report.unknown_types,
    hidden: report.hidden_lanes,
    rolledBack: report.rolled_back_lanes,
  };
}

type Findings = 'quarantine' | 'duplicates' | 'ignored' | 'waiting' | 'unknown' | 'hidden' | 'rolledBack';

/** The part that a reader of the past has, too. */
function readRecords(chat: ChatReader, probe: Probe): Omit<Everything, Findings> {
  const record = <T>(ids: readonly string[], read: (id: string) => T): Record<string, T> =>
    Object.fromEntries(ids.map((id) => [id, read(id)]));
  return {
    docId: chat.docId(),
    rollbacks: chat.rollbacks(),
    threads: chat.threads(),
    configs: record(probe.threads, (id) => chat.config(id)),
    conflicts: record(probe.threads, (id) => chat.conflicts(id)),
    order: record(probe.threads, (id) => chat.messageIds(id)),
    transcripts: record(probe.threads, (id) => chat.transcript(id).map(({ message_id }) => message_id)),
    parents: record(probe.messages, (id) => chat.parent(id)),
    messages: record(probe.messages, (id) => chat.message(id) ?? null),
    states: record(probe.threads, (id) => chat.state(id)),
    queues: record(probe.threads, (id) => chat.queue(id)),
    active: Object.fromEntries(
      probe.slots.map((slot) => [JSON.stringify(slot), chat.activeThread(slot) ?? null]),
    ),
    variables: Object.fromEntries(
      probe.scopes.map(([scope, id]) => [`${scope}/${id}`, chat.variables(scope, id)]),
    ),
    annotations: {
      ...record(probe.threads, (thread_id) => chat.annotations({ thread_id })),
      ...record(probe.messages, (message_id) => chat.annotations({ message_id })),
    },
    marks: Object.fromEntries(
      probe.threads.flatMap((id) =>
        probe.users.map((user) => [`${id}/${user}`, chat.readMark(id, user) ?? null] as const),
      ),
    ),
    unread: Object.fromEntries(
      probe.threads.flatMap((id) =>
        probe.users.map((user) => [`${id}/${user}`, chat.unread(id, user)] as const),
      ),
    ),
    legacyRows: chat.legacyRows() as unknown as Everything['legacyRows'],
  };
}

/** As `canonicalJson`; that there is a problem counts, not its text. */
export function canonicalRecords(records: unknown): string {
  return JSON.stringify(records, (key, value: unknown) =>
    key === 'problem' && typeof value === 'string' ? 'problem' : sortKeys(value),
  );
}

const USERS = ['user 0', 'user 1', 'user 2', 'user 3', 'user 4', 'user 5', 'user 6', 'user 7'];

/** The ids in the lists of a chat, to ask it about. */
export function probeChat(chat: Chat): Probe {
  const threads = chat.threads();
  const ids = threads.map(({ thread_id }) => thread_id);
  const slots = new Map<string, Probe['slots'][number]>();
  for (const { slot, purpose } of threads) {
    if (slot === undefined) continue;
    const { root_id, owner_id, provider } = slot;
    const key = { root_id, owner_id, provider, purpose };
    slots.set(JSON.stringify(key), key);
  }
  return {
    threads: ids,
    messages: ids.flatMap((id) => chat.messageIds(id)),
    slots: [...slots.values()],
    scopes: [['project', 'p']],
    users: USERS,
  };
}
