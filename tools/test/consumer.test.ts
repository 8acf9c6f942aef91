import { describe, expect, it } from 'vitest';
import {
  findOpen,
  findOurs,
  readDiagnostics,
  readPublished,
  writeIntruder,
  writeUser,
} from '../consumer/programs.js';

const OUTPUT = [
  "closed/Chat.ts(3,21): error TS2673: Constructor of class 'Chat' is private.",
  'closed/PartWriter.ts(3,21): error TS2554: Expected 3 arguments, but got 0.',
  "closed/Inspector.ts(3,25): error TS1361: 'Inspector' cannot be used as a value.",
  "node_modules/@chatdoc/schema/dist/a.d.ts(1,2): error TS2420: Class 'A' incorrectly implements interface 'B'.",
  "  Type 'A' is missing the following properties from type 'B': c",
  'node_modules/ai/dist/index.d.ts(1,2): error TS2344: No.',
  'error TS5109: Option is wrong.',
  'Found 6 errors.',
].join('\n');

describe('a consumer of the packed packages', () => {
  it('installs what is published with its peers, in the versions that the workspace tests', () => {
    const manifest = {
      name: '@chatdoc/x',
      exports: { '.': {}, './file': {}, './package.json': './package.json' },
      peerDependencies: { '@chatdoc/schema': '^1.0.0', yjs: '^13.6.0', ws: '^8.0.0' },
      devDependencies: { yjs: '13.6.33' },
    };
    expect(readPublished('/x', manifest)).toEqual({
      name: '@chatdoc/x',
      folder: '/x',
      entries: ['@chatdoc/x', '@chatdoc/x/file'],
      peers: { yjs: '13.6.33', ws: '^8.0.0' },
    });
    expect(readPublished('/x', { ...manifest, private: true })).toBeUndefined();
  });

  it('imports every entry, and makes what only the library makes', () => {
    expect(writeUser(['@chatdoc/x', '@chatdoc/x/file'])).toContain(
      "import * as entry1 from '@chatdoc/x/file';\n",
    );
    expect(writeIntruder('Chat')).toContain('new Chat()');
  });

  it('hears of errors in our packages, its own programs and its settings, not of those of others', () => {
    const ours = findOurs(readDiagnostics(OUTPUT));
    expect(ours.map(({ file, code }) => `${file} ${code}`)).toEqual([
      'closed/Chat.ts TS2673',
      'closed/PartWriter.ts TS2554',
      'closed/Inspector.ts TS1361',
      'node_modules/@chatdoc/schema/dist/a.d.ts TS2420',
      ' TS5109',
    ]);
  });

  it('takes a class for open unless its constructor is out of reach: arguments that lack are no lock', () => {
    expect(findOpen(readDiagnostics(OUTPUT))).toEqual(['PartWriter', 'AttemptWriter']);
    expect(findOpen([])).toHaveLength(4);
  });
});
