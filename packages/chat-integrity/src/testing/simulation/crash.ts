import * as Y from 'yjs';
import type { Pick } from '../schedule/pick.js';
import { guard, LawBroken } from './law.js';
import type { Replica } from './replica.js';
import { readFacts } from './returned.js';
import type { World } from './world.js';

/**
 * Ends the process of a replica. Of what its disk has not synced nothing is left, or all up to some place; `torn`
 * leaves part of the next record there; `restore` puts an older state of the disk back.
 */
export function killReplica<S>(
  world: World<S>,
  replica: Replica<S>,
  how: 'crash' | 'torn' | 'restore',
  pick: Pick,
): boolean {
  const { disk, doc } = replica;
  if (!replica.isUp || world.subject.storage === undefined) return false;
  // A storage that keeps its bytes elsewhere can only be killed.
  if (how !== 'crash' && !disk.isUsed) return false;
  if (how === 'torn' && disk.unsynced === 0) return false;
  if (how === 'restore' && disk.images === 0) return false;
  const shown = showFacts(replica);
  const isSafe = how !== 'restore' && replica.unflushed === 0;
  const snapshot = isSafe ? Y.encodeSnapshot(Y.snapshot(doc)) : undefined;
  if (disk.unsynced > 0) world.mark('a crash took what was not flushed');
  if (isSafe) world.mark('a crash after a flush');
  replica.kill();
  let restored: number | undefined;
  if (how === 'torn') disk.crash(pick.below(disk.unsynced), 1 + pick.below(80));
  else disk.crash(pick.below(2) === 0 ? 0 : pick.below(disk.unsynced + 1), 0);
  if (how === 'restore') restored = replica.restore(pick.below(disk.images));
  replica.fallen = { shown, snapshot, restored };
  if (pick.below(2) === 0) restartReplica(world, replica);
  return true;
}

/** Starts it again, if it is down; what it has lost is held against the journal. */
export function restartReplica<S>(world: World<S>, replica: Replica<S>): void {
  if (replica.isUp) return;
  const before = replica.incarnation;
  replica.start();
  const isNew = replica.incarnation !== before;
  if (isNew) world.mark('a process started again');
  settleFallen(world, replica);
}

/** Compares a process that has started again with the one that died; does nothing while its storage still loads. */
export function settleFallen<S>(world: World<S>, replica: Replica<S>): void {
  if (replica.fallen === undefined || !replica.isUp) return;
  const { snapshot, shown, restored } = replica.fallen;
  replica.fallen = undefined;
  if (snapshot !== undefined && !Y.equalSnapshots(Y.decodeSnapshot(snapshot), Y.snapshot(replica.doc))) {
    const where = `replica ${replica.index} flushed everything, died, and came back with another document`;
    throw new LawBroken('a clean restart loses nothing', where);
  }
  const elsewhere = (): ReadonlySet<string> => {
    const all = new Set<string>();
    for (const other of world.replicas) {
      if (other !== replica && other.isUp) for (const fact of showFacts(other)) all.add(fact);
    }
    return all;
  };
  world.journal.restart(replica.index, shown, showFacts(replica), elsewhere, restored);
}

function showFacts<S>(replica: Replica<S>): ReadonlySet<string> {
  const { application, state } = replica;
  if (state === undefined || application.facts === undefined) return new Set();
  return guard('facts', () => readFacts(application.facts?.(state)));
}
