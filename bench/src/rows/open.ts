import { openChat } from '@chatdoc/schema';
import { loadDoc, parseLines } from '../chat/layouts.js';
import { medianOf, pair, ratioOf, spreadOf, timed, timedOn } from '../measure/pair.js';
import { NestedIndex } from '../peers/nested.js';
import type { Plan } from '../plan.js';
import { type Figure, figure, judge, type Measured, ratio } from '../report/figure.js';
import { scanIds } from './scan.js';

/** From bytes to the first answer about a thread; and the index alone, beside the least that one can be. */
export function benchOpen(plan: Plan): Measured {
  return { figures: plan.sizes.flatMap((size) => [...benchWhole(plan, size), ...benchIndex(plan, size)]) };
}

function benchWhole(plan: Plan, size: number): readonly Figure[] {
  const { fixtures } = plan;
  const [array, nested, chat] = [fixtures.array(size), fixtures.nested(size), fixtures.chat(size, 'many')];
  const lines = fixtures.lines(size);
  const threadIds = fixtures.threadIds(size, 'many');
  const shown = threadIds[threadIds.length >> 1] ?? '';
  const reps = plan.reps(size >= 100_000 ? 5 : 9);
  const opened = pair(`open at ${size} messages`, reps, [
    timed('array', () => loadDoc(array)),
    timed('chatdoc', () => openAndAnswer(chat, shown)),
    timed('lines', () => parseLines(lines)),
    timed('apply', () => loadDoc(chat)),
  ]);
  const slow = pair(`open nested Y.Maps at ${size} messages`, Math.min(reps, 3), [
    timed('chatdoc', () => openAndAnswer(chat, shown)),
    timed('nested', () => openNested(nested)),
  ]);
  return [
    judge('open_raw', size, ratioOf(opened['chatdoc'], opened['array'])),
    ratio('open / JSON.parse of the JSONL', size, ratioOf(opened['chatdoc'], opened['lines'])),
    ratio('open / open of nested Y.Maps', size, ratioOf(slow['chatdoc'], slow['nested'])),
    ratio('`applyUpdate` alone / raw Y.Array', size, ratioOf(opened['apply'], opened['array'])),
    figure('open', size, medianOf(opened['chatdoc'] ?? []), 'ms'),
    figure('raw `applyUpdate` of a Y.Array', size, medianOf(opened['array'] ?? []), 'ms'),
    figure('JSON.parse of the JSONL', size, medianOf(opened['lines'] ?? []), 'ms'),
    figure('open of nested Y.Maps', size, spreadOf(slow['nested']), 'ms'),
  ];
}

/** `openChat` on a loaded document, beside a scan of the same lines. */
function benchIndex(plan: Plan, size: number): readonly Figure[] {
  const chat = plan.fixtures.chat(size, 'many');
  // Through bytes, so that it is one flat string.
  const text = Buffer.from(openChat(loadDoc(chat)).toJSONL()).toString();
  const samples = pair(`index at ${size} messages`, plan.reps(size >= 100_000 ? 5 : 9), [
    timed('scan', () => scanIds(text)),
    timedOn(
      'chatdoc',
      () => loadDoc(chat),
      (doc) => openChat(doc),
    ),
  ]);
  return [
    judge('open_scan', size, ratioOf(samples['chatdoc'], samples['scan'])),
    figure('a scan with its own ids in a map', size, medianOf(samples['scan'] ?? []), 'ms'),
    figure('a scan: ids a line', size, scanIds(text).found / text.split('\n').length, ''),
  ];
}

function openAndAnswer(update: Uint8Array, threadId: string): unknown {
  const doc = loadDoc(update);
  const chat = openChat(doc);
  if (chat.messageIds(threadId).length === 0) throw new Error('an empty thread');
  return [doc, chat];
}

function openNested(update: Uint8Array): unknown {
  const doc = loadDoc(update);
  return [doc, new NestedIndex(doc)];
}
