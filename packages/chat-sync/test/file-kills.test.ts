import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Bundle } from '../../../tools/bundle.js';
import { type ChatFile, openChatFile } from '../src/file/index.js';
import type { Job, Told } from './fault-child.js';
import { buildChild, confirmedOf, inPairs, runChild } from './fault-processes.js';
import {
  createPicker,
  diskWith,
  fileOf,
  isMore,
  isQuick,
  NAME,
  SEED,
  say,
  scale,
  textsOf,
  thin,
} from './fault-world.js';

/** F3 and F7 with real processes: kill -9 at every call, and several at one file. */

let child: Bundle;
let folder = '';

beforeAll(async () => {
  child = await buildChild();
  folder = mkdtempSync(join(tmpdir(), 'chatdoc-kills-'));
});

afterAll(() => {
  child.remove();
  rmSync(folder, { recursive: true, force: true });
});

let files = 0;

/** A file in a folder of its own. */
function place(bytes: Uint8Array | undefined): string {
  files += 1;
  const path = join(mkdtempSync(join(folder, `${files}-`)), NAME);
  if (bytes !== undefined) writeFileSync(path, bytes);
  return path;
}

const openPlain = (path: string): Promise<ChatFile> =>
  openChatFile(path, { flush: 'manual', patience_ms: 2000 }).then(fileOf);

interface Fixture {
  readonly bytes: Uint8Array | undefined;
  readonly texts: readonly string[];
}

async function fixtures(task: Job['task']): Promise<readonly Fixture[]> {
  if (task === 'create') return [{ bytes: undefined, texts: [] }];
  const small = await diskWith(1);
  const large = await diskWith(30, 'large');
  const bytesOf = ({ disk }: { disk: { read(name: string): Uint8Array | undefined } }): Uint8Array =>
    disk.read(NAME) as Uint8Array;
  if (task === 'recover') {
    const damaged = bytesOf(large).slice();
    (damaged[Buffer.from(damaged).indexOf('large 7') + 6] as number) ^= 1;
    return [{ bytes: damaged, texts: large.texts.slice(0, 7) }];
  }
  const torn = bytesOf(large).subarray(0, -7);
  const whole: Fixture[] = [
    { bytes: bytesOf(small), texts: small.texts },
    { bytes: bytesOf(large), texts: large.texts },
  ];
  return task === 'rollBack' ? whole : [...whole, { bytes: torn, texts: large.texts.slice(0, -1) }];
}

/** Odd, so that it falls on both sides of a call; below the number of calls of any task. */
const STRIDE = 13;

const TASKS = ['create', 'flush', 'rewrite', 'compact', 'recover', 'moveOn', 'rollBack'] as const;

it('[FI5] [FI8] [FI10] F3: kill -9 before and after any call loses nothing confirmed, and leaves nothing behind', async () => {
  const cases: { job: Omit<Job, 'path'>; fixture: Fixture }[] = [];
  const points = new Map<string, number>();
  for (const task of TASKS) {
    const of = (await fixtures(task)).slice(0, isQuick ? 1 : undefined);
    for (const [index, fixture] of of.entries()) {
      const whole = await runChild(child.file, { path: place(fixture.bytes), task, name: 'whole' });
      expect(whole.error).toBe('');
      const { calls } = whole.told.at(-1) as Extract<Told, { calls: number }>;
      if (index === 0) points.set(task, calls);
      // Before every call of the first fixture, which is after the one before it, too; of the others some, and
      // others with another seed.
      for (let at = 0; at < calls; at += 1) {
        for (const when of ['before', 'after'] as const) {
          const isDue = index === 0 && (when === 'before' || at === calls - 1);
          const isSampled = (at * 2 + (when === 'after' ? 1 : 0) + SEED + index) % 10 === 0;
          if (!isMore && !isDue && !isSampled) continue;
          cases.push({ job: { task, name: 'killed', kill: { at, when } }, fixture });
        }
      }
    }
  }
  let killed = 0;
  // Of one task after the other: the quick run kills each once at least, before or after a call.
  const due = thin(cases, STRIDE);
  await inPairs(due, async ({ job, fixture }) => {
    const path = place(fixture.bytes);
    const ran = await runChild(child.file, { ...job, path });
    const label = JSON.stringify(job);
    expect(ran.error, label).toBe('');
    // The last calls may change places with the end of the process.
    const last = ran.told.at(-1);
    if (!ran.isKilled) expect(last !== undefined && 'calls' in last && last.calls, label).toBe(job.kill?.at);
    killed += 1;
    const { task } = job;
    const confirmed = confirmedOf(ran);
    const opened = await openChatFile(path, { flush: 'manual', patience_ms: 2000 });
    if (!opened.ok) {
      expect({ task, code: opened.code, confirmed }, label).toEqual({
        task: 'create',
        code: 'not_found',
        confirmed: [],
      });
      return;
    }
    const { file } = opened;
    // Not recovered yet, or recovered.
    if (task !== 'recover') expect(file.readOnly, label).toBe(false);
    const found = textsOf(file.chat);
    for (const text of [...fixture.texts, ...confirmed])
      if (text !== '') expect(found, label).toContain(text);
    if (!file.readOnly) {
      say(file.chat, 'goes on');
      expect(await file.flush(), label).toEqual({ ok: true });
    }
    await file.close();
    const again = await openPlain(path);
    if (!again.readOnly) expect(textsOf(again.chat), label).toContain('goes on');
    await again.close();
    const beside = readdirSync(join(path, '..')).filter((name) => name.endsWith('.tmp'));
    expect(beside, label).toEqual([]);
  });
  expect(killed).toBe(due.length);
  const all = [...points.values()].reduce((sum, calls) => sum + calls, 0);
  expect(all).toBeGreaterThanOrEqual(36 * 3);
  expect(cases.length).toBeGreaterThanOrEqual(all);
});

it('[FI7] [FI8] F7: of two or three processes at one file, some of them killed, none loses what was confirmed', async () => {
  const { disk, texts } = await diskWith(3);
  const count = scale(100, 3);
  const outcomes = { confirmed: 0, lost: 0, compacted: 0, killed: 0 };
  await inPairs(
    Array.from({ length: count }, (_, run) => run),
    async (run) => {
      const pick = createPicker(SEED + run);
      const path = place(disk.read(NAME));
      const jobs = Array.from({ length: 2 + pick(2) }, (_, index): Job => {
        const ops = Array.from(
          { length: 2 + pick(4) },
          () => (['say', 'say', 'say', 'rewrite', 'compact'] as const)[pick(5)] ?? 'say',
        );
        const isKilled = index > 0 && pick(2) === 0;
        const kill = { at: pick(3), when: pick(2) === 0 ? 'before' : 'after', op: 'rename' } as const;
        return { path, task: 'race', name: `p${index}`, ops, ...(isKilled && { kill }) };
      });
      const ran = await Promise.all(jobs.map((job) => runChild(child.file, job)));
      const label = `run ${run} of seed ${SEED}`;
      const file = await openPlain(path);
      expect(file.readOnly, label).toBe(false);
      expect(file.opened, label).toMatchObject({ torn_bytes: 0, damaged_bytes: 0, gaps: 0, strangers: 0 });
      const found = textsOf(file.chat);
      for (const text of texts) expect(found, label).toContain(text);
      const compacted: number[] = [];
      for (const each of ran) {
        expect(each.error, label).toBe('');
        if (each.isKilled) outcomes.killed += 1;
        for (const text of confirmedOf(each)) {
          expect(found, label).toContain(text);
          outcomes.confirmed += 1;
        }
        for (const told of each.told) {
          if ('lost' in told) {
            expect(['conflict', 'other_generation'], label).toContain(told.lost);
            outcomes.lost += 1;
          }
          if ('compacted' in told) compacted.push(told.compacted);
        }
      }
      expect(new Set(compacted).size, label).toBe(compacted.length);
      outcomes.compacted += compacted.length;
      say(file.chat, 'goes on');
      expect(await file.flush(), label).toEqual({ ok: true });
      await file.close();
      const beside = readdirSync(join(path, '..')).filter((name) => name.endsWith('.tmp'));
      expect(beside, label).toEqual([]);
    },
  );
  expect(outcomes.confirmed).toBeGreaterThan(count);
  // Of three races now and then none is lost.
  if (isQuick) return;
  expect(outcomes.lost).toBeGreaterThan(count / 10);
  expect(outcomes.compacted).toBeGreaterThan(count / 4);
  expect(outcomes.killed).toBeGreaterThan(count / 10);
});
