import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Law } from './law.js';
import { describeStep, type Schedule } from './schedule.js';

/** A run that broke a law, as short as it could be made. Kept as a file, it is replayed before anything random. */
export interface Trace {
  readonly format: 'chatdoc trace 1';
  /** Of the application, if it has one. */
  readonly application?: string;
  readonly guarantee: string;
  readonly law: Law;
  /** What was found first. */
  readonly difference: string;
  /** What it guards, in a sentence, once somebody has found out. */
  readonly guards?: string;
  readonly schedule: Schedule;
}

export interface KeptTrace {
  readonly file: string;
  readonly trace: Trace;
}

/** Traces of a folder, by name. A folder that is not there holds none. */
export function readTraces(folder: string): readonly KeptTrace[] {
  if (!existsSync(folder)) return [];
  const files = readdirSync(folder).filter((name) => name.endsWith('.json'));
  return files.sort().map((name) => {
    const file = join(folder, name);
    const trace = JSON.parse(readFileSync(file, 'utf8')) as Trace;
    if (trace.format !== 'chatdoc trace 1') throw new Error(`${file}: expected a trace of format 1`);
    return { file, trace };
  });
}

/** Gives the path of the file. */
export function keepTrace(folder: string, trace: Trace): string {
  const words = `${trace.guarantee} ${trace.law} ${trace.schedule.seed}`;
  const file = join(folder, `${words.replace(/[^a-z0-9]+/gi, '-')}.json`);
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
