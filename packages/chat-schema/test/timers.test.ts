import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { systemTimers } from '../src/index.js';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
});

afterEach(() => {
  vi.useRealTimers();
});

describe('the timers of the system', () => {
  it('[ID8] call once after their time, unless they are cleared', () => {
    const before = systemTimers.now();
    const called: string[] = [];
    systemTimers.setTimer(() => called.push(`after ${systemTimers.now() - before}`), 20);
    systemTimers.clearTimer(systemTimers.setTimer(() => called.push('cleared'), 10));
    systemTimers.clearTimer(undefined);
    vi.advanceTimersByTime(100);
    expect(called).toEqual(['after 20']);
  });

  it('[ID8] are not moved by a wall clock that jumps', () => {
    const before = systemTimers.now();
    vi.setSystemTime(0);
    expect(systemTimers.now()).toBe(before);
  });

  it('[ID8] take a time that is longer than the platform takes, or never ends, as 24 days', () => {
    const longest = 2 ** 31 - 1;
    for (const milliseconds of [longest, longest + 1, 2 ** 53, Number.POSITIVE_INFINITY]) {
      let calls = 0;
      systemTimers.setTimer(() => {
        calls += 1;
      }, milliseconds);
      vi.advanceTimersByTime(longest - 1);
      expect(calls, `${milliseconds} ms`).toBe(0);
      vi.advanceTimersByTime(1);
      expect(calls).toBe(1);
    }
  });
});
