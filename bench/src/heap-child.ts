import { readFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { openChat } from '@chatdoc/schema';
import { loadDoc, NestedIndex, parseLines } from './layouts.js';
import { collectGarbage } from './measure.js';

/** Started by heap.ts: opens one document in a process of its own and prints what it holds, in bytes. */
const [kind = '', file = '', threadId = ''] = process.argv.slice(2);

const open: Readonly<Record<string, () => unknown>> = {
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

const run = open[kind];
if (run === undefined) throw new Error(`no such kind: ${kind}`);
// Once in vain: code, feedback and caches are not the document's.
run();
const before = await held();
const kept = run();
const after = await held();
process.stdout.write(JSON.stringify({ bytes: after - before, kept: kept !== undefined }));
