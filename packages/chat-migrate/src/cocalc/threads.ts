import { compareText } from '@chatdoc/schema/internal';
import { deriveId } from '../plan/derive-id.js';
import type { CocalcMessage } from './messages.js';

/** Longest chain of replies to replies that is followed: the readers of its time gave up there too. */
const MAX_STEPS = 1000;

/** Before this nothing could be a reply: a chat was one room, and not a thread for each message. */
const REPLIES_BEGIN = Date.UTC(2023, 2, 1);
/** When CoCalc chats began: no message of a room is older. */
export const ROOM_BEGIN: number = Date.UTC(2013, 2, 1);
/**
 * The thread of all messages whose root is older than replies, or has no date. Their dates alone decide, whatever
 * else a file holds.
 */
export const ROOM_ID: string = deriveId(ROOM_BEGIN, 'legacy_room');

export interface FoundThread {
  readonly thread_id: string;
  /** The message that this one answers; undefined for a root, in a loop, and where it is not in the file. */
  readonly target?: CocalcMessage;
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
  readonly #messages: readonly CocalcMessage[];
  /** Messages whose date some message replies to; of all dates once settings name one. */
  #byTime: ReadonlyMap<number, readonly CocalcMessage[]>;
  #hasAllTimes = false;
  readonly #roots = new Map<number, readonly CocalcMessage[]>();
  readonly #legacyIds = new Map<string, string>();
  readonly #threadIds = new Map<CocalcMessage, string>();

  constructor(messages: readonly CocalcMessage[]) {
    this.#messages = messages;
    const named = new Set<number>();
    for (const { replyTime } of messages) if (replyTime !== undefined) named.add(replyTime);
    this.#byTime = indexTimes(messages, named);
  }

  find(message: CocalcMessage): FoundThread {
    const { legacyThreadId, replyTime } = message;
    if (legacyThreadId !== undefined) return { thread_id: this.#legacyThread(legacyThreadId) };
    if (replyTime === undefined || Number.isNaN(replyTime)) return { thread_id: this.#threadOf(message) };
    return this.#findRoot(message, replyTime);
  }

  /** The thread whose root has this date, for settings that name no more than that. */
  findAt(time: number): string | undefined {
    if (!this.#hasAllTimes) {
      this.#hasAllTimes = true;
      this.#byTime = indexTimes(this.#messages);
      this.#roots.clear();
    }
    const root = this.#rootsAt(time)[0];
    return root === undefined ? undefined : this.#threadOf(root);
  }

  #findRoot(message: CocalcMessage, replyTime: number): FoundThread {
    const first = this.#rootsAt(replyTime);
    const [only] = first;
    // As nearly all are: one root, and not this message.
    if (first.length === 1 && only !== undefined && only !== message)
      return { thread_id: this.#threadOf(only), target: only };
    const seen = new Set<number>();
    let time = replyTime;
    let target: CocalcMessage | undefined;
    for (let step = 0; step < MAX_STEPS && !seen.has(time); step += 1) {
      const roots = this.#rootsAt(time);
      if (time === message.time && roots.includes(message)) return { thread_id: this.#threadOf(message) };
      const root = roots.find(({ sender_id }) => sender_id !== message.sender_id) ?? roots[0];
      if (root !== undefined) {
        const thread_id = this.#threadOf(root);
        return { thread_id, target: target ?? root, ...(roots.length > 1 ? { isAmbiguous: true } : {}) };
      }
      const above = this.#byTime.get(time)?.[0];
      target ??= above;
      const next = above?.replyTime;
      if (next === undefined) return { ...missing(time), ...(target === undefined ? {} : { target }) };
      seen.add(time);
      time = next;
    }
    // A loop has no first message; its smallest date names it wherever one enters.
    return missing(Math.min(...seen));
  }

  #threadOf(root: CocalcMessage): string {
    let thread_id = this.#threadIds.get(root);
    if (thread_id === undefined) {
      const { legacyThreadId, time = 0 } = root;
      // Replies name nothing but the millisecond of their root, which may not be in the file: it names the thread.
      thread_id = this.#legacyThread(legacyThreadId ?? nameThread(time));
      this.#threadIds.set(root, thread_id);
    }
    return thread_id;
  }

  #legacyThread(legacyThreadId: string): string {
    let thread_id = this.#legacyIds.get(legacyThreadId);
    if (thread_id === undefined) {
      thread_id = deriveThreadId(legacyThreadId);
      this.#legacyIds.set(legacyThreadId, thread_id);
    }
    return thread_id;
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

/** The time in the name of a thread that CoCalc's own migration made. */
function readRootTime(name: string): number | undefined {
  const digits = ROOT_TIME.exec(name)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

const ROOT_TIME = /^legacy-thread-(-?\d{1,16})$/;

/** Messages by time, smallest id first; only of these times, where they are given. */
function indexTimes(
  messages: readonly CocalcMessage[],
  times?: ReadonlySet<number>,
): ReadonlyMap<number, readonly CocalcMessage[]> {
  const byTime = new Map<number, CocalcMessage[]>();
  for (const message of messages) {
    const { time } = message;
    if (time === undefined || times?.has(time) === false) continue;
    const same = byTime.get(time);
    if (same === undefined) byTime.set(time, [message]);
    else same.push(message);
  }
  for (const same of byTime.values())
    if (same.length > 1) same.sort((a, b) => compareText(a.message_id, b.message_id));
  return byTime;
}

/** The thread of that name. What CoCalc's own migration made a thread of each message of a room is that room. */
export function deriveThreadId(legacyThreadId: string): string {
  const time = readRootTime(legacyThreadId);
  if (time !== undefined && isInRoom(time)) return ROOM_ID;
  return deriveId(time ?? 0, 'legacy_thread_id', legacyThreadId);
}

/** The name that CoCalc's own migration gives to the thread of the root with this date. */
export function nameThread(time: number): string {
  return `legacy-thread-${time}`;
}

function isInRoom(time: number): boolean {
  return time < REPLIES_BEGIN;
}

function missing(time: number): FoundThread {
  return { thread_id: deriveThreadId(nameThread(time)), missingTime: time };
}
