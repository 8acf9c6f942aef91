import { writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { openChat } from '@chatdoc/schema';
import { Fixtures } from './chat/fixtures.js';
import { THREAD_LENGTH } from './chat/generator.js';
import { loadDoc } from './chat/layouts.js';
import { useCpuClock } from './measure/clock.js';
import { elapsedSeconds, progress } from './measure/progress.js';
import { NestedIndex } from './peers/nested.js';
import type { Plan } from './plan.js';
import type { Detail, Figure, Measured } from './report/figure.js';
import { isMissed } from './report/figure.js';
import { renderMarkdown, renderTables } from './report/report.js';
import { SECTIONS } from './sections.js';

const SIZES = [1_000, 10_000, 100_000];
const QUICK = [1_000, 10_000];
/** Amounts on a smaller scale are whole threads, and at least that many. */
const LEAST_AMOUNT = 4 * THREAD_LENGTH;

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string' },
    sizes: { type: 'string' },
    reps: { type: 'string' },
    scale: { type: 'string' },
    match: { type: 'string' },
    cpu: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) {
  console.log(
    'pnpm bench [--quick] [--only SECTION,…] [--sizes 1000,10000] [--reps 5] [--scale 0.1] [--match TEXT] [--cpu]\n' +
      `sections: ${Object.keys(SECTIONS).join(' ')}`,
  );
} else {
  await main();
}

async function main(): Promise<void> {
  const names = values.only?.split(',') ?? Object.keys(SECTIONS);
  for (const name of names) {
    if (SECTIONS[name] === undefined)
      throw new Error(`--only: expected ${Object.keys(SECTIONS).join(', ')}, got ${name}`);
  }
  const sizes =
    values.sizes?.split(',').map((each) => parseCount('--sizes', each)) ?? (values.quick ? QUICK : SIZES);
  const scale = parseScale(values.scale ?? '1');
  const reps = values.reps === undefined ? undefined : parseCount('--reps', values.reps);
  if (values.cpu) useCpuClock();
  const started = new Date();
  const where = `${machine()} · load ${loadavg()[0]?.toFixed(1)} at the start`;
  const measured = await measure(names, {
    fixtures: new Fixtures(sizes),
    sizes,
    reps: (usual) => reps ?? usual,
    amount: (full) => scaled(full, scale),
    wants: (row) => row.includes(values.match ?? ''),
  });
  console.log(`\n${renderTables(measured)}\n`);
  const isFull =
    names.length === Object.keys(SECTIONS).length &&
    SIZES.every((size) => sizes.includes(size)) &&
    scale === 1 &&
    values.match === undefined &&
    !values.cpu;
  if (isFull) {
    const date = started.toISOString().slice(0, 10);
    const results = renderMarkdown({ date, machine: where, seconds: elapsedSeconds(), measured });
    writeFileSync(fileURLToPath(new URL('../RESULTS.md', import.meta.url)), results);
    progress('wrote bench/RESULTS.md');
  } else {
    progress('a partial run: bench/RESULTS.md is left as it was');
  }
  const judged = measured.figures.filter((each) => each.limit !== undefined);
  const missed = judged.filter(isMissed).length;
  progress(`${judged.length - missed} targets met, ${missed} missed`);
}

async function measure(names: readonly string[], plan: Plan): Promise<Measured> {
  const shapes = openOneOfEach(plan.fixtures);
  const figures: Figure[] = [];
  const details: Detail[] = [];
  for (const name of Object.keys(SECTIONS)) {
    if (!names.includes(name)) continue;
    const measured = await SECTIONS[name]?.(plan);
    figures.push(...(measured?.figures ?? []));
    details.push(...(measured?.details ?? []));
  }
  if (shapes.length === 0) throw new Error('nothing was kept open');
  return { figures, details };
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

/** Whole threads of two messages in turn, where the amount is of messages. */
function scaled(full: number, scale: number): number {
  if (scale === 1 || full <= LEAST_AMOUNT) return scale === 1 ? full : Math.ceil(full * scale);
  return Math.max(LEAST_AMOUNT, Math.round((full * scale) / THREAD_LENGTH) * THREAD_LENGTH);
}

function parseCount(option: string, text: string): number {
  const count = Number(text);
  if (!Number.isSafeInteger(count) || count < 1)
    throw new Error(`${option}: expected a positive integer, got ${text}`);
  return count;
}

function parseScale(text: string): number {
  const scale = Number(text);
  if (!(scale > 0 && scale <= 1)) throw new Error(`--scale: expected more than 0 and at most 1, got ${text}`);
  return scale;
}
