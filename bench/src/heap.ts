import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Fixtures } from './fixtures.js';
import { progress } from './progress.js';
import { type Figure, figure } from './report.js';

const CHILD = fileURLToPath(new URL('./heap-child.ts', import.meta.url));

/** What an opened document holds after garbage collection, each in a process of its own. */
export function benchHeap(fixtures: Fixtures, size: number, judged: boolean): readonly Figure[] {
  progress(`heap: four processes at ${size} messages`);
  const folder = mkdtempSync(join(tmpdir(), 'chatdoc-bench-'));
  const shown = fixtures.threadIds(size, 'many')[0] ?? '';
  const measure = (kind: string, content: Uint8Array | string): number => {
    const file = join(folder, kind);
    writeFileSync(file, content);
    const output = execFileSync(process.execPath, [...process.execArgv, CHILD, kind, file, shown]);
    return (JSON.parse(output.toString()) as { bytes: number }).bytes;
  };
  try {
    const array = measure('array', fixtures.array(size));
    const chatdoc = measure('chatdoc', fixtures.chat(size, 'many'));
    const nested = measure('nested', fixtures.nested(size));
    const lines = measure('lines', fixtures.lines(size).join('\n'));
    return [
      figure('heap after open / raw Y.Array document', size, chatdoc / array, 'x', judged ? 1.5 : undefined),
      figure('heap after open / nested Y.Maps', size, chatdoc / nested, 'x'),
      figure('heap after open / parsed JSONL', size, chatdoc / lines, 'x'),
      figure('heap after open', size, chatdoc / 1e6, 'MB'),
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
