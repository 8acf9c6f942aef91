import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TestError } from 'vitest';
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
  readonly failed: readonly FailedTest[];
  /** Killers of which no test ran. */
  readonly empty: readonly Killer[];
  /** What is no finding of a test: a file that does not load, a name that is not there, an error that nobody caught. */
  readonly errors: readonly string[];
  /** Whether the module of the mutant was loaded at all. */
  readonly isPlanted: boolean;
}

export interface FailedTest {
  readonly name: string;
  /** What its first error says first. */
  readonly error: string;
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
  const failed: FailedTest[] = [];
  const errors = unhandledErrors.map(describe);
  for (const module of testModules) {
    for (const error of module.errors()) {
      errors.push(`${module.relativeModuleId} does not load: ${describe(error)}`);
    }
    for (const test of module.children.allTests('failed')) {
      const [error] = test.result().errors ?? [];
      if (isNameMissing(error)) errors.push(`${test.fullName}: ${describe(error)}`);
      else failed.push({ name: test.fullName, error: describe(error) });
    }
  }
  return {
    failed,
    empty: killers.filter((killer) => !testModules.some((module) => hasRun(module, killer))),
    errors,
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

/** A module has changed around the text of its mutant: any test that runs the line fails. */
function isNameMissing(error: TestError | undefined): boolean {
  if (error === undefined) return false;
  return error.name === 'ReferenceError' || isNameMissing(error.cause);
}

/** The first line of what it says. */
function describe(error: unknown): string {
  const message = error instanceof Object && 'message' in error ? error.message : error;
  return String(message).split('\n', 1)[0] ?? '';
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
