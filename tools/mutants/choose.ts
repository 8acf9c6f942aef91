import { parseArgs } from 'node:util';
import type { Mutant } from './mutant.js';

/** Milliseconds for the killers of one mutant. */
const LIMIT = 60_000;
const LIMIT_IN_ROTATION = 20_000;

/** How many mutants run in a rotation, at most. */
export const IN_ROTATION = 12;

/**
 * A part of the mutants, spread over all packages: by the remainder of `number`, so that numbers in a row run all of
 * them in as few rotations as there can be.
 */
export function pickRotation(mutants: readonly Mutant[], number: number): readonly Mutant[] {
  const rotations = Math.ceil(mutants.length / IN_ROTATION);
  return mutants.filter((_, index) => index % rotations === number % rotations);
}

/** Those with one of the names, or of a package: `schema/stop-not-fenced`, `schema`. Throws for a name of none. */
export function pickNamed(mutants: readonly Mutant[], names: readonly string[]): readonly Mutant[] {
  const isNamed = ({ name }: Mutant, wanted: string): boolean =>
    name === wanted || name.startsWith(`${wanted}/`);
  for (const wanted of names) {
    if (!mutants.some((mutant) => isNamed(mutant, wanted))) throw new Error(`no mutant is named ${wanted}`);
  }
  return mutants.filter((mutant) => names.some((wanted) => isNamed(mutant, wanted)));
}

export interface Chosen {
  readonly mutants: readonly Mutant[];
  /** Milliseconds for the killers of one. */
  readonly limit: number;
}

/** The mutants that the command line names. Throws for arguments that say nothing, or too much. */
export function choose(mutants: readonly Mutant[], args: readonly string[]): Chosen {
  const { values, positionals } = parseArgs({
    args: [...args],
    options: {
      all: { type: 'boolean' },
      rotation: { type: 'string' },
      only: { type: 'string', multiple: true },
    },
    allowPositionals: true,
  });
  const { all, rotation, only } = values;
  const given = [all, rotation, only].filter((value) => value !== undefined).length;
  if (given !== 1) throw new Error('expected one of --all, --rotation and --only');
  if (only !== undefined) return { mutants: pickNamed(mutants, [...only, ...positionals]), limit: LIMIT };
  if (positionals.length > 0) throw new Error(`expected no ${positionals.join(', ')}`);
  if (rotation === undefined) return { mutants, limit: LIMIT };
  if (!/^\d{1,15}$/.test(rotation))
    throw new Error(`expected a number of at most 15 digits, got ${rotation}`);
  return { mutants: pickRotation(mutants, Number(rotation)), limit: LIMIT_IN_ROTATION };
}
