import { createHash } from 'node:crypto';
import type { Timers } from '@chatdoc/schema';
import { deriveUlid } from '@chatdoc/schema/internal';
import { createEncoder, toUint8Array, writeVarString, writeVarUint } from 'lib0/encoding';
import { Awareness, applyAwarenessUpdate, encodeAwarenessUpdate } from 'y-protocols/awareness';
import * as Y from 'yjs';
import { openPresence, type Presence, type PresenceLimits } from '../src/presence/presence.js';

/** Real awareness objects that send each other what a provider would, on one clock that tests set. */

export { runs, scale } from '../../../tools/amounts.js';

export const idOf = (name: string): string => deriveUlid(Date.UTC(2026, 10, 21), 'presence', name);

/** Timers run when `advance` passes their time, in order. */
export class TestTimers implements Timers {
  time = 1_000;
  readonly #due = new Map<number, { readonly at: number; readonly call: () => void }>();
  #next = 1;

  now = (): number => this.time;

  setTimer = (call: () => void, milliseconds: number): number => {
    this.#next += 1;
    this.#due.set(this.#next, { at: this.time + milliseconds, call });
    return this.#next;
  };

  clearTimer = (timer: unknown): void => {
    this.#due.delete(timer as number);
  };

  get pending(): number {
    return this.#due.size;
  }

  advance(milliseconds: number): void {
    const end = this.time + milliseconds;
    for (let turns = 0; ; turns += 1) {
      if (turns > 10_000) throw new Error('the timers never rest');
      const [first] = [...this.#due].filter(([, { at }]) => at <= end).sort(([, a], [, b]) => a.at - b.at);
      if (first === undefined) break;
      const [timer, { at, call }] = first;
      this.#due.delete(timer);
      this.time = Math.max(this.time, at);
      call();
    }
    this.time = end;
  }
}

export interface Person {
  readonly doc: Y.Doc;
  readonly awareness: Awareness;
  readonly presence: Presence;
}

export interface Room {
  readonly timers: TestTimers;
  /** False: what is sent is lost. */
  connected: boolean;
  /** How many updates were sent that repeat no other's. */
  sent: number;
  join(name: string, limits?: Partial<PresenceLimits>): Person;
  /** An awareness without our presence on it. */
  visit(clientID: number): Awareness;
  close(): void;
}

type Lists = Readonly<Record<'added' | 'updated' | 'removed', number[]>>;

/** Everybody gets what anybody's awareness says changed, as over a provider without a gate. */
export function createRoom(): Room {
  const timers = new TestTimers();
  const all: Awareness[] = [];
  const people: Person[] = [];
  const queue: (() => void)[] = [];
  let isSending = false;
  const connect = (awareness: Awareness): void => {
    all.push(awareness);
    awareness.on('update', (lists: Lists, origin: unknown) => {
      const update = encodeAwarenessUpdate(awareness, [...lists.added, ...lists.updated, ...lists.removed]);
      if (!room.connected) return;
      if (origin === 'local') room.sent += 1;
      for (const other of all) {
        if (other !== awareness) queue.push(() => applyAwarenessUpdate(other, update, 'network'));
      }
      if (isSending) return;
      isSending = true;
      for (let turns = 0, next = queue.shift(); next !== undefined; next = queue.shift(), turns += 1) {
        if (turns > 20_000) throw new Error('the room never rests');
        next();
      }
      isSending = false;
    });
  };
  const room: Room = {
    timers,
    connected: true,
    sent: 0,
    join(name, limits = {}) {
      const doc = new Y.Doc();
      doc.clientID = 1_000 + all.length;
      const awareness = new Awareness(doc);
      connect(awareness);
      for (const other of all) {
        if (other !== awareness)
          applyAwarenessUpdate(awareness, encodeAwarenessUpdate(other, [other.clientID]), 'network');
      }
      let count = 0;
      const random = (bytes: number): Uint8Array => {
        count += 1;
        return new Uint8Array(createHash('sha256').update(`${name} ${count}`).digest().subarray(0, bytes));
      };
      const presence = openPresence(awareness, {
        user: { user_id: name },
        timers,
        environment: { random },
        limits,
      });
      const person = { doc, awareness, presence };
      people.push(person);
      return person;
    },
    visit(clientID) {
      const doc = new Y.Doc();
      doc.clientID = clientID;
      const awareness = new Awareness(doc);
      connect(awareness);
      return awareness;
    },
    close() {
      room.connected = false;
      for (const { presence } of people) presence.close();
      for (const awareness of all) awareness.destroy();
    },
  };
  return room;
}

export interface HandState {
  readonly client: number;
  readonly clock: number;
  /** JSON, or what stands in its place. */
  readonly json: string;
}

export function encodeStates(...states: readonly HandState[]): Uint8Array {
  const encoder = createEncoder();
  writeVarUint(encoder, states.length);
  for (const { client, clock, json } of states) {
    writeVarUint(encoder, client);
    writeVarUint(encoder, clock);
    writeVarString(encoder, json);
  }
  return toUint8Array(encoder);
}

/** What a peer of this name shows. */
export function stateOf(user_id: string, fields: Readonly<Record<string, unknown>> = {}): string {
  return JSON.stringify({ chatdoc: { user: { user_id }, typing: null, attempts: [], ...fields } });
}

export const namesOf = ({ presence }: Person): string[] => presence.peers().map(({ user_id }) => user_id);
