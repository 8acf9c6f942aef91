import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { checkKillers, FATAL } from './canaries.js';
import { type Chosen, choose } from './choose.js';
import { judge, type Verdict } from './judge.js';
import { type Mutant, plant } from './mutant.js';
import { MUTANTS } from './mutants.js';
import { judgeRandom } from './random/judge-random.js';

/**
 * Plants faults in the library, one at a time and in memory alone, and checks that a test notices each. Exit code 1
 * if one survives, or cannot be planted any more. Run by `pnpm mutants`.
 */

const USAGE = `pnpm mutants --all | --rotation NUMBER | --only NAME… | --random COUNT --seed SEED [--limit SECONDS]

  --all       every mutant
  --rotation  twelve of them, and four random mutations; the same number picks the same ones
  --only      those with these names, or of these packages
  --random    mutations that nobody chose, of all packages; the same seed draws the same ones;
              the tests of one have 180 seconds, or the limit: give a busy machine more`;

/** Processes at the same time. */
const AT_ONCE = 2;

/** Whether the mutant can still be planted; says so if it cannot. */
function isSound(mutant: Mutant): boolean {
  try {
    plant(mutant, readFileSync(new URL(`../../${mutant.file}`, import.meta.url), 'utf8'));
    return true;
  } catch (error) {
    console.log(`STALE              ${(error as Error).message}`);
    return false;
  }
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
  let chosen: Chosen;
  try {
    chosen = choose(MUTANTS, args);
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${USAGE}`);
    return 2;
  }
  const { random } = chosen;
  if (chosen.mutants.length === 0 && random !== undefined) {
    return (await judgeRandom(random, console.log)) === 0 ? 0 : 1;
  }
  const start = performance.now();
  const sound = { ...chosen, mutants: chosen.mutants.filter(isSound) };
  const problems = await checkCanaries(sound);
  for (const problem of problems) console.error(problem);
  if (problems.length > 0) return 1;
  console.log(
    `canaries  ${secondsSince(start).padStart(5)} s  killers pass without a mutant, and fail with a fatal one`,
  );
  const caught = await judgeAll(sound);
  const count = chosen.mutants.length;
  console.log(
    `${count} of ${MUTANTS.length} mutants: ${caught} caught, ${count - caught} not, in ${secondsSince(start)} s`,
  );
  // A survivor of a draw is news, but no fault of the commit that happens to draw it.
  if (random !== undefined) await judgeRandom(random, console.log);
  return caught === count ? 0 : 1;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exitCode = await main(process.argv.slice(2));
