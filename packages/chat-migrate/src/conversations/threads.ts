import { deriveId } from '../plan/derive-id.js';
import type { Turn } from './turns.js';
import { compareSpoken } from './turns.js';

/** The thread of a turn. */
export interface PlacedThread {
  readonly thread_id: string;
  readonly home: string;
  /** Turn that it begins with. */
  readonly first: Turn;
  /** The turn, and the thread of it, that this one was forked from. */
  readonly from?: { readonly thread_id: string; readonly turn?: Turn } | undefined;
}

/** The thread of a session or a conversation. */
export function deriveThreadId(format: string, home: string): string {
  return deriveId(0, 'import_thread', format, home);
}

/**
 * The thread of each turn. The oldest turn of a home begins its thread, and of those that follow one turn the oldest goes on
 * in its thread; each other one is a fork. What is younger never moves what is older.
 */
export function placeThreads(format: string, turns: readonly Turn[]): ReadonlyMap<Turn, PlacedThread> {
  const starts = findStarts(turns);
  const placed = new Map<Turn, PlacedThread>();
  for (const turn of turns) {
    const { home } = turn.head;
    const { parent } = turn;
    const above = parent && placed.get(parent);
    const from = above && { thread_id: above.thread_id, ...(parent !== undefined && { turn: parent }) };
    if (starts.get(home) === turn) {
      const own = { thread_id: deriveThreadId(format, home), home, first: turn };
      placed.set(turn, from === undefined ? own : { ...own, from });
    } else if (parent !== undefined && above !== undefined && isTrunk(turn, parent)) {
      placed.set(turn, above);
    } else {
      const fork = { thread_id: deriveId(0, 'import_fork', format, turn.head.key), home, first: turn };
      placed.set(turn, { ...fork, from: from ?? { thread_id: deriveThreadId(format, home) } });
    }
  }
  return placed;
}

/** By home, the turn that its own thread begins with: the oldest that does not go on in the thread of its parent. */
function findStarts(turns: readonly Turn[]): ReadonlyMap<string, Turn> {
  const starts = new Map<string, Turn>();
  for (const turn of turns) {
    const { head, parent } = turn;
    if (parent !== undefined && parent.head.home === head.home) continue;
    const known = starts.get(head.home);
    // A root is the beginning, whatever the times are.
    const isEarlier = known === undefined || compareStarts(turn, known) < 0;
    if (isEarlier) starts.set(head.home, turn);
  }
  return starts;
}

function compareStarts(a: Turn, b: Turn): number {
  const roots = Number(a.parent !== undefined) - Number(b.parent !== undefined);
  return roots || compareSpoken(a.head, b.head);
}

function isTrunk(turn: Turn, parent: Turn): boolean {
  if (turn.head.home !== parent.head.home) return false;
  return parent.children.every(
    (other) =>
      other === turn || other.head.home !== turn.head.home || compareSpoken(turn.head, other.head) < 0,
  );
}
