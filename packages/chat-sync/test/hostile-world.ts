import { createHash } from 'node:crypto';
import { type Chat, type Environment, openChat } from '@chatdoc/schema';
import { deriveUlid } from '@chatdoc/schema/internal';
import { expect } from 'vitest';
import * as Y from 'yjs';
import { createCounter } from '../../../tools/counter.js';
import { Gate, type GateOptions, type Principal, type Verdict } from '../src/gate/gate.js';

/** A server with a gate, members that write through it, and updates made by hand. */

export const START: number = Date.UTC(2026, 10, 21, 12);
export const MINUTE = 60_000;
export const DOC_ID: string = deriveUlid(START, 'test', 'document');
export const GENERATION = 3;
/** Origin of what comes from the server. */
const SERVER = 'server';

export { runs, scale } from '../../../tools/amounts.js';

export function idAt(minutes: number, tag = ''): string {
  return deriveUlid(START + minutes * MINUTE, 'test', tag);
}

/** The same bytes for the same calls; the clock goes on by a millisecond with each look at it. */
export function createEnvironment(seed: string): Environment {
  let count = 0;
  let time = START;
  return {
    now: () => {
      time += 1;
      return time;
    },
    random: (bytes) => {
      count += 1;
      return new Uint8Array(createHash('sha256').update(`${seed} ${count}`).digest().subarray(0, bytes));
    },
  };
}

export interface Server {
  doc: Y.Doc;
  gate: Gate;
  chat: Chat;
  readonly options: Partial<GateOptions>;
  restarts: number;
}

function openGate(doc: Y.Doc, options: Partial<GateOptions>): Gate {
  const environment = { now: () => START + MINUTE, random: createEnvironment('gate').random };
  return new Gate(doc, { doc_id: DOC_ID, generation: GENERATION, environment, ...options });
}

export function createServer(options: Partial<GateOptions> = {}): Server {
  const doc = new Y.Doc();
  const chat = openChat(doc, { environment: createEnvironment('server'), readOnly: true });
  return { doc, gate: openGate(doc, options), chat, options, restarts: 0 };
}

/** What a server does that has stored its document: everything but the bytes is gone. */
export function restart(server: Server): void {
  const bytes = Y.encodeStateAsUpdate(server.doc);
  server.gate.close();
  server.chat.close();
  server.restarts += 1;
  server.doc = new Y.Doc();
  Y.applyUpdate(server.doc, bytes);
  server.chat = openChat(server.doc, { environment: createEnvironment('server'), readOnly: true });
  server.gate = openGate(server.doc, server.options);
}

/** A client, connected or not. */
export class Member {
  readonly server: Server;
  readonly user: string | undefined;
  readonly doc: Y.Doc;
  readonly chat: Chat;
  principal: Principal | undefined;
  /** Written and not sent yet. */
  readonly outbox: Uint8Array[] = [];
  #closeServer: () => void = () => {};

  constructor(
    server: Server,
    seed: string,
    user: string | undefined,
    gc = true,
    environment = createEnvironment(seed),
  ) {
    this.server = server;
    this.user = user;
    this.doc = new Y.Doc({ gc });
    this.chat = openChat(this.doc, {
      environment,
      generation: GENERATION,
      ...(user !== undefined && { user_id: user }),
    });
    this.doc.on('update', (update: Uint8Array, origin: unknown) => {
      if (origin !== SERVER) this.outbox.push(update);
    });
  }

  /** Connects, and exchanges what each side lacks, as a provider does. */
  connect(): Verdict {
    const { server } = this;
    this.principal = server.gate.connect(this.user);
    this.outbox.length = 0;
    const { doc } = server;
    const receive = (update: Uint8Array, origin: unknown): void => {
      if (origin !== this) Y.applyUpdate(this.doc, update, SERVER);
    };
    doc.on('update', receive);
    this.#closeServer = () => doc.off('update', receive);
    Y.applyUpdate(this.doc, Y.encodeStateAsUpdate(doc, Y.encodeStateVector(this.doc)), SERVER);
    const diff = Y.encodeStateAsUpdate(this.doc, Y.encodeStateVector(doc));
    this.outbox.length = 0;
    return server.gate.receive(diff, this.principal, this, 'initial');
  }

  disconnect(): void {
    if (this.principal === undefined) return;
    this.server.gate.disconnect(this.principal);
    this.principal = undefined;
    this.#closeServer();
  }

  /** Sends what was written, update by update. Gives the verdicts. */
  flush(): Verdict[] {
    if (this.principal === undefined) return [];
    const verdicts: Verdict[] = [];
    for (let update = this.outbox.shift(); update !== undefined; update = this.outbox.shift()) {
      verdicts.push(this.server.gate.receive(update, this.principal, this));
    }
    return verdicts;
  }

  /** The same; each must pass. */
  send(): void {
    for (const verdict of this.flush()) expect(verdict).toMatchObject({ ok: true });
  }
}

/** Connected, everything passed. `null`: authenticated as nobody. */
export function join(server: Server, seed: string, user: string | null = seed, gc = true): Member {
  const member = new Member(server, seed, user ?? undefined, gc);
  expect(member.connect()).toMatchObject({ ok: true });
  return member;
}

const nextPeer = createCounter(3_000_000_000);

/**
 * The update of a peer that holds all that `doc` does and writes by plain Yjs; `client` may be that of a lane.
 * Delivered to nobody.
 */
export function forge(
  doc: Y.Doc,
  write: (map: Y.Map<unknown>, doc: Y.Doc) => void,
  client?: number,
): Uint8Array {
  const rogue = new Y.Doc();
  Y.applyUpdate(rogue, Y.encodeStateAsUpdate(doc));
  rogue.clientID = client ?? nextPeer();
  const updates: Uint8Array[] = [];
  rogue.on('update', (update: Uint8Array) => updates.push(update));
  rogue.transact(() => write(rogue.getMap('chat'), rogue));
  rogue.destroy();
  return updates.length === 1 ? (updates[0] as Uint8Array) : Y.mergeUpdates(updates);
}

export interface HeaderFields {
  readonly lane_id: string;
  readonly writer?: string;
  readonly user_id?: string | undefined;
  readonly [key: string]: unknown;
}

export function headerLine({ lane_id, writer = 'mallory', ...rest }: HeaderFields): string {
  return JSON.stringify({
    type: 'lane',
    lane_id,
    schema_version: 2,
    min_reader: 2,
    generation: GENERATION,
    writer_id: idAt(0, `writer ${writer}`),
    ...rest,
  });
}

const nextLane = createCounter(0);

/** An update that sets a new lane with these lines under a header of `user`. */
export function forgeLane(
  doc: Y.Doc,
  user: string | undefined,
  lines: readonly (object | string)[],
  fields: Partial<HeaderFields> = {},
): Uint8Array {
  const lane_id = idAt(0, `lane ${nextLane()}`);
  const header = headerLine({ lane_id, user_id: user, ...fields });
  const text = [header, ...lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line)))]
    .map((line) => `${line}\n`)
    .join('');
  return forge(doc, (map) => map.set(lane_id, new Y.Text(text)));
}

/** Key and text of each lane, and the client that owns it. */
export function laneTexts(doc: Y.Doc): { key: string; text: string; client: number }[] {
  const map = doc.getMap('chat');
  return [...map.keys()].sort().map((key) => ({
    key,
    text: (map.get(key) as Y.Text).toString(),
    client: (map._map.get(key) as Y.Item).id.client,
  }));
}

export function findLane(doc: Y.Doc, needle: string): { key: string; text: string; client: number } {
  const lane = laneTexts(doc).find(({ text }) => text.includes(needle));
  if (lane === undefined) throw new Error('expected a lane');
  return lane;
}
