import * as Y from 'yjs';

/** What the gate reads of Yjs's inside: the lanes of a root map, and what the owner of each wrote. */

/** An entry of the chat's root. Its identity is the struct that set it, not the key. */
export interface StoredLane {
  readonly key: string;
  readonly client: number;
  /** Of the struct that set it. */
  readonly clock: number;
  readonly type: Y.Text;
}

/** A run of the owner's text. */
export interface Run {
  readonly clock: number;
  readonly length: number;
  /** Undefined: deleted. */
  readonly text: string | undefined;
}

/** Two lanes have one name if they are one. */
export function nameLane(client: number, clock: number): string {
  return `${client} ${clock}`;
}

export function listStoredLanes(map: Y.Map<unknown>): StoredLane[] {
  const lanes: StoredLane[] = [];
  for (const key of map._map.keys()) {
    const lane = findStoredLane(map, key);
    if (lane !== undefined) lanes.push(lane);
  }
  return lanes;
}

export function findStoredLane(map: Y.Map<unknown>, key: string): StoredLane | undefined {
  const item = map._map.get(key);
  if (item === undefined || item.deleted || !(item.content instanceof Y.ContentType)) return undefined;
  const { type } = item.content;
  return type instanceof Y.Text ? { key, client: item.id.client, clock: item.id.clock, type } : undefined;
}

/** Whether the key is set, or was and then deleted. */
export function isKeyTaken(map: Y.Map<unknown>, key: string): boolean {
  return map._map.has(key);
}

/** Whether the document holds anything of `client`. */
export function isClientKnown(doc: Y.Doc, client: number): boolean {
  return Y.getState(doc.store, client) > 0;
}

/** Keys that a transaction set, and the lanes whose text it changed. */
export function readChangedLanes(
  transaction: Y.Transaction,
  map: Y.Map<unknown>,
): { readonly keys: readonly string[]; readonly names: readonly string[]; readonly deletes: boolean } {
  const keys: string[] = [];
  const names: string[] = [];
  for (const [type, subs] of transaction.changed as Map<unknown, Set<string | null>>) {
    if (type === map) {
      for (const sub of subs) if (sub !== null) keys.push(sub);
    } else if (type instanceof Y.Text && type.parent === map && type._item !== null) {
      names.push(nameLane(type._item.id.client, type._item.id.clock));
    }
  }
  return { keys, names, deletes: transaction.deleteSet.clients.size > 0 };
}

/** All that the owner wrote in clock order, deleted runs included. O(runs of the text). */
export function readRuns({ type, client }: StoredLane): Run[] {
  const runs: Run[] = [];
  for (let item = type._start; item !== null; item = item.right) {
    if (item.id.client === client) pushRun(runs, item, item.id.clock);
  }
  return runs.sort((a, b) => a.clock - b.clock);
}

/** What the owner added to the text from `clock` on. O(what the owner wrote anywhere since then). */
export function readNewRuns(doc: Y.Doc, { type, client }: StoredLane, clock: number): Run[] {
  const runs: Run[] = [];
  const structs = doc.store.clients.get(client);
  if (structs === undefined || clock >= Y.getState(doc.store, client)) return runs;
  for (let at = Y.findIndexSS(structs, clock); at < structs.length; at += 1) {
    const struct = structs[at];
    if (struct instanceof Y.Item && struct.parent === type) pushRun(runs, struct, clock);
  }
  return runs;
}

function pushRun(runs: Run[], { id, length, deleted, content }: Y.Item, from: number): void {
  const offset = Math.max(0, from - id.clock);
  const text = !deleted && content instanceof Y.ContentString ? content.str.slice(offset) : undefined;
  if (text !== undefined || deleted) runs.push({ clock: id.clock + offset, length: length - offset, text });
}
