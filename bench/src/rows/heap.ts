import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { HeapKind } from '../jobs/heap.js';
import { mustRunFresh, scratchFolder } from '../measure/fresh.js';
import { progress } from '../measure/progress.js';
import type { Plan } from '../plan.js';
import { type Figure, figure, judge, type Measured } from '../report/figure.js';

/** What an opened document holds after garbage collection, each in a process of its own. */
export async function benchHeap(plan: Plan): Promise<Measured> {
  const figures: Figure[] = [];
  for (const size of plan.sizes) figures.push(...(await benchSize(plan, size)));
  return { figures };
}

async function benchSize({ fixtures }: Plan, size: number): Promise<readonly Figure[]> {
  progress(`heap: four processes at ${size} messages`);
  const threadId = fixtures.threadIds(size, 'many')[0] ?? '';
  const measure = (kind: HeapKind, content: Uint8Array | string): Promise<number> => {
    const file = join(scratchFolder(), `heap.${kind}`);
    writeFileSync(file, content);
    return mustRunFresh<number>('heap', { kind, file, threadId });
  };
  const array = await measure('array', fixtures.array(size));
  const chatdoc = await measure('chatdoc', fixtures.chat(size, 'many'));
  const nested = await measure('nested', fixtures.nested(size));
  const lines = await measure('lines', fixtures.lines(size).join('\n'));
  const work = 'heap after open';
  return [
    judge('heap', size, chatdoc / array),
    figure(`${work} / nested Y.Maps`, size, chatdoc / nested, 'x'),
    figure(`${work} / parsed JSONL`, size, chatdoc / lines, 'x'),
    figure(work, size, chatdoc / 1e6, 'MB'),
  ];
}
