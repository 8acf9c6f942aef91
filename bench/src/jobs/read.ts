import { readFileSync } from 'node:fs';
import { parseLines } from '../chat/layouts.js';
import { cpuClock, wallClock } from '../measure/clock.js';
import { collectGarbage } from '../measure/pair.js';
import { chatdocPeer } from '../peers/chatdoc.js';
import { readAll } from '../peers/peer.js';
import { answer } from './job.js';

const READS = 10;

interface Input {
  readonly kind: 'chatdoc' | 'lines';
  readonly file: string;
  readonly isCpu: boolean;
}

/** Milliseconds of ten reads of everything, each from the bytes. The first is what a user meets. */
await answer(({ kind, file, isCpu }: Input) => {
  const clock = isCpu ? cpuClock : wallClock;
  const read = kind === 'chatdoc' ? readerOfChat(file) : readerOfLines(file);
  return Array.from({ length: READS }, () => {
    collectGarbage();
    const start = clock();
    const result = read();
    const time = clock() - start;
    if (result === undefined) throw new Error('nothing was read');
    return time;
  });
});

function readerOfChat(file: string): () => unknown {
  const bytes = readFileSync(file);
  return () => readAll(chatdocPeer, bytes);
}

/** Split and decoded beforehand: the floor is the parsing. */
function readerOfLines(file: string): () => unknown {
  const lines = readFileSync(file, 'utf8').split('\n');
  return () => parseLines(lines);
}
