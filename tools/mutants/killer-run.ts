import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createVitest, type TestModule } from 'vitest/node';
import type { Killer, Mutant } from './mutant.js';
import { createPlantPlugin } from './plant-plugin.js';

/** The process in which the killers of one mutant run: it takes one `KillerRun` and gives one `KillerResult`. */

export interface KillerRun {
  readonly mutant: Mutant;
  readonly killers: readonly Killer[];
  /** Ends with the first test that fails; else all run. */
  readonly bail: boolean;
  readonly workers: number;
}

export interface KillerResult {
  /** Names of the tests that failed, in order. */
  readonly failed: readonly string[];
  /** Killers of which no test ran. */
  readonly empty: readonly Killer[];
  /** What went wrong outside of tests: a file that does not load, an error that nobody caught. */
  readonly errors: readonly string[];
  /** Whether the module of the mutant was loaded at all. */
  readonly isPlanted: boolean;
}

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const SETUP = fileURLToPath(new URL('first-counterexample.ts', import.meta.url));
const CONDITIONS = ['@chatdoc/source'];

async function runKillers({ mutant, killers, bail, workers }: KillerRun): Promise<KillerResult> {
  let isPlanted = false;
  const plugin = createPlantPlugin(ROOT, mutant, () => {
    isPlanted = true;
  });
  const vitest = await createVitest(
    'test',
    {
      config: false,
      root: ROOT,
      include: [...new Set(killers.map(({ file }) => file))],
      setupFiles: [SETUP],
      reporters: [{}],
      maxWorkers: workers,
      bail: bail ? 1 : 0,
      testTimeout: 120_000,
      cache: false,
      watch: false,
    },
    { resolve: { conditions: CONDITIONS }, ssr: { resolve: { conditions: CONDITIONS } }, plugins: [plugin] },
  );
  const project = vitest.getRootProject();
  await vitest.standalone();
  const specifications = [...groupByFile(killers)].map(([file, testNamePattern]) =>
    project.createSpecification(join(ROOT, file), { testNamePattern }),
  );
  const { testModules, unhandledErrors } = await vitest.runTestSpecifications(specifications);
  const failed = testModules.flatMap((module) =>
    [...module.children.allTests('failed')].map(({ fullName }) => fullName),
  );
  const broken = testModules.flatMap((module) =>
    module.errors().map(({ message }) => `${module.relativeModuleId} does not load: ${message}`),
  );
  return {
    failed,
    empty: killers.filter((killer) => !testModules.some((module) => hasRun(module, killer))),
    errors: [...broken, ...unhandledErrors.map(describe)],
    isPlanted,
  };
}

/** Killers of one file run as one. */
function groupByFile(killers: readonly Killer[]): Map<string, RegExp> {
  const tests = new Map<string, string[]>();
  for (const { file, test = '' } of killers) tests.set(file, [...(tests.get(file) ?? []), test]);
  return new Map([...tests].map(([file, names]) => [file, new RegExp(names.map(escapePattern).join('|'))]));
}

function escapePattern(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

function hasRun(module: TestModule, { file, test = '' }: Killer): boolean {
  if (module.moduleId !== join(ROOT, file)) return false;
  const tests = [...module.children.allTests()].filter(({ fullName }) => fullName.includes(test));
  return tests.some((one) => one.result().state === 'passed' || one.result().state === 'failed');
}

function describe(error: unknown): string {
  return error instanceof Object && 'message' in error ? String(error.message) : String(error);
}

process.once('message', (run: KillerRun) => {
  const answer = (result: KillerResult): void => {
    process.send?.(result, end);
  };
  runKillers(run).then(answer, (error: unknown) =>
    answer({ failed: [], empty: [], errors: [describe(error)], isPlanted: false }),
  );
});
// Whoever asked is gone.
process.once('disconnect', end);

/** Ends this process and all that it has started: it leads their group. */
function end(): void {
  process.kill(-process.pid, 'SIGKILL');
}
