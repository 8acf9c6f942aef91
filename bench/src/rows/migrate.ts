import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { planMigration } from '@chatdoc/migrate';
import { writeCocalc, writeJupyter } from '../chat/legacy-chat.js';
import type { MigrateResult } from '../jobs/migrate.js';
import { cpuClock } from '../measure/clock.js';
import { mustRunFresh, scratchFolder } from '../measure/fresh.js';
import { pair, ratioOf, spreadOf, timed } from '../measure/pair.js';
import { formatCount, progress } from '../measure/progress.js';
import type { Plan } from '../plan.js';
import { type Figure, figure, judge, type Measured, ratio } from '../report/figure.js';

const MB = 1_000_000;
const SIZES_MB = [1, 10, 50, 200];
/** The size whose memory is measured. */
const MEMORY_MB = 50;
/**
 * One repetition passes over that much, of a small file again and again: garbage is collected before each repetition,
 * and with the hidden classes of objects that are gone by then it takes the code optimized for them, which 1 MB would
 * not make up for. Both sides collect what they leave behind while they are timed.
 */
const ROUND_MB = 50;

interface Format {
  readonly name: string;
  readonly write: (bytes: number) => Uint8Array;
  readonly parse: (text: string, lines: readonly string[]) => unknown;
}

const FORMATS: readonly Format[] = [
  {
    name: 'CoCalc',
    write: writeCocalc,
    parse: (_, lines) => lines.map((line) => JSON.parse(line) as unknown),
  },
  { name: 'jupyter-chat', write: writeJupyter, parse: (text) => JSON.parse(text) as unknown },
];

/** Planning a legacy file, lane text and ledger included: CPU a MB, beside JSON.parse of what it holds; and memory. */
export async function benchMigrate(plan: Plan): Promise<Measured> {
  const figures: Figure[] = [];
  // A smaller scale is one of files, too.
  const greatest = plan.amount(SIZES_MB.at(-1) ?? 1);
  for (const size of SIZES_MB.filter((each) => each <= Math.max(greatest, 1))) {
    for (const format of FORMATS) figures.push(...benchTime(plan, format, size));
  }
  for (const format of FORMATS) figures.push(await benchMemory(format, Math.min(MEMORY_MB, greatest)));
  return { figures };
}

function benchTime(plan: Plan, { name: format, write, parse }: Format, size: number): readonly Figure[] {
  const name = `${format}, ${size} MB`;
  const bytes = write(size * MB);
  const text = new TextDecoder().decode(bytes);
  const lines = text.split('\n');
  const times = Math.ceil(ROUND_MB / size);
  const subjects = [
    timed('parse', () => repeat(times, () => parse(text, lines))),
    timed('plan', () => repeat(times, () => planFile(bytes))),
  ];
  const samples = pair(`migrate ${name}`, plan.reps(size >= 200 ? 2 : 5), subjects, cpuClock);
  const perMb = samples['plan']?.map((ms) => ms / (times * size));
  return [
    judge('migrate_cpu', null, spreadOf(perMb), { what: name }),
    ratio(`migrate ${name} / JSON.parse`, null, ratioOf(samples['plan'], samples['parse'])),
  ];
}

/** Peak over what the process held when it had read the file. */
async function benchMemory({ name, write }: Format, size: number): Promise<Figure> {
  progress(`migrate: memory of ${name}, ${formatCount(size)} MB`);
  const file = join(scratchFolder(), 'migrate');
  writeFileSync(file, write(size * MB));
  const { peak, bytes } = await mustRunFresh<MigrateResult>('migrate', { file });
  return size === MEMORY_MB
    ? judge('migrate_memory', null, peak / bytes, { what: `${name}, ${size} MB` })
    : figure(`migrate: peak memory / the file: ${name}, ${size} MB`, null, peak / bytes, 'x');
}

function planFile(bytes: Uint8Array): number {
  const result = planMigration(bytes);
  if (!result.ok) throw new Error(`a file of the bench: ${result.code}`);
  // Made when it is asked for, and part of the work; records of the ledger are not.
  return result.plan.jsonl.length;
}

/** The result of the last run: that one is not collected while it is timed. */
function repeat<T>(times: number, run: () => T): T {
  for (let time = 1; time < times; time += 1) run();
  return run();
}
