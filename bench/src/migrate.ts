import { planMigration } from '@chatdoc/migrate';
import { writeCocalc, writeJupyter } from './legacy-chat.js';
import { pair, ratioOf, spreadOf, timed } from './measure.js';
import { progress } from './progress.js';
import { type Figure, figure, ratio } from './report.js';

const MB = 1_000_000;
const ALL_MB = [1, 10, 50, 200];
const QUICK_MB = [1, 10];

/** Planning a legacy file, lane text and ledger included, against JSON.parse of what it holds. */
export function benchMigrate(quick: boolean, reps: number | undefined): readonly Figure[] {
  return (quick ? QUICK_MB : ALL_MB).flatMap((size) => {
    const count = reps ?? (size >= 200 ? 2 : size >= 50 ? 3 : 7);
    return [
      ...benchFile(`CoCalc, ${size} MB`, writeCocalc(size * MB), parseLines, count),
      ...benchFile(`jupyter-chat, ${size} MB`, writeJupyter(size * MB), (text) => JSON.parse(text), count),
    ];
  });
}

function benchFile(
  name: string,
  bytes: Uint8Array,
  parse: (text: string, lines: readonly string[]) => unknown,
  reps: number,
): readonly Figure[] {
  progress(`migrate: ${reps} paired repetitions of ${name}`);
  const text = new TextDecoder().decode(bytes);
  const lines = text.split('\n');
  const samples = whilePlanning(() =>
    pair(reps, [
      timed('parse', () => parse(text, lines)),
      timed('plan', () => {
        const result = planMigration(bytes);
        if (!result.ok) throw new Error(`${name}: ${result.code}`);
        // Made when it is asked for, and part of the work; records of the ledger are not.
        return result.plan.jsonl.length;
      }),
    ]),
  );
  return [
    ratio(`migrate ${name} / JSON.parse`, null, ratioOf(samples['plan'], samples['parse']), 4),
    figure(`migrate ${name}`, null, spreadOf(samples['plan']), 'ms'),
    figure(`JSON.parse ${name}`, null, spreadOf(samples['parse']), 'ms'),
  ];
}

function parseLines(_: string, lines: readonly string[]): unknown {
  return lines.map((line) => JSON.parse(line) as unknown);
}

/** Shares of a plan, in each of its stages: by the last of them there was one of each object. */
const PAUSES = [0.05, 0.25, 0.35, 0.45, 0.6, 0.7, 0.8];

/**
 * Runs it in the middle of planning small files, once in each stage. A plan keeps none of the objects that it was made
 * of, so each garbage collection between repetitions would also take their hidden classes, and the code optimized for
 * them.
 */
function whilePlanning<T>(run: () => T): T {
  const results: T[] = [];
  const files = [writeCocalc(2 * MB), writeJupyter(2 * MB)];
  const pauses = files.flatMap((file) => PAUSES.map((share) => ({ file, share })));
  const within = (depth: number): void => {
    const pause = pauses[depth];
    if (pause === undefined) {
      results.push(run());
      return;
    }
    let isDone = false;
    planMigration(pause.file, {
      onProgress: (done, total) => {
        if (isDone || done < total * pause.share) return;
        isDone = true;
        within(depth + 1);
      },
    });
  };
  within(0);
  const [result] = results;
  if (result === undefined) throw new Error('nothing was run');
  return result;
}
