import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { SEED, scale } from '../../../tools/amounts.js';
import {
  FAULTS,
  GUARANTEES,
  type GuaranteeReport,
  LawBroken,
  type ProveOptions,
  proveGuarantees,
  readTraces,
  replay,
  runSchedule,
  type Schedule,
  type Subject,
  syncProvider,
  Tally,
} from '../src/testing/index.js';
import {
  hastyApplication,
  lazyStorage,
  type Notes,
  notes,
  notesApplication,
  shyProvider,
  slowStorage,
  talkativeProvider,
  tornStorage,
} from './testing-subjects.js';

const prove = (options: Partial<ProveOptions<Notes>>): Promise<GuaranteeReport> =>
  proveGuarantees({ ...notes, runs: 40, steps: 60, seed: SEED, ...options });

let proven: Promise<GuaranteeReport> | undefined;

/** Runs that meet everything: the same for all who look at the report. */
const proveEnough = (): Promise<GuaranteeReport> => {
  proven ??= prove({ runs: scale(60, 25) });
  return proven;
};

const namesOf = ({ guarantees }: GuaranteeReport, held: boolean | undefined): string[] =>
  guarantees.filter((each) => each.held === held).map(({ name }) => name);

function breakLaw(subject: Subject<Notes>, schedule: Schedule): LawBroken {
  try {
    runSchedule(subject, schedule, { tally: new Tally() });
  } catch (error) {
    if (error instanceof LawBroken) return error;
    throw error;
  }
  throw new Error('expected a law to break');
}

const step = (text: string): Schedule['steps'][number] => {
  const [what, name, at, ...picks] = text.split(' ') as [
    Schedule['steps'][number]['do'],
    string,
    ...string[],
  ];
  return { do: what, ...(name !== '-' && { name }), at: Number(at), picks: picks.map(Number) };
};

const schedule = (...steps: readonly string[]): Schedule => ({
  seed: 1,
  replicas: 2,
  skews: [0, 0],
  steps: steps.map(step),
});

describe('a program without a fault', () => {
  it('[HA1] holds each guarantee that applies to it; of the others the report says why they were not tried', async () => {
    const report = await proveEnough();
    expect(report.ok).toBe(true);
    expect(namesOf(report, false)).toEqual([]);
    expect(namesOf(report, undefined)).toEqual([
      'older and newer clients do no harm',
      'hostile peers do no harm',
    ]);
    expect(report.guarantees.map(({ name }) => name)).toEqual(GUARANTEES.map(({ name }) => name));
    expect(report.text.split('\n').filter((line) => / {2}held \(\d+ runs\)$/.test(line))).toHaveLength(10);
    expect(report.text).toMatch(/^hostile peers do no harm +not tried: no hostile client was given$/m);
  });

  it('[HA1] is tried without storage and facts as far as that goes', async () => {
    const { facts: _, ...application } = notesApplication();
    const { storage: __, ...subject } = notes;
    const report = await proveGuarantees({ ...subject, application, runs: 5, steps: 20 });
    expect(namesOf(report, undefined)).toEqual([
      'survives crashes',
      'survives an old snapshot',
      'older and newer clients do no harm',
      'hostile peers do no harm',
      'keeps what it acknowledged',
    ]);
    expect(report.ok).toBe(true);
  });

  it('[HA14] in a star holds what it holds in a mesh', async () => {
    const report = await prove({
      topology: 'star',
      guarantees: ['converges', 'all of it at once'],
      runs: 30,
    });
    expect(report.text).not.toContain('BROKEN');
    expect(report.ok).toBe(true);
  });

  it('[HA15] with an asynchronous storage holds them too, where the harness is told how to wait', async () => {
    const settle = async (): Promise<void> => {
      for (let turn = 0; turn < 6; turn += 1) await Promise.resolve();
    };
    const report = await prove({ storage: slowStorage, settle, runs: scale(20) });
    expect(report.text).not.toContain('BROKEN');
    const waiting = breakLaw({ ...notes, storage: slowStorage }, schedule('command write 0 1'));
    expect(waiting.law).toBe('comes to rest');
  });

  it('[HA4] the report lists commands, faults and marks that never came up', async () => {
    const application = notesApplication({ marks: ['a case that nobody met'] });
    const report = await prove({ application, guarantees: ['survives crashes'], runs: 1, steps: 2 });
    expect(report.missing).toContain('fault torn');
    expect(report.missing).toContain('a case that nobody met');
    expect(report.text).toContain('never came up: ');
    const enough = await proveEnough();
    expect(enough.missing).toEqual([]);
    for (const fault of FAULTS.slice(0, 16))
      expect(enough.tally.count(`fault ${fault}`)).toBeGreaterThan(scale(20, 5));
  });
});

/** A subject with one fault, the guarantees of which one at least must break, and the law. */
const PLANTED: readonly (readonly [string, Partial<ProveOptions<Notes>>, string, string])[] = [
  [
    'an application that names rows by time',
    { application: hastyApplication },
    'keeps what it acknowledged',
    'keeps what it acknowledged',
  ],
  [
    'a provider that asks for nothing',
    { provider: shyProvider, gapless: false },
    'survives partitions',
    'converges within two rounds',
  ],
  [
    'a provider without checksums',
    { provider: syncProvider, gapless: false },
    'refuses damage',
    'reads the same, or converges within two rounds',
  ],
  [
    'a provider that never falls silent',
    { provider: talkativeProvider, gapless: false },
    'converges',
    'comes to rest',
  ],
  [
    'a storage that confirms too early',
    { storage: lazyStorage },
    'survives crashes',
    'a clean restart loses nothing',
  ],
  [
    'a storage that writes behind what is torn',
    { storage: tornStorage },
    'survives crashes',
    'a clean restart loses nothing, keeps what it flushed',
  ],
  [
    'an application that reads the clock into its state',
    {
      application: notesApplication({ read: ({ map, createKey }) => ({ ...map.toJSON(), at: createKey() }) }),
    },
    'converges',
    'reads the same',
  ],
  [
    'an application that throws',
    {
      application: notesApplication({
        read: ({ map }) =>
          [...map.keys()].map((key) => key.at(99)?.trim().length) && JSON.parse(map.size > 3 ? '{' : '1'),
      }),
    },
    'converges',
    'no call throws',
  ],
  [
    'an application whose invariant fails',
    {
      application: notesApplication({
        invariants: ({ map }) => (map.size > 2 ? `${map.size} notes are too many` : undefined),
      }),
    },
    'converges',
    'invariants hold',
  ],
];

describe('a fault', () => {
  it.each(PLANTED)(
    '[HA5] of %s breaks the guarantee that is about it',
    async (_name, subject, guarantee, law) => {
      const report = await prove({ ...subject, guarantees: [guarantee], runs: 100 });
      expect(report.ok).toBe(false);
      const [result] = report.guarantees;
      expect(law).toContain(result?.broken?.trace.law ?? 'nothing');
      // What is left of the run is what it takes.
      expect(result?.broken?.trace.schedule.steps.length).toBeLessThanOrEqual(25);
      expect(report.text).toContain('BROKEN (seed');
    },
  );

  it('[HA6] is found again by seed and path alone, at once and with the same words', async () => {
    const options = { application: hastyApplication, guarantees: ['keeps what it acknowledged'] };
    const first = (await prove(options)).guarantees[0];
    const path = first?.broken?.path ?? '';
    const again = (await prove({ ...options, path })).guarantees[0];
    expect(again?.runs).toBe(1);
    expect(again?.broken?.trace).toEqual(first?.broken?.trace);
  });

  it('[HA7] leaves a trace in the folder of traces, which runs first from then on', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'traces-'));
    try {
      const options = {
        application: hastyApplication,
        guarantees: ['keeps what it acknowledged'],
        traces: folder,
      };
      const found = (await prove(options)).guarantees[0];
      expect(readdirSync(folder)).toHaveLength(1);
      const [kept] = readTraces(folder);
      expect(kept?.trace).toEqual(found?.broken?.trace);
      const later = (await prove({ ...options, seed: SEED + 1 })).guarantees[0];
      expect(later).toMatchObject({ held: false, runs: 1, broken: { file: kept?.file } });
      const trace = JSON.parse(JSON.stringify(kept?.trace)) as NonNullable<typeof kept>['trace'];
      expect((await replay({ ...notes, application: hastyApplication }, trace))?.law).toBe(trace.law);
      expect(await replay(notes, trace)).toBeUndefined();
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('[HA8] is still there in no sub-list of the steps of its trace, and every sub-list runs', async () => {
    const options = { application: hastyApplication, guarantees: ['keeps what it acknowledged'] };
    const { trace } = (await prove(options)).guarantees[0]?.broken ?? {};
    const steps = trace?.schedule.steps ?? [];
    expect(steps.length).toBeGreaterThan(0);
    for (const at of steps.keys()) {
      const shorter = { ...(trace?.schedule as Schedule), steps: steps.filter((_, which) => which !== at) };
      runSchedule({ ...notes, application: hastyApplication }, shorter, { tally: new Tally() });
    }
  });
});

describe('the journal', () => {
  it('[HA9] takes a crash for the cause of a loss only before the flush, and where nobody else had the fact', () => {
    const tally = new Tally();
    runSchedule(notes, schedule('command write 0 1', 'fault crash 0 0 0 0'), { tally });
    expect(tally.count('cause: crash before flush')).toBe(1);
    const delivered = new Tally();
    const told = schedule('command write 0 1', 'deliver - 0', 'deliver - 0', 'fault crash 0 0 0 0');
    runSchedule(notes, told, { tally: delivered });
    expect(delivered.count('cause: crash before flush')).toBe(0);
    const broken = breakLaw(
      { ...notes, storage: lazyStorage },
      schedule(
        'command write 0 1',
        'flush - 0',
        'fault partition 0 0',
        'command write 0 2',
        'fault crash 0 0 0 0',
      ),
    );
    expect(broken.law).toBe('keeps what it flushed');
  });

  it('[HA9] names an older state that was put back, and what a command withdrew', () => {
    const restored = new Tally();
    const back = schedule(
      'command write 0 1',
      'flush - 0',
      'command write 0 2',
      'flush - 0',
      'fault restore 0 0 1 0',
    );
    runSchedule(notes, back, { tally: restored });
    expect(restored.count('cause: older state put back')).toBe(1);
    const dropped = new Tally();
    runSchedule(notes, schedule('command write 0 1', 'command drop 0 0 3'), { tally: dropped });
    expect(dropped.count('cause: drop')).toBe(1);
  });
});
