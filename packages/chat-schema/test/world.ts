import { createHash } from 'node:crypto';
import { expect } from 'vitest';
import * as Y from 'yjs';
import { createCounter } from '../../../tools/counter.js';
import {
  type AttemptWriter,
  type Chat,
  ChatDocError,
  type ChatOptions,
  type ChatReader,
  deriveAnswerId,
  type Environment,
  formatDate,
  type Message,
  openChat,
} from '../src/index.js';
import { deriveUlid } from '../src/internal.js';

/** Replicas, hand-written lanes and hostile peers for the examples of the rules. */

export const START = Date.UTC(2026, 10, 21, 12);
export const MINUTE = 60_000;
export const DATE = formatDate(START);
/** Origin of what a provider applies. */
export const NETWORK = 'network';

export { runs } from '../../../tools/amounts.js';

/** A ULID that says when: minutes from the start. A different tag gives a different one. */
export function idAt(minutes: number, tag = ''): string {
  return deriveUlid(START + minutes * MINUTE, 'test', tag);
}

export interface TestClock {
  time: number;
}

/** The bytes are SHA-256 over seed and count: the same for the same calls. */
export function createEnvironment(seed: number | string, clock: TestClock): Environment {
  let count = 0;
  return {
    now: () => clock.time,
    random: (bytes) => {
      count += 1;
      return new Uint8Array(createHash('sha256').update(`${seed} ${count}`).digest().subarray(0, bytes));
    },
  };
}

export interface Replica {
  readonly doc: Y.Doc;
  readonly chat: Chat;
  readonly clock: TestClock;
}

const nextSession = createCounter(1);

/** A new document with a chat, or a chat of `doc`. */
export function createReplica(
  seed: number | string = 1,
  options: ChatOptions = {},
  doc = new Y.Doc(),
): Replica {
  const clock = { time: START };
  doc.clientID = nextSession();
  const chat = openChat(doc, { environment: createEnvironment(seed, clock), ...options });
  return { doc, chat, clock };
}

/** A fresh document with all bytes of another, opened after they are there. */
export function reload(from: Y.Doc, seed: number | string = 'reload', options: ChatOptions = {}): Replica {
  const doc = new Y.Doc();
  Y.applyUpdate(doc, Y.encodeStateAsUpdate(from), NETWORK);
  return createReplica(seed, options, doc);
}

/** Sends what `to` lacks, as a provider would. */
export function send(from: Y.Doc, to: Y.Doc): void {
  Y.applyUpdate(to, Y.encodeStateAsUpdate(from, Y.encodeStateVector(to)), NETWORK);
}

/** Until all have everything, also what they write in answer. */
export function syncAll(replicas: readonly { readonly doc: Y.Doc }[]): void {
  for (let round = 0; round < 3; round += 1) {
    for (const from of replicas) for (const to of replicas) if (from !== to) send(from.doc, to.doc);
  }
}

/** Two replicas that share a thread. */
export function createPair(): { a: Replica; b: Replica; thread_id: string } {
  const a = createReplica('a', { user_id: 'ada' });
  const b = createReplica('b', { user_id: 'bob' });
  const { thread_id } = a.chat.createThread({ created_by: 'ada', created_at: DATE });
  syncAll([a, b]);
  return { a, b, thread_id };
}

export function ask(chat: Chat, thread_id: string, content = 'How?'): Message {
  return chat.send({ thread_id, sender_id: 'ada', content, expects: 'answer', date: DATE });
}

export function answer(chat: Chat, prompt_id: string, epoch?: number): AttemptWriter {
  return chat.openAttempt({
    prompt_id,
    sender_id: 'agent',
    runner_id: 'runner',
    date: DATE,
    ...(epoch !== undefined && { epoch }),
  });
}

export function say(chat: Chat, thread_id: string, content: string, sender_id = 'ada'): Message {
  return chat.send({ thread_id, sender_id, content, date: DATE });
}

export function present<T>(value: T | undefined | null): T {
  if (value === undefined || value === null) throw new Error('expected a value');
  return value;
}

/** What `call` throws, which must be of the library. */
export function catchError(call: () => unknown): ChatDocError {
  try {
    call();
  } catch (error) {
    if (error instanceof ChatDocError) return error;
    throw error;
  }
  throw new Error('expected it to throw');
}

/** The state of the document, to tell whether something was written. */
export function bytesOf(doc: Y.Doc): string {
  return Buffer.from(Y.encodeStateAsUpdate(doc)).toString('base64');
}

// --- Lines and lanes by hand ---

export interface HeaderFields {
  readonly lane?: string;
  readonly writer?: string;
  readonly user?: string;
  readonly [key: string]: unknown;
}

/** A `lane` line; lane and writer are named, and their ids derived from the names. */
export function header({ lane = 'lane', writer = 'writer', user, ...rest }: HeaderFields = {}): string {
  return JSON.stringify({
    type: 'lane',
    lane_id: idAt(0, `lane ${lane}`),
    schema_version: 2,
    min_reader: 2,
    generation: 0,
    writer_id: idAt(0, `writer ${writer}`),
    ...(user !== undefined && { user_id: user }),
    ...rest,
  });
}

type Fields = Readonly<Record<string, unknown>>;

export const line = (fields: Fields): string => JSON.stringify(fields);

export function threadLine(thread_id: string, fields: Fields = {}): string {
  return line({
    type: 'thread',
    thread_id,
    created_at: DATE,
    created_by: 'ada',
    purpose: 'chat',
    ...fields,
  });
}

export function messageLine(message_id: string, thread_id: string, fields: Fields = {}): string {
  return line({
    type: 'message',
    message_id,
    thread_id,
    sender_id: 'ada',
    date: DATE,
    content: '',
    ...fields,
  });
}

/** The line of an attempt at `prompt_id`. */
export function attemptLine(
  prompt_id: string,
  thread_id: string,
  attempt: string,
  fields: Fields = {},
): string {
  return line({
    type: 'message',
    message_id: deriveAnswerId(prompt_id),
    thread_id,
    prompt_id,
    attempt,
    epoch: 1,
    runner_id: 'runner',
    sender_id: 'agent',
    date: DATE,
    ...fields,
  });
}

export function partLine(attempt: string, n: number, text: string, fields: Fields = {}): string {
  return line({ type: 'part', attempt, n, kind: 'text', ...fields, text });
}

export function entryLine(type: string, id: string, fields: Fields): string {
  return line({ type, id, ...fields });
}

export function configLine(id: string, thread_id: string, fields: Fields): string {
  const { replaces, ...rest } = fields;
  return line({
    type: 'thread_config',
    id,
    thread_id,
    ...(replaces !== undefined && { replaces }),
    updated_at: DATE,
    updated_by: 'ada',
    ...rest,
  });
}

export const textOf = (lines: readonly string[]): string => lines.map((each) => `${each}\n`).join('');

const nextPeer = createCounter(2_000_000_000);

/**
 * Lets a peer with this clientID, which holds all that `doc` does, write by plain Yjs, and delivers it. The
 * clientID may be that of a lane.
 */
export function asPeer(
  doc: Y.Doc,
  write: (map: Y.Map<unknown>, peer: Y.Doc) => void,
  client?: number,
): Uint8Array {
  const rogue = new Y.Doc();
  Y.applyUpdate(rogue, Y.encodeStateAsUpdate(doc));
  rogue.clientID = client ?? nextPeer();
  const before = Y.encodeStateVector(rogue);
  rogue.transact(() => write(rogue.getMap('chat'), rogue));
  const update = Y.encodeStateAsUpdate(rogue, before);
  Y.applyUpdate(doc, update, NETWORK);
  rogue.destroy();
  return update;
}

/** Adds a text of a client of its own, as another implementation of lanes would. Gives its key. */
export function addText(doc: Y.Doc, text: string, client?: number): string {
  let key = '';
  asPeer(
    doc,
    (map, rogue) => {
      key = `text ${rogue.clientID}`;
      map.set(key, new Y.Text(text));
    },
    client,
  );
  return key;
}

/** A document that holds these texts, each under its own client. */
export function docOf(...texts: readonly string[]): Y.Doc {
  const doc = new Y.Doc();
  for (const text of texts) addText(doc, text);
  return doc;
}

/** A replica of `docOf`: whole lines, the first of each text a header. */
export function replicaOf(...texts: readonly (readonly string[])[]): Replica {
  return createReplica('reader', {}, docOf(...texts.map((lines) => textOf(lines))));
}

export function textAt(doc: Y.Doc, key: string, root = 'chat'): Y.Text {
  return doc.getMap(root).get(key) as Y.Text;
}

/** Key and text of each lane text, by key. */
export function laneTexts(doc: Y.Doc, root = 'chat'): { key: string; text: string; client: number }[] {
  const map = doc.getMap(root);
  return [...map.keys()].sort().map((key) => ({
    key,
    text: (map.get(key) as Y.Text).toString(),
    client: present(map._map.get(key)).id.client,
  }));
}

/** The text that holds `needle`. */
export function findText(doc: Y.Doc, needle: string): { key: string; text: string; client: number } {
  return present(laneTexts(doc).find(({ text }) => text.includes(needle)));
}

/** Deletes `what` from the text that holds it, as any peer may. */
export function deleteText(doc: Y.Doc, what: string): void {
  const { key, text } = findText(doc, what);
  asPeer(doc, (map) => (map.get(key) as Y.Text).delete(text.indexOf(what), what.length));
}

/** Every line that stands in the document, headers too. */
export function linesOf(chat: Chat): string[] {
  return chat.toJSONL().split('\n').slice(0, -1);
}

export function entriesOf(chat: Chat, type: string): Fields[] {
  return linesOf(chat)
    .map((each) => JSON.parse(each) as Fields)
    .filter((entry) => entry['type'] === type);
}

// --- Laws ---

const ULID = /[0-7][0-9A-HJKMNP-TV-Z]{25}/g;

/** Ids that the document mentions, and the answers to each. */
function mentioned(chat: Chat): string[] {
  const ids = new Set(chat.toJSONL().match(ULID));
  for (const id of [...ids]) ids.add(deriveAnswerId(id));
  return [...ids].sort();
}

/** Every record that a reader gives about these ids. */
export function readRecords(chat: ChatReader, ids: readonly string[]): Fields {
  const of = <T>(read: (id: string) => T): Fields => Object.fromEntries(ids.map((id) => [id, read(id)]));
  return {
    docId: chat.docId(),
    rollbacks: chat.rollbacks(),
    threads: chat.threads(),
    legacyRows: chat.legacyRows(),
    thread: of((id) => chat.thread(id)),
    config: of((id) => chat.config(id)),
    conflicts: of((id) => chat.conflicts(id)),
    messageIds: of((id) => chat.messageIds(id)),
    messages: of((id) => chat.messages(id)),
    message: of((id) => chat.message(id)),
    parent: of((id) => chat.parent(id)),
    transcript: of((id) => chat.transcript(id)),
    state: of((id) => chat.state(id)),
    queue: of((id) => chat.queue(id)),
    active: chat.threads().map(({ slot, purpose }) => slot && chat.activeThread({ ...slot, purpose })),
    annotations: of((id) => [chat.annotations({ message_id: id }), chat.annotations({ thread_id: id })]),
    readMarks: of((id) => ['ada', 'bob'].map((user) => chat.readMark(id, user))),
    variables: (['user', 'org', 'project'] as const).map((scope) =>
      ['ada', 'bob', 'acme', 'p1'].map((id) => chat.variables(scope, id)),
    ),
  };
}

interface Laws {
  /** False where copies must read otherwise: what stood torn is a whole bad line in a copy. */
  readonly copies?: boolean;
}

/**
 * All laws in one call: the replicas read the same, as does a chat opened now, one on a fresh document with
 * the bytes, and one that imported the copy; with one digest, one fold digest and one copy.
 */
export function expectSame(
  replicas: readonly { chat: Chat; doc: Y.Doc }[],
  { copies = true }: Laws = {},
): void {
  const first = present(replicas[0]);
  const ids = mentioned(first.chat);
  const facts = (chat: Chat): Fields => ({
    ...readRecords(chat, ids),
    digest: chat.digest(),
    foldDigest: chat.foldDigest(),
    jsonl: chat.toJSONL(),
    waiting: chat.waiting(),
  });
  const findings = (chat: Chat): Fields => {
    const { damaged: _, future_stamps: __, ...report } = chat.report();
    // A copy leaves out cut lines that its lane holds whole, and reads a torn line as a bad one.
    return { quarantine: chat.quarantine(), duplicates: chat.duplicates(), report };
  };
  const expected = facts(first.chat);
  const found = findings(first.chat);
  const compare = (chat: Chat, what: string): void => {
    expectFields(facts(chat), expected, what);
    expectFields(findings(chat), found, what);
  };
  for (const { chat } of replicas.slice(1)) compare(chat, 'another replica');
  const clock = { time: START };
  const reopened = openChat(first.doc, { environment: createEnvironment('law', clock), readOnly: true });
  compare(reopened, 'a chat opened now');
  reopened.close();
  const loaded = reload(first.doc, 'law', { readOnly: true });
  compare(loaded.chat, 'a fresh document with the bytes');
  loaded.chat.close();
  expectFields(facts(first.chat), expected, 'reading changes nothing');
  if (!copies) return;
  const copy = createReplica('copy');
  expect(copy.chat.importJSONL(first.chat.toJSONL())).toMatchObject({ ok: true });
  expectFields(facts(copy.chat), expected, 'a copy');
  copy.chat.close();
}

/** One field at a time: a failure shows no more than what differs. */
function expectFields(actual: Fields, expected: Fields, what: string): void {
  for (const name of Object.keys(expected)) expect(actual[name], `${what}: ${name}`).toEqual(expected[name]);
}
