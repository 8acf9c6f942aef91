import { type Chat, isUlid, systemTimers, type Timers } from '@chatdoc/schema';
import { addCounters, type Counters } from './counters.js';
import type { Facts } from './facts.js';
import { Inspection } from './inspection.js';
import { countMarks, type Rule } from './rule.js';
import { RULES } from './rules/index.js';
import { createLeaseRule } from './rules/leases.js';

/** Options of `watch`. */
export interface WatchOptions {
  /** Called every `interval` milliseconds in which something was written, with what is wrong then. */
  readonly onSample?: (sample: Sample) => void;
  /** Defaults to 60,000. */
  readonly interval?: number;
  readonly timers?: Pick<Timers, 'setTimer' | 'clearTimer'>;
  /** How many ids of threads and of messages a sample names for each rule. Defaults to 5. */
  readonly top?: number;
  /** Whether some process shows the attempt within its lease; without it abandoned attempts count as none. */
  readonly isLive?: (attempt: string) => boolean;
}

/** A thread or message, and how much of it is wrong. */
export interface IdCount {
  readonly id: string;
  readonly count: number;
}

/** The sample of one rule that does not hold: where most of it is. */
export interface RuleSample {
  /** Id of the rule. */
  readonly rule: string;
  readonly name: string;
  readonly count: number;
  /** Most first. */
  readonly threads: readonly IdCount[];
  readonly messages: readonly IdCount[];
}

/** The counters of a moment, and where most is wrong. */
export interface Sample {
  readonly counters: Counters;
  /** Rules that do not hold, in their order. */
  readonly offences: readonly RuleSample[];
}

/** The counters of a chat, kept up to date as it changes. */
export interface Watcher {
  /** Equal to those of a `check` now. Reads what changed since they were last read. */
  counters(): Counters;
  sample(): Sample;
  close(): void;
}

const INTERVAL_MS = 60_000;
const TOP = 5;

/** Watches a chat: reads all of it once, and from then on what changes. Writes nothing. */
export function watch(chat: Chat, options: WatchOptions = {}): Watcher {
  const { onSample, timers = systemTimers, interval = INTERVAL_MS, top = TOP, isLive } = options;
  const inspection = new Inspection(chat, isLive === undefined ? RULES : [...RULES, createLeaseRule(isLive)]);
  let timer: unknown;
  let isClosed = false;

  const plan = (): void => {
    if (onSample === undefined || timer !== undefined || isClosed) return;
    timer = timers.setTimer(() => {
      timer = undefined;
      if (!isClosed) onSample(sample());
    }, interval);
  };
  const unsubscribe = chat.inspector.listen((touched) => {
    inspection.markDirty(touched);
    plan();
  });
  const count = (): Counters => {
    const counts = new Map<string, number>();
    for (const { rule, count } of inspection.counts()) counts.set(rule.id, count);
    return addCounters((id) => counts.get(id) ?? 0);
  };
  const sample = (): Sample => {
    inspection.settle();
    const offences = [...inspection.counts()]
      .filter(({ count }) => count > 0)
      .map(({ rule, count }) => describe(inspection, rule, count, top));
    return Object.freeze({ counters: count(), offences: Object.freeze(offences) });
  };

  return {
    counters: () => {
      inspection.settle();
      return count();
    },
    sample,
    close: () => {
      isClosed = true;
      unsubscribe();
      if (timer !== undefined) timers.clearTimer(timer);
      timer = undefined;
    },
  };
}

function describe(inspection: Inspection, rule: Rule, count: number, top: number): RuleSample {
  const threads = new Map<string, number>();
  const messages = new Map<string, number>();
  for (const { facts, marks } of inspection.subjectsOf(rule)) {
    const more = countMarks(marks);
    const message = messageOf(inspection, facts);
    if (message !== undefined) add(messages, message, more);
    for (const thread of threadsOf(inspection, facts, message)) add(threads, thread, more);
  }
  return Object.freeze({
    rule: rule.id,
    name: rule.name,
    count,
    threads: listTop(threads, top),
    messages: listTop(messages, top),
  });
}

/** The message that a subject is, or is of. */
function messageOf({ subjects }: Inspection, facts: Facts): string | undefined {
  switch (facts.kind) {
    case 'message':
      return facts.id;
    case 'open_attempt':
      return facts.message;
    case 'attempt':
      return subjects.messageOf(facts.id);
    case 'cycle':
      return facts.messages[0];
    case 'lines':
      if (facts.role === 'attempt') return subjects.messageOf(facts.id);
      return facts.role === 'message' ? facts.id : undefined;
    default:
      return undefined;
  }
}

/** The threads that a subject is, or is in. */
function threadsOf(
  { subjects }: Inspection,
  facts: Facts,
  message: string | undefined,
): readonly (string | undefined)[] {
  if (message !== undefined) return [subjects.threadOf(message)];
  switch (facts.kind) {
    case 'thread':
      return [facts.id];
    case 'session':
      return facts.threads;
    case 'slot':
      return [facts.heads.map(({ entry }) => entry.thread_id ?? '').sort()[0]];
    case 'lines':
      return facts.role === 'thread' ? [facts.id] : [];
    default:
      return [];
  }
}

function add(sums: Map<string, number>, id: string | undefined, more: number): void {
  if (isUlid(id)) sums.set(id, (sums.get(id) ?? 0) + more);
}

function listTop(sums: ReadonlyMap<string, number>, top: number): readonly IdCount[] {
  const sorted = [...sums].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  return Object.freeze(sorted.slice(0, top).map(([id, count]) => Object.freeze({ id, count })));
}
