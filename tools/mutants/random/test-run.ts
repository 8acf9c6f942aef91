import { join, relative } from 'node:path';
import { BaseSequencer, createVitest, type TestModule, type TestSpecification } from 'vitest/node';

/** The process that runs tests of a sandbox, with its own settings: it takes one `TestRun` and sends one `TestResult`. */

export interface TestRun {
  /** From the root of the sandbox, the first to run first. */
  readonly files: readonly string[];
  /** Only tests whose names match. */
  readonly pattern?: string;
}

export interface TestResult {
  /** The first test that failed, or the file that does not load, and what ran. */
  readonly failed?: FailedTest;
  /** Whether any test ran to its end. */
  readonly hasRun: boolean;
}

export interface FailedTest {
  readonly file: string;
  /** Undefined where the file does not load. */
  readonly test?: string;
}

/** Sent as each test begins. */
export interface TestBegin {
  readonly running: FailedTest;
}

function send(message: TestBegin | TestResult): void {
  process.send?.(message);
}

class InOrder extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return files;
  }
}

async function runTests({ files, pattern }: TestRun): Promise<TestResult> {
  const root = process.cwd();
  const vitest = await createVitest('test', {
    root,
    watch: false,
    maxWorkers: 1,
    bail: 1,
    cache: false,
    sequence: { sequencer: InOrder },
    // The judge is told that it is not stuck, and where it is.
    reporters: [
      {
        onTestCaseReady: ({ module, fullName }) =>
          send({ running: { file: relative(root, module.moduleId), test: fullName } }),
      },
    ],
  });
  await vitest.standalone();
  const testNamePattern = pattern === undefined ? undefined : new RegExp(pattern);
  const specifications = files.flatMap((file) => {
    const path = join(root, file);
    const project = vitest.projects.find(
      ({ config }) => path.startsWith(`${config.root}/`) && config.root !== root,
    );
    return project === undefined
      ? []
      : [project.createSpecification(path, testNamePattern ? { testNamePattern } : {})];
  });
  const { testModules, unhandledErrors } = await vitest.runTestSpecifications(specifications);
  const hasRun = testModules.some((module) => [...module.children.allTests('passed')].length > 0);
  const failed = testModules.flatMap((module) => findFailed(root, module))[0];
  if (failed !== undefined) return { failed, hasRun };
  return unhandledErrors.length === 0 ? { hasRun } : { failed: { file: files[0] ?? '' }, hasRun };
}

function findFailed(root: string, module: TestModule): FailedTest[] {
  const file = relative(root, module.moduleId);
  const [test] = module.children.allTests('failed');
  if (test !== undefined) return [{ file, test: test.fullName }];
  return module.state() === 'failed' ? [{ file }] : [];
}

process.once('message', (run: TestRun) => {
  const finish = (result: TestResult): void => void process.send?.(result, end);
  runTests(run).then(finish, () => finish({ failed: { file: run.files[0] ?? '' }, hasRun: false }));
});
// Nobody waits for the result.
process.once('disconnect', end);

/** Ends this process and all that it has started: it leads their group. */
function end(): void {
  process.kill(-process.pid, 'SIGKILL');
}
