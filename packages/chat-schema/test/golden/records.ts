import type { Chat } from '../../src/index.js';

/** A document of a released schema version, and what it reads as. Never changed once written. */
export interface Golden {
  readonly about: string;
  /** base64 of `Y.encodeStateAsUpdate`. */
  readonly update: string;
  readonly expected: Readonly<Record<string, unknown>>;
}

/** What a golden document is compared by: as JSON, so that it can be stored. */
export function readGolden(chat: Chat): Readonly<Record<string, unknown>> {
  const threads = chat.threads();
  const of = <T>(read: (id: string) => T): Record<string, T> =>
    Object.fromEntries(threads.map(({ thread_id }) => [thread_id, read(thread_id)]));
  const records = {
    docId: chat.docId(),
    threads,
    configs: of((id) => chat.config(id)),
    conflicts: of((id) => chat.conflicts(id)),
    messages: of((id) => chat.messages(id)),
    parents: of((id) => chat.messageIds(id).map((message) => chat.parent(message))),
    states: of((id) => chat.state(id)),
    queues: of((id) => chat.queue(id)),
    annotations: of((thread_id) => [
      chat.annotations({ thread_id }),
      ...chat.messageIds(thread_id).map((message_id) => chat.annotations({ message_id })),
    ]),
    readMarks: of((id) => chat.readMark(id, 'ada') ?? null),
    active: threads.map(({ slot, purpose }) => (slot && chat.activeThread({ ...slot, purpose })) ?? null),
    variables: [chat.variables('user', 'ada'), chat.variables('project', 'p1')],
    legacyRows: chat.legacyRows(),
    quarantine: chat.quarantine(),
    duplicates: chat.duplicates(),
    waiting: chat.waiting(),
    jsonl: chat.toJSONL(),
    digest: chat.digest(),
    foldDigest: chat.foldDigest(),
  };
  return JSON.parse(JSON.stringify(records)) as Record<string, unknown>;
}
