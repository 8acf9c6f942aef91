import { formatCount } from '../measure/progress.js';
import type { Target, Unit } from '../targets.js';
import { type Detail, type Figure, isMissed, listUnmeasured, type Measured } from './figure.js';
import { table } from './table.js';

export interface Run {
  readonly date: string;
  readonly machine: string;
  readonly seconds: number;
  readonly measured: Measured;
}

/** Both tables and the details, as a partial run prints them. */
export function renderTables({ figures, details = [] }: Measured): string {
  const parts = [renderTargets(figures), renderOthers(figures), ...details.map(renderDetail)];
  return parts.filter((part) => part !== '').join('\n\n');
}

/** `RESULTS.md`. Of a full run alone, so what is not measured is listed too. */
export function renderMarkdown({ date, machine, seconds, measured }: Run): string {
  const { figures, details = [] } = measured;
  const judged = figures.filter((each) => each.limit !== undefined);
  const missed = judged.filter(isMissed).length;
  const unmeasured = listUnmeasured(figures);
  const open =
    unmeasured.length === 0 ? '' : `\nTargets that no row measures yet:\n\n${renderUnmeasured(unmeasured)}\n`;
  return `# Results

${date} · ${machine} · ${Math.round(seconds)} s · ${judged.length - missed} of ${judged.length} targets met

Written by \`npx -y pnpm@10 bench\`; the last accepted run is kept. The README says what each row measures.

## Targets

${renderTargets(figures)}
${open}
## Also measured, without a target

${renderOthers(figures)}
${details.map((detail) => `\n${renderDetail(detail)}\n`).join('')}
## How to read

A ratio is the median of paired ratios: in every repetition floor and subject are timed beside one another in one
process, in changing order, after a discarded warm-up. The range is the least and the greatest of the repetitions.
Ratios repeat within about 15 % at 100,000 messages and 35 % at fewer; milliseconds depend on the machine and on
what else it does. Bytes, structs, counts and gzip are exact. Every size is the beginning of the same generated chat.
`;
}

function renderTargets(figures: readonly Figure[]): string {
  const judged = figures.filter((each) => each.limit !== undefined);
  if (judged.length === 0) return '';
  return table(
    ['work', 'size', 'target', 'measured', 'range', ''],
    judged.map((each) => [
      each.work,
      size(each),
      `≤ ${value(each.limit ?? Number.NaN, each.unit, true)}`,
      `**${value(each.value, each.unit)}**${each.note === undefined ? '' : ` ${each.note}`}`,
      range(each),
      isMissed(each) ? 'MISSED' : 'met',
    ]),
  );
}

function renderUnmeasured(targets: readonly Target[]): string {
  return table(
    ['work', 'size', 'target'],
    targets.map(({ work, unit, limit, at }) => [
      work,
      at === undefined ? '' : formatCount(at),
      `≤ ${value(limit, unit, true)}`,
    ]),
  );
}

function renderOthers(figures: readonly Figure[]): string {
  const others = figures.filter((each) => each.limit === undefined);
  if (others.length === 0) return '';
  const sizes = [...new Set(others.map((each) => each.size))].sort(bySize);
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

function renderDetail({ title, head, rows }: Detail): string {
  return `## ${title}\n\n${table(head, rows)}`;
}

/** Ascending, those without a size last. */
function bySize(a: number | null, b: number | null): number {
  if (a === null || b === null) return a === b ? 0 : a === null ? 1 : -1;
  return a - b;
}

function size(each: Figure): string {
  return each.size === null ? '' : formatCount(each.size);
}

function value(number: number, unit: Unit, short = false): string {
  if (!Number.isFinite(number)) return '–';
  const digits = unit === 'x' ? (number < 10 ? 3 : 1) : number < 10 ? 2 : number < 100 ? 1 : 0;
  const isCount = unit === '' && Number.isInteger(number);
  const text = short ? String(number) : isCount ? formatCount(number) : number.toFixed(digits);
  return unit === 'x' || unit === '' ? `${text}${unit}` : `${text} ${unit}`;
}

function range(each: Figure): string {
  if (each.low === undefined || each.high === undefined) return each.note === undefined ? 'exact' : '';
  return `${value(each.low, each.unit)} – ${value(each.high, each.unit)}`;
}

function withRange(each: Figure): string {
  const spread = each.low === undefined || each.unit !== 'x' ? '' : ` (${range(each)})`;
  return each.note === undefined ? spread : `${spread} ${each.note}`;
}
