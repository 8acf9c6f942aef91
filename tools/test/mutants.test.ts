import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { FATAL, HARMLESS } from '../mutants/canaries.js';
import { choose, IN_ROTATION, pickNamed, pickRotation } from '../mutants/choose.js';
import { type Mutant, plant } from '../mutants/mutant.js';
import { MUTANTS } from '../mutants/mutants.js';
import { createPlantPlugin } from '../mutants/plant-plugin.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const mutant: Mutant = { ...HARMLESS, name: 'x/y', find: 'a$1', replace: '$& $1', breaks: 'Nothing.' };

describe('mutants', () => {
  it.each([...MUTANTS, HARMLESS, FATAL])('$name can be planted: else it is stale', (planted) => {
    const source = read(planted.file);
    expect(plant(planted, source)).not.toBe(source);
  });

  it('a mutant whose text stands in its module twice, or not at all, is stale', () => {
    expect(plant(mutant, 'one a$1 two')).toBe('one $& $1 two');
    expect(() => plant(mutant, 'one')).toThrow('x/y is stale: its text stands 0 times in');
    expect(() => plant(mutant, 'a$1 a$1')).toThrow('x/y is stale: its text stands 2 times in');
  });

  it('each has a name of its own, and killers that are there', () => {
    const names = MUTANTS.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const { name, killers, breaks } of MUTANTS) {
      expect(killers.length, name).toBeGreaterThan(0);
      expect(breaks, name).toMatch(/^[A-Z].*[^.]\.$/);
      for (const { file, test } of killers) {
        expect(existsSync(join(ROOT, file)), `${name}: ${file}`).toBe(true);
        // Names that are put together of parts are found by the rule alone.
        const [rule = ''] = /^\[[A-Z]{2}\d+\]/.exec(test ?? '') ?? [];
        expect(read(file).includes(rule) || read(file).includes('[$' + '{'), `${name}: ${test}`).toBe(true);
      }
    }
  });

  it('there are enough for each package', () => {
    const count = (folder: string): number => pickNamed(MUTANTS, [folder]).length;
    expect(MUTANTS.length).toBeGreaterThanOrEqual(50);
    expect(count('schema')).toBeGreaterThanOrEqual(16);
    expect(count('sync')).toBeGreaterThanOrEqual(14);
    expect(count('migrate')).toBeGreaterThanOrEqual(8);
    expect(count('turns')).toBeGreaterThanOrEqual(8);
    expect(count('integrity')).toBeGreaterThanOrEqual(6);
  });

  it('rotations are of twelve at most, and numbers in a row run all of them', () => {
    const rotations = Math.ceil(MUTANTS.length / IN_ROTATION);
    const picked = Array.from({ length: rotations }, (_, at) => pickRotation(MUTANTS, 1_000_003 + at));
    for (const some of picked) expect(some.length).toBeLessThanOrEqual(IN_ROTATION);
    expect(new Set(picked.flat())).toEqual(new Set(MUTANTS));
    expect(pickRotation(MUTANTS, 7)).toEqual(pickRotation(MUTANTS, 7));
  });

  it('are picked by name or by package, and a name of none is a mistake', () => {
    const [first] = MUTANTS as readonly [Mutant, ...Mutant[]];
    expect(pickNamed(MUTANTS, [first.name])).toEqual([first]);
    expect(() => pickNamed(MUTANTS, ['nobody'])).toThrow('no mutant is named nobody');
  });

  it('are chosen by exactly one of four options', () => {
    const names = (...args: readonly string[]): string[] =>
      choose(MUTANTS, args).mutants.map(({ name }) => name);
    expect(choose(MUTANTS, ['--all'])).toEqual({ mutants: MUTANTS, limit: 60_000 });
    expect(choose(MUTANTS, ['--rotation', '5'])).toEqual({
      mutants: pickRotation(MUTANTS, 5),
      random: { count: 4, seed: '5', limit: 60_000 },
      limit: 20_000,
    });
    expect(choose(MUTANTS, ['--random', '40', '--seed', 'x'])).toEqual({
      mutants: [],
      random: { count: 40, seed: 'x', limit: 180_000 },
      limit: 60_000,
    });
    const [a, b] = MUTANTS.map(({ name }) => name) as [string, string];
    expect(names('--only', b, a)).toEqual([a, b]);
    expect(names('--only', a, '--only', b)).toEqual([a, b]);
    expect(choose(MUTANTS, ['--random', '1', '--seed', 'x', '--limit', '9']).random?.limit).toBe(9000);
    const wrong = [
      ['--all', '--limit', '9'],
      ['--random', '4'],
      ['--all', '--seed', '1'],
      ['--random', 'x', '--seed', '1'],
    ];
    for (const args of [
      [],
      ['--all', '--rotation', '1'],
      ['--rotation', 'f00'],
      ['--all', a],
      ['--some'],
      ...wrong,
    ]) {
      expect(() => choose(MUTANTS, args), args.join(' ')).toThrow();
    }
  });

  it('are planted in their own module alone, however it is asked for', () => {
    let count = 0;
    const plugin = createPlantPlugin('/root', { ...mutant, file: 'a/b.ts' }, () => {
      count += 1;
    });
    const transform = plugin.transform as (code: string, id: string) => { readonly code: string } | null;
    expect(transform('a$1', '/root/a/c.ts')).toBeNull();
    expect(count).toBe(0);
    expect(transform('a$1', '/root/a/b.ts?v=1')?.code).toBe('$& $1');
    expect(count).toBe(1);
    expect(() => transform('none', '/root/a/b.ts')).toThrow('is stale');
  });
});
