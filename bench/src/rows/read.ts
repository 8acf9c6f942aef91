import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseLines } from '../chat/layouts.js';
import { cpuClock, usualClock } from '../measure/clock.js';
import { mustRunFresh, scratchFolder } from '../measure/fresh.js';
import { medianOf, pair, ratioOf, timed } from '../measure/pair.js';
import { formatCount, progress } from '../measure/progress.js';
import { peerSubjects } from '../peers/all.js';
import { chatdocPeer } from '../peers/chatdoc.js';
import { type PeerChat, readAll } from '../peers/peer.js';
import type { Plan } from '../plan.js';
import { type Figure, figure, judge, type Measured, ratio } from '../report/figure.js';

const SIZE = 10_000;

/** From bytes to every message, for every peer; and against JSON.parse, by how warm the process is. */
export async function benchRead(plan: Plan): Promise<Measured> {
  return {
    figures: [
      ...benchPeers(plan),
      ...(await benchFresh(plan)),
      ...plan.sizes.flatMap((size) => benchPaired(plan, size)),
    ],
  };
}

function benchPeers(plan: Plan): readonly Figure[] {
  const size = plan.amount(SIZE);
  const subjects = peerSubjects(plan.fixtures, size, readAll);
  const samples = pair(`read all of ${size} messages`, plan.reps(7), subjects);
  const { chatdoc } = samples;
  const work = 'read every message';
  return [
    judge('read_loro', size, ratioOf(chatdoc, samples['loro'])),
    judge('read_nested', size, ratioOf(chatdoc, samples['nested'])),
    ratio(`${work} / Loro, a list a thread`, size, ratioOf(chatdoc, samples['loroLists'])),
    ratio(`${work} / TinyBase`, size, ratioOf(chatdoc, samples['tinybase'])),
    ratio(`${work} / JSON Lines`, size, ratioOf(chatdoc, samples['jsonLines'])),
  ];
}

/** Milliseconds of ten reads one after the other, in a process of their own. */
type Reads = readonly number[];

async function benchFresh(plan: Plan): Promise<readonly Figure[]> {
  const size = plan.amount(SIZE);
  const reps = plan.reps(5);
  const isCpu = usualClock() === cpuClock;
  const [chat, lines] = ['read.chat', 'read.jsonl'].map((name) => join(scratchFolder(), name));
  if (chat === undefined || lines === undefined) throw new Error('two files are needed');
  writeFileSync(chat, plan.fixtures.chat(size, 'many'));
  writeFileSync(lines, plan.fixtures.lines(size).join('\n'));
  const reads: Record<'chatdoc' | 'lines', Reads[]> = { chatdoc: [], lines: [] };
  for (let rep = 0; rep < reps; rep += 1) {
    progress(`read all of ${formatCount(size)} in fresh processes, ${rep + 1} of ${reps}`);
    for (const kind of rep % 2 === 0 ? (['chatdoc', 'lines'] as const) : (['lines', 'chatdoc'] as const)) {
      const file = kind === 'chatdoc' ? chat : lines;
      reads[kind].push(await mustRunFresh<Reads>('read', { kind, file, isCpu }));
    }
  }
  const first = (times: Reads): number => times[0] ?? Number.NaN;
  const tenth = (times: Reads): number => medianOf(times.slice(-3));
  return [
    judge('read_cold', size, ratioOf(reads.chatdoc.map(first), reads.lines.map(first))),
    judge('read_warm', size, ratioOf(reads.chatdoc.map(tenth), reads.lines.map(tenth))),
    figure('read every message, first read', size, medianOf(reads.chatdoc.map(first)), 'ms'),
    figure('read every message, tenth read', size, medianOf(reads.chatdoc.map(tenth)), 'ms'),
  ];
}

function benchPaired(plan: Plan, size: number): readonly Figure[] {
  const bytes = plan.fixtures.chat(size, 'many');
  const lines = plan.fixtures.lines(size);
  const samples = pair(`read all of ${size} beside JSON.parse`, plan.reps(size >= 100_000 ? 3 : 5), [
    {
      name: 'chatdoc',
      prepare: () => () => readAll(chatdocPeer, bytes),
      free: (chat) => (chat as PeerChat<unknown>).close?.(),
    },
    timed('lines', () => parseLines(lines)),
  ]);
  return [
    ratio('read every message / JSON.parse, paired', size, ratioOf(samples['chatdoc'], samples['lines'])),
    figure('read every message', size, medianOf(samples['chatdoc'] ?? []), 'ms'),
  ];
}
