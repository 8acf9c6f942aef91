import { gzipSync } from 'node:zlib';
import type { Fixtures } from './fixtures.js';
import { countStructs, loadDoc } from './layouts.js';
import { progress } from './progress.js';
import { type Figure, figure } from './report.js';

/** Bytes at rest, against the JSONL of the final state. Exact. */
export function benchSize(fixtures: Fixtures, size: number): readonly Figure[] {
  progress(`size: gzip at ${size} messages`);
  const jsonl = Buffer.from(`${fixtures.lines(size).join('\n')}\n`);
  const chat = fixtures.chat(size, 'many');
  const nested = fixtures.nested(size);
  const doc = loadDoc(chat);
  const gzip = (bytes: Uint8Array): number => gzipSync(bytes).length;
  const packed = gzip(jsonl);
  return [
    figure('document bytes / JSONL', size, chat.length / jsonl.length, 'x', 1.2),
    figure('gzip of the document / gzip of the JSONL', size, gzip(chat) / packed, 'x', 1.12),
    figure('nested Y.Maps: bytes / JSONL', size, nested.length / jsonl.length, 'x'),
    figure('nested Y.Maps: gzip / gzip of the JSONL', size, gzip(nested) / packed, 'x'),
    figure('JSONL of the final state', size, jsonl.length / 1e6, 'MB'),
    figure('structs a message', size, countStructs(doc) / size, ''),
    figure('lane texts', size, doc.getMap('chat').size, ''),
    figure('clientIDs', size, doc.store.clients.size, ''),
  ];
}
