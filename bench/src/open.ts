import { openChat } from '@chatdoc/schema';
import type { Fixtures } from './fixtures.js';
import { loadDoc, NestedIndex, parseLines } from './layouts.js';
import { medianOf, pair, ratioOf, type Subject, spreadOf, timed } from './measure.js';
import { progress } from './progress.js';
import { type Figure, figure, ratio } from './report.js';

/** From bytes to the first answer about a thread, and to every message read. */
export function benchOpen(
  fixtures: Fixtures,
  size: number,
  reps: number,
  judged: boolean,
): readonly Figure[] {
  const array = fixtures.array(size);
  const nested = fixtures.nested(size);
  const chat = fixtures.chat(size, 'many');
  const lines = fixtures.lines(size);
  const threadIds = fixtures.threadIds(size, 'many');
  const shown = threadIds[threadIds.length >> 1] ?? '';

  progress(`open: ${reps} paired repetitions at ${size} messages`);
  const subjects: readonly Subject[] = [
    timed('array', () => loadDoc(array)),
    timed('chatdoc', () => openAndAnswer(chat, shown)),
    timed('lines', () => parseLines(lines)),
    timed('apply', () => loadDoc(chat)),
  ];
  const opened = pair(reps, subjects);
  const slow = pair(Math.min(reps, 3), [
    timed('array', () => loadDoc(array)),
    timed('chatdoc', () => openAndAnswer(chat, shown)),
    timed('chatdoc, all', () => openAndReadAll(chat, threadIds)),
    timed('nested', () => openNested(nested)),
  ]);
  const limit = (value: number): number | undefined => (judged ? value : undefined);
  return [
    ratio(
      'open / raw `applyUpdate` of a Y.Array',
      size,
      ratioOf(opened['chatdoc'], opened['array']),
      limit(0.8),
    ),
    ratio('open / JSON.parse of the JSONL', size, ratioOf(opened['chatdoc'], opened['lines']), limit(1.1)),
    ratio('open / open of nested Y.Maps', size, ratioOf(slow['chatdoc'], slow['nested']), limit(0.12)),
    ratio('`applyUpdate` alone / raw Y.Array', size, ratioOf(opened['apply'], opened['array'])),
    ratio('open and read every message / raw Y.Array', size, ratioOf(slow['chatdoc, all'], slow['array'])),
    figure('open', size, medianOf(opened['chatdoc'] ?? []), 'ms'),
    figure('raw `applyUpdate` of a Y.Array', size, medianOf(opened['array'] ?? []), 'ms'),
    figure('JSON.parse of the JSONL', size, medianOf(opened['lines'] ?? []), 'ms'),
    figure('open of nested Y.Maps', size, spreadOf(slow['nested']), 'ms'),
    figure('open and read every message', size, spreadOf(slow['chatdoc, all']), 'ms'),
  ];
}

function openAndAnswer(update: Uint8Array, threadId: string): unknown {
  const doc = loadDoc(update);
  const chat = openChat(doc);
  if (chat.messageIds(threadId).length === 0) throw new Error('an empty thread');
  return [doc, chat];
}

function openAndReadAll(update: Uint8Array, threadIds: readonly string[]): unknown {
  const doc = loadDoc(update);
  const chat = openChat(doc);
  return [doc, chat, threadIds.map((id) => chat.messages(id))];
}

function openNested(update: Uint8Array): unknown {
  const doc = loadDoc(update);
  return [doc, new NestedIndex(doc)];
}
