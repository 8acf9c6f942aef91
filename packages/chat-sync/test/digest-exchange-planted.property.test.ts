import fc from 'fast-check';
import { createEncoder, toUint8Array, writeUint8, writeVarUint } from 'lib0/encoding';
import { describe, expect, it } from 'vitest';
import * as Y from 'yjs';
import { createParts } from '../../../tools/parts.js';
import {
  append,
  bytesOf,
  copyOf,
  createReplica,
  exchange,
  headerLine,
  linesOf,
  messageLine,
  outcomesOf,
  type Replica,
  send,
  setText,
  sync,
  textsOf,
} from './digest-exchange-pair.js';
import { runs, scale } from './presence-room.js';

const { test, all } = createParts();
interface Plan {
  readonly before: readonly number[];
  /** What the one wrote, and what the other wrote in the same clocks. */
  readonly first: readonly string[];
  readonly second: readonly string[];
  readonly streams: boolean;
  readonly tag: number;
}

const content = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 40 }),
  fc.constantFrom('', 'x', 'x'.repeat(500), 'Zoë 😀', '"\\{}\n'),
);
const plan: fc.Arbitrary<Plan> = fc.record({
  before: fc.array(fc.nat(60), { minLength: 1, maxLength: 4 }),
  first: fc.array(content, { minLength: 1, maxLength: 3 }),
  second: fc.array(content, { minLength: 1, maxLength: 3 }),
  streams: fc.boolean(),
  tag: fc.nat(),
});

interface World {
  a: Replica;
  readonly b: Replica;
  readonly thread_id: string;
  /** The text that `a` goes on writing, and its client; `b` holds it, too. */
  readonly lane: { readonly key: string; readonly client: number };
}

function createWorld({ before, tag, streams }: Plan): World {
  const a = createReplica(`a ${tag}`);
  const { thread_id } = a.chat.createThread({ created_by: 'ada' });
  for (const length of before) a.chat.send({ thread_id, sender_id: 'ada', content: 'x'.repeat(length) });
  const b = createReplica(`b ${tag}`, copyOf(a.doc));
  if (streams) {
    const prompt = a.chat.send({ thread_id, sender_id: 'ada', content: 'How?', expects: 'answer' });
    const { message_id: prompt_id } = prompt;
    const attempt = a.chat.openAttempt({ prompt_id, sender_id: 'bot', runner_id: 'a' });
    attempt.openPart().append('so far');
  }
  a.chat.send({ thread_id, sender_id: 'ada', content: 'the lane' });
  sync(a, b);
  const lane = textsOf(a.doc).find(({ text }) => text.includes('the lane'));
  if (lane === undefined) throw new Error('expected a lane');
  return { a, b, thread_id, lane };
}

/** Lines of new messages; different names make different ids. */
function linesFor({ thread_id }: World, name: string, contents: readonly string[]): string {
  return contents
    .map(
      (each, i) =>
        `${messageLine(`${name} ${i}`, thread_id, each).replace(/[\ud800-\udfff]/g, escapeUnit)}\n`,
    )
    .join('');
}

const escapeUnit = (unit: string): string => `\\u${unit.charCodeAt(0).toString(16)}`;

/** An update that says of `client` that `length` clocks from `clock` on are gone. */
function burn(client: number, clock: number, length: number): Uint8Array {
  const encoder = createEncoder();
  for (const value of [1, 1, client, clock]) writeVarUint(encoder, value);
  writeUint8(encoder, 0);
  writeVarUint(encoder, length);
  writeVarUint(encoder, 0);
  return toUint8Array(encoder);
}

interface Plant {
  /** Rounds of exchange and sync until both are equal. */
  readonly most: number;
  readonly plant: (world: World, plan: Plan) => void;
}

const plants: Readonly<Record<string, Plant>> = {
  'clientID reuse: two sessions open their lanes under one id': {
    most: 1,
    plant: (world, { first, second, tag }) => {
      const client = 3_000_000_000 + (tag % 1_000_000_000);
      setText(world.a.doc, client, 'lane 1', `${headerLine('1')}\n${linesFor(world, 'first', first)}`);
      setText(world.b.doc, client, 'lane 2', `${headerLine('2')}\n${linesFor(world, 'second', second)}`);
    },
  },
  'clientID reuse: two sessions go on in one lane': {
    most: 1,
    plant: (world, { first, second }) => {
      const { key, client } = world.lane;
      append(world.a.doc, client, key, linesFor(world, 'first', first));
      append(world.b.doc, client, key, linesFor(world, 'second', second));
    },
  },
  'forged clock: a peer writes where the owner is about to write': {
    most: 1,
    plant: (world, { first, second }) => {
      const { a, b, lane, thread_id } = world;
      for (const each of first) a.chat.send({ thread_id, sender_id: 'ada', content: each });
      append(b.doc, lane.client, lane.key, linesFor(world, 'second', second));
    },
  },
  'forged clock: a peer burns the clocks of the owner': {
    most: 3,
    plant: ({ a, b, lane, thread_id }, { first, tag }) => {
      const clock = Y.getState(b.doc.store, lane.client);
      for (const each of first) a.chat.send({ thread_id, sender_id: 'ada', content: each });
      Y.applyUpdate(b.doc, burn(lane.client, clock, 1 + (tag % 100)), 'network');
    },
  },
  'split surrogate: half a character in each of two updates': {
    most: 1,
    plant: (world, { first }) => {
      const { a, b, lane, thread_id } = world;
      const updates: Uint8Array[] = [];
      const note = (update: Uint8Array): number => updates.push(update);
      a.doc.on('update', note);
      const [head = '', tail = ''] = messageLine('split', thread_id, `${first.join('').length}|`).split('|');
      append(a.doc, lane.client, lane.key, `${head}\ud83d`);
      append(a.doc, lane.client, lane.key, `\ude00${tail}\n`);
      a.doc.off('update', note);
      for (const update of updates) Y.applyUpdate(b.doc, update, 'network');
    },
  },
  'stale restore: a backup goes on under the clientID that it had': {
    most: 1,
    plant: (world, { first, second }) => {
      const { a, b, lane, thread_id } = world;
      const backup = copyOf(a.doc);
      for (const each of first) a.chat.send({ thread_id, sender_id: 'ada', content: each });
      sync(a, b);
      append(backup, lane.client, lane.key, linesFor(world, 'second', second));
      world.a = createReplica('restored', backup);
    },
  },
};

const CUT = '","cut":true}';

/** A line that was there is there, or the same line goes on further. */
function isKept(line: string, now: ReadonlySet<string>): boolean {
  if (now.has(line)) return true;
  if (!line.endsWith(CUT)) return false;
  const start = line.slice(0, -CUT.length);
  return [...now].some((each) => each.startsWith(start));
}

const wellFormed = (line: string): string => Buffer.from(line).toString();

const SHARE = Math.ceil(2_000 / Object.keys(plants).length);
const counts = { planted: 0, detected: 0, diverged: 0, behind: 0, healed: 0 };

describe('planted divergence', () => {
  for (const [name, { plant, most }] of Object.entries(plants)) {
    test(`[DX3] [DX6] [DX7] ${name}: found within one sync round, and healed (${SHARE} cases)`, () => {
      fc.assert(
        fc.property(plan, (planned) => {
          const world = createWorld(planned);
          plant(world, planned);
          const { a, b } = world;
          const before = [...linesOf(a), ...linesOf(b)].map(wellFormed);
          const peers = [createReplica('c', copyOf(a.doc)), createReplica('d', copyOf(b.doc))];
          sync(a, b);
          counts.planted += 1;
          // A plant that changes nothing proves nothing.
          expect(JSON.stringify(textsOf(a.doc))).not.toBe(JSON.stringify(textsOf(b.doc)));
          const found = exchange(a, b);
          expect(['diverged', 'behind']).toContain(found.a[0]?.outcome);
          expect(found.b[0]?.outcome).toBe(found.a[0]?.outcome);
          counts.detected += 1;
          if (found.a[0]?.outcome === 'diverged') counts.diverged += 1;
          else counts.behind += 1;
          // What a forged deletion takes is aside at those who held it.
          for (const { chat } of [a, b]) chat.rehost();
          let rounds = 1;
          for (sync(a, b); a.chat.digest() !== b.chat.digest() && rounds < 5; sync(a, b), rounds += 1) {
            exchange(a, b);
            for (const { chat } of [a, b]) chat.rehost();
          }
          expect(b.chat.digest()).toBe(a.chat.digest());
          expect(rounds).toBeLessThanOrEqual(most);
          counts.healed += 1;
          for (const replica of [a, b]) {
            const now = new Set(linesOf(replica).map(wellFormed));
            expect(before.filter((line) => !isKept(line, now))).toEqual([]);
          }
          const bytes = [a, b].map(bytesOf);
          expect(outcomesOf([...exchange(a, b).a, ...exchange(a, b).b])).toEqual(['equal', 'equal']);
          expect([a, b].map(bytesOf)).toEqual(bytes);
          // Replicas that only ever saw one side.
          for (const peer of peers) {
            for (const from of [a, b]) send(from.doc, peer.doc);
            expect(peer.chat.digest()).toBe(a.chat.digest());
          }
          for (const { chat } of [a, b, ...peers]) chat.close();
        }),
        runs(SHARE, 12),
      );
    });
  }

  it('[DX3] every planted case was found and healed', async () => {
    await all();
    const { planted, ...rest } = counts;
    expect(planted).toBe(scale(SHARE, 12) * Object.keys(plants).length);
    expect(rest).toMatchObject({ detected: planted, healed: planted });
    expect(rest.diverged + rest.behind).toBe(planted);
    expect(rest.diverged).toBeGreaterThan(0);
  });
});
