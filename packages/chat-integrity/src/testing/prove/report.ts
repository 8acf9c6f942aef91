import type { Tally } from '../simulation/tally.js';
import { describeTrace, type Trace, type TraceFinding } from './trace.js';

/** A guarantee that did not hold, with the shortest run that shows it. */
export interface Broken {
  /** Undefined where a kept trace failed: then `file` names it. */
  readonly seed?: number;
  readonly path?: string;
  readonly file?: string;
  readonly trace: Trace;
  /** How often the shortest run broke a law when it was run again. Fewer than all: it fails by chance. */
  readonly again?: { readonly runs: number; readonly broken: number };
}

/** The result of one guarantee. */
export interface GuaranteeResult {
  readonly name: string;
  /** Undefined where it does not apply, for this reason. */
  readonly held: boolean | undefined;
  readonly reason?: string;
  readonly runs: number;
  readonly broken?: Broken;
}

/** The result of `proveGuarantees`. */
export interface GuaranteeReport {
  /** No guarantee was found broken, and every trace of the folder was replayed. */
  readonly ok: boolean;
  readonly guarantees: readonly GuaranteeResult[];
  /** Everything that happened, and how often. */
  readonly tally: Tally;
  /** Commands, faults and marks that never came up: the runs have proved nothing about them. */
  readonly missing: readonly string[];
  /** Files of the folder of traces that could not be read or written. */
  readonly findings: readonly TraceFinding[];
  /** For people: one line per guarantee, and the shortest run that breaks one. */
  readonly text: string;
}

/** One line per guarantee, the shortest run that breaks each, and what never came up. */
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
