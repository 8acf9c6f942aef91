import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import * as Y from 'yjs';
import {
  type Application,
  chatApplication,
  type GuaranteeReport,
  Pick,
  type ProveOptions,
  proveGuarantees,
  readTraces,
  replay,
} from '../src/testing/index.js';
import { type Notes, notes, notesApplication } from './testing-subjects.js';

/** The harness never says "held" of what it did not check. */

const KEEPS = ['keeps what it acknowledged'];

function prove<S>(
  application: Application<S>,
  options: Partial<ProveOptions<S>> = {},
): Promise<GuaranteeReport> {
  return proveGuarantees({ application, runs: 6, steps: 20, ...options });
}

/** Replaces the one command of an application that is otherwise sound. */
function writing(command: (state: Notes) => unknown, more: object = {}): Application<Notes> {
  return notesApplication({
    commands: { write: command as Application<Notes>['commands'][string] },
    ...more,
  });
}

const differenceOf = ({ guarantees }: GuaranteeReport): string =>
  guarantees.map(({ broken }) => `${broken?.trace.law}: ${broken?.trace.difference}`).join('\n');

describe('what an application returns', () => {
  function* generate(): IterableIterator<string> {
    yield 'a fact';
  }
  it.each([
    ['a promise', async () => ['a fact'], 'a Promise'],
    ['a text', () => 'a fact', '"a fact"'],
    ['a set', () => new Set(['a fact']), 'a Set'],
    ['a generator', () => generate(), 'a Generator'],
    ['a number', () => 5, '5'],
    ['null', () => null, 'null'],
    ['true', () => true, 'true'],
    ['facts that are not texts', () => [5], '5'],
    ['a misspelt name', () => ({ acknowledge: ['a fact'] }), 'an object with the key acknowledge'],
    ['a set under the right name', () => ({ acknowledged: new Set(['a fact']) }), 'a Set'],
    ['a beginning that withdraws everything', () => ({ withdrawn: [''] }), '""'],
  ])('[HA16] %s from a command is named, with the call', async (_what, command, value) => {
    const report = await prove(writing(command), { guarantees: ['converges', ...KEEPS] });
    expect(report.guarantees.map(({ held }) => held)).toEqual([false, false]);
    for (const line of differenceOf(report).split('\n')) {
      expect(line).toMatch(/^returns what is asked for: command write: expected /);
      expect(line).toContain(`got ${value}`);
    }
  });

  it.each([
    ['a promise', () => Promise.resolve([]), 'facts: expected an iterable of texts, got a Promise'],
    ['a text', () => 'abc', 'facts: expected an iterable of texts, got "abc"'],
    ['null', () => null, 'facts: expected an iterable of texts, got null'],
    ['numbers', () => [1], 'facts: expected texts, got 1'],
  ])('[HA16] %s as the facts is named', async (_what, facts, said) => {
    const application = notesApplication({ facts: facts as unknown as () => string[] });
    expect(differenceOf(await prove(application, { guarantees: KEEPS }))).toContain(said);
  });

  const circle: { inner?: unknown } = {};
  circle.inner = [circle];
  it.each([
    ['undefined', undefined, 'read: expected a value that JSON can hold, got undefined'],
    ['a bigint', { a: [1n] }, 'read at /a/0: expected a value that JSON can hold, got 1'],
    [
      'a circle',
      circle,
      'read at /inner/0: expected a value that JSON can hold, got an object that holds itself',
    ],
    ['a map', { a: new Map([[1, 2]]) }, 'read at /a: expected a value that JSON can hold, got a Map'],
    ['a set', new Set(), 'got a Set'],
    ['a promise', Promise.resolve(1), 'got a Promise'],
    ['not a number', { a: Number.NaN }, 'read at /a: expected a value that JSON can hold, got NaN'],
    ['a function', [() => 1], 'read at /0: expected a value that JSON can hold, got a function'],
  ])('[HA16] %s from `read` is named, with its path', async (_what, value, said) => {
    const report = await prove(notesApplication({ read: () => value }), { guarantees: ['converges'] });
    expect(differenceOf(report)).toContain(
      `returns what is asked for: ${said.startsWith('read') ? said : ''}`,
    );
    expect(differenceOf(report)).toContain(said);
  });

  it('[HA16] what JSON can hold is not: shared types, dates, optional fields, the same value twice', async () => {
    const twice = { a: 1 };
    const value = { map: new Y.Doc().getMap('m'), date: new Date(0), none: undefined, twice: [twice, twice] };
    expect((await prove(notesApplication({ read: () => value }), { guarantees: ['converges'] })).ok).toBe(
      true,
    );
  });
});

describe('options with which nothing would be tried', () => {
  it.each([
    ['no commands', { application: notesApplication({ commands: {} }) }, 'application.commands'],
    [
      'a weight of no command',
      { application: notesApplication({ weights: { rite: 1 } }) },
      'application.weights.rite',
    ],
    ['no runs', { runs: 0 }, 'runs'],
    ['no steps', { steps: 0 }, 'steps'],
    ['one replica', { replicas: [1] }, 'replicas'],
    ['a guarantee of another name', { guarantees: ['convergence'] }, 'guarantees'],
    ['no guarantee', { guarantees: [] }, 'guarantees'],
  ])('[HA19] %s: is refused', async (_what, options, where) => {
    const proving = proveGuarantees({ application: notesApplication(), ...options });
    await expect(proving).rejects.toThrow(`At ${where}`);
    await expect(proving).rejects.toThrow(TypeError);
  });
});

describe('the numbers of a step', () => {
  const limits = fc.oneof(
    fc.integer({ min: 2, max: 2000 }),
    fc.integer({ min: 2, max: 2 ** 31 }),
    fc.maxSafeInteger().map((n) => Math.max(2, Math.abs(n))),
  );

  it('[HA17] reach every whole number below a limit, whatever the limit', () => {
    fc.assert(
      fc.property(limits, fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }), (limit, part) => {
        const wanted = part > 0.9 ? limit - 1 : Math.floor(part * limit);
        const numbers = limit <= 2 ** 31 ? [wanted] : [Math.floor(wanted / 2 ** 22), wanted % 2 ** 22];
        expect(new Pick(numbers).below(limit)).toBe(wanted);
      }),
      { seed: 20261121 },
    );
    for (const limit of [1, 0, -1]) expect(new Pick([5]).below(limit)).toBe(0);
    for (const limit of [Number.NaN, 2.5, Number.POSITIVE_INFINITY, 2 ** 53])
      expect(() => new Pick([5]).below(limit)).toThrow(RangeError);
  });

  it('[HA17] come up in all of the range', async () => {
    const greatest = new Map<number, number>();
    const application = writing((_state) => [], {
      commands: {
        write: (_state: Notes, pick: Pick) => {
          for (const limit of [10, 1000, 10_000, 2 ** 40])
            greatest.set(limit, Math.max(greatest.get(limit) ?? 0, pick.below(limit) / limit));
        },
      },
    });
    expect((await prove(application, { runs: 20, guarantees: ['converges'] })).ok).toBe(true);
    expect([...greatest.values()].filter((share) => share < 0.85)).toEqual([]);
  });

  it('[HA17] a fault that shows only high up is found, in one step', async () => {
    const application = notesApplication({
      commands: { write: (_state, pick) => (pick.below(5000) > 2000 ? ['lost'] : []) },
    });
    const report = await prove(application, { guarantees: KEEPS });
    const steps = report.guarantees[0]?.broken?.trace.schedule.steps ?? [];
    expect(steps).toHaveLength(1);
    expect(new Pick(steps[0]?.picks ?? []).below(5000)).toBe(2001);
  });
});

describe('an application that fails by chance', () => {
  it('[HA18] is reported so, with how often its shortest run failed again', async () => {
    let count = 0;
    const byChance = notesApplication({
      commands: {
        write: ({ map, createKey }) => {
          const key = createKey();
          map.set(key, 'text');
          count += 1;
          return count % 7 === 0 ? ['never there'] : [`${key}: text`];
        },
      },
    });
    const report = await prove(byChance, { guarantees: [...KEEPS, 'replays by seed'], shrinkRuns: 100 });
    const [keeps, replays] = report.guarantees;
    expect(keeps?.broken?.again?.runs).toBe(10);
    expect(keeps?.broken?.again?.broken).toBeLessThan(10);
    expect(report.text).toMatch(/by chance: broken again in \d of 10 equal runs/);
    // What it acknowledged is part of what a run is.
    expect(replays).toMatchObject({ held: false, broken: { trace: { law: 'replays the same' } } });
  });

  it('[HA18] one that always fails is not', async () => {
    const report = await prove(
      writing(() => ['never there']),
      { guarantees: KEEPS },
    );
    expect(report.guarantees[0]?.broken?.again).toEqual({ runs: 10, broken: 10 });
    expect(report.text).not.toContain('by chance');
  });
});

describe('the folder of traces', () => {
  const folders: string[] = [];
  const makeFolder = (): string => {
    const folder = mkdtempSync(join(tmpdir(), 'traces-'));
    folders.push(folder);
    return folder;
  };
  afterEach(() => {
    for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
  });
  const contents = (folder: string): readonly string[] =>
    readdirSync(folder).map((name) => readFileSync(join(folder, name), 'utf8'));
  const ghost = (name: string): Application<Notes> => writing(() => ['a ghost'], { name });
  const forgetful = notesApplication({
    name: 'one',
    commands: {
      write: ({ map }) => {
        map.set('key', 'text');
        return ['key: text'];
      },
      drop: ({ map }) => {
        if (!map.has('key')) return false;
        map.delete('key');
        return [];
      },
    },
  });

  it('[HA7] keeps every trace: of another fault under one law, and of another application', async () => {
    const folder = makeFolder();
    const options = { traces: folder, guarantees: KEEPS };
    await prove(ghost('one'), options);
    const first = contents(folder);
    await prove(forgetful, { ...options, runs: 60 });
    await prove(ghost('two'), options);
    expect(contents(folder)).toEqual(expect.arrayContaining([...first]));
    expect(contents(folder)).toHaveLength(3);
    // The same one again is the same file.
    await prove(ghost('two'), { ...options, seed: 5 });
    expect(new Set(contents(folder)).size).toBe(contents(folder).length);
    expect(readTraces(folder)).toHaveLength(contents(folder).length);
  });

  it.each([
    ['cut off', '{"format":"chatdoc tr'],
    ['other JSON', '{"name":"x"}'],
    ['merge markers', '<<<<<<< HEAD\n{}'],
    ['a list', '[]'],
    ['null', 'null'],
    ['no schedule', '{"format":"chatdoc trace 1","guarantee":"x","law":"no call throws","difference":""}'],
    [
      'a step that is none',
      '{"format":"chatdoc trace 1","guarantee":"x","law":"no call throws","difference":"","schedule":{"seed":1,"replicas":2,"skews":[],"steps":[{"do":"deliver"}]}}',
    ],
  ])(
    '[HA7] a file that is not a trace (%s) is named and skipped, and the runs go on',
    async (_what, text) => {
      const folder = makeFolder();
      writeFileSync(join(folder, 'x.json'), text);
      const report = await prove(notesApplication(), { traces: folder, guarantees: ['converges'] });
      expect(report.guarantees).toMatchObject([{ held: true, runs: 6 }]);
      expect(report.findings).toMatchObject([{ code: 'damaged', file: join(folder, 'x.json') }]);
      expect(report.text).toContain('x.json');
      // Not all was checked.
      expect(report.ok).toBe(false);
      expect(() => readTraces(folder)).toThrow('x.json');
    },
  );

  it('[HA7] a folder that cannot be written loses nothing of what was found', async () => {
    const file = join(makeFolder(), 'file');
    writeFileSync(file, '');
    const report = await prove(ghost('one'), { traces: join(file, 'folder'), guarantees: KEEPS });
    expect(report.guarantees[0]?.broken?.trace.difference).toContain('a ghost');
    expect(report.findings).toMatchObject([{ code: 'not_written' }]);
    expect(report.text).toContain('is not kept');
  });

  interface Armed {
    readonly doc: Y.Doc;
  }
  /** Fires once it is armed: two commands of five are the fault. */
  const armed = (threshold: number): Application<Armed> => ({
    open: ({ doc }) => ({ doc }),
    commands: {
      noise: ({ doc }, pick) => void doc.getMap('noise').set(`k${pick.below(5)}`, pick.below(900)),
      quiet: ({ doc }) => void doc.getMap('noise').delete('k1'),
      arm: ({ doc }, pick) => void doc.getMap('arm').set('value', pick.below(900)),
      idle: () => false,
      fire: ({ doc }) => {
        const value = doc.getMap('arm').get('value');
        return typeof value === 'number' && value >= threshold ? ['a fact that is nowhere'] : false;
      },
    },
    read: ({ doc }) => doc.getMap('arm').get('value') ?? null,
    facts: () => [],
  });

  it.each([
    [0, 20261121],
    [300, 7],
    [300, 11],
    [600, 3],
  ])('[HA8] no step of a trace can be left out: a fault from %i on, seed %i', async (threshold, seed) => {
    const application = armed(threshold);
    const options = { ...notes, provider: undefined, seed, runs: 40, steps: 40, guarantees: KEEPS };
    const { provider: _, ...subject } = options;
    const broken = (await proveGuarantees({ ...subject, application })).guarantees[0]?.broken;
    const trace = broken?.trace;
    if (trace === undefined) throw new Error('the planted fault was not found');
    const { steps } = trace.schedule;
    expect(steps.length).toBeLessThanOrEqual(3);
    for (const at of steps.keys()) {
      const shorter = { ...trace.schedule, steps: steps.filter((_step, which) => which !== at) };
      expect(await replay({ ...subject, application }, { ...trace, schedule: shorter })).toBeUndefined();
    }
    const again = await proveGuarantees({ ...subject, application, path: broken?.path ?? '' });
    expect(again.guarantees[0]?.broken?.trace).toEqual(trace);
  });
});

describe('the defaults of the README', () => {
  it('[HA1] hold for our own chat, without a provider or a storage of its own', async () => {
    const report = await proveGuarantees({ application: chatApplication(), runs: 4, steps: 50 });
    expect(report.text).not.toContain('BROKEN');
    expect(report.ok).toBe(true);
  });
});
