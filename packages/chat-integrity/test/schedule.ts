import { type AttemptWriter, type Chat, deriveAnswerId, openChat } from '@chatdoc/schema';
import { deriveUlid } from '@chatdoc/schema/internal';
import fc from 'fast-check';
import * as Y from 'yjs';
import { createCounter } from '../../../tools/counter.js';
import { BREAKERS } from './breakers.js';
import { dateAt, header, jsonl, stillEnvironment } from './documents.js';

/** Random work on a few replicas, honest and hostile, through the public API and raw Yjs. */

export interface Replica {
  readonly doc: Y.Doc;
  readonly chat: Chat;
  readonly running: AttemptWriter[];
}

const OPS = [
  'send',
  'send',
  'reply',
  'prompt',
  'edit',
  'delete',
  'redact',
  'annotate',
  'thread',
  'slotThread',
  'activate',
  'activate',
  'configure',
  'session',
  'state',
  'variables',
  'attempt',
  'part',
  'part',
  'finish',
  'stop',
  'retry',
  'interrupt',
  'together',
  'rehost',
  'sync',
  'sync',
  'sync',
  'partial',
  'partial',
  'partial',
  'breaker',
  'wild',
  'wild',
  'foreign',
  'damage',
  'drop',
  'value',
  'torn',
] as const;
type Op = (typeof OPS)[number];

export interface Step {
  readonly op: Op;
  readonly replica: number;
  readonly a: number;
  readonly b: number;
}

export const steps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.record({ op: fc.constantFrom(...OPS), replica: fc.nat(2), a: fc.nat(60), b: fc.nat(60) }),
  { minLength: 5, maxLength: 60 },
);

/** Clocks stand still; the bytes of each replica are its own. They share a thread with a prompt, and a slot. */
export function openReplicas(count: number): readonly Replica[] {
  const replicas = Array.from({ length: count }, (_, at) => {
    const doc = new Y.Doc();
    doc.clientID = at + 1;
    const still = stillEnvironment();
    let calls = 0;
    const random = (bytes: number): Uint8Array => {
      calls += 1;
      const id = deriveUlid(0, 'replica', at, calls);
      return Uint8Array.from({ length: bytes }, (_value, i) => id.charCodeAt(10 + (i % 16)) * (i + 7));
    };
    const chat = openChat(doc, { environment: { now: still.now, random } });
    return { doc, chat, running: [] };
  });
  const { chat } = replicas[0] as Replica;
  const { thread_id } = chat.createThread({ created_by: 'ada' });
  chat.send({ thread_id, sender_id: 'ada', content: 'Ship it?', expects: 'answer' });
  for (const number of [1, 2]) chat.createThread({ created_by: 'ada', slot: { ...SLOT, number } });
  syncAll(replicas);
  return replicas;
}

export function send(from: Y.Doc, to: Y.Doc): void {
  Y.applyUpdate(to, Y.encodeStateAsUpdate(from, Y.encodeStateVector(to)));
}

export function syncAll(replicas: readonly Replica[]): void {
  for (let round = 0; round < 3; round += 1) {
    for (const from of replicas) for (const to of replicas) if (from !== to) send(from.doc, to.doc);
  }
}

const SLOT = { root_id: 'notebook.ipynb', owner_id: 'ada', provider: 'codex' };
const pick = <T>(list: readonly T[], at: number): T | undefined => list[at % Math.max(1, list.length)];

/** Runs a step; one that finds nothing to work on does nothing. */
export function run(replicas: readonly Replica[], { op, replica: at, a, b }: Step): void {
  const replica = pick(replicas, at) as Replica;
  const { chat, doc } = replica;
  const threads = chat.threads();
  const thread_id = pick(threads, a)?.thread_id;
  const messages = thread_id === undefined ? [] : chat.messages(thread_id);
  const message = pick(messages, b);
  const message_id = message?.message_id;
  const by = a % 2 === 0 ? 'ada' : 'bob';
  const date = dateAt(b % 5);
  switch (op) {
    case 'thread':
      chat.createThread({
        created_by: by,
        created_at: date,
        ...(b % 3 === 0 && { name: 'Plan' }),
        ...(b % 2 === 0 && { root_message_id: deriveUlid(0, 'root', b) }),
      });
      return;
    case 'slotThread':
      chat.createThread({
        created_by: by,
        slot: { ...SLOT, number: 1 + (a % 3) },
        purpose: b % 2 ? 'run' : 'chat',
      });
      return;
    case 'activate':
      if (threads.find((each) => each.thread_id === thread_id)?.slot !== undefined) {
        chat.activate({ thread_id: thread_id as string });
      }
      return;
    case 'send':
    case 'reply':
    case 'prompt':
      if (thread_id === undefined) return;
      chat.send({
        thread_id,
        sender_id: by,
        content: 'Hello 👋',
        date,
        ...(op === 'prompt' && { expects: 'answer' }),
        ...(op === 'reply' && message_id !== undefined && { reply_to_message_id: message_id }),
      });
      return;
    case 'configure':
      if (thread_id !== undefined) {
        chat.configure({
          thread_id,
          updated_by: by,
          name: `n${b}`,
          ...(b % 2 === 0 && { acp_config: { m: b } }),
        });
      }
      return;
    case 'session':
      if (thread_id !== undefined) {
        const session = b % 4 === 0 ? null : { session_id: `s${b % 3}`, thread_id: `t${b % 2}` };
        chat.configure({ thread_id, updated_by: by, session });
      }
      return;
    case 'state':
      if (thread_id !== undefined) chat.setState({ thread_id, state: 'idle' });
      return;
    case 'variables':
      chat.setVariables({ scope: 'user', scope_id: by, values: { a: b } });
      return;
    case 'part':
    case 'finish': {
      const attempt = pick(replica.running, a);
      if (attempt === undefined) return;
      if (op === 'part') attempt.openPart().append(`token ${b} `);
      else {
        attempt.finish({ finish_reason: 'complete' });
        replica.running.splice(replica.running.indexOf(attempt), 1);
      }
      return;
    }
    case 'together':
      doc.transact(() => {
        run(replicas, { op: 'thread', replica: at, a, b });
        run(replicas, { op: 'prompt', replica: at, a, b });
        run(replicas, { op: 'edit', replica: at, a, b });
      });
      return;
    case 'rehost':
      chat.rehost();
      return;
    case 'sync':
      send(doc, (pick(replicas, at + 1 + (a % 2)) as Replica).doc);
      return;
    case 'breaker': {
      const { chat: broken } = (pick(BREAKERS, a + b) as (typeof BREAKERS)[number]).open();
      chat.importJSONL(broken.toJSONL());
      return;
    }
    case 'partial': {
      // References arrive before what they refer to.
      const lines = (pick(replicas, at + 1) as Replica).chat.toJSONL().split('\n');
      const some = lines.filter((line, i) => line.startsWith('{"type":"lane"') || (i * 7 + a) % 3 === 0);
      chat.importJSONL(some.map((line) => `${line}\n`).join(''));
      return;
    }
    case 'wild':
    case 'foreign':
    case 'damage':
    case 'drop':
    case 'value':
    case 'torn':
      attack(replicas, replica, op, a, b);
      return;
    default:
  }
  if (message === undefined || message_id === undefined) return;
  switch (op) {
    case 'edit':
      chat.edit({ message_id, author_id: by, content: `edited ${a}`, date });
      return;
    case 'delete':
      chat.delete({ message_id, author_id: by, date });
      return;
    case 'redact':
      chat.redact({ message_id, by });
      return;
    case 'annotate':
      chat.annotate({ message_id, user_id: by, key: 'reaction:x', value: a % 2 });
      return;
    case 'attempt':
      if (message.expects !== 'answer') return;
      replica.running.push(
        chat.openAttempt({ prompt_id: message_id, sender_id: 'bot', runner_id: 'laptop', date }),
      );
      return;
    case 'stop':
    case 'retry':
    case 'interrupt':
      if (op === 'interrupt' && message.attempt === undefined) return;
      if (op === 'retry' && message.expects !== 'answer' && message.attempt === undefined) return;
      if (message.expects !== 'answer' && message.attempt === undefined) return;
      if (op === 'interrupt') chat.interrupt({ message_id });
      else chat[op]({ message_id, by });
      return;
    default:
  }
}

const nextAttack = createCounter(0);

/** A peer that keeps no rule: what it writes reaches one replica, and travels on from there. */
function attack(replicas: readonly Replica[], replica: Replica, op: Op, a: number, b: number): void {
  const peer = new Y.Doc();
  const number = nextAttack();
  peer.clientID = 4_000_000_000 + number;
  send(replica.doc, peer);
  const map = peer.getMap('chat');
  const key = pick([...map.keys()].sort(), a);
  const text = key === undefined ? undefined : map.get(key);
  if (op === 'wild' || op === 'torn') {
    const ids = replicas.flatMap(({ chat }) =>
      chat.threads().flatMap(({ thread_id }) => [thread_id, ...chat.messageIds(thread_id)]),
    );
    const id = (at: number): string => pick([...ids, deriveUlid(0, 'wild', at % 4)], at) as string;
    const own = deriveUlid(b % 3 === 0 ? 9e12 : 0, 'own', a % 7);
    const line = WILD[b % WILD.length] as (
      own: string,
      id: (at: number) => string,
      a: number,
    ) => object | string;
    const written = jsonl(header(`wild ${a % 3}`, a % 9 === 0 ? { min_reader: 9 } : {}), [line(own, id, a)]);
    map.set(`attack ${number}`, new Y.Text(op === 'torn' ? written.slice(0, -1 - (a % 30)) : written));
  } else if (key !== undefined && op === 'value') map.set(key, 5);
  else if (key !== undefined && op === 'drop') map.delete(key);
  else if (text instanceof Y.Text && op === 'foreign') {
    text.insert(b % (text.length + 1), 'forged\n'.slice(0, 1 + (a % 7)));
  } else if (text instanceof Y.Text && op === 'damage' && text.length > 0) {
    const from = (a * 37 + b) % text.length;
    text.delete(from, Math.min(text.length - from, 1 + (b % 20) * 9));
  }
  send(peer, replica.doc);
  peer.destroy();
}

type WildLine = (own: string, id: (at: number) => string, a: number) => object | string;
const message = (own: string, thread_id: string, more: object): object => ({
  type: 'message',
  message_id: own,
  thread_id,
  ...more,
  sender_id: 'mallory',
  date: dateAt(1),
});
const WILD: readonly WildLine[] = [
  (own, id, a) => message(own, id(a), { reply_to_message_id: id(a + 1) }),
  (own, id, a) => message(id(a), id(a + 1), { reply_to_message_id: own }),
  (own, id, a) => message(own, id(a), { prompt_id: id(a + 2), attempt: id(a + 3), epoch: 1, runner_id: 'x' }),
  (own, id, a) => message(own, id(a), { reply_to_message_id: own, expects: 'answer' }),
  (own, id, a) =>
    message(deriveAnswerId(id(a + 1)), id(a), {
      prompt_id: id(a + 1),
      attempt: own,
      epoch: 1,
      runner_id: 'x',
    }),
  (_own, id, a) => ({ type: 'part', attempt: id(a), n: 1 + (a % 3), kind: 'text', text: 'x' }),
  (own, id, a) => ({ type: 'finish', id: own, attempt: id(a), finish_reason: 'error' }),
  (own, id, a) => ({ type: 'finish', id: own, attempt: id(a), finish_reason: 7 }),
  (own, id, a) => ({ type: 'stop', id: own, message_id: id(a), epoch: 3, by: 'mallory' }),
  (own, id, a) => ({ type: 'interrupt', id: own, message_id: id(a), attempt: id(a + 1), seen: 0 }),
  (own, id, a) => ({
    type: 'revision',
    id: own,
    message_id: id(a),
    author_id: 'm',
    date: dateAt(3),
    content: 'm',
  }),
  (own, id, a) => ({ type: 'redaction', id: own, message_id: id(a), by: 'm', date: dateAt(3) }),
  (own, id, a) => ({ type: 'annotation', id: own, thread_id: id(a), user_id: 'm', key: 'k', value: 1 }),
  (own, id, a) => ({
    type: 'thread_config',
    id: own,
    thread_id: id(a),
    updated_at: dateAt(1),
    updated_by: 'm',
    name: 'x',
    session: { session_id: 's1' },
  }),
  (_own, id, a) => ({
    type: 'thread',
    thread_id: id(a),
    root_message_id: id(a + 1),
    created_at: dateAt(2),
    created_by: 'm',
    purpose: 'chat',
  }),
  (own, _id, a) => ({
    type: 'thread',
    thread_id: own,
    slot: { ...SLOT, number: 1 + a },
    created_at: 'never',
    created_by: 'm',
    purpose: 'chat',
  }),
  (own, id, a) => ({ type: 'activation', id: own, thread_id: id(a), slot: SLOT }),
  (own) => ({ type: 'poll', id: own, text: 'later' }),
  (own) => ({ type: 'legacy_row', id: own, row: { a: 1 } }),
  (own) => ({ type: 'variables', id: own, scope: 'planet', scope_id: 'm', values: 5 }),
  (own) => `{"type":"variables","id":"${own}","scope":`,
  (own, id, a) => `{"type":"redaction","id":"${own}","message_id":"${id(a)}",`,
  () => '{"type":"message","message_id":"x"}',
  () => 'garbage',
];
