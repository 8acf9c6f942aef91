import type { Mutant } from './mutant.js';

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
