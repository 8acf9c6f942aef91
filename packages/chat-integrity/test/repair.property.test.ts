import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as Y from 'yjs';
import { runs } from '../../../tools/amounts.js';
import { createParts } from '../../../tools/parts.js';
import { check, type RepairResult, RULES, type Rule, repair } from '../src/index.js';
import { OTHER_VERSION } from './repair-version.js';
import { openReplicas, type Replica, run, type Step, steps, syncAll } from './schedule.js';

const { test, all } = createParts();
const ABSENT = RULES.filter(({ id }) => id === 'IN1');
const seen = new Set<string>();

function note(result: RepairResult): void {
  if (result.ok) for (const { rule } of result.actions) seen.add(rule);
}

/** Replicas that lived through the same damage and have the same bytes. */
function openDamaged(schedule: readonly Step[], count: number): readonly Replica[] {
  const replicas = openReplicas(count);
  for (const step of schedule) run(replicas, step);
  syncAll(replicas);
  return replicas;
}

function bytesOf({ doc }: Replica): string {
  return Buffer.from(Y.encodeStateAsUpdate(doc)).toString('base64');
}

/** Every text that somebody wrote, with how it shows. */
function readContents({ chat }: Replica): ReadonlyMap<string, string> {
  const contents = new Map<string, string>();
  for (const id of chat.inspector.subjects('message')) {
    const message = chat.message(id);
    if (message !== undefined) contents.set(id, JSON.stringify(message.history));
  }
  return contents;
}

describe('a repair', () => {
  test('[RP1] [RP6] on five replicas at once is that of one; again it writes nothing, and no text is lost', () => {
    fc.assert(
      fc.property(steps, (schedule) => {
        const replicas = openDamaged(schedule, 5);
        const [one, ...others] = replicas as [Replica, ...Replica[]];
        const before = readContents(one);
        // Only who held the lost lines can write them again.
        for (const replica of replicas) note(repair(replica.chat));
        syncAll(replicas);
        for (const other of others) expect(other.chat.digest()).toBe(one.chat.digest());
        if (!wasDamaged(schedule)) expect(readContents(one)).toEqual(before);
        if (replicas.some(({ chat }) => chat.damage().length > 0)) return;
        const settled = bytesOf(one);
        for (const replica of replicas)
          expect(repair(replica.chat)).toEqual({ ok: true, actions: [], lines: 0 });
        expect(bytesOf(one)).toBe(settled);
        expect(check(one.chat, ABSENT)).toEqual([]);
      }),
      runs(40, 12),
    );
  });

  test('[RP6] of one replica gives the bytes of five that repair the same', () => {
    fc.assert(
      fc.property(steps, (schedule) => {
        const calm = schedule.filter(({ op }) => op !== 'damage' && op !== 'drop' && op !== 'value');
        const replicas = openDamaged(calm, 5);
        const [one] = replicas as [Replica];
        const [single] = openReplicas(1) as [Replica];
        Y.applyUpdate(single.doc, Y.encodeStateAsUpdate(one.doc));
        repair(single.chat);
        for (const replica of replicas) repair(replica.chat);
        syncAll(replicas);
        for (const { doc, chat } of replicas) {
          expect(chat.digest()).toBe(single.chat.digest());
          expect(Y.encodeStateVector(doc).length).toBe(Y.encodeStateVector(single.doc).length);
          expect(chat.toJSONL()).toBe(single.chat.toJSONL());
        }
      }),
      runs(30, 6),
    );
  });

  test('[RP7] leaves what people write meanwhile as it is, and comes to rest after it', () => {
    fc.assert(
      fc.property(steps, steps, (schedule, meanwhile) => {
        const honest = meanwhile.filter(({ op }) => HONEST.has(op));
        const repaired = openDamaged(schedule, 3);
        for (const step of honest) {
          run(repaired, step);
          repair((repaired[step.b % 3] as Replica).chat);
        }
        const written = repaired.map(readContents);
        syncAll(repaired);
        const shown = readContents(repaired[0] as Replica);
        for (const contents of written) {
          for (const id of contents.keys()) if (!wasDamaged(schedule)) expect(shown.has(id)).toBe(true);
        }
        expectRest(repaired, RULES, RULES);
      }),
      runs(30, 6),
    );
  });

  test('[RP8] of another version, that chooses otherwise, comes to rest with this one', () => {
    fc.assert(
      fc.property(steps, (schedule) => {
        expectRest(openDamaged(schedule, 3), RULES, OTHER_VERSION);
      }),
      runs(40, 12),
    );
  });

  it('[RP1] the schedules above met every repair', async () => {
    await all();
    expect(RULES.filter(({ id, repair: way }) => way !== undefined && !seen.has(id))).toEqual([]);
  });
});

const HONEST = new Set<string>([
  'send',
  'reply',
  'prompt',
  'edit',
  'annotate',
  'thread',
  'slotThread',
  'activate',
  'configure',
  'sync',
]);

function wasDamaged(schedule: readonly Step[]): boolean {
  return schedule.some(
    ({ op }) =>
      op === 'damage' ||
      op === 'drop' ||
      op === 'value' ||
      op === 'wild' ||
      op === 'torn' ||
      op === 'breaker',
  );
}

/** Within three rounds of repair and sync nobody writes any more. */
function expectRest(replicas: readonly Replica[], first: readonly Rule[], second: readonly Rule[]): void {
  let lines = 0;
  for (let round = 0; round < 4; round += 1) {
    lines = 0;
    for (const [at, { chat }] of replicas.entries()) {
      const result = repair(chat, { rules: at % 2 === 0 ? first : second });
      if (result.ok) lines += result.lines;
    }
    syncAll(replicas);
  }
  expect(lines).toBe(0);
  const digests = new Set(replicas.map(({ chat }) => chat.digest()));
  expect(digests.size).toBe(1);
}
