import { Session } from 'node:inspector';

/**
 * Counts steps: calls of functions of all modules but Node's own, a measure of work that is the same on every machine,
 * however busy. What native functions do within, and a loop that calls nothing, are not seen. Code runs slower while
 * it is counted.
 */
export class StepCounter {
  readonly #session = new Session();

  constructor() {
    this.#session.connect();
    this.#session.post('Profiler.enable');
    this.#session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: false });
  }

  /** Steps since the last call, or since the beginning. */
  take(): number {
    let steps = 0;
    this.#session.post('Profiler.takePreciseCoverage', (error, taken) => {
      if (error !== null) throw error;
      for (const { url, functions } of taken.result) {
        if (url.startsWith('node:') || url === '') continue;
        for (const { ranges } of functions) steps += ranges[0]?.count ?? 0;
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
