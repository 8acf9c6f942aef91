import { MeterProvider, MetricReader } from '@opentelemetry/sdk-metrics';
import { describe, expect, it } from 'vitest';
import {
  type Liveness,
  observeRequests,
  retryTurn,
  stopTurn,
  submitPrompt,
  TURN_COUNTERS,
  TURN_GAUGES,
  TurnCounters,
  TurnEngine,
} from '../src/index.js';
import { exportTurnMetrics } from '../src/opentelemetry/index.js';
import {
  answerTo,
  ask,
  createBackend,
  createReplica,
  createThread,
  DATE,
  FakeTimers,
  HandAgent,
  present,
  say,
  settle,
  syncAll,
} from './world.js';

const LATER = '2026-11-21T12:00:05.000Z';

function start() {
  const hand = new HandAgent();
  const backend = createBackend(hand.agent, { engine: { concurrency: 2 } });
  const counters = new TurnCounters(backend.engine);
  counters.observe(backend.chat);
  const thread_id = createThread(backend.chat);
  const prompt = { thread_id, sender_id: 'ada', content: 'Go', client_message_id: 'c1', date: DATE };
  /** What has been counted, but for what is 0. */
  const counted = () =>
    Object.fromEntries(Object.entries(counters.counters()).filter(([, count]) => count > 0));
  return { ...backend, hand, counters, thread_id, prompt, counted };
}

describe('counters', () => {
  it('[CO1] prompts, stops by what they stopped, retries, and turns by outcome', async () => {
    const { chat, prompt, hand, counted, counters } = start();
    const first = submitPrompt(chat, prompt);
    submitPrompt(chat, prompt);
    submitPrompt(chat, { ...prompt, content: 'Go!' });
    submitPrompt(chat, { ...prompt, client_message_id: 'c2', when_busy: 'reject' });
    const second = submitPrompt(chat, { ...prompt, client_message_id: 'c3' });
    await settle();
    for (const { type } of [{ type: 'hologram' }, { type: 'hologram' }])
      await hand.feed().push({ type } as never);
    await hand
      .feed()
      .push({ type: 'text', text: 7 } as never, { type: 'plan', data: new Uint8Array(3) as never });
    const ids = [second, first].map((sent) => (sent.ok ? sent.message.message_id : ''));
    for (const message_id of ids) stopTurn(chat, { message_id, by: 'ada' });
    await settle();
    await hand.feed().push({ type: 'finish' }, say('late'));
    stopTurn(chat, { message_id: present(ids[1]), by: 'ada' });
    retryTurn(chat, { message_id: present(ids[1]), by: 'ada' });
    await settle();
    await hand.feed(0).end();
    await hand.feed(1).fail(new Error('no'));
    await settle();
    expect(counted()).toEqual({
      'chat.turns.prompts.sent': 2,
      'chat.turns.prompts.known': 1,
      'chat.turns.prompts.revised': 1,
      'chat.turns.prompts.busy': 1,
      'chat.turns.stops.queued': 1,
      'chat.turns.stops.running': 1,
      'chat.turns.stops.ended': 1,
      'chat.turns.retries': 1,
      'chat.turns.claimed': 2,
      'chat.turns.outcome.stopped': 1,
      'chat.turns.outcome.error': 1,
      'chat.turns.events.unknown': 2,
      'chat.turns.events.bad': 1,
      'chat.turns.events.cut': 1,
      'chat.turns.events.late': 1,
    });
    expect(Object.keys(counters.counters()).sort()).toEqual(Object.keys(TURN_COUNTERS).sort());
    counters.close();
    submitPrompt(chat, { ...prompt, client_message_id: 'c9' });
    expect(counted()['chat.turns.prompts.sent']).toBe(2);
  });

  it('[CO2] an answer that another runner has made is found', async () => {
    const { chat, doc, thread_id, counted, prompt } = start();
    const other = createReplica('other');
    syncAll([{ doc }, other]);
    submitPrompt(chat, prompt);
    const waiting = submitPrompt(chat, { ...prompt, client_message_id: 'c2', content: 'Second' });
    await settle();
    syncAll([{ doc }, other]);
    const prompt_id = waiting.ok ? waiting.message.message_id : '';
    other.chat.openAttempt({ prompt_id, sender_id: 'agent', runner_id: 'other' });
    syncAll([{ doc }, other]);
    await settle();
    expect(counted()).toMatchObject({ 'chat.turns.answers.found': 1, 'chat.turns.claimed': 1 });
    expect(answerTo(chat, thread_id, prompt_id).attempt?.runner_id).toBe('other');
  });

  it('[CO3] how many wait, and how long the first has, also behind a turn that runs', async () => {
    const { chat, thread_id, counters, timers, hand } = start();
    ask(chat, thread_id, 'one');
    await settle();
    await timers.advance(1_000);
    ask(chat, thread_id, 'two');
    await settle();
    await timers.advance(2_000);
    ask(chat, thread_id, 'three');
    await settle();
    await timers.advance(3_000);
    const expected = { 'chat.turns.running': 1, 'chat.turns.queue.length': 2, 'chat.turns.queue.age': 5_000 };
    expect(counters.gauges()).toEqual(expected);
    await hand.feed(0).end();
    expect(counters.gauges()).toEqual({
      ...expected,
      'chat.turns.queue.length': 1,
      'chat.turns.queue.age': 3_000,
    });
    await hand.feed(1).end();
    await hand.feed(2).end();
    expect(counters.gauges()).toEqual({
      'chat.turns.running': 0,
      'chat.turns.queue.length': 0,
      'chat.turns.queue.age': 0,
    });
  });

  it('[CO4] all of them are metrics of OpenTelemetry, until they are no longer exported', async () => {
    class Reader extends MetricReader {
      protected override onForceFlush = async (): Promise<void> => undefined;
      protected override onShutdown = async (): Promise<void> => undefined;
    }
    const reader = new Reader();
    const provider = new MeterProvider({ readers: [reader] });
    const { chat, prompt, counters } = start();
    const end = exportTurnMetrics(counters, provider.getMeter('turns'), { engine: 'laptop' });
    submitPrompt(chat, prompt);
    await settle();
    const collect = async () => {
      const { resourceMetrics } = await reader.collect();
      const metrics = resourceMetrics.scopeMetrics.flatMap(({ metrics: all }) => all);
      return new Map(metrics.map(({ descriptor, dataPoints }) => [descriptor.name, dataPoints[0]]));
    };
    const seen = await collect();
    expect([...seen.keys()].sort()).toEqual(
      [...Object.keys(TURN_COUNTERS), ...Object.keys(TURN_GAUGES)].sort(),
    );
    expect(seen.get('chat.turns.prompts.sent')).toMatchObject({ value: 1, attributes: { engine: 'laptop' } });
    expect(seen.get('chat.turns.running')).toMatchObject({ value: 1 });
    end();
    submitPrompt(chat, { ...prompt, client_message_id: 'c2' });
    const after = (await collect()).get('chat.turns.prompts.sent');
    expect(after === undefined || after.value === 1, 'nothing new is heard').toBe(true);
    await provider.shutdown();
  });

  it('[CO1] a listener that throws harms no request', async () => {
    const { chat, prompt } = start();
    const thrown: unknown[] = [];
    const onError = (error: unknown): number => thrown.push(error);
    process.on('unhandledRejection', onError);
    observeRequests(chat, () => {
      throw new Error('mine');
    });
    expect(submitPrompt(chat, prompt).ok).toBe(true);
    await settle();
    await settle();
    process.off('unhandledRejection', onError);
    expect(thrown).toHaveLength(1);
  });
});

describe('prompts of a client that has lost its date', () => {
  it('[RQ1] ✗ are found by their client id, and a new text is a revision', () => {
    const { chat, prompt, counted, thread_id } = start();
    const first = submitPrompt(chat, prompt);
    const again = submitPrompt(chat, { ...prompt, date: LATER });
    expect(again).toMatchObject({
      outcome: 'known',
      message: { message_id: first.ok && first.message.message_id },
    });
    expect(submitPrompt(chat, { ...prompt, date: LATER, content: 'Other' })).toMatchObject({
      outcome: 'revised',
    });
    expect(chat.messages(thread_id)).toHaveLength(1);
    expect(counted()).toMatchObject({ 'chat.turns.prompts.duplicate': 2 });
    for (const other of [{ client_message_id: 'c2' }, { sender_id: 'bob' }]) {
      expect(submitPrompt(chat, { ...prompt, ...other, date: LATER })).toMatchObject({ outcome: 'sent' });
    }
    const elsewhere = { ...prompt, thread_id: createThread(chat), date: LATER };
    expect(submitPrompt(chat, elsewhere)).toMatchObject({ outcome: 'sent' });
  });
});

describe('several runners online', () => {
  /** Who can run turns, in an order that depends on the key. */
  class Runners {
    readonly #here = new Set<string>();

    join(name: string): Liveness {
      const placeOf = (key: string, who: string): string => [...key].reverse().join('').slice(0, 4) + who;
      return {
        liveAttempts: () => [],
        addAttempt: () => undefined,
        removeAttempt: () => undefined,
        subscribe: () => () => undefined,
        setRunner: (isRunner) => void (isRunner ? this.#here.add(name) : this.#here.delete(name)),
        rank: (key) => [...this.#here].filter((other) => placeOf(key, other) < placeOf(key, name)).length,
      };
    }

    get count(): number {
      return this.#here.size;
    }
  }

  it('[TE23] ✗ one claims, the others leave it to the first, and take over if it does not', async () => {
    const runners = new Runners();
    const timers = new FakeTimers();
    const hand = new HandAgent();
    const all = ['a', 'b', 'c', 'd', 'e'].map((name) => {
      const replica = createReplica(name);
      const engine = new TurnEngine({ runner_id: name, timers });
      const service = engine.serve(replica.chat, {
        agentFor: () => ({ agent: hand.agent, sender_id: 'agent' }),
        liveness: runners.join(name),
      });
      return { ...replica, engine, service };
    });
    const [first] = all;
    const thread_id = createThread(present(first).chat);
    const { message_id } = ask(present(first).chat, thread_id);
    syncAll(all);
    await settle();
    expect(hand.turns).toHaveLength(1);
    await timers.advance(100);
    syncAll(all);
    await timers.advance(10_000);
    expect(hand.turns, 'the others have seen it').toHaveLength(1);
    await hand.feed().end();
    syncAll(all);
    // The first in order is here, and does nothing any more.
    const runner = answerTo(present(first).chat, thread_id, message_id).attempt?.runner_id;
    const others = all.filter((_, at) => ['a', 'b', 'c', 'd', 'e'][at] !== runner);
    retryTurn(present(others[0]).chat, { message_id, by: 'ada' });
    syncAll(others);
    for (let at = 0; at < 50; at += 1) {
      await timers.advance(100);
      syncAll(others);
    }
    expect(hand.turns).toHaveLength(2);
    for (const { service } of all) void service.close();
    expect(runners.count).toBe(0);
  });
});
