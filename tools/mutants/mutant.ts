/** One planted fault: a text of one module, and what stands there instead. */
export interface Mutant {
  /** Package and fault: `schema/lost-replaces`. */
  readonly name: string;
  /** The module, from the root of the workspace. */
  readonly file: string;
  /** Stands exactly once in the module. */
  readonly find: string;
  readonly replace: string;
  /** What it breaks, in one sentence. */
  readonly breaks: string;
  /** Each of them alone should notice. */
  readonly killers: readonly Killer[];
}

/** A test file, and of it the tests whose names hold `test`; all of them unless given. */
export interface Killer {
  /** From the root of the workspace. */
  readonly file: string;
  readonly test?: string;
}

/** The module with the fault in it. Throws for a mutant that is stale: its text must stand there exactly once. */
export function plant({ name, file, find, replace }: Mutant, source: string): string {
  const count = source.split(find).length - 1;
  if (count !== 1) throw new Error(`${name} is stale: its text stands ${count} times in ${file}`);
  // A function, because `$` means something in a text that replaces.
  return source.replace(find, () => replace);
}

/** Mutants of one package, their paths from its folder. */
export function inPackage(folder: string, mutants: readonly Mutant[]): readonly Mutant[] {
  const place = (path: string): string => `packages/${folder}/${path}`;
  return mutants.map((mutant) => ({
    ...mutant,
    file: place(mutant.file),
    killers: mutant.killers.map((killer) => ({ ...killer, file: place(killer.file) })),
  }));
}
