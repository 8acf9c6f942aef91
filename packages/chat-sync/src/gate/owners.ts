import { createHead, KIND, readHead } from '@chatdoc/schema';
import { readHeader } from '@chatdoc/schema/internal';
import type * as Y from 'yjs';
import { Facts, type Writer } from './facts.js';
import { DELETED } from './lines.js';
import {
  findStoredLane,
  isClientKnown,
  isKeyTaken,
  listStoredLanes,
  nameLane,
  type Run,
  readChangedLanes,
  readNewRuns,
  readRuns,
  type StoredLane,
} from './store.js';

/** Where a lane stands: enough to judge what comes behind it without reading what stands before. */
export interface LaneState {
  readonly key: string;
  readonly client: number;
  /** Clock behind the owner's last character. */
  end: number;
  /** Of the nearest header. */
  writer: Writer | undefined;
  headers: number;
  /** Lines of other lanes, under their own headers: nobody goes on in it. */
  copy: boolean;
  /** The line without a newline at the end; empty at the start of a line. */
  open: string;
  /** Whether `open` is the growing text of a part; undefined where nobody has looked yet. */
  growing: boolean | undefined;
}

export interface LaneSink {
  /** A whole line, without its newline. */
  line(line: string): void;
  /** The beginning of a line, at the end of what came. */
  open(text: string): void;
  /** More of an open line, which does not end it. */
  grow(text: string): void;
}

/** Appends `chunk` to a lane and gives what it is made of. Keeps `open`; O(chunk) but for the line that it ends. */
export function feedLane(state: LaneState, chunk: string, sink: LaneSink): void {
  let from = 0;
  if (state.open !== '') {
    const newline = chunk.indexOf('\n');
    if (newline < 0) {
      sink.grow(chunk);
      state.open += chunk;
      return;
    }
    const line = state.open + chunk.slice(0, newline);
    state.open = '';
    state.growing = undefined;
    sink.line(line);
    from = newline + 1;
  }
  for (let newline = chunk.indexOf('\n', from); newline >= 0; newline = chunk.indexOf('\n', from)) {
    sink.line(chunk.slice(from, newline));
    from = newline + 1;
  }
  if (from === chunk.length) return;
  state.open = chunk.slice(from);
  sink.open(state.open);
}

export function createLaneState(key: string, client: number, end: number): LaneState {
  return { key, client, end, writer: undefined, headers: 0, copy: false, open: '', growing: undefined };
}

/** Takes in a line that stands in a lane: a header changes whose the next ones are. */
export function noteLine(facts: Facts, state: LaneState, raw: string): void {
  const line = raw.includes(DELETED) ? raw.replaceAll(DELETED, '') : raw;
  const head = createHead();
  readHead(line, 0, line.length, head);
  if (head.kind !== KIND.lane) {
    if (state.writer === undefined) state.copy = true;
    else facts.noteLine(line, state.writer);
    return;
  }
  const lane = readHeader(line).lane ?? undefined;
  state.headers += 1;
  if (state.headers > 1 || lane?.lane_id !== state.key) state.copy = true;
  state.writer = lane === undefined ? undefined : facts.noteWriter(lane);
}

export interface ClientFact {
  /** That the header of its first lane names. */
  readonly user: string | undefined;
  /** Owns a copy, or text under no header: nobody writes in its name again. */
  readonly closed: boolean;
}

/**
 * What a gate knows of a document, followed transaction by transaction, whoever writes. Reading it first is
 * O(document), each transaction O(what it changed).
 */
export class Ledger {
  readonly facts: Facts = new Facts();
  readonly doc: Y.Doc;
  readonly #map: Y.Map<unknown>;
  readonly #lanes = new Map<string, LaneState>();
  readonly #stored = new Map<string, StoredLane>();
  readonly #clients = new Map<number, ClientFact>();

  constructor(doc: Y.Doc, root: string) {
    this.doc = doc;
    this.#map = doc.getMap(root);
    for (const lane of listStoredLanes(this.#map)) this.#take(lane);
    doc.on('afterTransaction', this.#onTransaction);
  }

  close(): void {
    this.doc.off('afterTransaction', this.#onTransaction);
  }

  lane(client: number, clock: number): LaneState | undefined {
    return this.#lanes.get(nameLane(client, clock));
  }

  /** All that the lane's owner wrote there. O(runs of the lane). */
  runs(client: number, clock: number): readonly Run[] {
    const stored = this.#stored.get(nameLane(client, clock));
    return stored === undefined ? [] : readRuns(stored);
  }

  /** Undefined for a client that owns no lane. */
  client(client: number): ClientFact | undefined {
    return this.#clients.get(client);
  }

  isClientKnown(client: number): boolean {
    return isClientKnown(this.doc, client);
  }

  isKeyTaken(key: string): boolean {
    return isKeyTaken(this.#map, key);
  }

  #take(stored: StoredLane): void {
    const name = nameLane(stored.client, stored.clock);
    if (this.#lanes.has(name)) return;
    const state = createLaneState(stored.key, stored.client, stored.clock + 1);
    this.#lanes.set(name, state);
    this.#stored.set(name, stored);
    this.#feed(state, readRuns(stored));
    this.#noteClient(state);
  }

  #feed(state: LaneState, runs: readonly Run[]): void {
    const sink: LaneSink = {
      line: (line) => noteLine(this.facts, state, line),
      open: () => {},
      grow: () => {},
    };
    for (const { clock, length, text } of runs) {
      feedLane(state, text ?? DELETED, sink);
      state.end = clock + length;
    }
  }

  #noteClient({ client, writer, copy }: LaneState): void {
    const known = this.#clients.get(client);
    const closed = copy || writer === undefined || known?.closed === true;
    this.#clients.set(client, { user: known === undefined ? writer?.user : known.user, closed });
  }

  readonly #onTransaction = (transaction: Y.Transaction): void => {
    const { keys, names, deletes } = readChangedLanes(transaction, this.#map);
    for (const name of names) {
      const state = this.#lanes.get(name);
      const stored = this.#stored.get(name);
      if (state === undefined || stored === undefined) continue;
      const wasCopy = state.copy;
      this.#feed(state, readNewRuns(this.doc, stored, state.end));
      if (deletes) {
        state.open = readOpen(stored);
        state.growing = undefined;
      }
      if (state.copy !== wasCopy) this.#noteClient(state);
    }
    for (const key of keys) {
      const stored = findStoredLane(this.#map, key);
      if (stored !== undefined) this.#take(stored);
    }
  };
}

/** The open line of a lane as it stands: characters of it were deleted. O(lane). */
function readOpen(stored: StoredLane): string {
  let text = '';
  for (const run of readRuns(stored)) text += run.text ?? DELETED;
  return text.slice(text.lastIndexOf('\n') + 1);
}
