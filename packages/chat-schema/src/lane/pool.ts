import type * as Y from 'yjs';
import type { LaneEntry } from '../entry/lane.js';
import { SCHEMA_VERSION } from '../entry/limits.js';
import { encodeLine } from '../entry/line.js';
import type { StampClock } from '../entry/ulid.js';
import { drawClient, type Environment } from '../host/environment.js';
import {
  appendToLaneText,
  clockOf,
  createLaneText,
  isAlive,
  isCharacterDeleted,
  type LaneMap,
  type LaneText,
} from './structs.js';

/** A lane is rolled after this many entries or code units: what is read again on a deletion stays small. */
const ROLL_ENTRIES = 256;
const ROLL_LENGTH = 64 * 1024;

/** One clientID of ours, and the lane that it writes now. */
export interface OwnLane {
  readonly client: number;
  text: LaneText | undefined;
  laneId: string;
  /** The client's clock as we left it. If it is anything else, another client has taken the id. */
  clock: number;
  entries: number;
  length: number;
  /** Held by an open line or an attempt. */
  held: boolean;
  damaged: boolean;
}

export interface Writer {
  readonly generation: number;
  readonly userId: string | undefined;
  readonly environment: Environment;
  readonly stamps: StampClock;
}

/**
 * The lanes of one process run: opened at the first write, one clientID each, the next free one taken by each
 * write, so that their number grows with concurrency and not with messages.
 */
export class LanePool {
  readonly #map: LaneMap;
  readonly #writer: Writer;
  readonly #lanes: OwnLane[] = [];
  #writerId: string | undefined;

  constructor(map: LaneMap, writer: Writer) {
    this.#map = map;
    this.#writer = writer;
  }

  /** A lane that nothing holds. The caller holds it as long as a line of it is open. */
  take(): OwnLane {
    for (let free = this.#findFree(); free !== undefined; free = this.#findFree()) {
      if (this.isIntact(free)) return free;
      this.#lanes.splice(this.#lanes.indexOf(free), 1);
    }
    const lane: OwnLane = {
      client: this.#drawClient(),
      text: undefined,
      laneId: '',
      clock: 0,
      entries: 0,
      length: 0,
      held: false,
      damaged: false,
    };
    this.#lanes.push(lane);
    return lane;
  }

  #findFree(): OwnLane | undefined {
    return this.#lanes.find((lane) => !lane.held);
  }

  release(lane: OwnLane): void {
    lane.held = false;
  }

  /**
   * Whether the lane can be written: the clientID is still ours alone, the text is in the map, and nobody has
   * deleted in it. Never judged by whether a transaction was local: a provider may apply updates in one.
   */
  isIntact(lane: OwnLane): boolean {
    const doc = this.#map.doc as Y.Doc;
    if (lane.damaged || clockOf(doc, lane.client) !== lane.clock) return false;
    if (lane.text === undefined) return true;
    return isAlive(this.#map, lane.text) && !isCharacterDeleted(doc, lane.client, lane.clock - 1);
  }

  /** Lines of this lane were lost: the next write opens another, under another clientID. */
  markDamaged(laneId: string): void {
    for (const lane of this.#lanes) if (lane.laneId === laneId) lane.damaged = true;
  }

  /**
   * Appends whole lines, or a last one that stays open. The lane is intact and, if `mayRoll`, at the start of
   * a line.
   */
  append(transaction: Y.Transaction, lane: OwnLane, chunk: string, entries: number, mayRoll: boolean): void {
    const full = lane.entries >= ROLL_ENTRIES || lane.length >= ROLL_LENGTH;
    if (lane.text === undefined || (mayRoll && full)) {
      lane.laneId = this.#writer.stamps.next();
      const text = `${encodeLine(this.#header(lane.laneId))}\n${chunk}`;
      lane.text = createLaneText(transaction, this.#map, lane.laneId, lane.client, text);
      lane.entries = 0;
      lane.length = 0;
    } else {
      appendToLaneText(transaction, lane.text, lane.clock - 1, chunk);
    }
    lane.clock = clockOf(transaction.doc, lane.client);
    lane.entries += entries;
    lane.length += chunk.length;
  }

  #header(laneId: string): LaneEntry {
    const { generation, userId, stamps } = this.#writer;
    this.#writerId ??= stamps.next();
    return {
      type: 'lane',
      lane_id: laneId,
      schema_version: SCHEMA_VERSION,
      min_reader: SCHEMA_VERSION,
      generation,
      writer_id: this.#writerId,
      ...(userId !== undefined && { user_id: userId }),
    };
  }

  // Fresh and random per process, never stored: a restored backup must not issue clocks again. uint32,
  // because peers in other languages cut longer ids.
  #drawClient(): number {
    const doc = this.#map.doc as Y.Doc;
    return drawClient(this.#writer.environment, (client) => {
      const taken = clockOf(doc, client) > 0 || client === doc.clientID;
      return taken || this.#lanes.some((lane) => lane.client === client);
    });
  }
}
