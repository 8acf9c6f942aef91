import { describe, expect, it } from 'vitest';
import { createGraph, findCircles, type ImportGraph } from '../imports.js';
import { drawStructure, renderPage } from '../structure.js';

const graphOf = (files: Readonly<Record<string, string>>): ImportGraph =>
  createGraph(
    Object.entries(files).map(([path, text]) => ({ path: `packages/${path}`, text })),
    new Map([
      ['@x/a', 'packages/a/src/index.ts'],
      ['@x/a/deep', 'packages/a/src/deep/index.ts'],
    ]),
  );

const importOf = (path: string): string => `import { f } from '${path}';\n`;

describe('the graph of imports', () => {
  it('has static and dynamic imports, re-exports, types, and entries of other packages', () => {
    const graph = graphOf({
      'a/src/index.ts': `export { f } from './f.js';\nexport type { T } from './deep/index.js';`,
      'a/src/f.ts': `import './side.js';\nexport const f = () => import('./deep/index.js');`,
      'a/src/side.ts': `// ${importOf('./f.js')}/* ${importOf('./f.js')} */\nimport 'yjs';`,
      'a/src/deep/index.ts': `export type T = import('../side.js').S;\nimport {\n  g,\n} from '../gone.js';`,
      'b/src/index.ts': importOf('@x/a') + importOf('@x/a/deep') + importOf('@x/a/other'),
    });
    const plain = Object.fromEntries([...graph].map(([path, targets]) => [path, [...targets]]));
    expect(plain).toEqual({
      'packages/a/src/index.ts': ['packages/a/src/f.ts', 'packages/a/src/deep/index.ts'],
      'packages/a/src/f.ts': ['packages/a/src/side.ts', 'packages/a/src/deep/index.ts'],
      'packages/a/src/side.ts': [],
      'packages/a/src/deep/index.ts': ['packages/a/src/side.ts'],
      'packages/b/src/index.ts': ['packages/a/src/index.ts', 'packages/a/src/deep/index.ts'],
    });
  });

  it('has circles, each named once, the shortest first', () => {
    const graph = graphOf({
      'a/src/one.ts': importOf('./two.js'),
      'a/src/two.ts': importOf('./three.js') + importOf('./one.js'),
      'a/src/three.ts': importOf('./one.js'),
      'a/src/leads-there.ts': importOf('./one.js'),
      'a/src/self.ts': importOf('./self.js'),
    });
    expect(
      findCircles(graph).map((circle) => circle.map((path) => path.slice('packages/a/src/'.length))),
    ).toEqual([['one.ts', 'two.ts'], ['self.ts'], ['three.ts', 'one.ts', 'two.ts']]);
  });
});

describe('the picture of the structure', () => {
  it('shows folders after what they import, both ways marked, packages below each other', () => {
    const graph = graphOf({
      'b/src/index.ts': importOf('./top/a.js'),
      'b/src/top/a.ts': importOf('../mid/a.js') + importOf('../mid/b.js') + importOf('./b.js'),
      'b/src/top/b.ts': importOf('../low/deeper/a.js'),
      'b/src/mid/a.ts': importOf('../low/deeper/a.js'),
      'b/src/mid/b.ts': importOf('../top/b.js') + importOf('@x/a'),
      'b/src/low/deeper/a.ts': '',
      'a/src/index.ts': importOf('./only.js'),
      'a/src/only.ts': '',
    });
    expect(drawStructure(graph).split('\n')).toEqual([
      '```',
      'a',
      '  .',
      'b                   → a',
      '  low',
      '  top               → low  ⇄ mid',
      '  mid               → low  ⇄ top',
      '```',
      '',
    ]);
  });

  it('replaces what is between the marks of the page', () => {
    const page = (between: string): string =>
      `# A\n\n<!-- structure: written by \`pnpm structure\` -->\n${between}<!-- /structure -->\n\n## B\n`;
    const once = renderPage(page(''), '```\na\n```\n');
    expect(once).toBe(page('\n```\na\n```\n\n'));
    expect(renderPage(once, '```\na\n```\n')).toBe(once);
    expect(() => renderPage('# A\n', '')).toThrow('docs/architecture.md has no place for the structure');
  });
});
