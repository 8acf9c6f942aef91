import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createGraph } from '../imports.js';
import { plant } from '../mutants/mutant.js';
import { draw, findEquivalent, locate } from '../mutants/random/draw.js';
import { EQUIVALENTS } from '../mutants/random/equivalents.js';
import { describe as describeOutcome, summarize } from '../mutants/random/judge-random.js';
import { findMutations } from '../mutants/random/operators.js';
import { findRelatedTests } from '../mutants/random/related-tests.js';
import { ROOT, readSources } from '../workspace.js';

const mutate = (source: string): string[] =>
  findMutations('a.ts', source).map(
    ({ operator, start, end, text }) => `${operator}: ${source.slice(0, start)}${text}${source.slice(end)}`,
  );
const FILE = 'packages/x/src/a.ts';
const placesOf = (source: string) =>
  findMutations(FILE, source).map((mutation) => locate(FILE, source, mutation));

describe('random mutations', () => {
  it.each([
    ['const a = b < c;', ['comparison: const a = b <= c;']],
    ['const a = b >= c;', ['comparison: const a = b > c;']],
    ['const a = b === c && d;', ['comparison: const a = b !== c && d;', 'logic: const a = b === c || d;']],
    ['const a = 25;', ['off by one: const a = 26;']],
    ['const a = 0.5;', []],
    ['const a = true;', ['boolean: const a = false;']],
    ['for (;;) break;', ['jump: for (;;) continue;']],
    ['for (;;) { switch (a) { case b: break; } }', []],
    ['for (;;) { switch (a) { default: continue; } }', ['jump: for (;;) { switch (a) { default: break; } }']],
    ['save(a);', ['removal: ;']],
    ["throw new Error('a');", ['removal: ;']],
    ['if (a) b(c);', ['negation: if (!(a)) b(c);', 'removal: if (a) ;']],
    ['const a = b ? c : d;', ['negation: const a = !(b) ? c : d;']],
    ['while (a !== b) {}', ['comparison: while (a === b) {}']],
  ])('of %s', (source, mutated) => {
    expect(mutate(source)).toEqual(mutated);
  });

  it('leave types, imports and exports alone', () => {
    const source = [
      "import { a } from './a.js';",
      'export interface A { readonly ok: true; readonly n: 1 | 2; }',
      'export type B = A & { readonly ok: false };',
      'declare const c: Map<string, 3>;',
      "export { a } from './b.js';",
    ];
    expect(mutate(source.join('\n'))).toEqual([]);
  });

  it('can be planted: their text stands once, however often the line does', () => {
    const source = 'let a = 0;\nif (b) {\n  a = 1;\n}\nif (c) {\n  a = 1;\n}\n';
    const places = placesOf(source);
    expect(places.map(({ line, before, after }) => [line, before, after])).toContainEqual([
      6,
      'a = 1;',
      'a = 2;',
    ]);
    const planted = places.map((place) => plant({ name: '', breaks: '', killers: [], ...place }, source));
    expect(new Set(planted).size).toBe(places.length);
    expect(planted).toContain('let a = 0;\nif (b) {\n  a = 1;\n}\nif (c) {\n  a = 2;\n}\n');
  });

  it('are drawn by the seed, and a change of one file leaves the others', () => {
    const sources = readSources(ROOT).slice(0, 30);
    const name = ({ file, before, after }: { file: string; before: string; after: string }): string =>
      `${file} ${before} ${after}`;
    const names = (seed: string, from = sources): string[] => draw(from, 20, seed).places.map(name);
    expect(names('1')).toHaveLength(20);
    expect(names('1')).toEqual(names('1'));
    expect(names('1')).not.toEqual(names('2'));
    const [first = { path: '', text: '' }, ...rest] = sources;
    const changed = [{ path: first.path, text: `// Longer.\n${first.text}` }, ...rest];
    expect(names('1', changed)).toEqual(names('1'));
    expect(new Set(draw(sources, 1e6, '1').places.map(name)).size).toBeGreaterThan(500);
  });

  it('each equivalent is one of the mutations of its file, else it is stale', () => {
    for (const { file, before, after, reason } of EQUIVALENTS) {
      expect(existsSync(join(ROOT, file)), file).toBe(true);
      const source = readFileSync(join(ROOT, file), 'utf8');
      const places = findMutations(file, source).map((mutation) => locate(file, source, mutation));
      const found = places.filter(
        (place) => findEquivalent(place)?.before === before && place.after === after,
      );
      expect(found.length, `${file}: ${before}`).toBeGreaterThan(0);
      expect(reason).toMatch(/^[A-Z].*\.$/);
    }
  });
});

describe('tests related to a mutation', () => {
  it('are those that import its file: of its package first, plain before property, near before far', () => {
    const files = {
      'packages/a/src/index.ts': "export { f } from './f.js';",
      'packages/a/src/f.ts': "import './g.js';",
      'packages/a/src/g.ts': '',
      'packages/a/test/far.test.ts': "import '../src/index.js';",
      'packages/a/test/near.test.ts': "import '../src/g.js';",
      'packages/a/test/long.property.test.ts': "import '../src/g.js';",
      'packages/a/test/other.test.ts': "import 'vitest';",
      'packages/b/test/b.test.ts': "import '@x/a';",
    };
    const sources = Object.entries(files).map(([path, text]) => ({ path, text }));
    const graph = createGraph(sources, new Map([['@x/a', 'packages/a/src/index.ts']]));
    expect(findRelatedTests(graph, new Map(), 'packages/a/src/g.ts')).toEqual([
      'packages/a/test/near.test.ts',
      'packages/a/test/far.test.ts',
      'packages/a/test/long.property.test.ts',
      'packages/b/test/b.test.ts',
    ]);
  });
});

describe('the report of a draw', () => {
  const [place] = placesOf('const a = b < c;') as [ReturnType<typeof locate>];

  it('shows what stands there, and what survived instead', () => {
    expect(describeOutcome(place, { outcome: 'survived', tests: 3 })).toEqual([
      `SURVIVED   ${FILE}:1 comparison (3 test files)`,
      '  - const a = b < c;',
      '  + const a = b <= c;',
    ]);
    expect(describeOutcome(place, { outcome: 'test', by: '[AB1] a' })).toEqual([
      `test       ${FILE}:1 comparison: [AB1] a`,
    ]);
  });

  it('sums up', () => {
    const outcomes = [
      { outcome: 'test', by: '' },
      { outcome: 'compiler', by: '' },
      { outcome: 'hangs', by: '' },
      { outcome: 'survived', tests: 1 },
    ] as const;
    expect(summarize(outcomes)).toBe(
      '3 of 4 noticed (75.0 %): 1 by tests, 1 by the compiler, 1 hang; 1 survived, 0 unfinished',
    );
  });
});
