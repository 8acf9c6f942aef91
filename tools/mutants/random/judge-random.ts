import { fork } from 'node:child_process';
import { join } from 'node:path';
import { createGraph, readEntries } from '../../imports.js';
import { ROOT, readFiles, readSources } from '../../workspace.js';
import type { RandomDraw } from '../choose.js';
import { createCompiler } from './compiler.js';
import { draw, type Place } from './draw.js';
import { findRelatedTests } from './related-tests.js';
import { Sandbox } from './sandbox.js';
import type { FailedTest, TestBegin, TestResult, TestRun } from './test-run.js';

/** What became of a mutation that was drawn. Of these only `survived` is a fault of the tests. */
export type RandomOutcome =
  | { readonly outcome: 'compiler' | 'test' | 'hangs'; readonly by: string }
  /** The tests ran out of time, and none had failed; or one failed that fails without a mutation, too. */
  | { readonly outcome: 'unfinished'; readonly why: string }
  | { readonly outcome: 'survived'; readonly tests: number };

type Ended =
  | ({ readonly ok: true } & TestResult)
  /** `quiet` is for how many milliseconds the same test had run: none if none had begun. */
  | { readonly ok: false; readonly code: 'timed_out'; readonly quiet: number; readonly running?: FailedTest }
  | { readonly ok: false; readonly code: 'crashed' };

/** Sandboxes at the same time. */
const AT_ONCE = 2;

/** Draws mutations, judges them and prints what became of each; returns how many survived. */
export async function judgeRandom(chosen: RandomDraw, out: (line: string) => void): Promise<number> {
  // Read and changed in copies alone: the workspace may change before all are judged.
  const judges = Array.from(
    { length: Math.min(AT_ONCE, chosen.count) },
    () => new SandboxJudge(chosen.limit),
  );
  try {
    return await judgeAll(chosen, judges, out);
  } finally {
    for (const { sandbox } of judges) sandbox.remove();
  }
}

async function judgeAll(
  { count, seed }: RandomDraw,
  judges: readonly SandboxJudge[],
  out: (line: string) => void,
): Promise<number> {
  const start = performance.now();
  const root = judges[0]?.sandbox.folder ?? ROOT;
  const { places, equivalents, total } = draw(readSources(root), count, seed);
  const files = readFiles(root, '.', (path) => /^(?:packages|examples)\/.*\.ts$/.test(path));
  const graph = createGraph(files, readEntries(root));
  const sizes = new Map(files.map(({ path, text }) => [path, text.length]));
  const compiler = createCompiler(root);
  const outcomes: RandomOutcome[] = [];
  const report = (place: Place, outcome: RandomOutcome): void => {
    outcomes.push(outcome);
    for (const line of describe(place, outcome)) out(line);
  };
  const queue: Place[] = [];
  for (const place of places) {
    const refused = compiler.check(place);
    if (refused === undefined) queue.push(place);
    else report(place, { outcome: 'compiler', by: refused });
  }
  const work = async (judge: SandboxJudge): Promise<void> => {
    for (let place = queue.shift(); place !== undefined; place = queue.shift()) {
      report(place, await judge.judge(place, findRelatedTests(graph, sizes, place.file)));
    }
  };
  await Promise.all(judges.map(work));
  const seconds = ((performance.now() - start) / 1000).toFixed(0);
  out(`random: ${places.length} of ${total} by seed ${seed}, ${equivalents.length} equivalent ones left out`);
  out(`random: ${summarize(outcomes)}, in ${seconds} s`);
  return outcomes.filter(({ outcome }) => outcome === 'survived').length;
}

class SandboxJudge {
  readonly sandbox: Sandbox = new Sandbox(ROOT);
  readonly #limit: number;
  /** Tests that fail without a mutation, or not, by file and name. */
  readonly #failing = new Map<string, boolean>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  async judge(place: Place, tests: readonly string[]): Promise<RandomOutcome> {
    if (tests.length === 0) return { outcome: 'survived', tests: 0 };
    const ended = await this.sandbox.withMutation(place, () => this.#run({ files: tests }));
    if (!ended.ok) {
      if (ended.code === 'crashed') return { outcome: 'test', by: 'the process of the tests ended' };
      const { quiet, running } = ended;
      // A test that ends in time without the mutation does not end with it.
      if (running === undefined || quiet < this.#limit / 2 || (await this.#failsAnyway(running))) {
        return { outcome: 'unfinished', why: 'out of time' };
      }
      return { outcome: 'hangs', by: `${running.test} for ${Math.round(quiet / 1000)} s` };
    }
    const { failed, hasRun } = ended;
    if (failed === undefined) {
      return hasRun
        ? { outcome: 'survived', tests: tests.length }
        : { outcome: 'unfinished', why: 'no test ran' };
    }
    const by = failed.test ?? `${failed.file} does not load`;
    if (await this.#failsAnyway(failed))
      return { outcome: 'unfinished', why: `fails without a mutation: ${by}` };
    return { outcome: 'test', by };
  }

  async #failsAnyway({ file, test }: FailedTest): Promise<boolean> {
    const key = `${file} ${test ?? ''}`;
    const known = this.#failing.get(key);
    if (known !== undefined) return known;
    const pattern = test === undefined ? {} : { pattern: `^${escapePattern(test.replaceAll(' > ', ' '))}$` };
    const ended = await this.#run({ files: [file], ...pattern });
    const fails = !ended.ok || ended.failed !== undefined;
    this.#failing.set(key, fails);
    return fails;
  }

  /** Runs tests in a process of their own, which is ended after the limit. */
  #run(run: TestRun): Promise<Ended> {
    const { folder } = this.sandbox;
    // The amounts of the quick run.
    const { CHATDOC_SEED: _, CHATDOC_RUNS: __, ...env } = process.env;
    const child = fork(join(folder, 'tools/mutants/random/test-run.ts'), {
      cwd: folder,
      execArgv: ['--import', 'tsx'],
      env,
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      // It leads a group of its own, with all that it starts: they end with it.
      detached: true,
    });
    return new Promise((resolve) => {
      let last: { readonly running: FailedTest; readonly since: number } | undefined;
      const timer = setTimeout(() => {
        const since = last?.since ?? performance.now();
        resolve({
          ok: false,
          code: 'timed_out',
          quiet: performance.now() - since,
          ...(last && { running: last.running }),
        });
        if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
      }, this.#limit);
      child.on('message', (message: TestResult | TestBegin) => {
        if ('running' in message) last = { running: message.running, since: performance.now() };
        else resolve({ ok: true, ...message });
      });
      child.once('error', () => resolve({ ok: false, code: 'crashed' }));
      child.once('exit', () => {
        clearTimeout(timer);
        resolve({ ok: false, code: 'crashed' });
      });
      child.send(run);
    });
  }
}

function escapePattern(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

export function describe(place: Place, result: RandomOutcome): readonly string[] {
  const { file, line, operator, before, after } = place;
  const at = `${file}:${line} ${operator}`;
  if ('by' in result) return [`${result.outcome.padEnd(10)} ${at}: ${result.by}`];
  const change = [
    ...before.split('\n').map((text) => `  - ${text.trim()}`),
    ...after.split('\n').map((text) => `  + ${text.trim()}`),
  ];
  if (result.outcome === 'unfinished') return [`UNFINISHED ${at} (${result.why})`, ...change];
  return [`SURVIVED   ${at} (${result.tests} test files)`, ...change];
}

/** `36 of 40 noticed (90.0 %): 24 by tests, 12 by the compiler, 0 hang; 3 survived, 1 unfinished`. */
export function summarize(outcomes: readonly RandomOutcome[]): string {
  const count = (wanted: RandomOutcome['outcome']): number =>
    outcomes.filter(({ outcome }) => outcome === wanted).length;
  const noticed = count('test') + count('compiler') + count('hangs');
  const share = outcomes.length === 0 ? 100 : (noticed / outcomes.length) * 100;
  const how = `${count('test')} by tests, ${count('compiler')} by the compiler, ${count('hangs')} hang`;
  const rest = `${count('survived')} survived, ${count('unfinished')} unfinished`;
  return `${noticed} of ${outcomes.length} noticed (${share.toFixed(1)} %): ${how}; ${rest}`;
}
