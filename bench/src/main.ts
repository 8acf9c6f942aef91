import { writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { openChat } from '@chatdoc/schema';
import { benchAppend } from './append.js';
import { benchFiles } from './files.js';
import { Fixtures } from './fixtures.js';
import { benchHeap } from './heap.js';
import { benchIntegrity } from './integrity.js';
import { loadDoc, NestedIndex } from './layouts.js';
import { benchMerge } from './merge.js';
import { benchMigrate } from './migrate.js';
import { benchOpen } from './open.js';
import { elapsedSeconds, progress } from './progress.js';
import { type Figure, isMissed, renderMarkdown, renderOthers, renderTargets } from './report.js';
import { benchSize } from './size.js';
import { benchStream } from './stream.js';
import { benchTurns } from './turns.js';
import { benchWhole } from './whole.js';

const SECTIONS = [
  'open',
  'heap',
  'size',
  'append',
  'stream',
  'merge',
  'migrate',
  'files',
  'integrity',
  'integrity',
  'whole',
  'turns',
] as const;
const SIZES = [1_000, 10_000, 100_000];
const QUICK = [1_000, 10_000];
/** The size that the targets of design section 9 speak of. */
const JUDGED = 100_000;

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string' },
    sizes: { type: 'string' },
    reps: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) {
  console.log(`pnpm bench [--quick] [--only ${SECTIONS.join(',')}] [--sizes 1000,10000] [--reps 5]`);
} else {
  await main();
}

async function main(): Promise<void> {
  const sections = values.only?.split(',') ?? [...SECTIONS];
  for (const name of sections) {
    if (!SECTIONS.some((each) => each === name))
      throw new Error(`--only: expected ${SECTIONS.join(', ')}, got ${name}`);
  }
  const sizes =
    values.sizes?.split(',').map((each) => parseCount('--sizes', each)) ?? (values.quick ? QUICK : SIZES);
  const reps = values.reps === undefined ? undefined : parseCount('--reps', values.reps);
  const started = new Date();
  const where = `${machine()} · load ${loadavg()[0]?.toFixed(1)} at the start`;
  const figures = await measure(new Fixtures(sizes), sections, sizes, reps);

  console.log(`\n${renderTargets(figures)}\n\n${renderOthers(figures)}\n`);
  const run = {
    date: started.toISOString().slice(0, 10),
    machine: where,
    seconds: elapsedSeconds(),
    figures,
  };
  const complete = sections.length === SECTIONS.length && SIZES.every((size) => sizes.includes(size));
  if (complete) {
    writeFileSync(fileURLToPath(new URL('../RESULTS.md', import.meta.url)), renderMarkdown(run));
    progress('wrote bench/RESULTS.md');
  } else {
    progress('a partial run: bench/RESULTS.md is left as it was');
  }
  const missed = figures.filter(isMissed);
  progress(
    `${figures.filter((each) => each.limit !== undefined).length - missed.length} targets met, ${missed.length} missed`,
  );
}

async function measure(
  fixtures: Fixtures,
  sections: readonly string[],
  sizes: readonly number[],
  reps: number | undefined,
): Promise<readonly Figure[]> {
  const shapes = openOneOfEach(fixtures);
  const figures: Figure[] = [];
  const wants = (name: (typeof SECTIONS)[number]): boolean => sections.includes(name);
  for (const size of sizes) {
    const judged = size >= JUDGED;
    if (wants('open')) figures.push(...benchOpen(fixtures, size, reps ?? (judged ? 5 : 9), judged));
    if (wants('heap')) figures.push(...benchHeap(fixtures, size, judged));
    if (wants('size')) figures.push(...benchSize(fixtures, size));
    if (wants('whole')) figures.push(...benchWhole(fixtures, size, reps ?? (judged ? 2 : 3)));
  }
  if (wants('append')) figures.push(...benchAppend(fixtures, sizes, reps ?? 15));
  if (wants('stream')) figures.push(...benchStream(fixtures, reps ?? 7));
  if (wants('turns')) figures.push(...(await benchTurns(fixtures, reps ?? 15)));
  if (wants('migrate'))
    figures.push(
      ...benchMigrate(
        sizes.every((size) => size < JUDGED),
        reps,
      ),
    );
  if (wants('files')) figures.push(...(await benchFiles(reps ?? 7)));
  if (wants('integrity')) figures.push(...benchIntegrity(fixtures, reps ?? 15));
  if (wants('merge')) figures.push(...benchMerge(fixtures, reps ?? 7));
  if (shapes.length === 0) throw new Error('nothing was kept open');
  return figures;
}

/**
 * Small documents that stay open throughout. Without any, each garbage collection also takes the hidden classes
 * of the documents, and with them the code that was optimized for them.
 */
function openOneOfEach(fixtures: Fixtures): readonly unknown[] {
  const chat = loadDoc(fixtures.chat(1_000, 'many'));
  const nested = loadDoc(fixtures.nested(1_000));
  return [chat, openChat(chat), nested, new NestedIndex(nested), loadDoc(fixtures.array(1_000))];
}

function machine(): string {
  const cores = cpus();
  const model = cores[0]?.model.trim() ?? 'unknown';
  return `Node ${process.versions.node} · ${cores.length} cores, ${model} · ${process.platform}`;
}

function parseCount(option: string, text: string): number {
  const count = Number(text);
  if (!Number.isSafeInteger(count) || count < 1)
    throw new Error(`${option}: expected a positive integer, got ${text}`);
  return count;
}
