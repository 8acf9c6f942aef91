import fc from 'fast-check';
import { expect } from 'vitest';
import { KINDS, schedule } from './schedule.js';
import { Simulation } from './simulation.js';
import { runs } from './world.js';

/** What a run must have met besides each kind of step, in one of how many schedules at least. */
const MET = {
  'crash within a turn': 20,
  'crash that lost the tail': 20,
  'one prompt sent apart': 200,
  'two runners on one prompt': 5,
  'late events': 20,
  'left behind': 50,
  cancelled: 20,
  complete: 2,
  continued: 500,
  error: 20,
  interrupted: 20,
  redacted: 100,
  retried: 500,
  stopped: 20,
  superseded: 5,
} as const;
/** Of each kind of step, that it did something. */
const KIND_MET = 500;

/** Random schedules with all laws, and what they have met. */
export class Suite {
  readonly #skewed: boolean;
  readonly #fired = new Map<string, number>();
  #schedules = 0;

  /** `skewed`: the clocks of all are up to a day apart from the beginning. */
  constructor({ skewed }: { readonly skewed: boolean }) {
    this.#skewed = skewed;
  }

  get schedules(): number {
    return this.#schedules;
  }

  async run(count: number, quick: number): Promise<void> {
    const property = fc.asyncProperty(schedule, async (drawn) => {
      this.#schedules += 1;
      const simulation = new Simulation(drawn, this.#skewed);
      await simulation.run(drawn.steps);
      for (const [name, times] of simulation.fired) {
        this.#fired.set(name, (this.#fired.get(name) ?? 0) + times);
      }
    });
    await fc.assert(property, runs(count, quick));
  }

  /** Each fault has happened, and so often that its laws were tried. */
  expectMet(): void {
    const floors: [string, number][] = [
      ...KINDS.map((kind): [string, number] => [kind, KIND_MET]),
      ...Object.entries(MET),
    ];
    const missing = floors.filter(
      ([name, one]) => (this.#fired.get(name) ?? 0) < Math.floor(this.#schedules / one),
    );
    expect(missing, JSON.stringify([...this.#fired].sort())).toEqual([]);
  }
}
