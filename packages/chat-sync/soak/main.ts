import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

/**
 * Runs the property suites of this package at one seed after another, until the time is over. What was done is
 * added up in a ledger beside this file, so that the next run goes on where this one ends.
 */

/** Files of tests, and what one slice multiplies their amounts by. */
const SUITES: Readonly<
  Record<string, { readonly file: string; readonly factor: number; readonly amount: string }>
> = {
  log: { file: 'file-log', factor: 1, amount: 'logs of 8 KB, cut and flipped at every byte' },
  faults: { file: 'file-faults', factor: 1, amount: 'passes of every call with every fault' },
  power: { file: 'file-power', factor: 1, amount: 'passes of every state after a loss of power' },
  races: { file: 'file-races', factor: 4, amount: 'thousands of schedules of processes in one' },
  kills: { file: 'file-kills', factor: 2, amount: 'passes of every kill, and hundreds of real runs' },
  frames: { file: 'door-corpus', factor: 4, amount: 'times 40,000 frames and 20,000 bare updates' },
  honest: { file: 'door-honest', factor: 8, amount: 'times 120 chats against plain Yjs' },
  gate: { file: 'gate-', factor: 4, amount: 'passes of honest sessions, mutations and bombs at the gate' },
  awareness: { file: 'presence-filter', factor: 8, amount: 'times 10,000 awareness updates' },
  generations: { file: 'generation', factor: 4, amount: 'thousands of schedules of generations' },
};

const LEDGER = fileURLToPath(new URL('./ledger.json', import.meta.url));
const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

interface Tally {
  readonly slices: number;
  readonly amount: number;
  readonly seconds: number;
  readonly failed: readonly number[];
}

interface Ledger {
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
  let ledger = readLedger();
  let seed = values.seed === undefined ? ledger.next_seed : parseNumber('--seed', values.seed);
  const until = Date.now() + minutes * 60_000;
  let failures = 0;
  while (Date.now() < until) {
    for (const name of names) {
      if (Date.now() >= until) break;
      const start = Date.now();
      const isPassed = runSlice(name, seed);
      const seconds = Math.round((Date.now() - start) / 1000);
      if (!isPassed) failures += 1;
      ledger = {
        ...ledger,
        suites: { ...ledger.suites, [name]: add(ledger.suites[name], name, seed, seconds, isPassed) },
      };
      writeLedger(ledger);
      say(`${isPassed ? 'passed' : 'FAILED'}  ${name}  seed ${seed}  ${seconds} s`);
    }
    seed += 1;
    if (values.seed === undefined) ledger = { ...ledger, next_seed: seed };
    writeLedger(ledger);
  }
  printTable(ledger);
  return failures === 0 ? 0 : 1;
}

function runSlice(name: string, seed: number): boolean {
  const { file, factor } = SUITES[name] as { file: string; factor: number };
  const env = { ...process.env, CHATDOC_SEED: String(seed), CHATDOC_RUNS: String(factor) };
  const args = ['vitest', 'run', '--project', 'chat-sync', '--testTimeout', '3600000', `test/${file}`];
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

function readLedger(): Ledger {
  if (!existsSync(LEDGER)) return { next_seed: 1, suites: {} };
  return JSON.parse(readFileSync(LEDGER, 'utf8')) as Ledger;
}

function writeLedger(ledger: Ledger): void {
  writeFileSync(`${LEDGER}.new`, `${JSON.stringify(ledger, null, 2)}\n`);
  renameSync(`${LEDGER}.new`, LEDGER);
}

function printTable({ suites }: Ledger): void {
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
