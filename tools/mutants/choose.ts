import { parseArgs } from 'node:util';
import type { Mutant } from './mutant.js';

/** Milliseconds for the killers of one mutant. */
const LIMIT = 60_000;
const LIMIT_IN_ROTATION = 20_000;
const LIMIT_OF_RANDOM = 180_000;

/** How many mutations a rotation draws, and milliseconds for the tests of one. */
const RANDOM_IN_ROTATION = 4;
const LIMIT_OF_RANDOM_IN_ROTATION = 60_000;

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

/** Mutations that nobody chose: how many, by which seed, and milliseconds for the tests of one. */
export interface RandomDraw {
  readonly count: number;
  readonly seed: string;
  readonly limit: number;
}

export interface Chosen {
  readonly mutants: readonly Mutant[];
  readonly random?: RandomDraw;
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
      random: { type: 'string' },
      seed: { type: 'string' },
      limit: { type: 'string' },
    },
    allowPositionals: true,
  });
  const { all, rotation, only, random, seed, limit } = values;
  const given = [all, rotation, only, random].filter((value) => value !== undefined).length;
  if (given !== 1) throw new Error('expected one of --all, --rotation, --only and --random');
  if ((random === undefined) !== (seed === undefined))
    throw new Error('expected --random and --seed together');
  if (only !== undefined) return { mutants: pickNamed(mutants, [...only, ...positionals]), limit: LIMIT };
  if (positionals.length > 0) throw new Error(`expected no ${positionals.join(', ')}`);
  if (limit !== undefined && random === undefined) throw new Error('expected --limit with --random');
  if (random !== undefined && seed !== undefined) {
    const milliseconds = limit === undefined ? LIMIT_OF_RANDOM : readNumber(limit) * 1000;
    return { mutants: [], random: { count: readNumber(random), seed, limit: milliseconds }, limit: LIMIT };
  }
  if (rotation === undefined) return { mutants, limit: LIMIT };
  return {
    mutants: pickRotation(mutants, readNumber(rotation)),
    random: { count: RANDOM_IN_ROTATION, seed: rotation, limit: LIMIT_OF_RANDOM_IN_ROTATION },
    limit: LIMIT_IN_ROTATION,
  };
}

function readNumber(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new Error(`expected a number of at most 15 digits, got ${text}`);
  return Number(text);
}
