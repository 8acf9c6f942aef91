import type { GuaranteeResult } from './prove.js';
import { describeTrace, type TraceFinding } from './trace.js';

/** A line a guarantee, the shortest run that breaks each, and what never came up. */
export function describeReport(
  results: readonly GuaranteeResult[],
  missing: readonly string[],
  findings: readonly TraceFinding[],
): string {
  const width = Math.max(0, ...results.map(({ name }) => name.length));
  const lines = results.map((result) => `${result.name.padEnd(width)}  ${describeResult(result)}`);
  const traces = results.flatMap(({ name, broken }) =>
    broken === undefined ? [] : ['', `${name}: ${describeTrace(broken.trace)}`],
  );
  const never = missing.length === 0 ? [] : ['', `never came up: ${missing.join(', ')}`];
  const unread = findings.length === 0 ? [] : ['', ...findings.map(({ message }) => message)];
  return [...lines, ...traces, ...never, ...unread, ''].join('\n');
}

function describeResult({ held, reason, runs, broken }: GuaranteeResult): string {
  if (held === undefined) return `not tried: ${reason}`;
  if (broken === undefined) return `held (${runs} runs)`;
  const { seed, path, file, trace, again } = broken;
  const where = seed === undefined ? `kept in ${file}` : `seed ${seed}, path ${path}`;
  const chance =
    again === undefined || again.broken === again.runs
      ? ''
      : `; by chance: broken again in ${again.broken} of ${again.runs} equal runs`;
  return `BROKEN (${where}, ${trace.schedule.steps.length} steps): ${trace.law}${chance}`;
}
