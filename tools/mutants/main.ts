import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { checkKillers, FATAL } from './canaries.js';
import { judge, type Verdict } from './judge.js';
import { type Mutant, plant } from './mutant.js';
import { MUTANTS } from './mutants.js';
import { pickNamed, pickRotation } from './select.js';

/**
 * Plants faults in the library, one at a time and in memory alone, and checks that a test notices each. Exit code 1
 * if one survives, or cannot be planted any more. Run by `pnpm mutants`.
 */

const USAGE = `pnpm mutants --all | --rotation NUMBER | --only NAME…

  --all       every mutant
  --rotation  twelve of them; the same number picks the same ones
  --only      those with these names, or of these packages`;

/** Milliseconds for the killers of one mutant. */
const LIMIT = 60_000;
const LIMIT_IN_ROTATION = 20_000;
/** Processes at the same time. */
const AT_ONCE = 2;

interface Chosen {
  readonly mutants: readonly Mutant[];
  readonly limit: number;
}

/** Undefined for arguments that say nothing, or too much. */
function choose(args: readonly string[]): Chosen | undefined {
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
  if ([all, rotation, only].filter((value) => value !== undefined).length !== 1) return undefined;
  if (only !== undefined) return { mutants: pickNamed(MUTANTS, [...only, ...positionals]), limit: LIMIT };
  if (positionals.length > 0) return undefined;
  if (rotation === undefined) return { mutants: MUTANTS, limit: LIMIT };
  if (!/^\d{1,15}$/.test(rotation)) return undefined;
  return { mutants: pickRotation(MUTANTS, Number(rotation)), limit: LIMIT_IN_ROTATION };
}

/** Why a mutant cannot be planted any more. */
function findStale(mutants: readonly Mutant[]): string[] {
  return mutants.flatMap((mutant) => {
    try {
      plant(mutant, readFileSync(new URL(`../../${mutant.file}`, import.meta.url), 'utf8'));
      return [];
    } catch (error) {
      return [(error as Error).message];
    }
  });
}

/** What is wrong with the killers or with this program, where nothing else is. */
async function checkCanaries({ mutants, limit }: Chosen): Promise<string[]> {
  const killers = [...FATAL.killers, ...mutants.flatMap((mutant) => mutant.killers)];
  const problems = await checkKillers(killers, limit * mutants.length);
  const fatal = await judge(FATAL, limit);
  return fatal.outcome === 'caught' ? problems : [...problems, describe(FATAL, fatal)];
}

function describe({ name, breaks }: Mutant, verdict: Verdict): string {
  switch (verdict.outcome) {
    case 'caught':
      return `${name}: ${verdict.by}`;
    case 'survived':
    case 'timed_out':
      return `${name}: ${breaks}`;
    default:
      return `${name}: ${verdict.reason}`;
  }
}

/** Judges all, a few at a time; gives how many were caught. */
async function judgeAll({ mutants, limit }: Chosen): Promise<number> {
  const queue = [...mutants];
  let caught = 0;
  const work = async (): Promise<void> => {
    for (let mutant = queue.shift(); mutant !== undefined; mutant = queue.shift()) {
      const start = performance.now();
      const verdict = await judge(mutant, limit);
      const { outcome } = verdict;
      if (outcome === 'caught') caught += 1;
      const word = outcome === 'caught' ? outcome : outcome.replace('_', ' ').toUpperCase();
      console.log(`${word.padEnd(9)} ${secondsSince(start).padStart(5)} s  ${describe(mutant, verdict)}`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return caught;
}

function secondsSince(start: number): string {
  return ((performance.now() - start) / 1000).toFixed(1);
}

/** Gives the exit code. */
async function main(args: readonly string[]): Promise<number> {
  const chosen = choose(args);
  if (chosen === undefined) {
    console.error(USAGE);
    return 2;
  }
  const start = performance.now();
  const stale = findStale(chosen.mutants);
  for (const problem of stale) console.error(problem);
  if (stale.length > 0) return 1;
  const problems = await checkCanaries(chosen);
  for (const problem of problems) console.error(problem);
  if (problems.length > 0) return 1;
  console.log(
    `canaries  ${secondsSince(start).padStart(5)} s  killers pass without a mutant, and fail with a fatal one`,
  );
  const caught = await judgeAll(chosen);
  const count = chosen.mutants.length;
  console.log(
    `${count} of ${MUTANTS.length} mutants: ${caught} caught, ${count - caught} not, in ${secondsSince(start)} s`,
  );
  return caught === count ? 0 : 1;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exitCode = await main(process.argv.slice(2));
