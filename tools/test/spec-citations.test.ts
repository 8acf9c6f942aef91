import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { checkPackage, findRules, findTitles, main } from '../spec-citations.js';

// Put together here, so that this file holds no test names but its own.
const IT = 'it';
const test = (name: string): string => `${IT}('${name}', () => {});\n`;
const check = (spec: string, ...tests: string[]): readonly string[] =>
  checkPackage({
    name: 'p',
    spec: { path: 'p/SPEC.md', text: spec },
    tests: tests.map((text, i) => ({ path: `p/test/${i}.test.ts`, text })),
    helpers: [{ path: 'p/test/table.ts', text: `export const TABLE = ['AB1', 'AB12'];` }],
  }).problems;

describe('spec citations', () => {
  it('finds rules at the start of a line only', () => {
    const spec =
      '# Spec\n- [AB1] One.\n- [AB12] ✗ Two, see [CD3].\ntext - [EF4]\n  - [GH5] nested\n- [abc] no\n';
    expect(findRules(spec)).toEqual([
      { id: 'AB1', line: 2 },
      { id: 'AB12', line: 3 },
    ]);
  });

  it('finds the names of tests and groups, in any quotes, with each, over lines', () => {
    const code = [
      `${IT}('[AB1] plain', () => {`,
      `${IT}.only("it's [AB2]", f)`,
      `test(\`[AB3] \${name} \\\` more\`, f)`,
      `${IT}.each([['(', 1], [f(2), 2]])('[AB4] %s', f)`,
      `describe(`,
      `  '[AB5] group',`,
      `split('no test'); submit('nor this'); a.test('nor that'); ${IT}(name, f)`,
      `// ${IT}('in a comment')`,
      `/* ${IT}('in another') */ const url = 'http://x';`,
    ].join('\n');
    expect(findTitles(code)).toEqual([
      { kind: 'test', line: 1, text: '[AB1] plain' },
      { kind: 'test', line: 2, text: "it's [AB2]" },
      { kind: 'test', line: 3, text: `[AB3] \${name} \\\` more` },
      { kind: 'test', line: 4, text: '[AB4] %s' },
      { kind: 'describe', line: 5, text: '[AB5] group' },
    ]);
  });

  it('accepts a package in which rules and tests cite each other', () => {
    const spec = '- [AB1] One.\n- [AB2] Two.\n- [AB3] Three.\n';
    expect(
      check(spec, test('[AB1] one'), `describe('[AB3] group', () => {})\n${test('[AB2] [AB1] two')}`),
    ).toEqual([]);
  });

  it('reports a rule without a test in its own package', () => {
    expect(check('- [AB1] One.\n\n- [AB2] Two.\n', test('[AB1] one'))).toEqual([
      'p/SPEC.md:3 [AB2] has no test in p',
    ]);
  });

  it('reports a test that cites no existing rule, or none at all', () => {
    expect(check('- [AB1] One.\n', `${test('[AB1] one')}${test('[AB9] nine')}${test('no rule')}`)).toEqual([
      'p/test/0.test.ts:2 cites [AB9], which p/SPEC.md does not have',
      'p/test/0.test.ts:3 cites no rule: no rule',
    ]);
  });

  it('takes a name with a placeholder for the rules of the tables beside the tests', () => {
    const dynamic = `${IT}(\`[\${rule}] finds it\`, () => {});`;
    expect(check('- [AB1] One.\n- [AB2] Two.\n', dynamic)).toEqual(['p/SPEC.md:2 [AB2] has no test in p']);
  });

  it('reports a number that is used twice', () => {
    expect(check('- [AB1] One.\n- [AB1] Again.\n', test('[AB1] one'))).toEqual([
      'p/SPEC.md:2 [AB1] is used twice, first in line 1',
    ]);
  });

  it('leaves a package without a spec alone', () => {
    const tests = [{ path: 't', text: test('free') }];
    expect(checkPackage({ name: 'p', spec: undefined, tests, helpers: [] }).problems).toEqual([]);
  });

  describe('over a workspace', () => {
    const roots: string[] = [];
    afterEach(() => {
      for (const root of roots.splice(0)) rmSync(root, { recursive: true });
    });

    const run = (files: Readonly<Record<string, string>>): { code: number; out: string[]; err: string[] } => {
      const root = mkdtempSync(join(tmpdir(), 'spec-citations-'));
      roots.push(root);
      for (const [path, text] of Object.entries(files)) {
        mkdirSync(dirname(join(root, path)), { recursive: true });
        writeFileSync(join(root, path), text);
      }
      const [out, err]: [string[], string[]] = [[], []];
      const code = main(
        root,
        (line) => out.push(line),
        (line) => err.push(line),
      );
      return { code, out, err };
    };

    it('exits 0 with one line where all is well, tests in folders included', () => {
      const files = {
        'packages/a/SPEC.md': '- [AB1] One.\n',
        'packages/a/test/deep/x.test.ts': test('[AB1] one'),
        'packages/a/test/helper.ts': test('no test file'),
        'packages/b/test/y.test.ts': test('no spec here'),
      };
      expect(run(files)).toEqual({
        code: 0,
        out: ['spec citations: 1 rules in 1 specs, 1 tests, 0 problems'],
        err: [],
      });
    });

    it('exits 1 with a line for each problem; tests of another package do not count', () => {
      const files = {
        'packages/a/SPEC.md': '- [AB1] One.\n',
        'packages/b/SPEC.md': '- [CD1] One.\n',
        'packages/b/test/y.test.ts': test('[AB1] one') + test('[CD1] one'),
      };
      const { code, out, err } = run(files);
      expect(code).toBe(1);
      expect(err).toEqual([
        'packages/a/SPEC.md:1 [AB1] has no test in a',
        'packages/b/test/y.test.ts:1 cites [AB1], which packages/b/SPEC.md does not have',
      ]);
      expect(out).toEqual(['spec citations: 2 rules in 2 specs, 2 tests, 2 problems']);
    });
  });
});
