import { describe, expect, it } from 'vitest';
import { scriptedAgent } from '../../chat-turns/src/index.js';
import { type AgentEvent, type AgentOptions, type AgentUnderTest, checkAgent } from '../src/testing/index.js';

type Play = (signal: AbortSignal) => AsyncGenerator<AgentEvent>;

const text = (words: string): AgentEvent => ({ type: 'text', text: words }) as AgentEvent;
const WORDS = ['Two ', 'tests ', 'and ', 'a ', 'flag.'];

const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 8; turn += 1) await Promise.resolve();
};

const optionsOf = (play: Play): AgentOptions<object> => ({
  createAgent: () => (_turn, signal) => play(signal),
  turn: {},
  settle,
});

const broken = async (play: Play): Promise<string[]> => {
  const { results } = await checkAgent(optionsOf(play));
  return results.filter(({ held }) => !held).map(({ name }) => name);
};

async function* good(signal: AbortSignal): AsyncGenerator<AgentEvent> {
  for (const word of WORDS) {
    if (signal.aborted) return;
    yield text(word);
  }
  yield { type: 'finish' };
}

/** Until the signal, or never. */
const wait = (signal?: AbortSignal): Promise<void> =>
  new Promise((resolve) => signal?.addEventListener('abort', () => resolve(), { once: true }));

describe('an agent', () => {
  it('[HA13] that answers, streams and stops holds every rule', async () => {
    const report = await checkAgent(optionsOf(good));
    expect(report.text).not.toContain('BROKEN');
    expect(report.ok).toBe(true);
    expect(report.results.length).toBeGreaterThanOrEqual(6);
  });

  it('[HA13] of @chatdoc/turns is taken as it is', async () => {
    const steps = WORDS.map((words) => ({ type: 'text', text: words }) as const);
    const agent = scriptedAgent({
      steps: [...steps, { type: 'finish' }],
      after_stop: [steps[0] as (typeof steps)[0]],
    });
    const createAgent = (): AgentUnderTest<never> => agent;
    const report = await checkAgent({ createAgent, turn: {} as never, settle });
    expect(report.text).not.toContain('BROKEN');
  });

  it('[HA13] with one fault breaks the rule that is about it', async () => {
    const silent: Play = async function* () {};
    expect(await broken(silent)).toContain('answers once');
    const twice: Play = async function* (signal) {
      yield* good(signal);
      yield* good(signal);
    };
    expect(await broken(twice)).toEqual(['answers once']);
    const atOnce: Play = async function* () {
      yield text(WORDS.join(''));
    };
    expect(await broken(atOnce)).toEqual(['streams']);
    const deaf: Play = async function* () {
      for (let count = 0; count < 200; count += 1) yield text('more ');
    };
    expect(await broken(deaf)).toEqual(['stops when it is told to']);
    const stuck: Play = async function* (signal) {
      for (const word of WORDS) {
        if (signal.aborted) await wait();
        yield text(word);
      }
    };
    expect(await broken(stuck)).toEqual(['stops when it is told to', 'takes a second stop']);
    const loud: Play = async function* (signal) {
      for (const word of WORDS) {
        signal.throwIfAborted();
        yield text(word);
      }
    };
    expect(await broken(loud)).toContain('ends a stop without an error');
    const forever: Play = async function* (signal) {
      yield text('one');
      await wait(signal);
    };
    expect(await broken(forever)).toContain('answers once');
    let isBusy = false;
    const alone: Play = async function* (signal) {
      if (isBusy) throw new Error('one at a time');
      isBusy = true;
      try {
        yield* good(signal);
      } finally {
        isBusy = false;
      }
    };
    expect(await broken(alone)).toEqual(['works two turns at once']);
  });
});
