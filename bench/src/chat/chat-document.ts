import { type Chat, type Environment, openChat } from '@chatdoc/schema';
import * as Y from 'yjs';
import { AGENT, type Draft, USER } from './generator.js';
import { joinUpdates, type OnProgress, sessionsOf } from './layouts.js';
import { Random } from './random.js';

/** A clock that the benchmark sets, and seeded randomness: the same run writes the same bytes. */
export class ScriptedEnvironment implements Environment {
  time = Date.UTC(2026, 0, 5, 9);
  readonly #random: Random;

  constructor(seed: number) {
    this.#random = new Random(seed);
  }

  now(): number {
    return this.time;
  }

  random(bytes: number): Uint8Array {
    return this.#random.bytes(bytes);
  }
}

/** Both sides of a session at one document: a user's process and an agent's, each with its own lanes. */
export class ChatSession {
  readonly user: Chat;
  readonly #agent: Chat;
  readonly #environment: ScriptedEnvironment;
  readonly #threads = new Map<number, string>();
  /** Of the newest thread: its messages' ids by draft. */
  readonly #messages = new Map<number, string>();

  constructor(doc: Y.Doc, seed: number) {
    this.#environment = new ScriptedEnvironment(seed);
    this.user = openChat(doc, { environment: this.#environment, user_id: USER });
    this.#agent = openChat(doc, { environment: this.#environment, user_id: AGENT });
  }

  /** Goes on in a thread that the document has. */
  adopt(thread: number, threadId: string): void {
    this.#threads.set(thread, threadId);
  }

  write(draft: Draft): void {
    this.#environment.time = draft.time;
    const threadId = this.#threads.get(draft.thread) ?? this.#createThread(draft.thread);
    const id = draft.agent ? this.#answer(draft) : this.#send(draft, threadId);
    this.#messages.set(draft.index, id);
    if (draft.edited !== undefined) {
      this.user.edit({ message_id: id, author_id: USER, content: draft.edited });
    }
    if (draft.reaction !== undefined) {
      const key = `reaction:${draft.reaction}`;
      this.user.annotate({ message_id: id, user_id: USER, key, value: true });
    }
  }

  close(): void {
    this.user.close();
    this.#agent.close();
  }

  #createThread(thread: number): string {
    const { thread_id } = this.user.createThread({ created_by: USER, name: `Thread ${thread}` });
    this.#threads.set(thread, thread_id);
    this.#messages.clear();
    return thread_id;
  }

  #send(draft: Draft, threadId: string): string {
    const target = draft.replyTo === undefined ? undefined : this.#messages.get(draft.replyTo);
    const { message_id } = this.user.send({
      thread_id: threadId,
      sender_id: USER,
      content: draft.pieces.join(''),
      expects: 'answer',
      ...(target === undefined ? {} : { reply_to_message_id: target }),
    });
    return message_id;
  }

  #answer(draft: Draft): string {
    const prompt = this.#messages.get(draft.index - 1);
    if (prompt === undefined) throw new Error(`draft ${draft.index} answers nothing`);
    const attempt = this.#agent.openAttempt({ prompt_id: prompt, sender_id: AGENT, runner_id: 'runner-1' });
    const part = attempt.openPart();
    for (const piece of draft.pieces) part.append(piece);
    part.close();
    attempt.finish({
      finish_reason: 'stop',
      ...(draft.usage === undefined ? {} : { acp_usage: draft.usage }),
    });
    return attempt.message_id;
  }
}

/** A chatdoc document written through the public API, session by session. */
export function buildChat(
  drafts: readonly Draft[],
  sessionLength: number,
  onProgress: OnProgress,
): Uint8Array {
  let written = 0;
  const updates = sessionsOf(drafts, sessionLength).map((session, number) => {
    const doc = new Y.Doc();
    const sides = new ChatSession(doc, 7 + number * 2_654_435_761);
    for (const draft of session) sides.write(draft);
    sides.close();
    written += session.length;
    onProgress(written);
    return Y.encodeStateAsUpdate(doc);
  });
  return joinUpdates(updates);
}

/** Messages that one pair of processes writes into the one thread. */
const THREAD_SESSION = 1_000;

/** A chatdoc document of a single thread, whose sessions have seen nothing of one another. */
export function buildThread(drafts: readonly Draft[], onProgress: OnProgress): Uint8Array {
  const beginning = new Y.Doc();
  const environment = new ScriptedEnvironment(3);
  const { thread_id } = openChat(beginning, { environment }).createThread({ created_by: USER });
  const base = Y.encodeStateAsUpdate(beginning);
  let written = 0;
  const updates = sessionsOf(drafts, THREAD_SESSION).map((session, number) => {
    const doc = new Y.Doc();
    Y.applyUpdate(doc, base);
    const sides = new ChatSession(doc, 11 + number * 2_654_435_761);
    for (const draft of session) {
      sides.adopt(draft.thread, thread_id);
      sides.write(draft);
    }
    sides.close();
    written += session.length;
    onProgress(written);
    return Y.encodeStateAsUpdate(doc);
  });
  return joinUpdates([base, ...updates]);
}
