import * as Y from 'yjs';
import { LawBroken } from './law.js';

/** Why a document is not at rest: parts of updates that wait for what they lack. */
export function findPending(doc: Y.Doc): string | undefined {
  const { pendingStructs, pendingDs } = doc.store;
  if (pendingStructs !== null) return `structs of ${pendingStructs.missing.size} clients are pending`;
  if (pendingDs !== null) return `${pendingDs.length} bytes of deletions are pending`;
  return undefined;
}

/** Whether both hold the same clocks and the same deletions, and nothing waits. */
export function areInStep(a: Y.Doc, b: Y.Doc): boolean {
  if (findPending(a) !== undefined || findPending(b) !== undefined) return false;
  return Y.equalSnapshots(Y.snapshot(a), Y.snapshot(b));
}

/**
 * Struct by struct: equal state vectors alone prove nothing. Two stores may cut their runs of characters in different
 * places, and one may have thrown away what the other still holds deleted.
 */
export function assertSameStores(a: Y.Doc, b: Y.Doc, names: string): void {
  const broken = (difference: string): never => {
    throw new LawBroken('stores the same', `${names}: ${difference}`);
  };
  if (!Y.equalSnapshots(Y.snapshot(a), Y.snapshot(b))) broken('state vectors or deletions differ');
  for (const [client, structs] of a.store.clients) {
    const others = b.store.clients.get(client) ?? [];
    let i = 0;
    let j = 0;
    while (i < structs.length && j < others.length) {
      const one = structs[i] as Y.Item | Y.GC;
      const other = others[j] as Y.Item | Y.GC;
      const start = Math.max(one.id.clock, other.id.clock);
      if (!isSame(one, other, start)) broken(`the structs of client ${client} at clock ${start} differ`);
      const ends = [one.id.clock + one.length, other.id.clock + other.length] as const;
      if (ends[0] <= ends[1]) i += 1;
      if (ends[1] <= ends[0]) j += 1;
    }
  }
}

function isSame(one: Y.Item | Y.GC, other: Y.Item | Y.GC, clock: number): boolean {
  if (one.deleted !== other.deleted) return false;
  if (one.deleted || !(one instanceof Y.Item) || !(other instanceof Y.Item)) return one.deleted;
  if (one.parentSub !== other.parentSub || one.content.getRef() !== other.content.getRef()) return false;
  if (one.content instanceof Y.ContentString && other.content instanceof Y.ContentString) {
    const [a, b] = [
      one.content.str.slice(clock - one.id.clock),
      other.content.str.slice(clock - other.id.clock),
    ];
    return a.startsWith(b) || b.startsWith(a);
  }
  return true;
}
