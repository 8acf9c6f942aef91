import type { Ratio } from './measure.js';
import { formatCount } from './progress.js';

export type Unit = 'x' | 'ms' | 'µs' | 'MB' | 'B' | '';

/** One figure. With a limit it is judged: at most that. */
export interface Figure {
  readonly work: string;
  /** Of messages; null where it does not depend on them. */
  readonly size: number | null;
  readonly value: number;
  readonly unit: Unit;
  readonly low?: number;
  readonly high?: number;
  readonly limit?: number;
}

export interface Run {
  readonly date: string;
  readonly machine: string;
  readonly seconds: number;
  readonly figures: readonly Figure[];
}

export function ratio(work: string, size: number | null, measured: Ratio, limit?: number): Figure {
  return figure(work, size, measured, 'x', limit);
}

export function figure(
  work: string,
  size: number | null,
  measured: Ratio | number,
  unit: Unit,
  limit?: number,
): Figure {
  const spread = typeof measured === 'number' ? { value: measured } : measured;
  return { work, size, ...spread, unit, ...(limit === undefined ? {} : { limit }) };
}

export function isMissed({ limit, value }: Figure): boolean {
  return limit !== undefined && !(value <= limit);
}

export function renderTargets(figures: readonly Figure[]): string {
  const judged = figures.filter((each) => each.limit !== undefined);
  return table(
    ['work', 'messages', 'target', 'measured', 'range', ''],
    judged.map((each) => [
      each.work,
      size(each),
      `≤ ${each.limit}${each.unit}`,
      `**${value(each.value, each.unit)}**`,
      range(each),
      isMissed(each) ? 'MISSED' : 'met',
    ]),
  );
}

export function renderOthers(figures: readonly Figure[]): string {
  const others = figures.filter((each) => each.limit === undefined);
  const sizes = [...new Set(others.map((each) => each.size))];
  const works = [...new Set(others.map((each) => each.work))];
  return table(
    ['work', ...sizes.map((each) => (each === null ? 'any size' : formatCount(each)))],
    works.map((work) => [
      work,
      ...sizes.map((at) => {
        const found = others.find((each) => each.work === work && each.size === at);
        return found === undefined ? '' : `${value(found.value, found.unit)}${withRange(found)}`;
      }),
    ]),
  );
}

export function renderMarkdown(run: Run): string {
  const judged = run.figures.filter((each) => each.limit !== undefined);
  const missed = judged.filter(isMissed).length;
  return `# Results

${run.date} · ${run.machine} · ${Math.round(run.seconds)} s · ${judged.length - missed} of ${judged.length} targets met

Written by \`npx -y pnpm@10 bench\`; the last accepted run is kept. The README says what each row measures.

## Targets

${renderTargets(run.figures)}

## Also measured, without a target

${renderOthers(run.figures)}

## How to read

A ratio is the median of paired ratios: in every repetition floor and subject are timed beside one another in one
process, in changing order, after a discarded warm-up. The range is the least and the greatest of the repetitions.
Ratios repeat within about 15 % at 100,000 messages and 35 % at fewer; milliseconds depend on the machine and on
what else it does. Bytes, structs and gzip are exact. Every size is the beginning of the same generated chat.
`;
}

/** Padded, so that the formatter leaves the file as it is. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) =>
    Math.max(3, title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n');
}

function size(each: Figure): string {
  return each.size === null ? '' : formatCount(each.size);
}

function value(number: number, unit: Unit): string {
  const digits = unit === 'x' ? (number < 10 ? 3 : 1) : number < 10 ? 2 : number < 100 ? 1 : 0;
  const text = unit === '' && Number.isInteger(number) ? formatCount(number) : number.toFixed(digits);
  return unit === 'x' || unit === '' ? `${text}${unit}` : `${text} ${unit}`;
}

function range(each: Figure): string {
  if (each.low === undefined || each.high === undefined) return 'exact';
  return `${value(each.low, each.unit)} – ${value(each.high, each.unit)}`;
}

function withRange(each: Figure): string {
  return each.unit === 'x' && each.low !== undefined ? ` (${range(each)})` : '';
}
