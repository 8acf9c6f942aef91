import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describeStep, isSchedule, type Schedule } from '../schedule/schedule.js';
import { LAWS, type Law } from '../simulation/law.js';

/** A run that broke a law, as short as it could be made. Kept as a file, it is replayed before anything random. */
export interface Trace {
  readonly format: 'chatdoc trace 1';
  /** Of the application, if it has one. */
  readonly application?: string;
  readonly guarantee: string;
  readonly law: Law;
  /** The difference that was found first. */
  readonly difference: string;
  /** The behavior that it guards, in a sentence, once somebody has found out. */
  readonly guards?: string;
  readonly schedule: Schedule;
}

/** A trace of a folder. */
export interface KeptTrace {
  readonly file: string;
  readonly trace: Trace;
}

/** `damaged`: a file that is not a trace was skipped. `not_written`: a trace could not be put into the folder. */
export interface TraceFinding {
  readonly code: 'damaged' | 'not_written';
  readonly file: string;
  readonly message: string;
}

/**
 * Returns the traces of a folder, by name; of a folder that does not exist none. A file that is not a trace is passed
 * to `onFinding` and skipped; without `onFinding` it throws.
 */
export function readTraces(
  folder: string,
  onFinding?: (finding: TraceFinding) => void,
): readonly KeptTrace[] {
  if (!existsSync(folder)) return [];
  const files = readdirSync(folder).filter((name) => name.endsWith('.json'));
  const kept: KeptTrace[] = [];
  for (const name of files.sort()) {
    const file = join(folder, name);
    const trace = parseTrace(readFileSync(file, 'utf8'));
    if (trace !== undefined) {
      kept.push({ file, trace });
      continue;
    }
    const message = `${file}: expected a trace of format 1; it was not replayed`;
    if (onFinding === undefined) throw new Error(message);
    onFinding({ code: 'damaged', file, message });
  }
  return kept;
}

function parseTrace(text: string): Trace | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const { format, guarantee, law, difference, schedule } = value as Partial<Record<keyof Trace, unknown>>;
  const isTrace =
    format === 'chatdoc trace 1' &&
    typeof guarantee === 'string' &&
    LAWS.some((known) => known === law) &&
    typeof difference === 'string' &&
    isSchedule(schedule);
  return isTrace ? (value as Trace) : undefined;
}

/**
 * Writes a trace into a folder, under a name of its own: no other trace is replaced. Returns the path of the file.
 * Throws what the file system throws.
 */
export function keepTrace(folder: string, trace: Trace): string {
  const { application = '', guarantee, law, schedule } = trace;
  const hash = createHash('sha256').update(JSON.stringify([application, guarantee, law, schedule]));
  const words = `${application} ${guarantee} ${law}`.replace(/[^a-z0-9]+/gi, '-').replace(/^-/, '');
  const file = join(folder, `${words}-${hash.digest('hex').slice(0, 12)}.json`);
  mkdirSync(folder, { recursive: true });
  writeFileSync(file, `${JSON.stringify(trace, null, 2)}\n`);
  return file;
}

/** For people: what happened, step by step. */
export function describeTrace({ law, difference, schedule }: Trace): string {
  const { replicas, steps, skews } = schedule;
  const clocks = skews.some((skew) => skew !== 0) ? `, clocks off by ${skews.join(', ')} ms` : '';
  const lines = steps.map((step, at) => `  ${String(at + 1).padStart(2)}. ${describeStep(step)}`);
  return [`${law}: ${difference}`, `  ${replicas} replicas${clocks}`, ...lines].join('\n');
}
