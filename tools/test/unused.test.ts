import { describe, expect, it } from 'vitest';
import { readReport } from '../unused.js';

describe('unused names', () => {
  it('are read from a report of knip, of every kind', () => {
    const issues = [
      {
        file: 'packages/chat-sync/src/frame.ts',
        exports: [{ name: 'MAX_PAYLOAD', line: 29 }],
        types: [],
        files: [],
      },
      { file: 'examples/demo/package.json', dependencies: [{ name: '@chatdoc/schema', line: 16 }] },
      { file: 'tools/old.ts', files: [{ name: 'tools/old.ts' }] },
    ];
    expect(readReport(JSON.stringify({ issues }))).toEqual([
      {
        group: 'chat-sync',
        key: 'exports MAX_PAYLOAD',
        text: 'packages/chat-sync/src/frame.ts:29 MAX_PAYLOAD: unused (exports)',
      },
      {
        group: 'examples',
        key: 'dependencies schema',
        text: 'examples/demo/package.json:16 @chatdoc/schema: unused (dependencies)',
      },
      { group: 'tools', key: 'files old.ts', text: 'tools/old.ts:1 tools/old.ts: unused (files)' },
    ]);
  });

  it('of a report without issues are none', () => {
    expect(readReport('{"issues":[]}')).toEqual([]);
  });
});
