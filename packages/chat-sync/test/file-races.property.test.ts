import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type ChatFile, openChatFile } from '../src/file/index.js';
import { Disk, type Fate } from './fault-disk.js';
import {
  diskWith,
  fileOf,
  find,
  PATH,
  type Running,
  runs,
  say,
  scale,
  startProcess,
  textsOf,
} from './fault-world.js';

/**
 * F7 in one process: two to four that write, rewrite and compact one file, with a choice of who goes on at every
 * call of the file system; some are killed at a call, some hang there until all others are done.
 */

const OPS = ['say', 'say', 'say', 'redact', 'rewrite', 'compact', 'reopen', 'look'] as const;

interface Plan {
  readonly ops: readonly (typeof OPS)[number][];
  /** At which of its calls it stops, if at all, and for ever or until the others are done. */
  readonly stop: { readonly at: number; readonly how: 'killed' | 'hangs' } | undefined;
  /** How many bytes the disk takes of its first writes; of those with -1 others see a part first. */
  readonly takes: readonly number[];
}

const plan: fc.Arbitrary<Plan> = fc.record({
  ops: fc.array(fc.constantFrom(...OPS), { minLength: 1, maxLength: 6 }),
  stop: fc.option(fc.record({ at: fc.nat(70), how: fc.constantFrom('killed' as const, 'hangs' as const) }), {
    nil: undefined,
    freq: 2,
  }),
  takes: fc.array(fc.constantFrom(1, 20, 45, 100, -1, -1, 100_000), { maxLength: 8 }),
});

interface Outcomes {
  conflicts: number;
  moved: number;
  compacted: number;
  rewritten: number;
  killed: number;
  hung: number;
}

class Racer {
  readonly said: string[] = [];
  readonly redacted: string[] = [];
  confirmed = 0;
  isStopped = false;
  isDone = false;
  /** Generations from which it compacted. */
  readonly compacted: number[] = [];
  #file: ChatFile | undefined;
  readonly #plan: Plan;
  readonly #name: string;
  readonly #outcomes: Outcomes;
  readonly #process: ReturnType<typeof startProcess>;
  /** Of all that it said, what the file has confirmed. */
  readonly saved: string[] = [];

  constructor(parts: {
    readonly disk: Disk;
    readonly index: number;
    readonly plan: Plan;
    readonly running: Running;
    readonly outcomes: Outcomes;
    readonly turn: () => Promise<unknown>;
    readonly othersDone: Promise<void>;
  }) {
    const { disk, index, plan, running, outcomes, turn, othersDone } = parts;
    this.#plan = plan;
    this.#name = `p${index}`;
    this.#outcomes = outcomes;
    let calls = 0;
    let writes = 0;
    const before = async ({ op }: { readonly op: string }): Promise<Fate> => {
      await turn();
      calls += 1;
      if (calls === plan.stop?.at) {
        this.isStopped = true;
        if (plan.stop.how === 'killed') {
          outcomes.killed += 1;
          running.delete(this.#process.number);
          await new Promise(() => {});
        }
        outcomes.hung += 1;
        await othersDone;
      }
      if (op !== 'write') return undefined;
      writes += 1;
      const take = plan.takes[writes - 1];
      if (take === -1) return { seen: turn };
      return take === undefined ? undefined : { take };
    };
    this.#process = startProcess(disk, `racer ${index}`, { running, hook: { before } });
    const { fileEnvironment } = this.#process.options;
    // Whoever waits for another lets it go on.
    Object.assign(fileEnvironment as object, { sleep: turn });
  }

  async run(): Promise<void> {
    this.#file = fileOf(await openChatFile(PATH, this.#process.options));
    for (const [index, op] of this.#plan.ops.entries()) await this.#do(op, index);
    await this.#save();
    const file = this.#file;
    const closed = await file.close();
    if (!closed.ok) this.#expectLost(closed);
    this.isDone = true;
  }

  async #do(op: Plan['ops'][number], index: number): Promise<void> {
    const file = this.#file as ChatFile;
    switch (op) {
      case 'say': {
        const text = `${this.#name} ${index} ${'.'.repeat((index * 37) % 90)}`;
        say(file.chat, text, this.#name);
        this.said.push(text);
        // Sometimes several in one flush.
        if (index % 3 > 0) await this.#save();
        return;
      }
      case 'redact': {
        // Preferably what somebody else has written: it builds on the other's frames.
        const [thread] = file.chat.threads();
        const messages = thread === undefined ? [] : file.chat.messages(thread.thread_id);
        const ofOthers = messages.filter(
          ({ sender_id, content }) => sender_id !== this.#name && content !== '',
        );
        const message = ofOthers.at(-1) ?? messages.at(-1);
        if (message === undefined) return;
        if (message.content !== '') this.redacted.push(message.content);
        file.chat.redact({ message_id: message.message_id, by: this.#name });
        return;
      }
      case 'rewrite': {
        const result = await file.rewrite();
        if (result.ok) this.#outcomes.rewritten += 1;
        else this.#expectLost(result);
        return;
      }
      case 'compact': {
        const result = await file.compact();
        if (result.ok) {
          this.compacted.push(file.generation);
          this.#outcomes.compacted += 1;
          this.#file = result.file;
        } else this.#expectLost(result);
        return;
      }
      case 'reopen': {
        await this.#save();
        await (this.#file as ChatFile).close();
        this.#file = fileOf(await openChatFile(PATH, this.#process.options));
        return;
      }
      case 'look':
        await this.#save();
    }
  }

  #expectLost(result: { readonly ok: false; readonly code: string }): void {
    // The last one only where the disk takes less than all of a seal, again and again.
    expect(['conflict', 'other_generation', 'disk_full']).toContain(result.code);
    if (result.code === 'conflict') this.#outcomes.conflicts += 1;
  }

  /** Until all that was said is in the file. */
  async #save(): Promise<void> {
    for (let attempt = 0; attempt < 12; attempt += 1) {
      const file = this.#file as ChatFile;
      expect(file.readOnly).toBe(false);
      const said = [...this.said];
      const flushed = await file.flush();
      if (flushed.ok) {
        this.saved.splice(0, this.saved.length, ...said);
        // What it has written in answer to a redaction that came may be left.
        expect(file.state().fault).toBeUndefined();
        return;
      }
      this.#expectLost(flushed);
      if (flushed.code === 'other_generation') {
        this.#outcomes.moved += 1;
        this.#file = fileOf(await file.moveOn());
      }
    }
    throw new Error('never saved');
  }
}

it('[FI7] [FI8] [FI9] no schedule of processes at one file loses what was confirmed, or leaves a file that cannot be written', async () => {
  const { disk: base, texts } = await diskWith(2);
  const outcomes: Outcomes = {
    conflicts: 0,
    moved: 0,
    compacted: 0,
    rewritten: 0,
    killed: 0,
    hung: 0,
  };
  let schedules = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(plan, { minLength: 2, maxLength: 4 }),
      fc.scheduler(),
      async (plans, scheduler) => {
        schedules += 1;
        const disk = Disk.holding(base.files());
        const running: Running = new Set();
        const turn = (): Promise<unknown> => scheduler.schedule(Promise.resolve());
        const ends: (() => void)[] = [];
        const done = plans.map((_, index) => new Promise<void>((resolve) => (ends[index] = resolve)));
        const racers = plans.map((each, index) => {
          const others = done.filter((_, other) => other !== index && plans[other]?.stop === undefined);
          const othersDone = Promise.all(others).then(() => {});
          return new Racer({ disk, index, plan: each, running, outcomes, turn, othersDone });
        });
        const all = racers.map((racer, index) => {
          const ran = racer.run();
          const killed = plans[index]?.stop?.how === 'killed';
          void ran.finally(ends[index]).catch(() => {});
          return killed ? Promise.race([ran, idle(racers, plans)]) : ran;
        });
        await scheduler.waitFor(Promise.all(all));
        await judge(disk, racers, texts);
      },
    ),
    runs(1000, 50),
  );
  expect(schedules).toBeGreaterThanOrEqual(scale(1000, 50));
  for (const [name, count] of Object.entries(outcomes)) {
    expect(count, name).toBeGreaterThan(schedules / 100);
  }
});

/** Settles once all that can come to an end have; a killed one never does. */
function idle(racers: readonly Racer[], plans: readonly Plan[]): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => {
      const isOver = racers.every(
        ({ isDone, isStopped }, index) => isDone || (isStopped && plans[index]?.stop?.how === 'killed'),
      );
      if (isOver) resolve();
      else setImmediate(look);
    };
    look();
  });
}

async function judge(disk: Disk, racers: readonly Racer[], texts: readonly string[]): Promise<void> {
  const from = racers.flatMap(({ compacted }) => compacted);
  expect(new Set(from).size, 'two have replaced one generation').toBe(from.length);
  const file = await find(disk);
  expect(file.readOnly).toBe(false);
  expect(file.opened).toMatchObject({ damaged_bytes: 0, gaps: 0, strangers: 0 });
  const found = textsOf(file.chat);
  const redacted = new Set(racers.flatMap((racer) => racer.redacted));
  for (const text of [...texts, ...racers.flatMap(({ saved }) => saved)]) {
    if (!redacted.has(text)) expect(found).toContain(text);
  }
  expect(new Set(found.filter((text) => text !== '')).size).toBe(found.filter((text) => text !== '').length);
  say(file.chat, 'goes on');
  expect(await file.flush()).toEqual({ ok: true });
  await file.close();
  const again = await find(disk, 'again');
  expect(textsOf(again.chat)).toContain('goes on');
  await again.close();
  const leftovers = disk.list().filter((name) => name.endsWith('.tmp'));
  expect(leftovers).toEqual([]);
}
