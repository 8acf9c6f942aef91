import { type Chat, ChatDocError } from '@chatdoc/schema';
import { describe, expect, it } from 'vitest';
import {
  type Agent,
  LEASE_MS,
  type Liveness,
  retryTurn,
  stopTurn,
  submitPrompt,
  TurnEngine,
  type TurnEvent,
  type TurnResult,
} from '../src/index.js';
import {
  answerTo,
  ask,
  createBackend,
  createReplica,
  createThread,
  DATE,
  FakeTimers,
  HandAgent,
  LivenessBoard,
  outcomes,
  present,
  reload,
  say,
  send,
  settle,
} from './world.js';

/** Agents and hosts that do what they should not. Each is a fault that the engine once had, or might have. */

const answers: Agent = async function* () {
  yield say('yes');
};

/** An agent that is an iterator of its own making. */
function iterate(iterator: { next(): unknown; return?(): unknown }): Agent {
  return () => ({ [Symbol.asyncIterator]: () => iterator }) as unknown as AsyncIterable<TurnEvent>;
}

/** The result of the one turn of a chat that runs on real time. */
function runOnRealTime(agent: Agent, limits: Partial<TurnEngine['limits']>): Promise<TurnResult> {
  const { chat } = createReplica();
  const thread_id = createThread(chat);
  ask(chat, thread_id);
  const engine = new TurnEngine({ runner_id: 'runner', limits: { drain_ms: 5, ...limits } });
  engine.serve(chat, { agentFor: () => ({ agent, sender_id: 'agent' }) });
  return new Promise((resolve) => {
    engine.subscribe((event) => event.type === 'settled' && resolve(event));
  });
}

describe('an agent', () => {
  it('[TE13] that never waits does not keep timers from their turn', async () => {
    const flood: Agent = async function* () {
      for (;;) yield say('');
    };
    const { outcome, error, acknowledged } = await runOnRealTime(flood, {
      turn_timeout_ms: 20,
      stop_grace_ms: 20,
    });
    expect({ outcome, error, acknowledged }).toEqual({
      outcome: 'error',
      error: { code: 'timeout' },
      acknowledged: false,
    });
  });

  it('[TE13] without a limit of time is not ended at once', async () => {
    const slow: Agent = async function* () {
      await new Promise((resolve) => setTimeout(resolve, 20));
      yield say('done');
    };
    const never = Number.POSITIVE_INFINITY;
    const { outcome } = await runOnRealTime(slow, { turn_timeout_ms: never, idle_timeout_ms: never });
    expect(outcome).toBe('complete');
  });

  it('[TE8] whose return never ends holds no place', async () => {
    const stuck = iterate({
      next: () => new Promise(() => undefined),
      return: () => new Promise(() => undefined),
    });
    const { chat, engine, events, timers } = createBackend(stuck, { engine: { concurrency: 1 } });
    const [first, second] = [createThread(chat), createThread(chat)];
    const { message_id } = ask(chat, first);
    await settle();
    ask(chat, second);
    stopTurn(chat, { message_id, by: 'ada' });
    await timers.advance(engine.limits.stop_grace_ms);
    expect(outcomes(events)).toEqual(['stopped']);
    expect(answerTo(chat, second, present(chat.messages(second)[0]).message_id).generating).toBe(true);
  });

  it('[TE12] whose next or return gives no result has failed', async () => {
    for (const next of [() => undefined, () => Promise.resolve(null), () => 7]) {
      const { chat, events } = createBackend(iterate({ next, return: () => undefined }));
      ask(chat, createThread(chat));
      await settle();
      expect(events).toMatchObject([
        { type: 'claimed' },
        { type: 'settled', outcome: 'error', error: { code: 'agent_failed' } },
        { type: 'drained' },
      ]);
    }
  });

  it('[TE14] whose end is not fit to be written has ended all the same', async () => {
    const deep = JSON.parse(`${'{"a":'.repeat(200)}1${'}'.repeat(200)}`) as object;
    const ends: object[] = [
      { type: 'usage', usage: deep },
      { type: 'usage', usage: { at: 1n } },
      { type: 'finish', finish_reason: 7 },
      { type: 'finish', finish_reason: {} },
      { type: 'finish', finish_reason: 'x'.repeat(100_000) },
    ];
    for (const end of ends) {
      const agent: Agent = async function* () {
        yield say('kept');
        yield end as TurnEvent;
      };
      const { chat, events } = createBackend(agent);
      const thread_id = createThread(chat);
      const { message_id } = ask(chat, thread_id);
      await settle();
      expect(outcomes(events)).toEqual(['complete']);
      const { attempt, content } = answerTo(chat, thread_id, message_id);
      expect(content).toBe('kept');
      expect(attempt).toMatchObject({ state: 'settled', finish_reason: expect.any(String) });
      expect(chat.quarantine()).toEqual([]);
    }
  });

  it('[SS6] whose session has an id without end has none, and its document is served on', async () => {
    const agent: Agent = async function* () {
      yield { type: 'session', session: { conversation_id: 'x'.repeat(2_000_000), last_response_id: 'r' } };
    };
    const { chat, events } = createBackend(agent);
    const thread_id = createThread(chat);
    for (const content of ['a', 'b']) ask(chat, thread_id, content);
    await settle();
    expect(outcomes(events)).toEqual(['complete', 'complete']);
    expect(chat.config(thread_id).session).toMatchObject({ last_response_id: 'r' });
    expect(chat.config(thread_id).session).not.toHaveProperty('conversation_id');
  });

  it('[TE3] that gives a megabyte at a time is written whole', async () => {
    const token = 'µ€𝄞\\"\n'.repeat(150_000);
    const agent: Agent = async function* () {
      for (let at = 0; at < 3; at += 1) yield say(token);
    };
    const { chat } = createBackend(agent);
    const thread_id = createThread(chat);
    const { message_id } = ask(chat, thread_id);
    await settle();
    const { content, attempt, problem } = answerTo(chat, thread_id, message_id);
    expect(content === token.repeat(3)).toBe(true);
    expect([attempt?.state, problem, chat.report().quarantined]).toEqual(['settled', undefined, 0]);
  });

  it('[TE7] that goes on for ever after its stop is refused, counted, and left', async () => {
    const deaf: Agent = async function* () {
      for (;;) {
        yield say('on ');
        await new Promise<void>((resolve) => timers.setTimer(resolve, 100));
      }
    };
    const timers = new FakeTimers();
    const { chat, engine, events } = createBackend(deaf, { timers });
    const thread_id = createThread(chat);
    const { message_id } = ask(chat, thread_id);
    await timers.advance(100);
    stopTurn(chat, { message_id, by: 'ada' });
    await timers.advance(engine.limits.stop_grace_ms);
    const { content } = answerTo(chat, thread_id, message_id);
    await timers.advance(60_000);
    expect(answerTo(chat, thread_id, message_id).content).toBe(content);
    const { drain_ms, stop_grace_ms, stop_flush_ms } = engine.limits;
    const refused = (drain_ms + stop_grace_ms - stop_flush_ms) / 100;
    expect(events.at(-1)).toMatchObject({ type: 'drained', late_events: refused });
    expect(timers.pending).toBe(0);
  });
});

describe('a host', () => {
  it('[TE2] with hundreds of threads that wait is asked for each of them a few times', async () => {
    const hand = new HandAgent();
    let asked = 0;
    let running = 0;
    let most = 0;
    const engine = new TurnEngine({ runner_id: 'runner', timers: new FakeTimers(), concurrency: 3 });
    engine.subscribe(({ type }) => {
      if (type === 'claimed') running += 1;
      if (type === 'settled') running -= 1;
      most = Math.max(most, running);
    });
    const chats: Chat[] = [];
    const agentFor = (): { agent: Agent; sender_id: string } => {
      asked += 1;
      return { agent: hand.agent, sender_id: 'agent' };
    };
    for (let document = 0; document < 10; document += 1) {
      const { chat } = createReplica(document);
      chats.push(chat);
      for (let thread = 0; thread < 20; thread += 1) ask(chat, createThread(chat));
      engine.serve(chat, { agentFor });
    }
    await settle();
    for (let turn = 0; turn < 200; turn += 1) {
      expect(hand.turns.length).toBeGreaterThan(turn);
      await hand.feed(turn).end();
    }
    expect(most).toBe(3);
    expect(
      chats.every((chat) => chat.threads().every(({ thread_id }) => chat.queue(thread_id).length === 0)),
    ).toBe(true);
    expect(asked).toBeLessThan(1_200);
  });

  it('[TE16] whose liveness throws loses no turn and no place', async () => {
    for (const method of ['addAttempt', 'removeAttempt'] as const) {
      const error = new Error('the provider is gone');
      const timers = new FakeTimers();
      const liveness: Liveness = new LivenessBoard().join();
      liveness[method] = () => {
        throw error;
      };
      const { chat, engine, events } = createBackend(answers, { timers, serve: { liveness } });
      const thread_id = createThread(chat);
      const { message_id } = ask(chat, thread_id);
      await engine.idle();
      expect(events).toContainEqual({ type: 'fault', thread_id: null, error });
      expect(outcomes(events)).toEqual(['complete']);
      expect(answerTo(chat, thread_id, message_id)).toMatchObject({ content: 'yes', generating: false });
    }
  });

  it('[TE17] that closes twice at once is told twice', async () => {
    const hand = new HandAgent();
    const { chat, timers } = createReplicaWithTimers();
    const engine = new TurnEngine({ runner_id: 'runner', timers });
    const served = engine.serve(chat, { agentFor: () => ({ agent: hand.agent, sender_id: 'agent' }) });
    ask(chat, createThread(chat));
    await settle();
    const closed: string[] = [];
    for (const [name, closing] of Object.entries({
      a: served.close(),
      b: served.close(),
      c: engine.close(),
    })) {
      void closing.then(() => closed.push(name));
    }
    await timers.advance(engine.limits.stop_grace_ms);
    expect(closed.sort()).toEqual(['a', 'b', 'c']);
  });

  it('[TE17] that closes when it hears of a claim ends that turn, too', async () => {
    const hand = new HandAgent();
    const { chat, engine, events, timers } = createBackend(hand.agent);
    let closing: Promise<void> | undefined;
    engine.subscribe(({ type }) => {
      if (type === 'claimed') closing ??= engine.close();
    });
    const thread_id = createThread(chat);
    const { message_id } = ask(chat, thread_id);
    await timers.advance(engine.limits.stop_grace_ms);
    await closing;
    expect(outcomes(events)).toEqual(['closed']);
    expect(hand.isAborted()).toBe(true);
    expect(answerTo(chat, thread_id, message_id).attempt?.state).toBe('interrupted');
  });

  it('[TE17] that has closed its engine cannot have it serve', async () => {
    const engine = new TurnEngine({ runner_id: 'runner' });
    await engine.close();
    const serve = (): unknown => engine.serve(createReplica().chat, { agentFor: () => undefined });
    expect(serve).toThrowError(expect.objectContaining({ code: 'not_open' }));
  });

  it('[TE2] that wants no turn at a time is told so', () => {
    for (const concurrency of [0, -1, Number.NaN]) {
      expect(() => new TurnEngine({ runner_id: 'runner', concurrency })).toThrowError(ChatDocError);
    }
  });

  it('[TE20] that leaves prompts to others leaves them a retry as well', async () => {
    const { chat, doc, events, timers } = createBackend(answers, { serve: { claim_delay_ms: 500 } });
    const thread_id = createThread(chat);
    const { message_id } = ask(chat, thread_id);
    await timers.advance(400);
    const other = reload(doc, 'other');
    const attempt = other.chat.openAttempt({ prompt_id: message_id, sender_id: 'agent', runner_id: 'other' });
    attempt.finish({ finish_reason: 'stop' });
    send(other.doc, doc);
    await timers.advance(1_000);
    retryTurn(chat, { message_id, by: 'ada' });
    await timers.advance(499);
    expect(outcomes(events)).toEqual([]);
    await timers.advance(1);
    expect(outcomes(events)).toEqual(['complete']);
  });

  it('[TE1] with two engines on one chat runs each prompt once', async () => {
    const hand = new HandAgent();
    const { chat, timers, events, liveness } = createBackend(hand.agent);
    const second = new TurnEngine({ runner_id: 'second', timers });
    second.serve(chat, { agentFor: () => ({ agent: hand.agent, sender_id: 'agent' }), liveness });
    const thread_id = createThread(chat);
    const { message_id } = ask(chat, thread_id);
    await timers.advance(LEASE_MS * 2);
    await hand.feed().push(say('one'));
    await hand.feed().end();
    expect(hand.turns).toHaveLength(1);
    expect(answerTo(chat, thread_id, message_id)).toMatchObject({ content: 'one', alternates: [] });
    expect(outcomes(events)).toEqual(['complete']);
  });

  it('[RC1] that is recovering takes what is submitted, and runs it after the skip', async () => {
    const board = new LivenessBoard();
    const dead = createBackend(new HandAgent().agent, { board });
    const thread_id = createThread(dead.chat);
    const first = ask(dead.chat, thread_id);
    await settle();
    dead.kill();
    const next = createBackend(answers, { board, replica: createReplica('next', {}, dead.doc) });
    await next.timers.advance(LEASE_MS / 2);
    const prompt = { thread_id, sender_id: 'ada', content: 'b', client_message_id: 'b', date: DATE };
    const sent = submitPrompt(next.chat, prompt);
    await next.timers.advance(LEASE_MS);
    expect(next.chat.state(thread_id)).toMatchObject({ state: 'interrupted' });
    expect(next.chat.queue(thread_id)).toHaveLength(1);
    stopTurn(next.chat, { message_id: first.message_id, by: 'ada' });
    await next.engine.idle();
    const { message_id } = (sent as { message: { message_id: string } }).message;
    expect(answerTo(next.chat, thread_id, message_id).content).toBe('yes');
  });
});

function createReplicaWithTimers(): { readonly chat: Chat; readonly timers: FakeTimers } {
  return { chat: createReplica().chat, timers: new FakeTimers() };
}
