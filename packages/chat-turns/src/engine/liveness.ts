/**
 * Which attempts have a living runner. Nothing of it stands in the document, and nothing of it trusts the clock of
 * another machine. The `Presence` of @chatdoc/sync is one: what an engine runs shows to everybody who looks at it.
 */
export interface Liveness {
  /** Attempts that run in a process that is here, those of this one included. */
  liveAttempts(): readonly string[];
  /** Shows that this process runs the attempt. */
  addAttempt(attempt: string): void;
  removeAttempt(attempt: string): void;
  /** Calls `listener` when `liveAttempts()` may have changed. The result ends it. */
  subscribe(listener: () => void): () => void;
}
