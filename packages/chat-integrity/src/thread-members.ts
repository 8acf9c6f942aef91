import type { MessageFacts } from './message-facts.js';

interface Members {
  readonly ids: Set<string>;
  readonly dates: Map<string, number>;
  /** Messages that have the date of another. */
  sameDate: number;
  agents: number;
}

/** The messages of each thread, whether the thread is there or not, with what is counted of them. */
export class ThreadMembers {
  readonly #threads = new Map<string, Members>();

  move(id: string, from: MessageFacts | undefined, to: MessageFacts): void {
    if (from?.thread === to.thread && from?.date === to.date && from?.agent === to.agent) return;
    if (from?.thread !== undefined) this.#leave(id, from.thread, from);
    if (to.thread !== undefined) this.#join(id, to.thread, to);
  }

  of(thread: string): ReadonlySet<string> {
    return this.#threads.get(thread)?.ids ?? NOBODY;
  }

  countSameDate(thread: string): number {
    return this.#threads.get(thread)?.sameDate ?? 0;
  }

  /** Whether an agent is asked, or answers. */
  hasAgent(thread: string): boolean {
    return (this.#threads.get(thread)?.agents ?? 0) > 0;
  }

  #join(id: string, thread: string, { date, agent }: MessageFacts): void {
    let members = this.#threads.get(thread);
    if (members === undefined) {
      members = { ids: new Set(), dates: new Map(), sameDate: 0, agents: 0 };
      this.#threads.set(thread, members);
    }
    members.ids.add(id);
    const count = (members.dates.get(date) ?? 0) + 1;
    members.dates.set(date, count);
    members.sameDate += count === 1 ? 0 : count === 2 ? 2 : 1;
    if (agent) members.agents += 1;
  }

  #leave(id: string, thread: string, { date, agent }: MessageFacts): void {
    const members = this.#threads.get(thread);
    if (members === undefined) return;
    members.ids.delete(id);
    const count = (members.dates.get(date) ?? 0) - 1;
    if (count === 0) members.dates.delete(date);
    else members.dates.set(date, count);
    members.sameDate -= count === 0 ? 0 : count === 1 ? 2 : 1;
    if (agent) members.agents -= 1;
  }
}

const NOBODY: ReadonlySet<string> = new Set();
