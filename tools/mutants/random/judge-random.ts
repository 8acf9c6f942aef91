import { createGraph, readEntries } from '../../imports.js';
import { ROOT, readFiles, readSources } from '../../workspace.js';
import type { RandomDraw } from '../choose.js';
import { startKillers } from '../judge.js';
import { createCompiler } from './compiler.js';
import { draw, type Place } from './draw.js';
import { findRelatedTests } from './related-tests.js';

/** What became of a mutation that was drawn. Of these only `survived` is a fault of the tests. */
export type RandomOutcome =
  | { readonly outcome: 'compiler' | 'test' | 'hangs'; readonly by: string }
  /** The tests ran out of time, and none had failed. */
  | { readonly outcome: 'unfinished' }
  | { readonly outcome: 'survived'; readonly tests: number };

/** Processes at the same time. */
const AT_ONCE = 2;

/** Draws mutations, judges them and prints what became of each; returns how many survived. */
export async function judgeRandom(
  { count, seed, limit }: RandomDraw,
  out: (line: string) => void,
): Promise<number> {
  const start = performance.now();
  const { places, equivalents, total } = draw(readSources(ROOT), count, seed);
  const files = readFiles(ROOT, '.', (path) => /^(?:packages|examples)\/.*\.ts$/.test(path));
  const graph = createGraph(files, readEntries(ROOT));
  const sizes = new Map(files.map(({ path, text }) => [path, text.length]));
  const compiler = createCompiler(ROOT);
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
  const work = async (): Promise<void> => {
    for (let place = queue.shift(); place !== undefined; place = queue.shift()) {
      report(place, await judgeByTests(place, findRelatedTests(graph, sizes, place.file), limit));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  const numbers = summarize(outcomes);
  const seconds = ((performance.now() - start) / 1000).toFixed(0);
  out(
    `random: ${places.length} of ${total} by seed ${seed}: ${numbers}; ${equivalents.length} equivalent; ${seconds} s`,
  );
  return outcomes.filter(({ outcome }) => outcome === 'survived').length;
}

async function judgeByTests(place: Place, tests: readonly string[], limit: number): Promise<RandomOutcome> {
  if (tests.length === 0) return { outcome: 'survived', tests: 0 };
  const { file, find, replace } = place;
  const mutant = {
    name: 'random',
    file,
    find,
    replace,
    breaks: '',
    killers: tests.map((test) => ({ file: test })),
  };
  const ended = await startKillers({ mutant, killers: mutant.killers, bail: true, workers: 1 }, limit);
  if (!ended.ok) {
    if (ended.code === 'crashed') return { outcome: 'test', by: 'the process of the tests ended' };
    const seconds = Math.round(ended.quiet / 1000);
    if (ended.quiet < limit / 2) return { outcome: 'unfinished' };
    return { outcome: 'hangs', by: `no test ended for ${seconds} s` };
  }
  const [by] = [...ended.result.failed.map(({ name }) => name), ...ended.result.errors];
  return by === undefined ? { outcome: 'survived', tests: tests.length } : { outcome: 'test', by };
}

export function describe(place: Place, result: RandomOutcome): readonly string[] {
  const { file, line, operator, before, after } = place;
  const at = `${file}:${line} ${operator}`;
  if ('by' in result) return [`${result.outcome.padEnd(10)} ${at}: ${result.by}`];
  const change = [
    ...before.split('\n').map((text) => `  - ${text}`),
    ...after.split('\n').map((text) => `  + ${text}`),
  ];
  if (result.outcome === 'unfinished') return [`UNFINISHED ${at}`, ...change];
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
