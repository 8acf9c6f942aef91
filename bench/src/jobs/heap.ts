import { readFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { openChat } from '@chatdoc/schema';
import { loadDoc, parseLines } from '../chat/layouts.js';
import { collectGarbage } from '../measure/pair.js';
import { NestedIndex } from '../peers/nested.js';
import { answer } from './job.js';

export type HeapKind = 'array' | 'chatdoc' | 'nested' | 'lines';

interface Input {
  readonly kind: HeapKind;
  readonly file: string;
  /** A thread whose ids are asked for. */
  readonly threadId: string;
}

/** Bytes that one opened document holds. */
await answer(async ({ kind, file, threadId }: Input) => {
  const open: Readonly<Record<HeapKind, () => unknown>> = {
    array: () => loadDoc(readFileSync(file)),
    chatdoc: () => {
      const doc = loadDoc(readFileSync(file));
      const chat = openChat(doc);
      chat.messageIds(threadId);
      return [doc, chat];
    },
    nested: () => {
      const doc = loadDoc(readFileSync(file));
      return [doc, new NestedIndex(doc)];
    },
    lines: () => parseLines(readFileSync(file, 'utf8').split('\n')),
  };
  // Once in vain: code, feedback and caches are not the document's.
  open[kind]();
  const before = await held();
  const kept = open[kind]();
  const after = await held();
  if (kept === undefined) throw new Error('nothing was kept');
  return after - before;
});

async function held(): Promise<number> {
  // Buffers are freed in the background.
  for (let i = 0; i < 4; i += 1) {
    collectGarbage();
    await setTimeout(50);
  }
  // `external` includes array buffers.
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
