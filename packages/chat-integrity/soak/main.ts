import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

/**
 * Runs the simulations of this package at one seed after another, until the time is over. What was done is added up
 * in a journal beside this file, so that the next run goes on where this one ends.
 */

/** Files of tests, and what one slice multiplies their amounts by. */
const SUITES: Readonly<
  Record<string, { readonly file: string; readonly factor: number; readonly amount: string }>
> = {
  chat: { file: 'simulation-chat-1', factor: 0.5, amount: 'times 160,000 steps under all faults at once' },
  open: { file: 'simulation-open', factor: 2, amount: 'times 150 runs over bare y-protocols' },
  replay: { file: 'simulation-replay', factor: 2, amount: 'times 30 pairs of equal runs' },
  harness: { file: 'testing-', factor: 1, amount: 'passes of planted faults, provers and agents' },
  watch: { file: 'watch.property', factor: 2, amount: 'times 60 schedules, counted after every transaction' },
  repair: { file: 'repair.property', factor: 2, amount: 'times 170 damaged documents' },
  hostile: { file: 'hostile.property', factor: 2, amount: 'passes of hostile lines and updates' },
};

const JOURNAL = fileURLToPath(new URL('./journal.json', import.meta.url));
const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
/** Seeds of the files of one slice follow each other. */
const SEED_STEP = 10;

interface Tally {
  readonly slices: number;
  readonly amount: number;
  readonly seconds: number;
  readonly failed: readonly number[];
}

interface Journal {
  readonly next_seed: number;
  readonly suites: Readonly<Record<string, Tally>>;
}

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    suite: { type: 'string' },
    seed: { type: 'string' },
  },
});

function main(): number {
  const minutes = parseNumber('--minutes', values.minutes);
  const names = values.suite?.split(',') ?? Object.keys(SUITES);
  for (const name of names) {
    if (!(name in SUITES))
      throw new Error(`--suite: expected ${Object.keys(SUITES).join(', ')}, got ${name}`);
  }
  let journal = readJournal();
  let seed = values.seed === undefined ? journal.next_seed : parseNumber('--seed', values.seed);
  const until = Date.now() + minutes * 60_000;
  let failures = 0;
  while (Date.now() < until) {
    for (const name of names) {
      if (Date.now() >= until) break;
      const start = Date.now();
      const isPassed = runSlice(name, seed);
      const seconds = Math.round((Date.now() - start) / 1000);
      if (!isPassed) failures += 1;
      const tally = add(journal.suites[name], name, seed, seconds, isPassed);
      journal = { ...journal, suites: { ...journal.suites, [name]: tally } };
      writeJournal(journal);
      say(`${isPassed ? 'passed' : 'FAILED'}  ${name}  seed ${seed}  ${seconds} s`);
    }
    seed += SEED_STEP;
    if (values.seed === undefined) journal = { ...journal, next_seed: seed };
    writeJournal(journal);
  }
  printTable(journal);
  return failures === 0 ? 0 : 1;
}

function runSlice(name: string, seed: number): boolean {
  const { file, factor } = SUITES[name] as { file: string; factor: number };
  const env = { ...process.env, CHATDOC_SEED: String(seed), CHATDOC_RUNS: String(factor) };
  const args = ['vitest', 'run', '--project', 'chat-integrity', '--testTimeout', '3600000', `test/${file}`];
  const ran = spawnSync('npx', args, { cwd: ROOT, env, encoding: 'utf8', maxBuffer: 2 ** 28 });
  if (ran.status !== 0) say(`${ran.stdout}${ran.stderr}`);
  return ran.status === 0;
}

function add(
  tally: Tally | undefined,
  name: string,
  seed: number,
  seconds: number,
  isPassed: boolean,
): Tally {
  const { slices = 0, amount = 0, seconds: before = 0, failed = [] } = tally ?? {};
  return {
    slices: slices + 1,
    amount: amount + (SUITES[name]?.factor ?? 0),
    seconds: before + seconds,
    failed: isPassed ? failed : [...failed, seed],
  };
}

function readJournal(): Journal {
  if (!existsSync(JOURNAL)) return { next_seed: 1, suites: {} };
  return JSON.parse(readFileSync(JOURNAL, 'utf8')) as Journal;
}

function writeJournal(journal: Journal): void {
  writeFileSync(`${JOURNAL}.new`, `${JSON.stringify(journal, null, 2)}\n`);
  renameSync(`${JOURNAL}.new`, JOURNAL);
}

function printTable({ suites }: Journal): void {
  for (const [name, { slices, amount, seconds, failed }] of Object.entries(suites)) {
    const what = SUITES[name]?.amount ?? '';
    const bad = failed.length === 0 ? 'none failed' : `FAILED at seeds ${failed.join(', ')}`;
    say(`${name.padEnd(12)} ${slices} slices  ${amount} ${what}  ${Math.round(seconds / 60)} min  ${bad}`);
  }
}

function parseNumber(option: string, text: string): number {
  const number = Number(text);
  if (!(number >= 0)) throw new Error(`${option}: expected a number, got ${text}`);
  return number;
}

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

process.exitCode = main();
