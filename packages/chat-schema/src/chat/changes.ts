import type * as Y from 'yjs';
import { deriveAnswerId, timeOfUlid } from '../entry/ulid.js';
import type { ChatChange } from '../fold/records.js';
import type { EntryIndex } from '../index/entry-index.js';
import type { Touched } from '../index/touched.js';

/** Makes of what a transaction touched the change that subscribers get. */
export class ChangeLister {
  readonly #index: EntryIndex;
  /** Messages by the millisecond of their id, once somebody has asked for the prompt of an answer. */
  readonly #byTime = new Map<number, number[]>();
  #filed = 0;
  /** Ids of answers by prompt: each is derived once. */
  readonly #answers = new Map<number, string>();

  constructor(index: EntryIndex) {
    this.#index = index;
  }

  /** Undefined where nothing that can be read has changed. O(what was touched). */
  list(touched: Touched, transaction: Y.Transaction): ChatChange | undefined {
    const index = this.#index;
    const messages = new Set(touched.messages);
    const threads = new Set(touched.threads);
    for (const ref of touched.annotated) messages.add(ref);
    for (const delta of touched.deltas) messages.add(delta.message);
    for (const ref of touched.lists.keys()) threads.add(ref);
    // The state of a thread follows its turns; text alone changes none.
    for (const ref of touched.messages) {
      // An answer that nobody has begun has no line; its thread is that of its prompt.
      const prompt = index.hasLines(ref) ? ref : this.#findPrompt(ref);
      for (const thread of index.threadsOfMessage(prompt ?? ref)) threads.add(thread);
    }
    if (messages.size === 0 && threads.size === 0 && !touched.document) return undefined;
    const deltas = touched.deltas.map(({ message, attempt, n, text }) =>
      Object.freeze({ message_id: index.refs.idOf(message), attempt: index.refs.idOf(attempt), n, text }),
    );
    return Object.freeze({
      messages: this.#listIds(messages),
      threads: this.#listIds(threads),
      document: touched.document,
      deltas: Object.freeze(deltas),
      origin: transaction.origin,
      local: transaction.local,
    });
  }

  /** The prompt whose answer this is. Nothing names it, but its id has the same time. */
  #findPrompt(ref: number): number | undefined {
    const { refs } = this.#index;
    for (; this.#filed < refs.size; this.#filed += 1) {
      const time = timeOfUlid(refs.idOf(this.#filed));
      const known = this.#byTime.get(time);
      if (known === undefined) this.#byTime.set(time, [this.#filed]);
      else known.push(this.#filed);
    }
    const answer = refs.idOf(ref);
    for (const other of this.#byTime.get(timeOfUlid(answer)) ?? []) {
      if (other !== ref && this.#answerOf(other) === answer) return other;
    }
    return undefined;
  }

  #answerOf(prompt: number): string | undefined {
    if (!this.#index.hasLines(prompt)) return undefined;
    let answer = this.#answers.get(prompt);
    if (answer === undefined) {
      answer = deriveAnswerId(this.#index.refs.idOf(prompt));
      this.#answers.set(prompt, answer);
    }
    return answer;
  }

  #listIds(refs: ReadonlySet<number>): readonly string[] {
    const ids: string[] = [];
    for (const ref of refs) ids.push(this.#index.refs.idOf(ref));
    return Object.freeze(ids.sort());
  }
}
