import * as Y from 'yjs';
import type { Application } from '../subject/application.js';
import { Disk } from '../subject/disk.js';
import type { Seat } from '../subject/seat.js';
import { canonicalJson, findDifference } from './canonical.js';
import { guard } from './law.js';
import { createDocument, DOC_ID, type Replica } from './replica.js';
import { mixSeeds, seededEnvironment } from './seeded-environment.js';

const NOW = Date.UTC(2026, 10, 21, 12);

/** A seat that is not a replica of a simulation, and whose clock does not move. */
export function createLooseSeat(name: string, client: number): Seat {
  const doc = createDocument();
  doc.clientID = client;
  return {
    name,
    index: 0,
    doc,
    doc_id: DOC_ID,
    generation: 0,
    environment: seededEnvironment(mixSeeds(client, 2), () => NOW),
    disk: new Disk(),
    is_hub: false,
    mark: () => undefined,
    moveTo: () => undefined,
  };
}

/** A seat beside a replica: of a visitor, or to look at its document. */
export function createSeat<S>(replica: Replica<S>, name: string, client: number, mark: Seat['mark']): Seat {
  const now = replica.seat?.environment.now ?? (() => NOW);
  return {
    ...createLooseSeat(name, client),
    index: replica.index,
    generation: replica.generation,
    environment: seededEnvironment(mixSeeds(client, 2), now),
    mark,
  };
}

const RELOADED_CLIENT = 0xffff_fff0;

/** How a fresh document with all the bytes of a replica reads otherwise than `expected`. */
export function reloadDocument<S>(
  application: Application<S>,
  replica: Replica<S>,
  expected: string,
): string | undefined {
  const seat = createSeat(replica, 'reloaded', RELOADED_CLIENT, () => undefined);
  Y.applyUpdate(seat.doc, Y.encodeStateAsUpdate(replica.doc));
  const state = guard('open', () => application.open(seat));
  const text = canonicalJson(guard('read', () => application.read(state)));
  application.close?.(state);
  seat.doc.destroy();
  const difference = findDifference(text, expected);
  return difference === undefined ? undefined : `replica ${replica.index}, loaded again: ${difference}`;
}
