import * as Y from 'yjs';
import { canonicalRecords } from '../../chat-testkit/src/index.js';
import {
  type AttemptWriter,
  type Chat,
  ChatDocError,
  type Environment,
  openChat,
  type PartWriter,
} from '../src/index.js';
import { idAt } from './raw.js';
import type { HonestStep, HostileStep, Schedule, Step } from './schedule.js';
import { runHostileStep } from './schedule-hostile.js';

/** Origin of what comes over the wire: never sent on. */
export const NETWORK = 'network';
const START = Date.UTC(2026, 10, 21);
const HOUR = 3_600_000;
/** A client gives an id and a date once; both are the same wherever it sends again. */
const CLIENT_DATES = ['2026-11-21T00:00:00.000Z', '2026-11-20T00:00:00.000Z', '2026-11-21T00:10:00.000Z'];

/** Mulberry32: the same bytes for the same seed. Only the environment of a replica draws from it. */
export function seededEnvironment(seed: number, now: () => number): Environment {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) % 256;
  };
  return { now, random: (bytes) => Uint8Array.from({ length: bytes }, next) };
}

interface Writer {
  readonly attempt: AttemptWriter;
  readonly parts: PartWriter[];
  finished: boolean;
}

export interface Replica {
  readonly index: number;
  doc: Y.Doc;
  chat: Chat;
  clock: number;
  incarnation: number;
  /** Updates of others that may come, in any order and more than once. */
  inbox: Uint8Array[];
  writers: Writer[];
  /** Clients that this incarnation writes under. */
  clients: Set<number>;
  /** States from which a crashed replica may come back. */
  snapshots: Uint8Array[];
}

export interface World {
  readonly schedule: Schedule;
  readonly replicas: readonly Replica[];
  /** How often each step ran and did something. */
  readonly done: Map<string, number>;
  /** By message, what its author had before it when it was sent. */
  readonly seen: Map<string, readonly string[]>;
}

export function createWorld(schedule: Schedule): World {
  const replicas: Replica[] = [];
  const world: World = { schedule, replicas, done: new Map(), seen: new Map() };
  for (let index = 0; index < schedule.replicas; index += 1) {
    const replica = { index, clock: START + (schedule.skews[index] ?? 0) * HOUR, incarnation: 0 } as Replica;
    Object.assign(replica, { inbox: [], writers: [], clients: new Set(), snapshots: [] });
    replicas.push(replica);
    start(world, replica, []);
  }
  return world;
}

/** A process: a new document from what is stored, and a chat on it. */
function start(world: World, replica: Replica, stored: readonly Uint8Array[]): void {
  const doc = new Y.Doc();
  const seed = world.schedule.seed * 4096 + replica.index * 1024 + replica.incarnation;
  doc.clientID = 1 + replica.index + 4 * replica.incarnation;
  for (const update of stored) Y.applyUpdate(doc, update, NETWORK);
  const environment = seededEnvironment(seed, () => {
    replica.clock += 7;
    return replica.clock;
  });
  replica.doc = doc;
  replica.clients = new Set();
  doc.on('update', (update: Uint8Array, origin: unknown) => {
    if (origin === NETWORK) return;
    for (const other of world.replicas) if (other !== replica) other.inbox.push(update);
  });
  doc.on('afterTransaction', (transaction) => {
    if (transaction.origin === NETWORK) return;
    for (const [client, clock] of transaction.afterState) {
      if ((transaction.beforeState.get(client) ?? 0) !== clock) replica.clients.add(client);
    }
  });
  replica.chat = openChat(doc, { environment, user_id: userOf(replica) });
  replica.writers = [];
}

export function closeWorld(world: World): void {
  for (const { chat, doc } of world.replicas) {
    chat.close();
    doc.destroy();
  }
}

const userOf = (replica: Replica): string => `user${replica.index}`;

/** Takes `list[number]`, wherever the list ends. */
export function pick<T>(list: readonly T[], number: number): T | undefined {
  return list[number % list.length];
}

/** Runs one step on a replica; false where there is nothing that it could do. */
export function runStep(world: World, step: Step): Replica | undefined {
  const replica = pick(world.replicas, step.at) as Replica;
  const didSomething = isHostile(step)
    ? runHostileStep(world, replica, step)
    : runWithoutConfigChange(world, replica, step);
  if (!didSomething) return undefined;
  world.done.set(step.op, (world.done.get(step.op) ?? 0) + 1);
  return replica;
}

const HOSTILE: ReadonlySet<string> = new Set(['foreign', 'steal', 'damage', 'replace', 'value', 'lane']);
export const isHostile = (step: Step): step is HostileStep => HOSTILE.has(step.op);
const MESSAGE_STEPS: ReadonlySet<string> = new Set(
  'send edit delete redact annotate open stream part append closePart addPart finish stop retry interrupt state'.split(
    ' ',
  ),
);

/** [FD9] */
function runWithoutConfigChange(world: World, replica: Replica, step: HonestStep): boolean {
  if (!MESSAGE_STEPS.has(step.op)) return runHonestStep(world, replica, step);
  const read = (): string =>
    canonicalRecords(replica.chat.threads().map(({ thread_id }) => replica.chat.config(thread_id)));
  const before = read();
  const didSomething = runHonestStep(world, replica, step);
  if (read() !== before) throw new Error(`[FD9] ${step.op} changed the config of a thread`);
  return didSomething;
}

/** What a call may refuse when damage or a redaction came between. */
function attempt(call: () => void): boolean {
  try {
    call();
    return true;
  } catch (error) {
    if (error instanceof ChatDocError && (error.code === 'not_open' || error.code === 'not_found'))
      return false;
    throw error;
  }
}

function runHonestStep(world: World, replica: Replica, step: HonestStep): boolean {
  const { chat, doc } = replica;
  const user = userOf(replica);
  const threadIds = chat.threads().map(({ thread_id }) => thread_id);
  const messageIds = threadIds.flatMap((id) => chat.messageIds(id));
  switch (step.op) {
    case 'thread': {
      const slot = step.slot === null ? undefined : createSlot(step.slot);
      const origin = step.fork === null ? undefined : pick(threadIds, step.fork);
      const message_id = origin === undefined ? undefined : pick(chat.messageIds(origin), step.fork ?? 0);
      const thread = chat.createThread({
        created_by: user,
        ...(slot && { slot, purpose: step.slot === 2 ? 'run' : 'chat' }),
        ...(origin !== undefined && {
          forked_from: { thread_id: origin, ...(message_id && { message_id }) },
        }),
        // One that has not come yet: a message of another thread is refused.
        ...(step.named && { root_message_id: idAt(threadIds.length, 'root') }),
      });
      return thread.thread_id !== '';
    }
    case 'configure': {
      const thread_id = pick(threadIds, step.thread);
      if (thread_id === undefined) return false;
      chat.configure({ thread_id, updated_by: user, ...step.fields });
      return true;
    }
    case 'send': {
      const thread_id = pick(threadIds, step.thread);
      if (thread_id === undefined) return false;
      const target = step.reply === null ? undefined : pick(chat.messageIds(thread_id), step.reply);
      const client = step.client;
      const before = placedIds(chat, thread_id);
      const { message_id } = chat.send({
        thread_id,
        sender_id: client === null ? user : 'shared',
        content: step.text,
        ...(target !== undefined && { reply_to_message_id: target }),
        ...(client !== null && { client_message_id: `c${client}`, date: CLIENT_DATES[client] as string }),
        ...(step.expects && { expects: 'answer' as const }),
      });
      // What a client sends from two places has one place: that of the line that is chosen.
      if (client === null) world.seen.set(message_id, before);
      return true;
    }
    case 'edit':
    case 'delete':
    case 'redact': {
      const message_id = pick(messageIds, step.message);
      if (message_id === undefined) return false;
      if (step.op === 'edit') chat.edit({ message_id, author_id: user, content: step.text });
      else if (step.op === 'delete') chat.delete({ message_id, author_id: user });
      else chat.redact({ message_id, by: user });
      return true;
    }
    case 'stop':
    case 'retry':
    case 'interrupt': {
      const answers = messageIds.filter((id) => chat.message(id)?.attempt !== undefined);
      const message_id = pick(answers, step.message);
      if (message_id === undefined) return false;
      if (step.op === 'interrupt') return attempt(() => chat.interrupt({ message_id }));
      return attempt(() => chat[step.op as 'stop' | 'retry']({ message_id, by: user }));
    }
    case 'annotate': {
      const message_id = pick(messageIds, step.message);
      if (message_id === undefined) return false;
      const thread_id = chat.message(message_id)?.thread_id as string;
      // A third of the marks take back those before.
      const value = step.key === 'read' && step.value !== null ? message_id : step.value;
      chat.annotate({
        ...(step.onThread ? { thread_id } : { message_id }),
        user_id: user,
        key: step.key,
        // On a message a mark is an annotation like any other.
        value,
      });
      return true;
    }
    case 'variables':
      chat.setVariables({ scope: step.scope, scope_id: 's', values: step.values });
      return true;
    case 'state': {
      const thread_id = pick(threadIds, step.thread);
      if (thread_id === undefined) return false;
      chat.setState({ thread_id, state: step.state });
      return true;
    }
    case 'activate': {
      const thread_id = pick(
        chat.threads().filter(({ slot }) => slot !== undefined),
        step.thread,
      )?.thread_id;
      if (thread_id === undefined) return false;
      chat.activate({ thread_id });
      return true;
    }
    case 'open': {
      const prompts = messageIds.filter((id) => chat.message(id)?.expects === 'answer');
      const prompt_id = pick(prompts, step.message);
      if (prompt_id === undefined) return false;
      const opened = chat.openAttempt({ prompt_id, sender_id: 'agent', runner_id: `runner${replica.index}` });
      replica.writers.push({ attempt: opened, parts: [], finished: false });
      return true;
    }
    case 'stream': {
      const thread_id = pick(threadIds, step.thread);
      if (thread_id === undefined) return false;
      const before = placedIds(chat, thread_id);
      const opened = chat.openMessage({ thread_id, sender_id: user });
      world.seen.set(opened.message_id, before);
      replica.writers.push({ attempt: opened, parts: [], finished: false });
      return true;
    }
    case 'part':
    case 'append':
    case 'closePart':
    case 'addPart':
    case 'finish':
      return runWriterStep(replica, step);
    case 'crash': {
      const now = Y.encodeStateAsUpdate(doc);
      const old = step.old === null ? undefined : pick(replica.snapshots, step.old);
      chat.close();
      doc.destroy();
      replica.incarnation += 1;
      start(world, replica, [old ?? now]);
      replica.snapshots.push(now);
      return true;
    }
    case 'copy': {
      const from = pick(world.replicas, step.from) as Replica;
      if (from === replica) return false;
      const text = from.chat.toJSONL();
      if (text === '') return false;
      // Clients of an import derive from its text: other replicas may write under them too.
      const clients = new Set(replica.clients);
      const imported = chat.importJSONL(text);
      replica.clients = clients;
      return imported.ok;
    }
    case 'deliver': {
      const updates = step.picks
        .map((number) => pick(replica.inbox, number))
        .filter((update) => update !== undefined);
      if (updates.length === 0) return false;
      deliver(replica, updates, step.group);
      if (!step.keep) replica.inbox = replica.inbox.filter((update) => !updates.includes(update));
      return true;
    }
    case 'sync': {
      const from = pick(world.replicas, step.from) as Replica;
      if (from === replica) return false;
      const vector = step.full ? undefined : Y.encodeStateVector(doc);
      deliver(replica, [Y.encodeStateAsUpdate(from.doc, vector)], false);
      return true;
    }
    case 'clock':
      replica.clock += step.minutes * 60_000;
      return true;
  }
}

/** The messages of a thread, if none of them waits for what it refers to, and so may yet move. */
function placedIds(chat: Chat, threadId: string): readonly string[] {
  const messages = chat.messages(threadId);
  const ids = new Set(messages.map(({ message_id }) => message_id));
  const isPlaced = messages.every(({ reply_to_message_id, after, prompt_id }) =>
    [reply_to_message_id, after, prompt_id].every((target) => target === undefined || ids.has(target)),
  );
  return isPlaced ? [...ids] : [];
}

type WriterStep = Extract<HonestStep, { readonly writer: number }>;

function runWriterStep(replica: Replica, step: WriterStep): boolean {
  const writer = pick(
    replica.writers.filter(({ finished }) => !finished),
    step.writer,
  );
  if (writer === undefined) return false;
  const part = writer.parts.at(-1);
  switch (step.op) {
    case 'part':
      return attempt(() => {
        part?.close();
        writer.parts.splice(0, 1, writer.attempt.openPart({ kind: step.kind }));
      });
    case 'append':
      return part !== undefined && attempt(() => part.append(step.text));
    case 'closePart':
      if (part === undefined) return false;
      writer.parts.pop();
      return attempt(() => part.close(step.text ?? undefined));
    case 'addPart':
      return attempt(() => {
        const part_id = `call${step.part}`;
        writer.attempt.addPart({
          kind: 'tool_call',
          part_id,
          state: 'running',
          title: step.text,
          input: { q: step.text },
        });
      });
    case 'finish':
      writer.finished = true;
      return attempt(() => writer.attempt.finish({ finish_reason: step.reason, acp_usage: { output: 1 } }));
  }
}

function createSlot(number: number): { root_id: string; owner_id: string; provider: string; number: number } {
  return { root_id: 'root', owner_id: 'owner', provider: 'claude', number: 1 + (number % 2) };
}

function deliver(replica: Replica, updates: readonly Uint8Array[], group: boolean): void {
  if (!group) {
    for (const update of updates) Y.applyUpdate(replica.doc, update, NETWORK);
    return;
  }
  replica.doc.transact(() => {
    for (const update of updates) Y.applyUpdate(replica.doc, update, NETWORK);
  }, NETWORK);
}

/** Everybody hears everything, until nobody says anything new. */
export function exchangeAll(world: World): void {
  // Redactions are done again by whoever meets text that one names: that takes another round.
  for (let round = 0; round < 4; round += 1) {
    for (const to of world.replicas) {
      for (const from of world.replicas) {
        if (from !== to) deliver(to, [Y.encodeStateAsUpdate(from.doc)], false);
      }
    }
  }
}
