import type { Message } from '@chatdoc/schema';
import { asksAgent } from './message.js';

interface Members {
  readonly ids: Set<string>;
  readonly dates: Map<string, number>;
  /** Messages that have the date of another. */
  sameDate: number;
  prompts: number;
}

/** The messages of each thread, whether the thread is there or not, with what is counted of them. */
export class ThreadMembers {
  readonly #threads = new Map<string, Members>();

  /** The message is as in `to` from now on, instead of `from`. */
  move(id: string, from: Message | undefined, to: Message | undefined): void {
    if (from !== undefined) this.#leave(id, from);
    if (to !== undefined) this.#join(id, to);
  }

  /** Ids of all messages of the thread. */
  of(thread: string): ReadonlySet<string> {
    return this.#threads.get(thread)?.ids ?? NOBODY;
  }

  /** How many have the date of another one. */
  countSameDate(thread: string): number {
    return this.#threads.get(thread)?.sameDate ?? 0;
  }

  /** Whether an agent is asked. */
  asksAgent(thread: string): boolean {
    return (this.#threads.get(thread)?.prompts ?? 0) > 0;
  }

  #join(id: string, message: Message): void {
    const { thread_id: thread, date } = message;
    let members = this.#threads.get(thread);
    if (members === undefined) {
      members = { ids: new Set(), dates: new Map(), sameDate: 0, prompts: 0 };
      this.#threads.set(thread, members);
    }
    members.ids.add(id);
    const count = (members.dates.get(date) ?? 0) + 1;
    members.dates.set(date, count);
    members.sameDate += count === 1 ? 0 : count === 2 ? 2 : 1;
    if (asksAgent(message)) members.prompts += 1;
  }

  #leave(id: string, message: Message): void {
    const { thread_id, date } = message;
    const members = this.#threads.get(thread_id);
    if (members === undefined) return;
    members.ids.delete(id);
    const count = (members.dates.get(date) ?? 0) - 1;
    if (count === 0) members.dates.delete(date);
    else members.dates.set(date, count);
    members.sameDate -= count === 0 ? 0 : count === 1 ? 2 : 1;
    if (asksAgent(message)) members.prompts -= 1;
  }
}

const NOBODY: ReadonlySet<string> = new Set();
