import * as Y from 'yjs';
import { TEXT_TYPE, type WireId, type WireRange, type WireStruct, type WireUpdate } from './decode.js';
import type { UpdateLimits } from './limits.js';
import { type InspectRefusalCode, RefusalError } from './refusal.js';

/**
 * What an update would do to a document, before it is applied: where each new struct would stand, and what it
 * would delete. This and `decode.ts` are all that this package knows of Yjs's inside; what a document holds is asked of the schema.
 */
export interface Inspection {
  /** New structs in an order in which they can be integrated. What the document knows already is left out. */
  readonly structs: readonly PlacedStruct[];
  /** What is not deleted yet, cut at the borders of structs. */
  readonly deletions: readonly PlacedDeletion[];
}

/** Where a struct stands. */
type Place =
  /** An entry of the chat's root: a lane is set under `key`. */
  | { readonly in: 'chat'; readonly key: string }
  /** Text of the lane that the entry `entry` holds. */
  | { readonly in: 'lane'; readonly key: string; readonly entry: WireId }
  /** Another root that the caller allows. `depth` counts types around it. */
  | { readonly in: 'outside'; readonly depth: number }
  /** In a type that was deleted. */
  | { readonly in: 'nothing' };

export interface PlacedStruct extends WireRange {
  readonly place: Place;
  readonly kind: WireStruct['kind'];
  /** Of kind `text`, from `clock` on. */
  readonly text: string;
  readonly origin: WireId | null;
  readonly rightOrigin: WireId | null;
}

export interface PlacedDeletion extends WireRange {
  readonly place: Place;
}

export type Inspected =
  | ({ readonly ok: true } & Inspection)
  | { readonly ok: false; readonly code: InspectRefusalCode };

export interface InspectOptions {
  /** Name of the chat's root. */
  readonly root: string;
  /** Names of other roots that an update may touch; what it does there is the embedder's affair. */
  readonly others: ReadonlySet<string> | 'any';
  readonly limits: UpdateLimits;
}

/** Reads `update` against `doc` and changes nothing. O(update · log document). */
export function inspectUpdate(doc: Y.Doc, update: WireUpdate, options: InspectOptions): Inspected {
  try {
    const inspector = new Inspector(doc, update, options);
    return { ok: true, ...inspector.run() };
  } catch (error) {
    if (error instanceof RefusalError) return { ok: false, code: error.code as InspectRefusalCode };
    throw error;
  }
}

interface Queue {
  readonly client: number;
  readonly structs: readonly WireStruct[];
  next: number;
  /** Clocks below this one are known or placed. */
  frontier: number;
  /** Has been begun, and waits for another. */
  isOpen: boolean;
}

class Inspector {
  readonly #doc: Y.Doc;
  readonly #update: WireUpdate;
  readonly #options: InspectOptions;
  readonly #queues = new Map<number, Queue>();
  /** By client, in clock order. */
  readonly #placed = new Map<number, PlacedStruct[]>();
  readonly #order: PlacedStruct[] = [];
  readonly #chat: unknown;
  readonly #rivals = new Map<string, number>();

  constructor(doc: Y.Doc, update: WireUpdate, options: InspectOptions) {
    this.#doc = doc;
    this.#update = update;
    this.#options = options;
    // Not `getMap`: inspecting must not make a root.
    this.#chat = doc.share.get(options.root);
  }

  run(): Inspection {
    for (const [client, structs] of this.#update.structs) {
      const frontier = Y.getState(this.#doc.store, client);
      this.#queues.set(client, { client, structs, next: 0, frontier, isOpen: false });
    }
    for (const queue of this.#queues.values()) this.#placeAll(queue);
    return { structs: this.#order, deletions: this.#placeDeletions() };
  }

  // As Yjs integrates: a client goes on until it needs a clock of another that is not placed yet, then the
  // other goes on up to there. Whoever needs one that is waiting itself waits in a circle.
  #placeAll(first: Queue): void {
    const stack = [{ queue: first, until: Number.POSITIVE_INFINITY }];
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const { queue, until } = top;
      if (queue.frontier > until || queue.next === queue.structs.length) {
        queue.isOpen = false;
        stack.pop();
        continue;
      }
      queue.isOpen = true;
      const needed = this.#placeNext(queue);
      if (needed === undefined) continue;
      const other = this.#queues.get(needed.client);
      if (other === undefined || other.isOpen) throw new RefusalError('gap');
      if (other.next === other.structs.length) throw new RefusalError('gap');
      stack.push({ queue: other, until: needed.clock });
    }
  }

  /** Gives what the next struct needs first, and then places nothing. */
  #placeNext(queue: Queue): WireId | undefined {
    const struct = queue.structs[queue.next] as WireStruct;
    const isKnown = endOf(struct) <= queue.frontier;
    if (struct.clock > queue.frontier || (struct.kind === 'skip' && !isKnown)) throw new RefusalError('gap');
    // Of what is known, too: Yjs makes its root while it reads, and lets it wait for its neighbours.
    if (typeof struct.parent === 'string') this.#checkRoot(struct.parent);
    const needed = this.#findNeeded(struct);
    if (needed !== undefined) return needed;
    if (!isKnown) {
      if (struct.clock < queue.frontier) this.#checkKnownPart(struct, queue.frontier);
      this.#place(cut(struct, queue.frontier));
      queue.frontier = endOf(struct);
    }
    queue.next += 1;
    return undefined;
  }

  #findNeeded({ origin, rightOrigin, parent }: WireStruct): WireId | undefined {
    for (const id of [origin, rightOrigin, typeof parent === 'string' ? null : parent]) {
      if (id !== null && id.clock >= this.#frontierOf(id.client)) return id;
    }
    return undefined;
  }

  // Yjs puts the rest behind what it has, but into the type that the struct names: were they different, it
  // would throw half-way or tie two lists together.
  #checkKnownPart(struct: WireStruct, frontier: number): void {
    const { client, clock, kind } = struct;
    if (kind === 'gc') return;
    const { store } = this.#doc;
    const first = Y.getItem(store, Y.createID(client, clock)) as Y.Item | Y.GC;
    const last = Y.getItem(store, Y.createID(client, frontier - 1)) as Y.Item | Y.GC;
    const fits =
      first instanceof Y.Item && last instanceof Y.Item
        ? this.#isSameItem(struct, first) && isSameParent(first, last)
        : first instanceof Y.GC && last instanceof Y.GC && this.#findPlace(struct).in === 'nothing';
    if (!fits) throw new RefusalError('content');
  }

  /** Whether `item` stands where `struct`, which begins within it, says that it does. */
  #isSameItem({ client, clock, origin, rightOrigin, parent, key }: WireStruct, item: Y.Item): boolean {
    const known = item.id.clock < clock ? Y.createID(client, clock - 1) : item.origin;
    if (!isSameId(origin, known) || !isSameId(rightOrigin, item.rightOrigin)) return false;
    if (parent === null) return true;
    const holder = item.parent as Y.AbstractType<unknown>;
    if (item.parentSub !== key) return false;
    if (typeof parent === 'string') return holder === this.#doc.share.get(parent);
    return isSameId(parent, holder._item?.id ?? null);
  }

  #frontierOf(client: number): number {
    return this.#queues.get(client)?.frontier ?? Y.getState(this.#doc.store, client);
  }

  #place(struct: WireStruct): void {
    const { client, clock, length, kind, text, origin, rightOrigin } = struct;
    const place: Place = kind === 'gc' ? { in: 'nothing' } : this.#findPlace(struct);
    checkContent(struct, place);
    this.#countRivals(struct, place);
    const placed = { client, clock, length, kind, text, origin, rightOrigin, place };
    this.#order.push(placed);
    const known = this.#placed.get(client);
    if (known === undefined) this.#placed.set(client, [placed]);
    else known.push(placed);
  }

  // An owner's own next characters have no rivals.
  #countRivals({ client, clock, origin }: WireStruct, place: Place): void {
    if (place.in !== 'chat' && place.in !== 'lane') return;
    if (origin !== null && origin.client === client && origin.clock === clock - 1) return;
    const left = place.in === 'chat' ? place.key : `${place.entry.client} ${place.entry.clock}`;
    const spot = origin === null ? `${place.in} ${left}` : `${origin.client} ${origin.clock}`;
    const count = (this.#rivals.get(spot) ?? 0) + 1;
    if (count > this.#options.limits.rivals) throw new RefusalError('too_many_rivals');
    this.#rivals.set(spot, count);
  }

  #findPlace({ parent, key, origin, rightOrigin }: WireStruct): Place {
    if (typeof parent === 'string') return this.#placeInRoot(parent, key);
    if (parent !== null) return this.#placeInside(parent, key);
    const places = [origin, rightOrigin].filter((id) => id !== null).map((id) => this.#placeOf(id));
    const [left, right = left] = places as [Place, Place?];
    if (left.in === 'nothing' || right?.in === 'nothing') return { in: 'nothing' };
    if (right !== undefined && !isSamePlace(left, right)) throw new RefusalError('content');
    return left;
  }

  #checkRoot(name: string): void {
    const { root, others } = this.#options;
    if (name !== root && others !== 'any' && !others.has(name)) throw new RefusalError('unknown_root');
  }

  #placeInRoot(name: string, key: string | null): Place {
    if (name === this.#options.root) {
      if (key === null) throw new RefusalError('content');
      return { in: 'chat', key };
    }
    return { in: 'outside', depth: 0 };
  }

  /** Within the type that the struct `id` holds. */
  #placeInside(id: WireId, key: string | null): Place {
    const placed = this.#findPlaced(id);
    let isText: boolean;
    let place: Place;
    if (placed === undefined) {
      const item = Y.getItem(this.#doc.store, Y.createID(id.client, id.clock)) as Y.Item | Y.GC;
      if (!(item instanceof Y.Item) || item.deleted) return { in: 'nothing' };
      if (!(item.content instanceof Y.ContentType)) throw new RefusalError('content');
      isText = item.content.type instanceof Y.Text;
      place = this.#placeOfItem(item);
    } else {
      if (placed.kind === 'gc' || placed.kind === 'deleted') return { in: 'nothing' };
      if (placed.kind !== 'type') throw new RefusalError('content');
      isText = true;
      place = placed.place;
    }
    if (place.in === 'nothing') return place;
    if (place.in === 'outside') {
      if (place.depth >= this.#options.limits.depth) throw new RefusalError('too_deep');
      return { in: 'outside', depth: place.depth + 1 };
    }
    if (place.in === 'lane' || !isText || key !== null) throw new RefusalError('content');
    return { in: 'lane', key: place.key, entry: { client: id.client, clock: id.clock } };
  }

  /** Beside the struct `id`. */
  #placeOf(id: WireId): Place {
    const placed = this.#findPlaced(id);
    if (placed !== undefined) return placed.place;
    const item = Y.getItem(this.#doc.store, Y.createID(id.client, id.clock)) as Y.Item | Y.GC;
    if (!(item instanceof Y.Item)) return { in: 'nothing' };
    // A list that somebody hid in the map.
    if (item.parent === this.#chat && item.parentSub === null) throw new RefusalError('content');
    return this.#placeOfItem(item);
  }

  #placeOfItem(item: Y.Item): Place {
    const { parent, parentSub } = item;
    if (!(parent instanceof Y.AbstractType)) return { in: 'nothing' };
    if (parent === this.#chat) return { in: 'chat', key: parentSub ?? '' };
    const entry = parent._item;
    if (entry?.deleted === true) return { in: 'nothing' };
    if (entry !== null && entry.parent === this.#chat) {
      return { in: 'lane', key: entry.parentSub ?? '', entry: { ...entry.id } };
    }
    let depth = 0;
    for (let around = entry; around !== null && depth < this.#options.limits.depth; depth += 1) {
      around = around.parent instanceof Y.AbstractType ? around.parent._item : null;
    }
    return { in: 'outside', depth };
  }

  #findPlaced({ client, clock }: WireId): PlacedStruct | undefined {
    const structs = this.#placed.get(client);
    if (structs === undefined || clock < (structs[0] as PlacedStruct).clock) return undefined;
    return structs[findIndex(structs, clock)];
  }

  #placeDeletions(): PlacedDeletion[] {
    const deletions: PlacedDeletion[] = [];
    for (const { client, clock, length } of this.#update.deletions) {
      const end = clock + length;
      if (end > this.#frontierOf(client)) throw new RefusalError('gap');
      const known = Math.min(end, Y.getState(this.#doc.store, client));
      this.#placeKnownDeletions(client, clock, known, deletions);
      const structs = this.#placed.get(client) ?? [];
      for (let at = Math.max(clock, known), i = findIndex(structs, at); at < end; i += 1) {
        const struct = structs[i] as PlacedStruct;
        const until = Math.min(end, endOf(struct));
        if (struct.kind !== 'gc' && struct.kind !== 'deleted') {
          deletions.push({ client, clock: at, length: until - at, place: struct.place });
        }
        at = until;
      }
    }
    return deletions;
  }

  #placeKnownDeletions(client: number, clock: number, end: number, deletions: PlacedDeletion[]): void {
    const structs = this.#doc.store.clients.get(client);
    if (structs === undefined || clock >= end) return;
    for (let i = Y.findIndexSS(structs, clock); i < structs.length; i += 1) {
      const struct = structs[i] as Y.Item | Y.GC;
      if (struct.id.clock >= end) return;
      if (struct.deleted || !(struct instanceof Y.Item)) continue;
      const from = Math.max(clock, struct.id.clock);
      const until = Math.min(end, struct.id.clock + struct.length);
      deletions.push({ client, clock: from, length: until - from, place: this.#placeOfItem(struct) });
    }
  }
}

function endOf({ clock, length }: WireRange): number {
  return clock + length;
}

/** What of `struct` lies at or above `frontier`, as Yjs cuts it. */
function cut(struct: WireStruct, frontier: number): WireStruct {
  const offset = frontier - struct.clock;
  if (offset <= 0) return struct;
  return {
    ...struct,
    clock: frontier,
    length: struct.length - offset,
    text: cutText(struct.text, offset),
    origin: { client: struct.client, clock: frontier - 1 },
    parent: null,
  };
}

/** Yjs never leaves half of a pair: each becomes U+FFFD. */
function cutText(text: string, offset: number): string {
  const rest = text.slice(offset);
  const before = text.charCodeAt(offset - 1);
  return before >= 0xd800 && before <= 0xdbff ? `\ufffd${rest.slice(1)}` : rest;
}

function isSameId(a: WireId | null, b: WireId | null): boolean {
  return a === b || (a !== null && b !== null && a.client === b.client && a.clock === b.clock);
}

function isSameParent(a: Y.Item, b: Y.Item): boolean {
  return a.parent === b.parent && a.parentSub === b.parentSub;
}

function checkContent({ kind, type }: WireStruct, place: Place): void {
  if (kind === 'gc' || place.in === 'nothing' || place.in === 'outside') return;
  // An entry whose text is gone travels as `deleted`: damage that has happened must be able to travel.
  const fits =
    kind === 'deleted' || (place.in === 'chat' ? kind === 'type' && type === TEXT_TYPE : kind === 'text');
  if (!fits) throw new RefusalError('content');
}

function isSamePlace(a: Place, b: Place): boolean {
  if (a.in === 'chat') return b.in === 'chat' && a.key === b.key;
  if (a.in === 'lane') {
    return b.in === 'lane' && isSameId(a.entry, b.entry);
  }
  return a.in === b.in;
}

/** The index of the struct that holds `clock`, by bisection. */
function findIndex(structs: readonly WireRange[], clock: number): number {
  let low = 0;
  let high = structs.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if ((structs[middle] as WireRange).clock <= clock) low = middle;
    else high = middle - 1;
  }
  return low;
}

/**
 * All that is integrated, as one update. Structs that wait for others are left out: `encodeStateAsUpdate` would
 * write them into every snapshot, and so keep and spread them.
 */
export function encodeIntegrated(doc: Y.Doc): Uint8Array {
  const { store } = doc;
  const { pendingStructs, pendingDs } = store;
  store.pendingStructs = null;
  store.pendingDs = null;
  try {
    return Y.encodeStateAsUpdate(doc);
  } finally {
    store.pendingStructs = pendingStructs;
    store.pendingDs = pendingDs;
  }
}

/** Names of roots that hold something, but `root`. */
export function listOtherRoots(doc: Y.Doc, root: string): readonly string[] {
  const names: string[] = [];
  for (const [name, { _start, _map }] of doc.share) {
    if (name !== root && (_start !== null || _map.size > 0)) names.push(name);
  }
  return names;
}

/** Whether something waits for what the document does not have. */
function hasPending(doc: Y.Doc): boolean {
  return doc.store.pendingStructs !== null || doc.store.pendingDs !== null;
}

/** Forgets what waits. Gives whether there was any. */
export function dropPending(doc: Y.Doc): boolean {
  const had = hasPending(doc);
  doc.store.pendingStructs = null;
  doc.store.pendingDs = null;
  return had;
}
