import { createCipheriv } from 'node:crypto';
import { type Environment, isUlid, timeOfUlid } from '@chatdoc/schema';
import { FUTURE_LIMIT_MS, formatUlid, MAX_TIME, parseUlid } from '@chatdoc/schema/internal';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
// Two million ids are asked of the clock that all stamps come from: as many messages would take minutes.
import { StampClock } from '../../chat-schema/src/entry/ulid.js';
import { brokenUlids, forgedUlids, notUlids, SCRIPT_START, ulids } from '../../chat-testkit/src/index.js';
import { DIGITS, runs, scale, writeDigits } from './rows-world.js';

const PROCESSES = 8;
const IDS = 2_000_000;
const WORLDS = 40;
const IDS_PER_PROCESS = IDS / WORLDS / PROCESSES;
const DAY = 86_400_000;

/** What a clock does from one look to the next. */
const CLOCKS: Readonly<Record<string, (time: number) => number>> = {
  runs: (time) => time + 1,
  races: (time) => time + 997,
  stops: (time) => time,
  'goes back': (time) => time - 13,
  'is a day ahead': () => SCRIPT_START + DAY,
  'is a day behind': () => SCRIPT_START - DAY,
  'is at the end of time': () => MAX_TIME,
  'is before all time': () => -1,
  'is no number': () => Number.NaN,
  'is infinite': () => Number.POSITIVE_INFINITY,
};

/** A process that makes ids, with what must hold of each. */
class Process {
  readonly stamps: StampClock;
  last = '';
  clock: (time: number) => number = (time) => time;
  #time = SCRIPT_START;
  /** No id of its own may be above this: five minutes ahead of the latest time that its clock ever said. */
  #limit = '';
  #latest = -1;

  constructor(seed: number) {
    const key = Buffer.alloc(16);
    key.writeUInt32BE(seed >>> 0);
    const cipher = createCipheriv('aes-128-ctr', key, Buffer.alloc(16));
    let pool = Buffer.alloc(0);
    let used = 0;
    const environment: Environment = {
      now: () => {
        this.#time = this.clock(this.#time);
        return this.#time;
      },
      random: (bytes) => {
        if (used + bytes > pool.length) {
          pool = cipher.update(Buffer.alloc(65_536));
          used = 0;
        }
        used += bytes;
        return pool.subarray(used - bytes, used);
      },
    };
    this.stamps = new StampClock(environment);
  }

  next(): string {
    const id = this.stamps.next();
    if (!isUlid(id)) throw new Error(`no ULID: ${id}`);
    if (!(id > this.last)) throw new Error(`${id} after ${this.last}`);
    const time = Number.isNaN(this.#time) ? 0 : Math.min(Math.max(this.#time, 0), MAX_TIME);
    if (time > this.#latest) {
      this.#latest = time;
      // A random step may carry into the next millisecond.
      this.#limit = writeDigits(Math.min(time + FUTURE_LIMIT_MS + 1, MAX_TIME), 10) + 'Z'.repeat(16);
    }
    if (id > this.#limit) throw new Error(`${id} is too far ahead: ${this.#limit}`);
    this.last = id;
    return id;
  }

  hear(stamp: string): void {
    this.stamps.notice(stamp, 0, this.stamps.horizon());
  }
}

/** What happens between two runs of ids: a process whose clock changes, or that hears of another's stamp. */
const event = fc.record({
  process: fc.nat(PROCESSES - 1),
  clock: fc.constantFrom(...Object.keys(CLOCKS)),
  hears: fc.option(fc.nat(PROCESSES - 1)),
  forged: fc.option(forgedUlids(), { freq: 3 }),
});

describe('ids', () => {
  let made = 0;

  it('[HO9] of eight processes with bad clocks are never equal, rise in each, and are never far ahead', () => {
    fc.assert(
      fc.property(
        fc.nat(),
        fc.array(event, { minLength: 40, maxLength: 80, size: 'max' }),
        (seed, events) => {
          const processes = Array.from({ length: PROCESSES }, (_, at) => new Process(seed * PROCESSES + at));
          const ids = new Set<string>();
          const each = Math.ceil(IDS_PER_PROCESS / events.length);
          for (const { process, clock, hears, forged } of events) {
            const changed = processes[process] as Process;
            changed.clock = CLOCKS[clock] as (time: number) => number;
            const heard = hears === null ? '' : (processes[hears] as Process).last;
            if (heard !== '') changed.hear(heard);
            // Within the horizon of who hears it, with all bits set: the next stamp carries.
            const horizon = changed.stamps.horizon();
            if (forged !== null) changed.hear(forged);
            if (forged !== null && process % 2 === 0) changed.hear(horizon);
            for (const one of processes) for (let count = 0; count < each; count += 1) ids.add(one.next());
          }
          const expected = events.length * PROCESSES * each;
          made += expected;
          expect(ids.size, '[HO9] no two are equal').toBe(expected);
        },
      ),
      runs(WORLDS),
    );
    expect(made).toBeGreaterThanOrEqual((IDS * scale(WORLDS)) / WORLDS);
  });

  it('[HO9] a stamp with all bits set carries into the time, and ids go on above it', () => {
    const one = new Process(1);
    const all = `${formatUlid(SCRIPT_START + 60_000, new Uint8Array(10)).slice(0, 10)}${'Z'.repeat(16)}`;
    one.hear(all);
    const id = one.next();
    expect(timeOfUlid(id)).toBe(SCRIPT_START + 60_001);
    expect(id > all).toBe(true);
  });
});

const STRANGERS = 'ILOUilouaz -_"\0\n\u{1f44b}\ud83dé０';
const VALUES = new Map([...DIGITS].map((digit, value) => [digit, value]));
const NO_DIGIT = /[^0-9A-HJKMNP-TV-Z]/;

/** What `parseUlid` must say, by the words of its rule. */
function judge(value: unknown): ReturnType<typeof parseUlid> {
  if (typeof value !== 'string') return { ok: false, reason: 'not_a_string' };
  if (value.length !== 26) return { ok: false, reason: 'length' };
  if (NO_DIGIT.test(value)) return { ok: false, reason: 'character' };
  if (value.charAt(0) > '7') return { ok: false, reason: 'too_late' };
  return { ok: true, id: value, time: readNumber(value, 0, 10) };
}

function readNumber(id: string, from: number, to: number): number {
  let number = 0;
  for (let at = from; at < to; at += 1) number = number * 32 + (VALUES.get(id.charAt(at)) as number);
  return number;
}

/** The eighty bits after the time. */
function readRandom(id: string): Uint8Array {
  const bytes = new Uint8Array(10);
  for (const half of [0, 1]) {
    let number = readNumber(id, 10 + half * 8, 18 + half * 8);
    for (let at = 4; at >= 0; at -= 1) {
      bytes[half * 5 + at] = number % 256;
      number = Math.floor(number / 256);
    }
  }
  return bytes;
}

const PARSED = 1_000_000;
/** Ten minutes from the end of time `formatUlid` gives the last time that it writes. */
const LAST_WRITTEN = MAX_TIME - 2 * FUTURE_LIMIT_MS;

describe('the parser of ids', () => {
  const seen = { ok: 0, length: 0, character: 0, too_late: 0, not_a_string: 0 };
  let parsed = 0;

  function check(value: unknown): void {
    const found = parseUlid(value);
    const expected = judge(value);
    parsed += 1;
    seen[found.ok ? 'ok' : found.reason] += 1;
    if (found.ok !== expected.ok || isUlid(value) !== expected.ok) expect(found).toEqual(expected);
    if (!found.ok || !expected.ok) {
      if (!found.ok && !expected.ok && found.reason !== expected.reason) expect(found).toEqual(expected);
      return;
    }
    const again = formatUlid(found.time, readRandom(found.id));
    const isExact = found.time > LAST_WRITTEN ? again.slice(10) === found.id.slice(10) : again === found.id;
    if (found.id !== value || found.time !== expected.time || !isExact) expect(again).toBe(value);
  }

  it('[HO10] takes and refuses what its rule says, for every change of one character of an id', () => {
    fc.assert(
      fc.property(fc.oneof(ulids(), forgedUlids(), brokenUlids()), (text) => {
        for (let at = 0; at < Math.max(text.length, 1); at += 1) {
          const [before, after] = [text.slice(0, at), text.slice(at + 1)];
          for (const digit of DIGITS) check(before + digit + after);
          check(before + STRANGERS.charAt(at % STRANGERS.length) + after);
          check(before + after);
          check(`${before}0${text.slice(at)}`);
        }
      }),
      runs(Math.ceil(PARSED / 800)),
    );
    expect(parsed).toBeGreaterThanOrEqual(scale(PARSED));
  });

  it('[HO10] answers for every value, and the arbitraries of ids give what they say', () => {
    fc.assert(fc.property(notUlids(), check), runs(2000));
    fc.assert(
      fc.property(ulids(), forgedUlids(), brokenUlids(), (good, forged, broken) => {
        expect([isUlid(good), isUlid(forged), isUlid(broken)]).toEqual([true, true, false]);
        for (const value of [good, forged, broken]) check(value);
      }),
      runs(2000),
    );
    expect(Object.entries(seen).filter(([, count]) => count === 0)).toEqual([]);
  });
});
