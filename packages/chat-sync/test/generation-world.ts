import { type AttemptWriter, type Chat, openChat, SCHEMA_VERSION } from '@chatdoc/schema';
import fc from 'fast-check';
import * as Y from 'yjs';
import { readCopy } from '../src/generation/copy.js';
import { createEnvironment } from './fault-world.js';

/** Random chats for generations: replicas that do all that a chat can, and take what others did. */

const OPS = [
  ...['thread', 'fork', 'send', 'send', 'prompt', 'open', 'append', 'append', 'finish', 'edit'],
  ...['redact', 'react', 'react', 'react', 'read', 'read', 'state', 'state', 'config', 'variable'],
  ...['sync', 'sync', 'foreign', 'damage', 'unknown'],
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
      text: fc.oneof(fc.string({ maxLength: 6 }), fc.constantFrom('a\nb', '👩‍🚀 ok', '"}\n{', 'secret')),
    }),
    { minLength: 4, maxLength, size: 'max' },
  );

export class Replica {
  readonly doc: Y.Doc;
  readonly chat: Chat;
  readonly name: string;
  writer: AttemptWriter | undefined;
  /** Tokens of text that it has redacted. */
  readonly secrets: string[] = [];
  #count = 0;

  constructor(name: string, doc: Y.Doc = new Y.Doc(), generation = 0) {
    this.name = name;
    this.doc = doc;
    this.chat = openChat(doc, { environment: createEnvironment(name), generation, user_id: name });
  }

  pull(other: Replica): void {
    if (other !== this)
      Y.applyUpdate(this.doc, Y.encodeStateAsUpdate(other.doc, Y.encodeStateVector(this.doc)), 'net');
  }

  /** What a chat does. */
  run({ op, pick, text }: Step): void {
    const { chat, name } = this;
    const thread = pickOf(chat.threads(), pick);
    if (thread === undefined || op === 'thread') {
      chat.createThread({ created_by: name, name: text });
      return;
    }
    const { thread_id } = thread;
    const message = pickOf(chat.messages(thread_id), pick);
    const message_id = message?.message_id;
    switch (op) {
      case 'fork':
        chat.createThread({
          created_by: name,
          forked_from: { thread_id, ...(message_id !== undefined && { message_id }) },
        });
        return;
      case 'send':
        chat.send({ thread_id, sender_id: name, content: this.#sign(text.repeat(1 + (pick % 5))) });
        return;
      case 'prompt':
        chat.send({ thread_id, sender_id: name, content: this.#sign(text), expects: 'answer' });
        return;
      case 'open': {
        const prompt_id = pickOf(chat.queue(thread_id), pick);
        if (prompt_id !== undefined) {
          this.writer = chat.openAttempt({ prompt_id, sender_id: 'bot', runner_id: name });
          this.writer.openPart().append(this.#sign(text));
        }
        return;
      }
      case 'append':
        this.writer?.openPart().append(text);
        return;
      case 'finish':
        this.writer?.finish({ finish_reason: 'stop' });
        this.writer = undefined;
        return;
      case 'state':
        chat.setState({ thread_id, state: pick % 2 === 0 ? 'complete' : 'error' });
        return;
      case 'config':
        chat.configure({ thread_id, updated_by: name, name: text });
        return;
      case 'variable':
        chat.setVariables({ scope: 'project', scope_id: thread_id, values: { [`v${pick % 2}`]: text } });
        return;
      case 'read':
        if (message_id !== undefined)
          chat.annotate({ thread_id, user_id: name, key: 'read', value: message_id });
        return;
      default:
        if (message_id !== undefined) this.#touch(op, message_id, pick, text);
    }
  }

  /** Makes a text one of a kind. */
  #sign(text: string): string {
    this.#count += 1;
    return `<${this.name.replace(' ', '-')}-${this.#count}>${text}`;
  }

  #touch(op: Step['op'], message_id: string, pick: number, text: string): void {
    const { chat, name, doc } = this;
    if (op === 'edit') chat.edit({ message_id, author_id: name, content: this.#sign(text) });
    else if (op === 'redact') {
      if (pick % 3 > 0) return;
      const message = chat.message(message_id);
      this.secrets.push(...(JSON.stringify(message).match(/<[\w-]+>/g) ?? []));
      chat.redact({ message_id, by: name });
    } else if (op === 'react') {
      chat.annotate({
        message_id,
        user_id: `u${pick % 2}`,
        key: 'feedback',
        value: pick % 5 === 0 ? null : text,
      });
    } else if (op === 'foreign') {
      const lane = pickOf([...doc.getMap<Y.Text>('chat').values()], pick);
      lane?.insert(0, `${text}!`);
    } else if (op === 'damage') {
      const lane = pickOf([...doc.getMap<Y.Text>('chat').values()], pick);
      // Within a line, not in a header: a lane without one is damage of another kind.
      const at = String(lane).indexOf('\n') + 2;
      if (lane !== undefined && pick % 4 === 0 && at < lane.length)
        lane.delete(at + (pick % (lane.length - at)), 1);
    } else if (op === 'unknown') {
      const [lane] = readCopy(chat);
      if (lane !== undefined) {
        chat.importJSONL(
          `${lane.header}\n{"type":"later_${pick % 3}","id":"${message_id}","v":${SCHEMA_VERSION + 1}}\n`,
        );
      }
    }
  }
}

function pickOf<T>(list: readonly T[], pick: number): T | undefined {
  return list[pick % Math.max(list.length, 1)];
}

/** Three that share a first thread with a prompt. */
export function createReplicas(seed: string): Replica[] {
  const replicas = ['ada', 'bob', 'cyd'].map((name) => new Replica(`${seed} ${name}`));
  const [first, ...others] = replicas as [Replica, ...Replica[]];
  first.run({ at: 0, op: 'thread', pick: 0, text: 'start' });
  first.run({ at: 0, op: 'prompt', pick: 0, text: 'first' });
  for (const other of others) other.pull(first);
  return replicas;
}

export function runSteps(replicas: readonly Replica[], all: readonly Step[]): void {
  for (const step of all) {
    const replica = replicas[step.at % replicas.length] as Replica;
    if (step.op === 'sync') replica.pull(replicas[step.pick % replicas.length] as Replica);
    else replica.run(step);
  }
}

export function syncAll(replicas: readonly Replica[]): void {
  for (let round = 0; round < 3; round += 1) {
    for (const to of replicas) for (const from of replicas) to.pull(from);
  }
}

/** Each line under the id of its lane. */
export function linesOf(chat: Chat): Set<string> {
  const lines = new Set<string>();
  for (const { lane, lines: of } of readCopy(chat)) {
    for (const line of of) lines.add(`${lane?.lane_id ?? ''} ${line}`);
  }
  return lines;
}
