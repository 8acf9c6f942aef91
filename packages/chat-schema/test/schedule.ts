import fc from 'fast-check';
import { runs } from '../../../tools/amounts.js';

/**
 * A schedule is plain JSON: steps whose numbers pick among what exists when they run, so that any sub-list is a
 * schedule too. That is what lets fast-check shrink it and `regressions/` keep it.
 */
export interface Schedule {
  readonly seed: number;
  readonly replicas: number;
  /** Hours by which each replica's clock is wrong. */
  readonly skews: readonly number[];
  readonly steps: readonly Step[];
}

type At = { readonly at: number };
export type HonestStep = At &
  (
    | {
        readonly op: 'thread';
        readonly slot: number | null;
        readonly fork: number | null;
        readonly named: boolean;
      }
    | {
        readonly op: 'configure';
        readonly thread: number;
        readonly fields: Readonly<Record<string, unknown>>;
      }
    | {
        readonly op: 'send';
        readonly thread: number;
        readonly text: string;
        readonly reply: number | null;
        readonly client: number | null;
        readonly expects: boolean;
      }
    | { readonly op: 'edit'; readonly message: number; readonly text: string }
    | { readonly op: 'delete' | 'redact' | 'stop' | 'retry' | 'interrupt'; readonly message: number }
    | {
        readonly op: 'annotate';
        readonly message: number;
        readonly onThread: boolean;
        readonly key: string;
        readonly value: string | number | null;
      }
    | {
        readonly op: 'variables';
        readonly scope: 'user' | 'org' | 'project';
        readonly values: Readonly<Record<string, string | null>>;
      }
    | { readonly op: 'state'; readonly thread: number; readonly state: 'idle' | 'error' | 'complete' }
    | { readonly op: 'activate'; readonly thread: number }
    | { readonly op: 'open'; readonly message: number }
    | { readonly op: 'stream'; readonly thread: number }
    | { readonly op: 'part'; readonly writer: number; readonly kind: 'text' | 'reasoning' }
    | { readonly op: 'append'; readonly writer: number; readonly text: string }
    | { readonly op: 'closePart'; readonly writer: number; readonly text: string | null }
    | { readonly op: 'addPart'; readonly writer: number; readonly part: number; readonly text: string }
    | { readonly op: 'finish'; readonly writer: number; readonly reason: 'stop' | 'error' | 'stopped' }
    | { readonly op: 'crash'; readonly old: number | null }
    | { readonly op: 'copy'; readonly from: number }
    | {
        readonly op: 'deliver';
        readonly picks: readonly number[];
        readonly keep: boolean;
        readonly group: boolean;
      }
    | { readonly op: 'sync'; readonly from: number; readonly full: boolean }
    | { readonly op: 'clock'; readonly minutes: number }
  );

/** Lines that a hostile client writes; `pick`s choose among ids in the document and a few of its own. */
export type HostileLine =
  | { readonly kind: 'raw'; readonly text: string }
  | { readonly kind: 'deep'; readonly levels: number }
  | {
      readonly kind: 'twist';
      readonly pick: number;
      readonly how: 'longer' | 'shorter' | 'cut' | 'copy' | 'break';
    }
  | {
      readonly kind: 'message';
      readonly own: number;
      readonly thread: number;
      readonly reply: number;
      readonly after: number;
    }
  | { readonly kind: 'legacy_row'; readonly message: number; readonly own: number; readonly about: boolean }
  | { readonly kind: 'attempt'; readonly message: number; readonly own: number; readonly epoch: unknown }
  | { readonly kind: 'part' | 'finish'; readonly attempt: number; readonly own: number; readonly n: unknown }
  | {
      readonly kind: 'retry' | 'stop' | 'interrupt' | 'redaction';
      readonly message: number;
      readonly own: number;
      readonly epoch: unknown;
    }
  | {
      readonly kind:
        | 'thread_config'
        | 'revision'
        | 'annotation'
        | 'thread_state'
        | 'activation'
        | 'variables';
      readonly subject: number;
      readonly own: number;
      readonly replaces: readonly number[];
    }
  | { readonly kind: 'thread'; readonly own: number; readonly fork: number; readonly slot: boolean };

export type HeaderKind =
  | 'good'
  | 'none'
  | 'hidden'
  | 'rolled_back'
  | 'bad'
  | 'same_writer'
  | 'same_lane'
  | 'late';
export type HostileStep = At &
  (
    | {
        readonly op: 'foreign' | 'steal';
        readonly lane: number;
        readonly offset: number;
        readonly text: string;
      }
    | { readonly op: 'damage'; readonly lane: number; readonly offset: number; readonly length: number }
    | { readonly op: 'replace' | 'value'; readonly lane: number }
    | {
        readonly op: 'lane';
        readonly header: HeaderKind;
        readonly lines: readonly HostileLine[];
        readonly open: boolean;
      }
  );
export type Step = HonestStep | HostileStep;

const nat = (max = 1000): fc.Arbitrary<number> => fc.nat({ max });
const maybe = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(value, { nil: null, freq: 2 });

const UNITS = [
  'a',
  'b',
  ' ',
  'é',
  '漢',
  'я',
  '"',
  '\\',
  '\n',
  '\t',
  '\u2028',
  '\0',
  '😀',
  '\ud83d',
  '\ude00',
  'u00e9',
  '\u007f',
];
/** Strings that break an escaper: pieces of any of them may be cut anywhere. */
export const awkwardText = (maxLength = 8): fc.Arbitrary<string> =>
  fc.string({ unit: fc.constantFrom(...UNITS), maxLength });

const text = awkwardText();
const at = nat(3);
const field = fc.oneof(
  fc.record({ name: maybe(text) }),
  fc.record({ pin: maybe(fc.boolean()), archived: fc.boolean() }),
  fc.record({ thread_color: maybe(fc.constantFrom('red', 'blue')), name: text }),
  fc.record({ acp_config: maybe(fc.record({ model: text })) }),
  fc.record({ session: fc.record({ id: text, last: nat() }) }),
);

const weighted: readonly (readonly [number, fc.Arbitrary<HonestStep>])[] = [
  [
    3,
    fc.record({
      op: fc.constant('thread' as const),
      at,
      slot: maybe(nat(2)),
      fork: maybe(nat()),
      named: fc.boolean(),
    }),
  ],
  [4, fc.record({ op: fc.constant('configure' as const), at, thread: nat(), fields: field })],
  [
    8,
    fc.record({
      op: fc.constant('send' as const),
      at,
      thread: nat(),
      text,
      reply: maybe(nat()),
      client: maybe(nat(2)),
      expects: fc.boolean(),
    }),
  ],
  [3, fc.record({ op: fc.constant('edit' as const), at, message: nat(), text })],
  [1, fc.record({ op: fc.constantFrom('delete' as const, 'redact' as const), at, message: nat() })],
  [
    4,
    fc.record({
      op: fc.constantFrom('stop' as const, 'retry' as const, 'interrupt' as const),
      at,
      message: nat(),
    }),
  ],
  [
    2,
    fc.record({
      op: fc.constant('annotate' as const),
      at,
      message: nat(),
      onThread: fc.boolean(),
      key: fc.constantFrom('read', 'reaction:👍', 'feedback'),
      value: fc.constantFrom('up', 1, null),
    }),
  ],
  [
    1,
    fc.record({
      op: fc.constant('variables' as const),
      at,
      scope: fc.constantFrom('user' as const, 'org' as const, 'project' as const),
      values: fc.dictionary(fc.constantFrom('a', 'b'), maybe(text), { maxKeys: 2 }),
    }),
  ],
  [
    1,
    fc.record({
      op: fc.constant('state' as const),
      at,
      thread: nat(),
      state: fc.constantFrom('idle' as const, 'error' as const, 'complete' as const),
    }),
  ],
  [1, fc.record({ op: fc.constant('activate' as const), at, thread: nat() })],
  [6, fc.record({ op: fc.constant('open' as const), at, message: nat() })],
  [1, fc.record({ op: fc.constant('stream' as const), at, thread: nat() })],
  [
    4,
    fc.record({
      op: fc.constant('part' as const),
      at,
      writer: nat(),
      kind: fc.constantFrom('text' as const, 'text' as const, 'reasoning' as const),
    }),
  ],
  [8, fc.record({ op: fc.constant('append' as const), at, writer: nat(), text })],
  [2, fc.record({ op: fc.constant('closePart' as const), at, writer: nat(), text: maybe(text) })],
  [2, fc.record({ op: fc.constant('addPart' as const), at, writer: nat(), part: nat(3), text })],
  [
    3,
    fc.record({
      op: fc.constant('finish' as const),
      at,
      writer: nat(),
      reason: fc.constantFrom('stop' as const, 'error' as const, 'stopped' as const),
    }),
  ],
  [2, fc.record({ op: fc.constant('crash' as const), at, old: maybe(nat()) })],
  [1, fc.record({ op: fc.constant('copy' as const), at, from: nat(3) })],
  [
    10,
    fc.record({
      op: fc.constant('deliver' as const),
      at,
      picks: fc.array(nat(), { minLength: 1, maxLength: 6 }),
      keep: fc.boolean(),
      group: fc.boolean(),
    }),
  ],
  [4, fc.record({ op: fc.constant('sync' as const), at, from: nat(3), full: fc.boolean() })],
  [1, fc.record({ op: fc.constant('clock' as const), at, minutes: fc.integer({ min: -300, max: 300 }) })],
];
const honestStep: fc.Arbitrary<HonestStep> = fc.oneof(
  ...weighted.map(([weight, arbitrary]) => ({ weight, arbitrary })),
);

const A_ULID = '01KAJ8Z0000000000000000000';
const RAW = [
  '',
  'null',
  '[]',
  '"text"',
  'garbage',
  '{}',
  '{"type":"message"}',
  '{"type":"lane"}',
  `{"type":"lane","lane_id":"${A_ULID}"}`,
  '{"type":"message","message_id":"01kaj8z0000000000000000000","thread_id":"x"}',
  '{"type":"message","message_id":"81KAJ8Z0000000000000000000","thread_id":"01KAJ8Z0000000000000000000"}',
  `{"type":"message","message_id":"${A_ULID}","thread_id":"${A_ULID}","sender_id":7,"date":null,"content":["x"]}`,
  `{"type":"message","message_id":"${A_ULID}","thread_id":"${A_ULID}","prompt_id":"x"}`,
  `{"type":"message","message_id":"${A_ULID}","thread_id":"${A_ULID}","message_id":"01KAJ8Z1111111111111111111"}`,
  `{"type":"message","message_id":"${A_ULID}","thread_id":"${A_ULID}","__proto__":{"x":1}}`,
  `{"type":"message","message_id":"${A_ULID}","thread_id":"${A_ULID}","content":"a\u0000b"}`,
  `{"type":"message","message_id":"${A_ULID}","thread_id":"${A_ULID}","content":"\u0000"}`,
  `{"type":"legacy_row","id":"${A_ULID}","row":{"constructor":1,"toString":2}}`,
  `{"type":"legacy_row","id":"${A_ULID}","message_id":"x","row":1}`,
  `{"type":"variables","id":"${A_ULID}","scope":"user","scope_id":"u","values":{"constructor":"x","hasOwnProperty":1}}`,
  `{"type":"document","id":"${A_ULID}","doc_id":"${A_ULID}"}`,
  '{"type":"future_thing","id":"x","deep":{"a":[1,2]}}',
  '{"type":"future_thing","id":"x","__proto__":1}',
  '{"type":"future_thing","id":',
  '{"type":"Future","id":"x"}',
];

const own = nat(7);
const epoch = fc.constantFrom<unknown>(1, 2, 3, 7, 1_000_000, Number.MAX_SAFE_INTEGER, 0, -1, 1.5, '2', null);
const hostileLine: fc.Arbitrary<HostileLine> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('raw' as const), text: fc.constantFrom(...RAW) }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('deep' as const), levels: fc.constantFrom(20, 40, 10_000) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('twist' as const),
      pick: nat(),
      how: fc.constantFrom(
        'longer' as const,
        'shorter' as const,
        'cut' as const,
        'copy' as const,
        'break' as const,
      ),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('message' as const),
      own,
      thread: nat(),
      reply: nat(),
      after: nat(),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('legacy_row' as const),
      message: nat(),
      own,
      about: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('attempt' as const), message: nat(), own, epoch }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constantFrom('part' as const, 'finish' as const),
      attempt: nat(),
      own,
      n: fc.constantFrom<unknown>(1, 2, 3, 1e15, 1.5, '1', 0),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constantFrom('retry' as const, 'stop' as const, 'interrupt' as const, 'redaction' as const),
      message: nat(),
      own,
      epoch,
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constantFrom(
        ...(['thread_config', 'revision', 'annotation', 'thread_state', 'activation', 'variables'] as const),
      ),
      subject: nat(),
      own,
      replaces: fc.array(nat(), { maxLength: 3 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('thread' as const), own, fork: nat(), slot: fc.boolean() }),
  },
);

const hostileStep: fc.Arbitrary<HostileStep> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      op: fc.constant('lane' as const),
      at,
      header: fc.constantFrom<HeaderKind>(
        'good',
        'good',
        'good',
        'same_writer',
        'same_lane',
        'none',
        'hidden',
        'rolled_back',
        'bad',
        'late',
      ),
      lines: fc.array(hostileLine, { maxLength: 6 }),
      open: fc.boolean(),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      op: fc.constantFrom('foreign' as const, 'steal' as const),
      at,
      lane: nat(),
      offset: nat(10_000),
      text: fc.constantFrom('x', '\n', '{"type":"message"', '"}\n', '\\', `${RAW[19]}\n`),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      op: fc.constant('damage' as const),
      at,
      lane: nat(),
      offset: nat(10_000),
      length: fc.oneof(nat(3), nat(400), fc.constant(100_000)),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ op: fc.constantFrom('replace' as const, 'value' as const), at, lane: nat() }),
  },
);

const scheduleOf = (step: fc.Arbitrary<Step>, maxLength: number): fc.Arbitrary<Schedule> =>
  fc.record({
    seed: nat(1_000_000),
    replicas: fc.integer({ min: 2, max: 4 }),
    skews: fc.array(fc.integer({ min: -30, max: 30 }), { minLength: 4, maxLength: 4 }),
    // Most steps need a thread and messages to act on.
    steps: fc
      .array(step, { minLength: Math.floor(maxLength / 3), maxLength, size: 'max' })
      .map((steps): Step[] => [...OPENING, ...steps]),
  });

const OPENING: readonly HonestStep[] = [
  { op: 'thread', at: 0, slot: null, fork: null, named: false },
  { op: 'send', at: 0, thread: 0, text: 'first', reply: null, client: null, expects: true },
  { op: 'sync', at: 1, from: 0, full: true },
  { op: 'send', at: 1, thread: 0, text: 'second', reply: 0, client: 0, expects: true },
  { op: 'open', at: 0, message: 0 },
  { op: 'part', at: 0, writer: 0, kind: 'text' },
];

/** Steps of clients that keep the rules. */
export const honestSchedule = (maxLength = 60): fc.Arbitrary<Schedule> => scheduleOf(honestStep, maxLength);

/** The same, with a hostile client that writes raw Yjs among them. */
export const hostileSchedule = (maxLength = 50): fc.Arbitrary<Schedule> =>
  scheduleOf(
    fc.oneof({ weight: 3, arbitrary: honestStep }, { weight: 1, arbitrary: hostileStep }),
    maxLength,
  );

/** For fast-check, as `runs`. */
export function parameters(
  numRuns: number,
  quick?: number,
): { seed: number; numRuns: number; verbose: fc.VerbosityLevel } {
  return { ...runs(numRuns, quick), verbose: fc.VerbosityLevel.None };
}
