import { type Chat, openChat } from '@chatdoc/schema';
import { expect, it } from 'vitest';
import * as Y from 'yjs';

/** Two replicas that write in the name of one client, as after a restore from an old snapshot. */
function diverge(contents: readonly (readonly string[])[]): { doc: Y.Doc; chat: Chat; thread: string }[] {
  const first = new Y.Doc();
  const { thread_id } = openChat(first).createThread({ created_by: 'ada' });
  const [lane] = [...first.getMap('chat')._map.values()];
  return contents.map((said) => {
    const doc = new Y.Doc();
    Y.applyUpdate(doc, Y.encodeStateAsUpdate(first));
    const own = doc.clientID;
    doc.clientID = lane?.id.client ?? 0;
    const text = doc.getMap('chat').get(lane?.parentSub ?? '') as Y.Text;
    for (const content of said) {
      const scratch = new Y.Doc();
      Y.applyUpdate(scratch, Y.encodeStateAsUpdate(first));
      const chat = openChat(scratch);
      const { message_id } = chat.send({ thread_id, sender_id: 'ada', content });
      const line = chat
        .toJSONL()
        .split('\n')
        .find((one) => one.includes(message_id));
      text.insert(text.length, `${line}\n`);
    }
    doc.clientID = own;
    return { doc, chat: openChat(doc), thread: thread_id };
  });
}

function sync(docs: readonly Y.Doc[]): void {
  for (const from of docs) {
    for (const to of docs) Y.applyUpdate(to, Y.encodeStateAsUpdate(from, Y.encodeStateVector(to)));
  }
}

const contentsOf = ({ chat, thread }: { chat: Chat; thread: string }): string[] =>
  chat
    .messages(thread)
    .map(({ content }) => content ?? '')
    .sort();

it.each([
  ['as long', [['one'], ['two']]],
  ['longer', [['one'], ['two', 'three']]],
  ['with nothing in one of them', [[], ['two']]],
  ['in three', [['one'], ['two'], ['six']]],
])(
  '[GN8] replicas that differ after a sync, %s, are equal once each has imported what the others hold',
  (_, contents) => {
    const replicas = diverge(contents);
    const docs = replicas.map(({ doc }) => doc);
    sync(docs);
    const copies = replicas.map(({ chat }) => chat.toJSONL());
    for (const { chat } of replicas) for (const copy of copies) chat.importJSONL(copy);
    sync(docs);
    expect(new Set(replicas.map(({ chat }) => chat.digest())).size).toBe(1);
    for (const replica of replicas) expect(contentsOf(replica)).toEqual([...new Set(contents.flat())].sort());
    const bytes = docs.map((doc) => Y.encodeStateAsUpdate(doc).length);
    for (const { chat } of replicas) for (const copy of copies) chat.importJSONL(copy);
    expect(docs.map((doc) => Y.encodeStateAsUpdate(doc).length)).toEqual(bytes);
  },
);

it('[GN8] equal state vectors say nothing: two of one client that are as long differ, and no sync changes that', () => {
  const replicas = diverge([['one'], ['two']]);
  const docs = replicas.map(({ doc }) => doc);
  sync(docs);
  const [a, b] = docs.map((doc) => Y.encodeStateVector(doc));
  expect(a).toEqual(b);
  expect(new Set(replicas.map(({ chat }) => chat.digest())).size).toBe(2);
});
