import fc from 'fast-check';

/** What can happen, and how often each is drawn, of the sum. The first are what a failure shrinks to. */
const WEIGHTS = {
  deliver: 14,
  advance: 8,
  submit: 4,
  agent: 2,
  stop: 5,
  retry: 3,
  continue: 4,
  crash: 5,
  restart: 5,
  resend: 3,
  partition: 2,
  heal: 1,
  duplicate: 2,
  lease: 1,
  send_now: 2,
  redact: 1,
  delete: 1,
  config: 2,
  clock: 2,
};

export type Kind = keyof typeof WEIGHTS;
export const KINDS: readonly Kind[] = Object.keys(WEIGHTS) as Kind[];
const BAG: readonly Kind[] = KINDS.flatMap((kind) => Array<Kind>(WEIGHTS[kind]).fill(kind));

export interface Step {
  readonly kind: Kind;
  readonly a: number;
  readonly b: number;
}

export interface Schedule {
  readonly seed: number;
  readonly runners: number;
  /** Each runner leaves a prompt a while longer to those before it. */
  readonly isPolite: boolean;
  readonly steps: readonly Step[];
}

const A = 64;
const B = 4_096;

/** One number a step, drawn evenly: drawing a schedule must cost little beside running it. */
const step: fc.Arbitrary<Step> = fc.noBias(fc.nat({ max: BAG.length * A * B - 1 })).map((drawn) => ({
  kind: BAG[drawn % BAG.length] as Kind,
  a: Math.floor(drawn / BAG.length) % A,
  b: Math.floor(drawn / BAG.length / A),
}));

/** Short ones: most of what a long one meets is met by two short ones at half the cost. */
export const schedule: fc.Arbitrary<Schedule> = fc.record({
  seed: fc.nat(),
  runners: fc.constantFrom(2, 2, 2, 3),
  isPolite: fc.boolean(),
  steps: fc.array(step, { minLength: 5, maxLength: 13, size: 'max' }),
});
