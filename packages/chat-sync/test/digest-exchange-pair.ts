import { createHash } from 'node:crypto';
import { type Chat, type Environment, openChat } from '@chatdoc/schema';
import * as Y from 'yjs';
import { createCounter } from '../../../tools/counter.js';
import {
  DigestExchange,
  type ExchangeOptions,
  type ExchangeResult,
} from '../src/digest-exchange/digest-exchange.js';
import { idOf } from './presence-room.js';

/** Real documents, a sync round between two of them, and an exchange that runs until nobody has more to say. */

export const DOC_ID = idOf('document');
export const START = Date.UTC(2026, 10, 21, 12);

export function createEnvironment(seed: string): Environment {
  let count = 0;
  return {
    now: () => START + count,
    random: (bytes) => {
      count += 1;
      return new Uint8Array(createHash('sha256').update(`${seed} ${count}`).digest().subarray(0, bytes));
    },
  };
}

export interface Replica {
  readonly doc: Y.Doc;
  readonly chat: Chat;
  readonly exchange: DigestExchange;
}

const nextSession = createCounter(1);

export function createReplica(
  seed: string,
  doc = new Y.Doc(),
  options: Partial<ExchangeOptions> = {},
): Replica {
  doc.clientID = nextSession();
  const chat = openChat(doc, { environment: createEnvironment(seed), user_id: seed });
  return {
    doc,
    chat,
    exchange: new DigestExchange({ doc, chat, doc_id: DOC_ID, generation: 0, ...options }),
  };
}

/** A document with the bytes of another: a peer, or a backup. */
export function copyOf(doc: Y.Doc): Y.Doc {
  const copy = new Y.Doc();
  Y.applyUpdate(copy, Y.encodeStateAsUpdate(doc), 'network');
  return copy;
}

export function send(from: Y.Doc, to: Y.Doc): void {
  Y.applyUpdate(to, Y.encodeStateAsUpdate(from, Y.encodeStateVector(to)), 'network');
}

/** One round, as providers do it: each sends what the other's state vector lacks. */
export function sync(a: { readonly doc: Y.Doc }, b: { readonly doc: Y.Doc }): void {
  const [ofA, ofB] = [a.doc, b.doc].map((doc) => Y.encodeStateVector(doc)) as [Uint8Array, Uint8Array];
  const [forA, forB] = [Y.encodeStateAsUpdate(b.doc, ofA), Y.encodeStateAsUpdate(a.doc, ofB)];
  Y.applyUpdate(a.doc, forA, 'network');
  Y.applyUpdate(b.doc, forB, 'network');
}

/** Both send their digest at once. Gives all that each received, in order. */
export function exchange(
  a: Replica,
  b: Replica,
): { readonly a: ExchangeResult[]; readonly b: ExchangeResult[] } {
  const results = { a: [] as ExchangeResult[], b: [] as ExchangeResult[] };
  const queue: { readonly to: 'a' | 'b'; readonly message: string }[] = [
    { to: 'b', message: a.exchange.digest() },
    { to: 'a', message: b.exchange.digest() },
  ];
  for (let next = queue.shift(), turns = 0; next !== undefined; next = queue.shift(), turns += 1) {
    if (turns > 10_000) throw new Error('the exchange never ends');
    const { to, message } = next;
    const result = (to === 'a' ? a : b).exchange.receive(message);
    results[to].push(result);
    for (const reply of result.replies) queue.push({ to: to === 'a' ? 'b' : 'a', message: reply });
  }
  return results;
}

export const outcomesOf = (results: readonly ExchangeResult[]): string[] =>
  results.map(({ outcome }) => outcome);

export const bytesOf = ({ doc }: { readonly doc: Y.Doc }): string =>
  Buffer.from(Y.encodeStateAsUpdate(doc)).toString('base64');

export const linesOf = ({ chat }: { readonly chat: Chat }): string[] =>
  chat.toJSONL().split('\n').slice(0, -1);

/** Key, client and text of each lane, as this replica holds it. */
export function textsOf(
  doc: Y.Doc,
): { readonly key: string; readonly client: number; readonly text: string }[] {
  const map = doc.getMap('chat');
  return [...map.keys()].sort().map((key) => ({
    key,
    client: map._map.get(key)?.id.client ?? -1,
    text: String(map.get(key)),
  }));
}

export function headerLine(name: string, fields: Readonly<Record<string, unknown>> = {}): string {
  return JSON.stringify({
    type: 'lane',
    lane_id: idOf(`lane ${name}`),
    schema_version: 2,
    min_reader: 2,
    generation: 0,
    writer_id: idOf(`writer ${name}`),
    ...fields,
  });
}

export function messageLine(name: string, thread_id: string, content: string): string {
  const date = new Date(START).toISOString();
  return JSON.stringify({
    type: 'message',
    message_id: idOf(`message ${name}`),
    thread_id,
    sender_id: 'ada',
    date,
    content,
  });
}

/** Sets a text in the name of a client, as any Yjs peer may. */
export function setText(doc: Y.Doc, client: number, key: string, text: string): void {
  const own = doc.clientID;
  doc.clientID = client;
  doc.getMap('chat').set(key, new Y.Text(text));
  doc.clientID = own;
}

/** Appends to a text in the name of a client. */
export function append(doc: Y.Doc, client: number, key: string, chunk: string): void {
  const own = doc.clientID;
  doc.clientID = client;
  const text = doc.getMap('chat').get(key) as Y.Text;
  text.insert(text.length, chunk);
  doc.clientID = own;
}
