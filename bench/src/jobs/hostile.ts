import { readFileSync } from 'node:fs';
import { type Chat, openChat } from '@chatdoc/schema';
import { Gate } from '@chatdoc/sync';
import * as Y from 'yjs';
import { ScriptedEnvironment } from '../chat/chat-document.js';
import { loadDoc } from '../chat/layouts.js';
import { unpackUpdates } from '../hostile/attack.js';
import { FORGED_TIME } from '../hostile/forge.js';
import { HOSTILE_SCOPE, HOSTILE_SLOT, type HostileSubject } from '../hostile/subject.js';
import { cpuClock } from '../measure/clock.js';
import { collectGarbage } from '../measure/pair.js';
import { answer, readResident, watchPeak } from './job.js';

/** Who takes what the peer sends: a client, or a server behind the gate, each with a subscriber or without. */
export type Way = 'client' | 'subscribed client' | 'gate' | 'gate and subscribed chat';

export interface HostileInput {
  readonly way: Way;
  /** A document of others. */
  readonly base: string;
  /** Packed updates. */
  readonly updates: string;
  readonly subject: HostileSubject;
}

export interface HostileResult {
  /** CPU, in ms, of taking the updates, showing what they are about, and an honest write of each kind about it. */
  readonly ms: number;
  /** Bytes over what the process held before. */
  readonly peak: number;
  /** What the gate said of the first update that it refused. */
  readonly refusal?: string;
  /** Codes of honest calls that threw. */
  readonly thrown: readonly string[];
}

const HONEST = 'user:ada';
const DOC_ID = '01JD0000000000000000000000';

await answer(({ way, base, updates: file, subject }: HostileInput): HostileResult => {
  const updates = unpackUpdates(readFileSync(file));
  const environment = new ScriptedEnvironment(13);
  environment.time = FORGED_TIME + 24 * 3_600_000;
  const doc = loadDoc(readFileSync(base));
  const chat = way === 'gate' ? undefined : openChat(doc, { environment, user_id: HONEST });
  for (const { thread_id } of chat?.threads() ?? []) chat?.messages(thread_id);
  if (way === 'subscribed client' || way === 'gate and subscribed chat') chat?.subscribe(() => undefined);
  const take = way.startsWith('gate') ? createGate(doc, environment) : applyTo(doc);
  collectGarbage();
  const before = readResident();
  const readPeak = watchPeak();
  const start = cpuClock();
  let refusal: string | undefined;
  for (const update of updates) refusal ??= take(update);
  const thrown = chat === undefined ? [] : useChat(chat, subject);
  const ms = cpuClock() - start;
  return { ms, peak: readPeak() - before, thrown, ...(refusal === undefined ? {} : { refusal }) };
});

function applyTo(doc: Y.Doc): (update: Uint8Array) => undefined {
  return (update) => {
    Y.applyUpdate(doc, update, 'peer');
  };
}

/** A server that asks nobody for a name: it lets the most through. */
function createGate(
  doc: Y.Doc,
  environment: ScriptedEnvironment,
): (update: Uint8Array) => string | undefined {
  const gate = new Gate(doc, { doc_id: DOC_ID, generation: 0, environment });
  const peer = gate.connect();
  return (update) => {
    const verdict = gate.receive(update, peer, 'peer');
    return verdict.ok ? undefined : verdict.code;
  };
}

/** Shows what the attack is about, and then writes about it as somebody honest would. */
function useChat(chat: Chat, { thread_id, message_id, answer_id }: HostileSubject): readonly string[] {
  for (const thread of chat.threads()) chat.config(thread.thread_id);
  const thrown: string[] = [];
  const call = (run: () => unknown): void => {
    try {
      run();
    } catch (error) {
      thrown.push((error as { code?: string }).code ?? String(error));
    }
  };
  const by = HONEST;
  const show = (): void => {
    chat.messages(thread_id);
    chat.message(answer_id);
    chat.state(thread_id);
    chat.queue(thread_id);
    chat.conflicts(thread_id);
    chat.annotations({ message_id });
    chat.variables('org', HOSTILE_SCOPE);
    const { number: _, ...slot } = HOSTILE_SLOT;
    chat.activeThread({ ...slot, purpose: 'chat' });
    chat.report();
  };
  // A lane that was refused, or never came, has no thread to write in.
  const isThere = chat.thread(thread_id) !== undefined;
  call(show);
  if (!isThere) return thrown;
  call(() => chat.send({ thread_id, sender_id: by, content: 'x' }));
  call(() => chat.edit({ message_id, author_id: by, content: 'x' }));
  call(() => chat.annotate({ message_id, user_id: by, key: 'feedback', value: 1 }));
  call(() => chat.configure({ thread_id, updated_by: by, name: 'x' }));
  call(() => chat.setState({ thread_id, state: 'idle' }));
  call(() => chat.setVariables({ scope: 'org', scope_id: HOSTILE_SCOPE, values: { name: 1 } }));
  call(() => chat.stop({ message_id, by }));
  call(() => chat.retry({ message_id, by }));
  call(() => chat.redact({ message_id, by }));
  call(show);
  return [...new Set(thrown)];
}
