import { planMigration } from '@chatdoc/migrate';
import { writeCocalc, writeJupyter } from './legacy-chat.js';
import { pair, type Ratio, ratioOf, spreadOf, timed } from './measure.js';
import { progress } from './progress.js';
import { type Figure, figure, ratio } from './report.js';

const MB = 1_000_000;
const ALL_MB = [1, 10, 50, 200];
const QUICK_MB = [1, 10];
/**
 * One repetition passes over that much, of a small file again and again: garbage is collected before each repetition,
 * and with the hidden classes of objects that are gone by then it takes the code optimized for them, which 1 MB would
 * not make up for. Both sides collect what they leave behind while they are timed.
 */
const ROUND_MB = 50;

/** Planning a legacy file, lane text and ledger included, against JSON.parse of what it holds. */
export function benchMigrate(quick: boolean, reps: number | undefined): readonly Figure[] {
  return (quick ? QUICK_MB : ALL_MB).flatMap((size) => {
    const count = reps ?? (size >= 200 ? 2 : 5);
    return [
      ...benchFile('CoCalc', size, writeCocalc(size * MB), parseLines, count),
      ...benchFile('jupyter-chat', size, writeJupyter(size * MB), (text) => JSON.parse(text), count),
    ];
  });
}

function benchFile(
  format: string,
  size: number,
  bytes: Uint8Array,
  parse: (text: string, lines: readonly string[]) => unknown,
  reps: number,
): readonly Figure[] {
  const name = `${format}, ${size} MB`;
  progress(`migrate: ${reps} paired repetitions of ${name}`);
  const text = new TextDecoder().decode(bytes);
  const lines = text.split('\n');
  const times = Math.ceil(ROUND_MB / size);
  const samples = pair(reps, [
    timed('parse', () => repeat(times, () => parse(text, lines))),
    timed('plan', () => repeat(times, () => plan(bytes))),
  ]);
  const msOf = (side: string): Ratio => spreadOf(samples[side]?.map((ms) => ms / times));
  return [
    ratio(`migrate ${name} / JSON.parse`, null, ratioOf(samples['plan'], samples['parse']), 4),
    figure(`migrate ${name}`, null, msOf('plan'), 'ms'),
    figure(`JSON.parse ${name}`, null, msOf('parse'), 'ms'),
  ];
}

function plan(bytes: Uint8Array): number {
  const result = planMigration(bytes);
  if (!result.ok) throw new Error(`a file of the bench: ${result.code}`);
  // Made when it is asked for, and part of the work; records of the ledger are not.
  return result.plan.jsonl.length;
}

function parseLines(_: string, lines: readonly string[]): unknown {
  return lines.map((line) => JSON.parse(line) as unknown);
}

/** Gives what the last of them gives: that one is not collected while it is timed. */
function repeat<T>(times: number, run: () => T): T {
  for (let time = 1; time < times; time += 1) run();
  return run();
}
