import { gzipSync } from 'node:zlib';
import type { Fixtures } from '../chat/fixtures.js';
import { countStructs, loadDoc } from '../chat/layouts.js';
import { progress } from '../measure/progress.js';
import type { Plan } from '../plan.js';
import { type Figure, figure, judge, type Measured } from '../report/figure.js';

/** Bytes at rest, against the JSONL of the final state. Exact. */
export function benchSize({ fixtures, sizes }: Plan): Measured {
  return { figures: sizes.flatMap((size) => measureSize(fixtures, size)) };
}

function measureSize(fixtures: Fixtures, size: number): readonly Figure[] {
  progress(`size: gzip at ${size} messages`);
  const jsonl = Buffer.from(`${fixtures.lines(size).join('\n')}\n`);
  const chat = fixtures.chat(size, 'many');
  const nested = fixtures.nested(size);
  const doc = loadDoc(chat);
  const gzip = (bytes: Uint8Array): number => gzipSync(bytes).length;
  const packed = gzip(jsonl);
  return [
    judge('bytes', size, chat.length / jsonl.length),
    judge('gzip', size, gzip(chat) / packed),
    figure('nested Y.Maps: bytes / JSONL', size, nested.length / jsonl.length, 'x'),
    figure('nested Y.Maps: gzip / gzip of the JSONL', size, gzip(nested) / packed, 'x'),
    figure('JSONL of the final state', size, jsonl.length / 1e6, 'MB'),
    figure('structs a message', size, countStructs(doc) / size, ''),
    figure('lane texts', size, doc.getMap('chat').size, ''),
    figure('clientIDs', size, doc.store.clients.size, ''),
  ];
}
