import * as Y from 'yjs';
import { COST } from '../host/cost.js';
import { ChatDocError, describeType } from '../host/errors.js';

/**
 * The one file that touches Yjs internals. What the rest sees of Yjs: texts in a root map, each the property
 * of the client that owns its map entry; what that client added since a clock; appending in its name.
 */

export type LaneMap = Y.Map<unknown>;

/** One text of the root map. Its identity is the map entry, not the key: a key can be set again. */
export interface LaneText {
  readonly key: string;
  readonly type: Y.Text;
  readonly client: number;
  /** Clock of the map entry. */
  readonly clock: number;
}

/** Origin of every transaction of the library. */
export class ChatOrigin {
  readonly call: string;
  constructor(call: string) {
    this.call = call;
  }
}

/** The texts that the map holds now, in unspecified order. Values that are not texts are left out. */
export function listLaneTexts(map: LaneMap): LaneText[] {
  const texts: LaneText[] = [];
  for (const key of map._map.keys()) {
    const text = findLaneText(map, key);
    if (text !== undefined) texts.push(text);
  }
  return texts;
}

export function findLaneText(map: LaneMap, key: string): LaneText | undefined {
  const item = map._map.get(key);
  if (item === undefined || item.deleted || !(item.content instanceof Y.ContentType)) return undefined;
  const { type } = item.content;
  if (!(type instanceof Y.Text)) return undefined;
  return { key, type, client: item.id.client, clock: item.id.clock };
}

/** Whether the key is set, or was and then deleted. */
export function isKeyTaken(map: LaneMap, key: string): boolean {
  return map._map.has(key);
}

/** How many characters of the store belong to `client`: its next clock. */
export function clockOf(doc: Y.Doc, client: number): number {
  return Y.getState(doc.store, client);
}

export function docOf(map: LaneMap): Y.Doc | null {
  return map.doc;
}

/** Whether a transaction is open, so that its end is not ours to wait for. */
export function isInTransaction(doc: Y.Doc): boolean {
  return doc._transaction !== null || doc._transactionCleanups.length > 0;
}

/** Whether an embedded map has been deleted, or never was in a document. A root map never is. */
export function isDetached(map: LaneMap): boolean {
  return map.doc === null || (map._item?.deleted ?? false);
}

/** Types that a transaction changed: lane texts of `map`, and the keys of `map` that were set or deleted. */
export function readChanges(
  transaction: Y.Transaction,
  map: LaneMap,
): { readonly keys: readonly string[]; readonly types: readonly Y.Text[] } {
  const keys: string[] = [];
  const types: Y.Text[] = [];
  for (const [type, subs] of transaction.changed as Map<Y.AbstractType<unknown>, Set<string | null>>) {
    if (type === (map as Y.AbstractType<unknown>)) {
      for (const sub of subs) if (sub !== null) keys.push(sub);
    } else if (type instanceof Y.Text && type.parent === map) {
      types.push(type);
    }
  }
  return { keys, types };
}

/** Characters of `client` that a transaction deleted in a text, one run of clocks. */
export interface DeletedRun {
  readonly type: Y.Text;
  readonly client: number;
  readonly clock: number;
  readonly length: number;
}

/** The runs that a transaction deleted in texts, whether or not they are still in the map. O(what it deleted). */
export function readDeletedRuns(transaction: Y.Transaction): readonly DeletedRun[] {
  const runs: DeletedRun[] = [];
  if (transaction.deleteSet.clients.size === 0) return runs;
  Y.iterateDeletedStructs(transaction, transaction.deleteSet, (struct) => {
    if (!(struct instanceof Y.Item) || !(struct.parent instanceof Y.Text)) return;
    const { client, clock } = struct.id;
    runs.push({ type: struct.parent, client, clock, length: struct.length });
  });
  return runs;
}

/**
 * The additions of `client` from `clock` on, in clock order: map entries and runs of text with their type. A run
 * whose characters are deleted comes as undefined.
 */
export function visitNewStructs(
  doc: Y.Doc,
  client: number,
  clock: number,
  visit: (parent: unknown, key: string | null, text: string | undefined, at: number, length: number) => void,
): void {
  const structs = doc.store.clients.get(client);
  if (structs === undefined || clock >= clockOf(doc, client)) return;
  for (let i = Y.findIndexSS(structs, clock); i < structs.length; i += 1) {
    const struct = structs[i];
    if (!(struct instanceof Y.Item)) continue;
    const { content, parent, parentSub } = struct;
    const offset = Math.max(0, clock - struct.id.clock);
    const at = struct.id.clock + offset;
    const length = struct.length - offset;
    if (struct.deleted) visit(parent, parentSub, undefined, at, length);
    else if (content instanceof Y.ContentString) {
      visit(parent, parentSub, offset > 0 ? content.str.slice(offset) : content.str, at, length);
    } else if (content instanceof Y.ContentType) visit(parent, parentSub, undefined, at, length);
  }
}

/**
 * Visits the characters of `client` from `clock` on, which all belong to one text, run by run; deleted ones come as
 * undefined. O(log structs + runs). `until` reads what that transaction deleted as if it were still there.
 */
export function visitCharacters(
  doc: Y.Doc,
  client: number,
  clock: number,
  length: number,
  visit: (text: string | undefined, length: number, clock: number) => void,
  until?: Y.Transaction,
): void {
  const structs = doc.store.clients.get(client);
  if (structs === undefined || length <= 0) return;
  const end = clock + length;
  COST.characters += length;
  for (let i = Y.findIndexSS(structs, clock); i < structs.length; i += 1) {
    const struct = structs[i] as Y.Item | Y.GC;
    const from = struct.id.clock;
    if (from >= end) return;
    const [start, stop] = [Math.max(0, clock - from), Math.min(struct.length, end - from)];
    const text = struct instanceof Y.Item ? readItem(struct, until) : undefined;
    visit(text?.slice(start, stop), stop - start, from + start);
  }
}

/** Characters that are all in one item, which most lines are; undefined where they are not, or are deleted. */
export function readWithinItem(
  doc: Y.Doc,
  client: number,
  clock: number,
  length: number,
): string | undefined {
  const structs = doc.store.clients.get(client);
  if (structs === undefined || length <= 0) return undefined;
  const item = structs[Y.findIndexSS(structs, clock)] as Y.Item | Y.GC;
  const start = clock - item.id.clock;
  if (item.deleted || start + length > item.length) return undefined;
  const text = readItem(item as Y.Item, undefined);
  if (text !== undefined) COST.characters += length;
  return text?.slice(start, start + length);
}

/** The characters of an item; undefined where they are deleted. */
function readItem(item: Y.Item, until: Y.Transaction | undefined): string | undefined {
  const { content } = item;
  const isThere =
    !item.deleted || (until !== undefined && Y.isDeleted(until.deleteSet, item.id) && !isNew(until, item.id));
  return isThere && content instanceof Y.ContentString ? content.str : undefined;
}

/** Whether updates have come that wait for others: a redaction may be among them. */
export function hasPending(doc: Y.Doc): boolean {
  return doc.store.pendingStructs !== null || doc.store.pendingDs !== null;
}

/** The error for what is not `expected`; a type of another copy of Yjs looks right, and would never work. */
export function refuseTarget(path: string, expected: string, target: unknown): ChatDocError {
  const { clientID, getMap, _map } = Object(target) as Partial<
    Record<'clientID' | 'getMap' | '_map', unknown>
  >;
  const isOther = (typeof clientID === 'number' && typeof getMap === 'function') || _map instanceof Map;
  const got = isOther
    ? 'one of another copy of Yjs: let the bundler, or the package manager, resolve yjs once'
    : describeType(target);
  return new ChatDocError('invalid_argument', path, `expected ${expected}, got ${got}`);
}

/** Characters that one client wrote in a row. */
export interface Run {
  readonly clock: number;
  readonly length: number;
  /** Undefined: deleted. */
  readonly text: string | undefined;
}

/** The owner's runs in clock order. `until` reads what `transaction` deleted as if it were still there. */
function readRuns(text: LaneText, until?: Y.Transaction): Run[] {
  const runs: Run[] = [];
  let sorted = true;
  let last = -1;
  for (let item = text.type._start; item !== null; item = item.right) {
    if (item.id.client !== text.client) continue;
    if (item.deleted || item.content instanceof Y.ContentString) {
      runs.push({ clock: item.id.clock, length: item.length, text: readItem(item, until) });
      if (item.id.clock < last) sorted = false;
      last = item.id.clock;
    }
  }
  return sorted ? runs : runs.sort((a, b) => a.clock - b.clock);
}

function isNew(transaction: Y.Transaction, id: Y.ID): boolean {
  return id.clock >= (transaction.beforeState.get(id.client) ?? 0);
}

/**
 * The text of a lane: its owner's characters in clock order, each deletion one `\0`. O(1) where one run holds
 * all of it, which is so after Yjs has merged what was appended.
 */
export function readLaneText(text: LaneText): string {
  const start = text.type._start;
  if (start === null) return '';
  if (start.right === null && !start.deleted && start.id.client === text.client) {
    return start.content instanceof Y.ContentString ? start.content.str : '';
  }
  return joinRuns(readRuns(text));
}

/**
 * The runs of the line that the owner's character at `clock` is in, without its newline; a newline belongs to the line
 * that it ends. O(line), where the owner has written nothing else in between.
 */
export function readLineRuns(doc: Y.Doc, text: LaneText, clock: number): Run[] {
  const structs = doc.store.clients.get(text.client) ?? [];
  const at = Y.findIndexSS(structs, clock);
  const runs = readLineStart(structs, text, at, clock);
  for (let i = at; i < structs.length; i += 1) {
    const run = readOwnRun(structs[i], text);
    if (run === undefined) continue;
    const from = Math.max(0, clock - run.clock);
    const newline = run.text === undefined ? -1 : run.text.indexOf('\n', from);
    pushCut(runs, run, from, newline < 0 ? run.length : newline);
    if (newline >= 0) break;
  }
  return runs;
}

/** The runs behind the last newline that the owner wrote in the text. O(them). */
export function readOpenRuns(doc: Y.Doc, text: LaneText): Run[] {
  const structs = doc.store.clients.get(text.client) ?? [];
  return readLineStart(structs, text, structs.length - 1, Number.POSITIVE_INFINITY);
}

/** Runs from behind the nearest newline before `clock` up to it. */
function readLineStart(
  structs: readonly (Y.Item | Y.GC)[],
  text: LaneText,
  at: number,
  clock: number,
): Run[] {
  const runs: Run[] = [];
  for (let i = at; i >= 0; i -= 1) {
    const struct = structs[i] as Y.Item | Y.GC;
    if (struct.id.clock <= text.clock) break;
    const run = readOwnRun(struct, text);
    if (run === undefined) continue;
    const end = Math.min(run.length, clock - run.clock);
    const newline = run.text === undefined || end <= 0 ? -1 : run.text.lastIndexOf('\n', end - 1);
    pushCut(runs, run, newline + 1, end);
    if (newline >= 0) break;
  }
  return runs.reverse();
}

function readOwnRun(struct: Y.Item | Y.GC | undefined, { type }: LaneText): Run | undefined {
  if (!(struct instanceof Y.Item) || struct.parent !== type) return undefined;
  const text = readItem(struct, undefined);
  if (text === undefined && !struct.deleted) return undefined;
  return { clock: struct.id.clock, length: struct.length, text };
}

function pushCut(runs: Run[], { clock, text }: Run, from: number, to: number): void {
  if (from >= to) return;
  COST.characters += to - from;
  runs.push({ clock: clock + from, length: to - from, text: text?.slice(from, to) });
}

/** The text as it was before `transaction` deleted some of it; new text of the transaction is included. */
export function readLaneTextBefore(text: LaneText, transaction: Y.Transaction): string {
  return joinRuns(readRuns(text, transaction));
}

function joinRuns(runs: readonly Run[]): string {
  let joined = '';
  let inDeletion = false;
  for (const { text } of runs) {
    if (text !== undefined) joined += text;
    else if (!inDeletion) joined += '\0';
    inDeletion = text === undefined;
  }
  return joined;
}

/** The number of live characters of other clients in the text. O(runs of the text). */
export function countForeign(text: LaneText): number {
  let count = 0;
  for (let item = text.type._start; item !== null; item = item.right) {
    if (!item.deleted && item.id.client !== text.client) count += item.length;
  }
  return count;
}

/** Whether the map still holds this very text. */
export function isAlive(map: LaneMap, text: LaneText): boolean {
  const item = map._map.get(text.key);
  return (
    item !== undefined && !item.deleted && item.id.client === text.client && item.id.clock === text.clock
  );
}

/** Whether the character of `client` at `clock` is deleted. */
export function isCharacterDeleted(doc: Y.Doc, client: number, clock: number): boolean {
  return Y.getItem(doc.store, Y.createID(client, clock)).deleted;
}

/**
 * Sets a new text under `key`, in the name of `client`. Items are made directly: `doc.clientID` never changes,
 * so awareness, providers and undo managers see one id throughout.
 */
export function createLaneText(
  transaction: Y.Transaction,
  map: LaneMap,
  key: string,
  client: number,
  text: string,
): LaneText {
  const { store } = transaction.doc;
  const type = new Y.Text();
  const clock = Y.getState(store, client);
  const left = map._map.get(key) ?? null;
  new Y.Item(
    Y.createID(client, clock),
    left,
    left === null ? null : left.lastId,
    null,
    null,
    map as Y.AbstractType<unknown>,
    key,
    new Y.ContentType(type),
  ).integrate(transaction, 0);
  new Y.Item(
    Y.createID(client, clock + 1),
    null,
    null,
    null,
    null,
    type,
    null,
    new Y.ContentString(text),
  ).integrate(transaction, 0);
  return { key, type, client, clock };
}

/** Appends after the owner's character at `lastClock`, wherever foreign text is. */
export function appendToLaneText(
  transaction: Y.Transaction,
  text: LaneText,
  lastClock: number,
  chunk: string,
): void {
  const { store } = transaction.doc;
  const left = Y.getItemCleanEnd(transaction, store, Y.createID(text.client, lastClock)) as Y.Item;
  new Y.Item(
    Y.createID(text.client, Y.getState(store, text.client)),
    left,
    left.lastId,
    null,
    null,
    text.type,
    null,
    new Y.ContentString(chunk),
  ).integrate(transaction, 0);
  // Positions that an embedder's own reads have cached behind foreign text would be off now.
  const markers = text.type._searchMarker;
  if (markers !== null) markers.length = 0;
}

/** Deletes characters of `client`, which all belong to one text. O(log structs + runs among them). */
export function deleteCharacters(
  transaction: Y.Transaction,
  client: number,
  clock: number,
  length: number,
): void {
  const { store } = transaction.doc;
  for (let from = clock; from < clock + length; ) {
    const item = Y.getItemCleanStart(transaction, Y.createID(client, from));
    if (from + item.length > clock + length) {
      Y.getItemCleanEnd(transaction, store, Y.createID(client, clock + length - 1));
    }
    from += item.length;
    if (item instanceof Y.Item) item.delete(transaction);
  }
}

/**
 * Sets an empty map under `key` of `parent` in the name of `client`, so that two sides that do it separately make
 * the same struct. Undefined if the client has already written something else there.
 */
export function createMap(
  parent: Y.Map<unknown>,
  key: string,
  client: number,
  origin: ChatOrigin,
): LaneMap | undefined {
  const doc = parent.doc as Y.Doc;
  if (clockOf(doc, client) > 0) return undefined;
  const map = new Y.Map<unknown>();
  doc.transact((transaction) => {
    const left = parent._map.get(key) ?? null;
    const content = new Y.ContentType(map as Y.AbstractType<unknown>);
    new Y.Item(
      Y.createID(client, 0),
      left,
      left === null ? null : left.lastId,
      null,
      null,
      parent as Y.AbstractType<unknown>,
      key,
      content,
    ).integrate(transaction, 0);
  }, origin);
  return map;
}

/** Names a type the same way on every replica: its root's name, or the struct that made it. */
export function nameType(type: Y.AbstractType<unknown>): string {
  const item = type._item;
  return item === null ? `root:${Y.findRootTypeKey(type)}` : `item:${item.id.client}:${item.id.clock}`;
}

/** Whether an UndoManager may delete `item`: false for everything in `map`. */
export function isOutside(map: LaneMap, item: Y.Item): boolean {
  for (let parent = item.parent; parent instanceof Y.AbstractType; ) {
    if (parent === (map as Y.AbstractType<unknown>)) return false;
    parent = parent._item?.parent ?? null;
  }
  return true;
}
