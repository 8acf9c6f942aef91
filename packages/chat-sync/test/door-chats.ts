import { type AttemptWriter, type Chat, openChat } from '@chatdoc/schema';
import fc from 'fast-check';
import * as Y from 'yjs';
import { createEnvironment } from './door-world.js';

/**
 * Honest chats: replicas that write, stream, edit, redact and sync by plain Yjs, next to an embedder's own root;
 * and what an old provider has let happen to their lanes. Every update that any of them sent is kept.
 */
const OPS = [
  ...['thread', 'send', 'send', 'edit', 'annotate', 'redact', 'open', 'append', 'append', 'finish'],
  ...['notes', 'notes', 'prose', 'unnote', 'undo', 'undo', 'foreign', 'replace', 'damage', 'sync', 'sync'],
] as const;

export interface Step {
  readonly at: number;
  readonly op: (typeof OPS)[number];
  readonly pick: number;
  readonly text: string;
}

export const steps = (maxLength: number): fc.Arbitrary<Step[]> =>
  fc.array(
    fc.record({
      at: fc.nat(2),
      op: fc.constantFrom(...OPS),
      pick: fc.nat(1000),
      text: fc.oneof(fc.string({ maxLength: 8 }), fc.constantFrom('a\nb', '👩‍🚀 ok', '漢字', '"}\n{')),
    }),
    { minLength: 10, maxLength, size: 'max' },
  );

interface Replica {
  readonly doc: Y.Doc;
  readonly chat: Chat;
  readonly undo: Y.UndoManager;
  writer: AttemptWriter | undefined;
}

export interface Recording {
  /** Of single transactions, in the order in which they were made. */
  readonly updates: readonly Uint8Array[];
  readonly docs: readonly Y.Doc[];
  readonly ops: ReadonlySet<Step['op']>;
}

const NETWORK = 'network';

/** Runs `steps` on three replicas. clientIDs come from `seed`: the same steps give the same bytes. */
export function recordChats(steps: readonly Step[], seed = 'chats'): Recording {
  const updates: Uint8Array[] = [];
  const ops = new Set<Step['op']>();
  const replicas = [0, 1, 2].map((index): Replica => {
    const doc = new Y.Doc({ guid: `${seed} ${index}` });
    doc.clientID = 100 + index;
    doc.on('update', (update: Uint8Array, origin: unknown) => {
      if (origin !== NETWORK) updates.push(update);
    });
    const chat = openChat(doc, { environment: createEnvironment(`${seed} ${index}`) });
    const undo = new Y.UndoManager(doc.getMap('notes'), { captureTimeout: 0 });
    return { doc, chat, undo, writer: undefined };
  });
  const [first, ...others] = replicas as [Replica, ...Replica[]];
  const { thread_id } = first.chat.createThread({ created_by: 'ada', name: 'Start' });
  for (const content of ['What?', 'Why?']) {
    first.chat.send({ thread_id, sender_id: 'ada', content, expects: 'answer' });
  }
  for (const { doc } of others) Y.applyUpdate(doc, Y.encodeStateAsUpdate(first.doc), NETWORK);
  for (const step of steps) {
    const replica = replicas[step.at] as Replica;
    if (runStep(replica, step, replicas)) ops.add(step.op);
  }
  return { updates, docs: replicas.map(({ doc }) => doc), ops };
}

function pickOf<T>(list: readonly T[], pick: number): T | undefined {
  return list[pick % Math.max(list.length, 1)];
}

function runStep(replica: Replica, { op, pick, text }: Step, replicas: readonly Replica[]): boolean {
  const { doc, chat } = replica;
  const thread = pickOf(chat.threads(), pick);
  if (op === 'sync') {
    const from = replicas[pick % replicas.length] as Replica;
    if (from === replica) return false;
    Y.applyUpdate(doc, Y.encodeStateAsUpdate(from.doc, Y.encodeStateVector(doc)), NETWORK);
    return true;
  }
  if (thread === undefined) return false;
  const { thread_id } = thread;
  const message = pickOf(chat.messages(thread_id), pick);
  switch (op) {
    case 'thread':
      chat.createThread({ created_by: 'ada', name: text });
      return true;
    case 'send':
      chat.send({ thread_id, sender_id: 'ada', content: text.repeat(1 + (pick % 9)), expects: 'answer' });
      return true;
    case 'open': {
      const prompt_id = pickOf(chat.queue(thread_id), pick);
      if (prompt_id === undefined || replica.writer !== undefined) return false;
      replica.writer = chat.openAttempt({ prompt_id, sender_id: 'bot', runner_id: 'runner' });
      return true;
    }
    case 'append':
      if (replica.writer === undefined) return false;
      replica.writer.openPart().append(text);
      return true;
    case 'finish':
      replica.writer?.finish({ finish_reason: 'stop' });
      replica.writer = undefined;
      return true;
    case 'edit':
    case 'redact':
    case 'annotate': {
      if (message === undefined) return false;
      const { message_id } = message;
      if (op === 'edit') chat.edit({ message_id, author_id: 'ada', content: text });
      else if (op === 'redact') chat.redact({ message_id, by: 'ada' });
      else chat.annotate({ message_id, user_id: 'ada', key: 'feedback', value: text });
      return true;
    }
    default:
      return op === 'foreign' || op === 'replace' || op === 'damage'
        ? harmLane(doc, op, pick, text)
        : writeNotes(replica, op, pick, text);
  }
}

/** What a provider without a door has let in: it must be able to travel. */
function harmLane(doc: Y.Doc, op: 'foreign' | 'replace' | 'damage', pick: number, text: string): boolean {
  const map = doc.getMap('chat');
  const key = pickOf([...map.keys()].sort(), pick >> 1);
  const lane = key === undefined ? undefined : map.get(key);
  if (key === undefined || !(lane instanceof Y.Text)) return false;
  if (op === 'replace') {
    if (pick % 2 === 0) map.set(key, new Y.Text(text));
    else map.delete(key);
    return true;
  }
  if (op === 'foreign') lane.insert(pick % (lane.length + 1), `${text}!`);
  else if (lane.length > 0) lane.delete(pick % lane.length, 1);
  return true;
}

/** The embedder's own root, with every kind of content that Yjs has. */
function writeNotes(
  { doc, undo }: Replica,
  op: 'notes' | 'prose' | 'unnote' | 'undo' | string,
  pick: number,
  text: string,
): boolean {
  const notes = doc.getMap('notes');
  const key = `k${pick % 3}`;
  const prose = notes.get('prose');
  switch (op) {
    case 'undo':
      return (pick % 3 > 0 ? undo.undo() : undo.redo()) !== null;
    case 'unnote':
      notes.delete(pick % 4 === 0 ? 'prose' : key);
      return true;
    case 'prose':
      if (prose instanceof Y.Text) {
        const at = pick % (prose.length + 1);
        if (pick % 3 === 0) prose.insertEmbed(at, { image: text });
        else prose.insert(at, `${text}.`, pick % 2 === 0 ? { bold: true } : {});
        if (pick % 5 === 0) prose.delete(0, Math.min(2, prose.length));
      } else notes.set('prose', new Y.Text(text));
      return true;
    default:
      notes.set(key, noteOf(pick, text));
      return true;
  }
}

function noteOf(pick: number, text: string): unknown {
  switch (pick % 8) {
    case 0:
      return new Y.Array<unknown>();
    case 1:
      return Y.Array.from([
        1,
        -5_000_000_000,
        1.5,
        text,
        null,
        true,
        { b: undefined },
        { a: [text] },
      ] as never[]);
    case 2:
      return new Uint8Array([1, 2, 3]);
    case 3:
      return new Y.Doc({ guid: `sub ${pick}`, meta: { text } });
    case 4: {
      const element = new Y.XmlElement('p');
      element.insert(0, [new Y.XmlText(text)]);
      return element;
    }
    case 5: {
      const map = new Y.Map<unknown>();
      map.set('inner', new Y.Map([['deep', Y.Array.from([text])]]));
      return map;
    }
    case 6:
      return 12n ** 15n;
    default:
      return { text, list: [[[text]]] };
  }
}
