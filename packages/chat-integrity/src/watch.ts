import { type Chat, isUlid, systemTimers, type Timers } from '@chatdoc/schema';
import { addCounters, type Counters } from './counters.js';
import { Ledger } from './ledger.js';
import { RULES } from './rules.js';

export interface WatchOptions {
  /** Called every `interval` milliseconds in which something was written, with what is wrong then. */
  readonly onSample?: (sample: Sample) => void;
  /** 60,000 unless given. */
  readonly interval?: number;
  readonly timers?: Pick<Timers, 'setTimer' | 'clearTimer'>;
  /** How many ids of threads and of messages a sample names for each rule: 5 unless given. */
  readonly top?: number;
  /** Whether some process shows the attempt within its lease; without it abandoned attempts count as none. */
  readonly isLive?: (attempt: string) => boolean;
}

export interface Offender {
  readonly id: string;
  readonly count: number;
}

/** What is wrong with one rule: where most of it is. */
export interface Offence {
  /** Id of the rule. */
  readonly rule: string;
  readonly name: string;
  readonly count: number;
  /** Most first. */
  readonly threads: readonly Offender[];
  readonly messages: readonly Offender[];
}

export interface Sample {
  readonly counters: Counters;
  /** Rules that do not hold, in their order. */
  readonly offences: readonly Offence[];
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
  const ledger = new Ledger(chat);
  let timer: unknown;
  let isClosed = false;

  const plan = (): void => {
    if (onSample === undefined || timer !== undefined || isClosed) return;
    timer = timers.setTimer(() => {
      timer = undefined;
      if (!isClosed) onSample(sample());
    }, interval);
  };
  const end = chat.inspector.listen((touched) => {
    ledger.note(touched);
    plan();
  });
  const count = (rule: string): number => {
    switch (rule) {
      case 'IN14':
        return ledger.countShared();
      case 'IN16':
        return chat.inspector.countFutureStamps();
      case 'IN19':
        return chat.damage().length;
      case 'IN28':
        return findAbandoned().size;
      default:
        return ledger.tally.total(rule) + ledger.lines.tally.total(rule) + ledger.lines.names.total(rule);
    }
  };
  const findAbandoned = (): ReadonlyMap<string, number> => {
    const found = new Map<string, number>();
    if (isLive === undefined) return found;
    for (const { attempt, message } of ledger.openAttempts()) {
      if (!isLive(attempt)) found.set(`attempt ${attempt} ${message}`, 1);
    }
    return found;
  };
  const subjectsOf = (rule: string): Iterable<readonly [string, number]> => {
    if (rule === 'IN14') return ledger.sharingThreads();
    if (rule === 'IN28') return findAbandoned();
    return [
      ...ledger.tally.subjects(rule),
      ...ledger.lines.tally.subjects(rule),
      ...ledger.lines.names.subjects(rule),
    ];
  };
  const counters = (): Counters => {
    ledger.settle();
    return addCounters(count);
  };
  const sample = (): Sample => {
    const sums = counters();
    const offences: Offence[] = [];
    for (const { id, name } of [...RULES, LEASE]) {
      const sum = count(id);
      if (sum > 0) offences.push(describe(ledger, id, name, sum, subjectsOf(id), top));
    }
    return Object.freeze({ counters: sums, offences: Object.freeze(offences) });
  };

  return {
    counters,
    sample,
    close: () => {
      isClosed = true;
      end();
      if (timer !== undefined) timers.clearTimer(timer);
      timer = undefined;
    },
  };
}

const LEASE = { id: 'IN28', name: 'abandoned_attempt' };

function describe(
  ledger: Ledger,
  rule: string,
  name: string,
  count: number,
  subjects: Iterable<readonly [string, number]>,
  top: number,
): Offence {
  const threads = new Map<string, number>();
  const messages = new Map<string, number>();
  const add = (sums: Map<string, number>, id: string | undefined, more: number): void => {
    if (isUlid(id)) sums.set(id, (sums.get(id) ?? 0) + more);
  };
  for (const [subject, more] of subjects) {
    const [role = '', id = ''] = subject.split(' ');
    if (role === 'thread') add(threads, id, more);
    const message =
      role === 'attempt' ? ledger.messageOf(id) : role === 'message' || role === 'prompt' ? id : undefined;
    if (message === undefined) continue;
    add(messages, message, more);
    add(threads, ledger.threadOf(message), more);
  }
  return Object.freeze({
    rule,
    name,
    count,
    threads: listTop(threads, top),
    messages: listTop(messages, top),
  });
}

function listTop(sums: ReadonlyMap<string, number>, top: number): readonly Offender[] {
  const sorted = [...sums].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  return Object.freeze(sorted.slice(0, top).map(([id, count]) => Object.freeze({ id, count })));
}
