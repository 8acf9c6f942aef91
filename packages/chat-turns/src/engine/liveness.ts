/**
 * Which attempts have a living runner. Nothing of it is in the document, and nothing of it trusts the clock of
 * another machine. The `Presence` of @chatdoc/sync is one: what an engine runs shows to everybody who looks at it.
 */
export interface Liveness {
  /** Attempts that run in a process that is here, those of this one included. */
  liveAttempts(): readonly string[];
  /** Shows that this process runs the attempt. */
  addAttempt(attempt: string): void;
  removeAttempt(attempt: string): void;
  /** Calls `listener` when `liveAttempts()` may have changed. Returns an unsubscribe function. */
  subscribe(listener: () => void): () => void;
  /** Shows that this process can run turns. */
  setRunner?(isRunner: boolean): void;
  /**
   * How many of the processes that are here and can run turns come before this one, by an order that is the same in
   * all of them, and another for each key. Without it each claims at once.
   */
  rank?(key: string): number;
}
