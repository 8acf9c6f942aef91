import { deriveUlid } from '@chatdoc/schema';
import type { CocalcMessage } from './cocalc-messages.js';
import { compareText } from './code-unit-order.js';

/** Longest chain of replies to replies that is followed: the readers of its time gave up there too. */
const MAX_STEPS = 1000;

export interface FoundThread {
  readonly thread_id: string;
  /** The message that this one answers; undefined for a root, and where it is not in the file. */
  readonly root?: CocalcMessage;
  /** The date of the root that is missing. */
  readonly missingTime?: number;
  /** Two roots share the millisecond that the reply names. */
  readonly isAmbiguous?: true;
}

/**
 * Which thread each message is in. Until 2026 a reply names nothing but the millisecond of its root; a root is
 * a row without `reply_to`. A reply to a reply belongs to the root above, a row that names its own date to the
 * other row of that millisecond.
 */
export class ThreadFinder {
  readonly #byTime = new Map<number, CocalcMessage[]>();
  readonly #roots = new Map<number, readonly CocalcMessage[]>();

  constructor(messages: readonly CocalcMessage[]) {
    for (const message of messages) {
      if (message.time === undefined) continue;
      const same = this.#byTime.get(message.time);
      if (same === undefined) this.#byTime.set(message.time, [message]);
      else same.push(message);
    }
    for (const same of this.#byTime.values()) same.sort((a, b) => compareText(a.message_id, b.message_id));
  }

  find(message: CocalcMessage): FoundThread {
    const { legacyThreadId, replyTime } = message;
    if (legacyThreadId !== undefined) return { thread_id: deriveLegacyThreadId(legacyThreadId) };
    if (replyTime === undefined || Number.isNaN(replyTime)) return { thread_id: threadOfRoot(message) };
    return this.#findRoot(message, replyTime);
  }

  /** The thread whose root has this date, for settings that name no more than that. */
  findAt(time: number): string | undefined {
    const root = this.#rootsAt(time)[0];
    return root === undefined ? undefined : threadOfRoot(root);
  }

  #findRoot(message: CocalcMessage, replyTime: number): FoundThread {
    const seen = new Set<number>();
    let time = replyTime;
    for (let step = 0; step < MAX_STEPS && !seen.has(time); step += 1) {
      const roots = this.#rootsAt(time);
      if (time === message.time && roots.includes(message)) return { thread_id: threadOfRoot(message) };
      const root = roots.find(({ sender_id }) => sender_id !== message.sender_id) ?? roots[0];
      if (root !== undefined) {
        const thread_id = threadOfRoot(root);
        const others = roots.some((other) => threadOfRoot(other) !== thread_id);
        return { thread_id, root, ...(others ? { isAmbiguous: true } : {}) };
      }
      const next = this.#byTime.get(time)?.[0]?.replyTime;
      if (next === undefined) return missing(time);
      seen.add(time);
      time = next;
    }
    // A loop has no first message; its smallest date names it wherever one enters.
    return missing(Math.min(...seen));
  }

  #rootsAt(time: number): readonly CocalcMessage[] {
    let roots = this.#roots.get(time);
    if (roots === undefined) {
      roots = this.#readRoots(time);
      this.#roots.set(time, roots);
    }
    return roots;
  }

  #readRoots(time: number): readonly CocalcMessage[] {
    const same = this.#byTime.get(time) ?? [];
    const roots = same.filter(({ replyTime, legacyThreadId }) => {
      return legacyThreadId !== undefined || replyTime === undefined || Number.isNaN(replyTime);
    });
    // Rows that all reply to their own date: the smallest id is the root of the others.
    return roots.length > 0 ? roots : same.filter(({ replyTime }) => replyTime === time).slice(0, 1);
  }
}

export function deriveLegacyThreadId(legacyThreadId: string): string {
  return deriveUlid(0, 'legacy_thread_id', legacyThreadId);
}

function threadOfRoot(root: CocalcMessage): string {
  if (root.legacyThreadId !== undefined) return deriveLegacyThreadId(root.legacyThreadId);
  const time = root.time ?? 0;
  return deriveUlid(time, 'legacy_thread', time, root.sender_id);
}

function missing(time: number): FoundThread {
  return { thread_id: deriveUlid(time, 'legacy_thread', time), missingTime: time };
}
