import { Session } from 'node:inspector';

/**
 * Counts the blocks of code that are executed: a measure of work that is the same on every machine, however busy.
 * Blocks are those of V8's coverage, of all modules but Node's own; what native functions do within is not seen. Code
 * runs slower while it is counted.
 */
export class StepCounter {
  readonly #session = new Session();

  constructor() {
    this.#session.connect();
    this.#session.post('Profiler.enable');
    this.#session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  }

  /** Steps since the last call, or since the beginning. */
  take(): number {
    let steps = 0;
    this.#session.post('Profiler.takePreciseCoverage', (error, taken) => {
      if (error !== null) throw error;
      for (const { url, functions } of taken.result) {
        if (url.startsWith('node:') || url === '') continue;
        for (const { ranges } of functions) for (const { count } of ranges) steps += count;
      }
    });
    return steps;
  }

  stop(): void {
    this.#session.post('Profiler.stopPreciseCoverage');
    this.#session.disconnect();
  }
}

export function countSteps(run: () => void): number {
  const counter = new StepCounter();
  try {
    run();
    return counter.take();
  } finally {
    counter.stop();
  }
}
