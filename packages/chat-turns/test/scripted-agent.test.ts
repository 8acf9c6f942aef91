import { describe, expect, it } from 'vitest';
import { type Script, scriptedAgent, type Turn } from '../src/index.js';
import { FakeTimers, say } from './world.js';

const TURN = {} as Turn;

async function play(script: Script, timers: FakeTimers, signal: AbortSignal): Promise<string[]> {
  const seen: string[] = [];
  for await (const event of scriptedAgent(script, timers)(TURN, signal)) {
    seen.push(`${timers.now()} ${event.type === 'text' ? event.text : event.type}`);
  }
  return seen;
}

describe('scriptedAgent', () => {
  it('[AG1] gives its steps in order, and waits by the timers', async () => {
    const timers = new FakeTimers();
    const steps = [
      say('a'),
      { type: 'wait', ms: 100 },
      say('b'),
      { type: 'wait', ms: 50 },
      { type: 'finish' },
    ] as const;
    const playing = play({ steps }, timers, new AbortController().signal);
    await timers.advance(1_000);
    expect(await playing).toEqual(['1000 a', '1100 b', '1150 finish']);
  });

  it('[AG1] a signal ends waits and steps, and then comes what is said after it', async () => {
    for (const type of ['hang', 'wait'] as const) {
      const timers = new FakeTimers();
      const abort = new AbortController();
      const steps = [say('a'), type === 'hang' ? { type } : { type, ms: 500 }, say('never')] as const;
      const playing = play({ steps, after_stop: [say('flushed')] }, timers, abort.signal);
      await timers.advance(100);
      abort.abort();
      await timers.advance(1_000);
      expect(await playing).toEqual(['1000 a', '1100 flushed']);
      expect(timers.pending).toBe(0);
    }
  });

  it('[AG1] one that ignores the signal goes on, and one that fails throws', async () => {
    const timers = new FakeTimers();
    const abort = new AbortController();
    abort.abort();
    expect(await play({ steps: [say('a')], after_stop: 'ignore' }, timers, abort.signal)).toEqual(['1000 a']);
    const failing = play(
      { steps: [{ type: 'fail', error: new Error('x') }] },
      timers,
      new AbortController().signal,
    );
    await expect(failing).rejects.toThrow('x');
  });
});
