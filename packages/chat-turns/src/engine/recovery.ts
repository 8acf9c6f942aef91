import type { Timers } from '@chatdoc/schema';
import type { Liveness } from './liveness.js';
import type { TurnChat } from './turn-chat.js';

interface Suspect {
  readonly thread_id: string;
  readonly message_id: string;
  /** Since when no live peer shows it. */
  since: number;
}

/** Of a lease: how often those that are not ours are looked at. */
const LOOKS = 8;

/**
 * Finds attempts whose runner is gone, and interrupts them. Only for threads that this process could
 * run itself, and only after a whole lease in which it was synced with its peers and none showed the attempt.
 */
export class Recovery {
  readonly #chat: TurnChat;
  readonly #liveness: Liveness;
  readonly #timers: Timers;
  readonly #leaseMs: number;
  readonly #onFault: (error: unknown) => void;
  readonly #suspects = new Map<string, Suspect>();
  readonly #unsubscribe: () => void;
  /** Since when this process has been in sync with its peers without a break; undefined while it is not. */
  #syncedSince: number | undefined;
  #live: readonly string[] = [];
  #timer: unknown;

  constructor(
    chat: TurnChat,
    liveness: Liveness,
    timers: Timers,
    leaseMs: number,
    onFault: (error: unknown) => void,
  ) {
    this.#chat = chat;
    this.#liveness = liveness;
    this.#timers = timers;
    this.#leaseMs = leaseMs;
    this.#onFault = onFault;
    this.#unsubscribe = liveness.subscribe(() => this.#mark());
  }

  setSynced(isSynced: boolean): void {
    this.#syncedSince = isSynced ? (this.#syncedSince ?? this.#timers.now()) : undefined;
  }

  /** The open attempts of a thread that this process does not run. */
  watch(threadId: string, open: readonly { readonly message_id: string; readonly attempt: string }[]): void {
    const ids = new Set(open.map(({ attempt }) => attempt));
    for (const [attempt, { thread_id }] of this.#suspects) {
      if (thread_id === threadId && !ids.has(attempt)) this.#suspects.delete(attempt);
    }
    for (const { message_id, attempt } of open) {
      if (this.#suspects.has(attempt)) continue;
      this.#suspects.set(attempt, { thread_id: threadId, message_id, since: this.#timers.now() });
    }
    this.#arm();
  }

  close(): void {
    this.#unsubscribe();
    this.#suspects.clear();
    this.#arm();
  }

  /** Never writes: it is called from within whatever brought the news. */
  #mark(): void {
    if (this.#suspects.size === 0) return;
    const now = this.#timers.now();
    const before = this.#live;
    this.#live = this.#liveness.liveAttempts();
    // What was live when we looked last is gone since now at most: we may have been asleep.
    for (const attempt of [...before, ...this.#live]) {
      const suspect = this.#suspects.get(attempt);
      if (suspect !== undefined) suspect.since = now;
    }
  }

  #look(): void {
    this.#mark();
    const now = this.#timers.now();
    const synced = this.#syncedSince;
    for (const [attempt, suspect] of [...this.#suspects]) {
      const heldSince = synced === undefined ? now : Math.max(synced, suspect.since);
      if (now - heldSince < this.#leaseMs) continue;
      this.#suspects.delete(attempt);
      this.#chat.interrupt({ message_id: suspect.message_id, attempt });
    }
  }

  #arm(): void {
    if (this.#suspects.size === 0) {
      this.#timers.clearTimer(this.#timer);
      this.#timer = undefined;
    } else {
      this.#timer ??= this.#timers.setTimer(this.#onTimer, this.#leaseMs / LOOKS);
    }
  }

  readonly #onTimer = (): void => {
    this.#timer = undefined;
    try {
      this.#look();
    } catch (error) {
      this.#onFault(error);
      return;
    }
    this.#arm();
  };
}
