import { ChatDocError, type Message, openChat } from '@chatdoc/schema';
import { describe, expect, it } from 'vitest';
import * as Y from 'yjs';
import {
  type Agent,
  AgentError,
  narrowChat,
  retryTurn,
  type ScriptStep,
  scriptedAgent,
  stopTurn,
  TurnEngine,
  type TurnEvent,
} from '../src/index.js';
import {
  answerTo,
  ask,
  type Backend,
  type BackendOptions,
  createBackend,
  createEnvironment,
  createReplica,
  createThread,
  entriesOf,
  FakeTimers,
  HandAgent,
  LivenessBoard,
  NETWORK,
  outcomes,
  present,
  reload,
  START,
  say,
  send,
  settle,
  syncAll,
} from './world.js';

interface Started {
  readonly hand: HandAgent;
  readonly backend: Backend;
  readonly thread_id: string;
  readonly prompt: Message;
  /** The answer as it is now. */
  answer(): Message;
}

/** One prompt in one thread, claimed, with the agent fed by hand. */
async function start(options: BackendOptions = {}): Promise<Started> {
  const hand = new HandAgent();
  const backend = createBackend(hand.agent, options);
  const thread_id = createThread(backend.chat);
  const prompt = ask(backend.chat, thread_id);
  await settle();
  return {
    hand,
    backend,
    thread_id,
    prompt,
    answer: () => answerTo(backend.chat, thread_id, prompt.message_id),
  };
}

/** The answer of an agent that does these steps, once all has ended. */
async function play(steps: readonly ScriptStep[], options: BackendOptions = {}): Promise<Started> {
  const timers = new FakeTimers();
  const backend = createBackend(scriptedAgent({ steps }, timers), { ...options, timers });
  const thread_id = createThread(backend.chat);
  const prompt = ask(backend.chat, thread_id);
  await timers.advance(60_000);
  return {
    hand: new HandAgent(),
    backend,
    thread_id,
    prompt,
    answer: () => answerTo(backend.chat, thread_id, prompt.message_id),
  };
}

describe('claiming', () => {
  it('[TE1] a prompt is claimed at the asked epoch and answered', async () => {
    const { backend, thread_id, answer } = await play([say('Hello'), say(' there.')]);
    expect(answer()).toMatchObject({ content: 'Hello there.', sender_id: 'agent', generating: false });
    expect(answer().attempt).toMatchObject({
      epoch: 1,
      state: 'settled',
      finish_reason: 'stop',
      runner_id: 'runner',
    });
    expect(backend.chat.state(thread_id).state).toBe('complete');
    expect(outcomes(backend.events)).toEqual(['complete']);
  });

  it('[TE1] prompts of one thread run one at a time, in order', async () => {
    const { hand, backend, thread_id } = await start();
    ask(backend.chat, thread_id, 'two');
    ask(backend.chat, thread_id, 'three');
    await settle();
    expect(hand.turns).toHaveLength(1);
    for (const at of [0, 1, 2]) {
      await hand.feed(at).push(say(`answer ${at}`));
      expect(hand.turns, 'one turn a thread').toHaveLength(at + 1);
      await hand.feed(at).end();
    }
    expect(hand.turns.map(({ turn }) => turn.prompt.content)).toEqual(['How?', 'two', 'three']);
    expect(backend.chat.messages(thread_id).map(({ content }) => content)).toEqual([
      'How?',
      'answer 0',
      'two',
      'answer 1',
      'three',
      'answer 2',
    ]);
  });

  it('[TE1] an agent is given the conversation up to its prompt, and nothing that came later', async () => {
    const { hand, backend, thread_id } = await start();
    await hand.feed().push(say('first answer'));
    backend.chat.send({ thread_id, sender_id: 'bob', content: 'an aside' });
    const gone = backend.chat.send({ thread_id, sender_id: 'bob', content: 'never mind' });
    backend.chat.delete({ message_id: gone.message_id, author_id: 'bob' });
    ask(backend.chat, thread_id, 'two');
    ask(backend.chat, thread_id, 'three');
    await hand.feed().end();
    expect(hand.turn().messages.map(({ content }) => content)).toEqual([
      'How?',
      'first answer',
      'an aside',
      'two',
    ]);
    expect(hand.turn().fresh).toEqual(hand.turn().messages);
    expect(Object.isFrozen(hand.turn())).toBe(true);
  });

  it('[TE1] what waits when a document is first served runs, too', async () => {
    const replica = createReplica();
    const thread_id = createThread(replica.chat);
    const { message_id } = ask(replica.chat, thread_id);
    const backend = createBackend(scriptedAgent({ steps: [say('late')] }), { replica });
    await backend.engine.idle();
    expect(answerTo(backend.chat, thread_id, message_id).content).toBe('late');
  });

  it('[TE1] a retry of what was cancelled before it began runs, though it names no thread', async () => {
    const replica = createReplica();
    const thread_id = createThread(replica.chat);
    const { message_id } = ask(replica.chat, thread_id);
    stopTurn(replica.chat, { message_id, by: 'ada' });
    const { engine, events } = createBackend(scriptedAgent({ steps: [say('yes')] }), { replica });
    await engine.idle();
    expect(outcomes(events)).toEqual([]);
    retryTurn(replica.chat, { message_id, by: 'ada' });
    await engine.idle();
    expect(outcomes(events)).toEqual(['complete']);
  });

  it('[TE1] a thread without an agent is left alone', async () => {
    const { backend } = await start({ serve: { agentFor: () => undefined } });
    expect(backend.events).toEqual([]);
    expect(backend.timers.pending).toBe(0);
  });

  it('[TE20] a runner that waits claims only what no other has claimed by then', async () => {
    const board = new LivenessBoard();
    const timers = new FakeTimers();
    const [eager, patient] = [new HandAgent(), new HandAgent()];
    const first = createBackend(eager.agent, { board, timers, runner_id: 'first' });
    const second = createBackend(patient.agent, {
      board,
      timers,
      replica: createReplica('second'),
      serve: { claim_delay_ms: 500 },
    });
    const thread_id = createThread(first.chat);
    ask(first.chat, thread_id);
    // The prompt arrives before the claim does.
    syncAll([first, second]);
    await settle();
    syncAll([first, second]);
    await timers.advance(1_000);
    expect([eager.turns.length, patient.turns.length]).toEqual([1, 0]);
    await eager.feed().end();
    syncAll([first, second]);
    await first.engine.close();
    ask(second.chat, thread_id, 'nobody else');
    await timers.advance(499);
    expect(patient.turns).toHaveLength(0);
    await timers.advance(1);
    expect(patient.turn().prompt.content).toBe('nobody else');
  });

  it('[TE2] one engine serves many documents, never more turns at once than it may', async () => {
    const timers = new FakeTimers();
    let running = 0;
    let most = 0;
    const began: string[] = [];
    const agent: Agent = async function* (turn) {
      running += 1;
      most = Math.max(most, running);
      began.push(turn.prompt.content);
      await new Promise<void>((resolve) => timers.setTimer(resolve, 100));
      yield say('done');
      running -= 1;
    };
    const engine = new TurnEngine({ runner_id: 'r', timers, concurrency: 3 });
    const chats = Array.from({ length: 4 }, (_, at) => createReplica(at).chat);
    for (const [at, chat] of chats.entries()) {
      for (let thread = 0; thread < 5; thread += 1) ask(chat, createThread(chat), `${at}`);
      engine.serve(chat, { agentFor: () => ({ agent, sender_id: 'agent' }) });
    }
    await timers.advance(100);
    // The first places went to the first documents; each of the others has its turn before any has two more.
    await timers.advance(200);
    expect(new Set(began.slice(0, 8))).toEqual(new Set(['0', '1', '2', '3']));
    await timers.advance(2_000);
    expect(most).toBe(3);
    expect(began).toHaveLength(20);
    for (const chat of chats) {
      expect(chat.threads().map(({ thread_id }) => chat.state(thread_id).state)).toEqual(
        Array(5).fill('complete'),
      );
    }
    const [first] = chats;
    if (first !== undefined) ask(first, createThread(first), 'another');
    await timers.advance(300);
    expect(began).toHaveLength(21);
  });
});

describe('streaming', () => {
  it('[TE3] the first token is there at once, the rest every 50 ms or 512 code units', async () => {
    const { hand, backend, answer } = await start();
    let transactions = 0;
    backend.doc.on('afterTransaction', () => {
      transactions += 1;
    });
    const feed = hand.feed();
    await feed.push(say('One'));
    expect(answer().content).toBe('One');
    await feed.push(say(' two'), say(' three'));
    expect(answer().content).toBe('One');
    expect(transactions).toBe(1);
    await backend.timers.advance(49);
    expect(answer().content).toBe('One');
    await backend.timers.advance(1);
    expect(answer().content).toBe('One two three');
    expect(transactions).toBe(2);
    await feed.push(say('x'.repeat(511)));
    expect(answer().content).toHaveLength(13);
    await feed.push(say('y'));
    expect(answer().content).toHaveLength(13 + 512);
    expect(transactions).toBe(3);
    await feed.push(say(' end'));
    await feed.end();
    expect(transactions, 'the last text with the end of its part, then the finish').toBe(5);
    expect(answer().content.endsWith('y end')).toBe(true);
  });

  it('[TE3] a pair is never split, however the agent cuts it', async () => {
    const { hand, backend, answer } = await start();
    const seen: string[] = [];
    backend.chat.subscribe(({ deltas }) => {
      for (const { text } of deltas) seen.push(text);
    });
    const feed = hand.feed();
    await feed.push(say('\ud83c'), say('\udf89a\ud83d'));
    await backend.timers.advance(50);
    await feed.push(say('\ude00'));
    await feed.push(say('\ud800'));
    await feed.end();
    expect(answer().content).toBe('🎉a😀\ud800');
    // Throws for a lone half.
    expect(seen.slice(0, -1).map((text) => decodeURIComponent(encodeURIComponent(text)))).toEqual(
      seen.slice(0, -1),
    );
  });

  it('[TE4] everything an agent does is a part, in order', async () => {
    const steps: TurnEvent[] = [
      { type: 'reasoning', text: 'Let me ' },
      { type: 'reasoning', text: 'see.' },
      say('I look. '),
      { type: 'tool_call', part_id: 't1', title: 'ls', state: 'in_progress', input: { path: '.' } },
      { type: 'tool_call', part_id: 't1', state: 'completed', output: ['a', 'b'] },
      { type: 'plan', data: [{ content: 'write', status: 'pending' }] },
      { type: 'file', title: 'a.png', data: { uri: 'file:///a.png' } },
      { type: 'usage', usage: { input: 3 } },
      { type: 'usage', usage: { output: 4 } },
      { type: 'session', session: { acp_session_id: 's-1' } },
      say('Done.'),
      { type: 'finish', finish_reason: 'length' },
    ];
    const { answer } = await play(steps);
    expect(answer().parts.map(({ kind, text }) => [kind, text])).toEqual([
      ['reasoning', 'Let me see.'],
      ['text', 'I look. '],
      ['tool_call', undefined],
      ['plan', undefined],
      ['file', undefined],
      ['text', 'Done.'],
    ]);
    expect(answer().parts[2]).toMatchObject({
      title: 'ls',
      state: 'completed',
      input: { path: '.' },
      output: ['a', 'b'],
    });
    expect(answer()).toMatchObject({
      content: 'I look. Done.',
      acp_usage: { input: 3, output: 4 },
      acp_thread_id: 's-1',
      attempt: { finish_reason: 'length' },
    });
  });

  it('[TE4] kinds of a later agent are ignored and counted', async () => {
    const odd = [{ type: 'hologram' }, null, { type: 'text', text: '' }] as unknown as TurnEvent[];
    const { backend, answer, hand } = await start();
    await hand.feed().push(...odd, say('text'));
    await hand.feed().end();
    expect(answer()).toMatchObject({ content: 'text', attempt: { finish_reason: 'stop' } });
    expect(backend.events.at(-1)).toMatchObject({ type: 'drained', unknown_events: 2 });
  });

  it('[TE5] what had not ended is cancelled, whatever ends the turn', async () => {
    const tools: ScriptStep[] = [
      { type: 'tool_call', part_id: 'done', state: 'completed', output: 1 },
      { type: 'tool_call', part_id: 'open', state: 'in_progress' },
      { type: 'tool_call', part_id: 'bare' },
    ];
    for (const last of [
      [],
      [{ type: 'fail', error: new Error('x') }],
      [{ type: 'hang' }],
    ] as ScriptStep[][]) {
      const { answer, backend } = await play([...tools, ...last]);
      if (last.length > 0 && last[0]?.type === 'hang') {
        stopTurn(backend.chat, { message_id: answer().message_id, by: 'ada' });
        await backend.timers.advance(10_000);
      }
      expect(answer().parts.map(({ part_id, state }) => [part_id, state])).toEqual([
        ['done', 'completed'],
        ['open', 'cancelled'],
        ['bare', 'cancelled'],
      ]);
      expect(answer().generating).toBe(false);
    }
  });
});

describe('stopping', () => {
  it('[TE6] a stop from a process that runs nothing ends the turn, with all that was shown', async () => {
    const { hand, backend, thread_id, prompt, answer } = await start();
    const viewer = createReplica('viewer');
    await hand.feed().push(say('Half an'));
    await hand.feed().push(say(' answer'));
    syncAll([backend, viewer]);
    expect(stopTurn(viewer.chat, { message_id: prompt.message_id, by: 'ada' })).toEqual({ ok: true });
    syncAll([backend, viewer]);
    await settle();
    expect(hand.isAborted()).toBe(true);
    // Its last word is that all went well.
    await hand.feed().push({ type: 'finish', finish_reason: 'end_turn' });
    expect(answer().attempt).toMatchObject({ state: 'settled', finish_reason: 'stopped' });
    expect(answer().content).toBe('Half an answer');
    expect(backend.chat.state(thread_id).state).toBe('complete');
    expect(outcomes(backend.events)).toEqual(['stopped']);
    expect(backend.events).toContainEqual(expect.objectContaining({ type: 'settled', acknowledged: true }));
  });

  it('[TE6] an agent that throws because it was stopped was stopped', async () => {
    const { hand, backend, prompt, answer } = await start();
    await hand.feed().push(say('so'));
    stopTurn(backend.chat, { message_id: prompt.message_id, by: 'ada' });
    await settle();
    await hand.feed().fail(new DOMException('This operation was aborted', 'AbortError'));
    expect(answer().attempt).toMatchObject({ finish_reason: 'stopped' });
    expect(answer().attempt?.error).toBeUndefined();
  });

  it('[TE6] an agent that says it was cancelled was stopped, whoever did it', async () => {
    const { backend, answer } = await play([say('so'), { type: 'finish', finish_reason: 'cancelled' }]);
    expect(answer().attempt?.finish_reason).toBe('stopped');
    expect(outcomes(backend.events)).toEqual(['stopped']);
  });

  it('[TE6] a stop that the runner has not heard before it restarts holds', async () => {
    const board = new LivenessBoard();
    const { hand, backend, thread_id, prompt } = await start({ board });
    await hand.feed().push(say('partial'));
    const viewer = reload(backend.doc, 'viewer');
    stopTurn(viewer.chat, { message_id: prompt.message_id, by: 'ada' });
    backend.kill();
    const again = createBackend(hand.agent, { replica: reload(backend.doc, 'again'), board });
    syncAll([again, viewer]);
    await again.timers.advance(50_000);
    syncAll([again, viewer]);
    const answer = answerTo(viewer.chat, thread_id, prompt.message_id);
    expect(answer.attempt).toMatchObject({ state: 'settled', finish_reason: 'stopped' });
    expect(answer.content).toBe('partial');
    expect(viewer.chat.state(thread_id).state).toBe('complete');
    expect(hand.turns, 'nothing ran again').toHaveLength(1);
  });

  it('[TE7] what comes before the agent ends is kept, what comes after is refused and counted', async () => {
    const { hand, backend, prompt, answer } = await start();
    const feed = hand.feed();
    await feed.push(say('before'));
    stopTurn(backend.chat, { message_id: prompt.message_id, by: 'ada' });
    await settle();
    await feed.push(say(', flushed'), { type: 'finish', finish_reason: 'cancelled' });
    expect(answer().content).toBe('before, flushed');
    const bytes = Y.encodeStateAsUpdate(backend.doc);
    await feed.push(say('late'), say('later'), { type: 'tool_call', part_id: 't' });
    await backend.timers.advance(10_000);
    expect(Y.encodeStateAsUpdate(backend.doc)).toEqual(bytes);
    expect(backend.events.at(-1)).toMatchObject({ type: 'drained', late_events: 3 });
    expect(feed.isReturned).toBe(true);
  });

  it('[TE8] an agent that ignores its signal is left behind', async () => {
    const { hand, backend, thread_id, prompt, answer } = await start();
    ask(backend.chat, thread_id, 'next');
    await hand.feed(0).push(say('on'));
    stopTurn(backend.chat, { message_id: prompt.message_id, by: 'ada' });
    await settle();
    await hand.feed(0).push(say(' and on'));
    await backend.timers.advance(4_999);
    expect(answer().attempt?.state).toBe('open');
    await backend.timers.advance(1);
    expect(answer().attempt).toMatchObject({ state: 'settled', finish_reason: 'stopped' });
    expect(backend.events).toContainEqual(
      expect.objectContaining({ type: 'settled', outcome: 'stopped', acknowledged: false }),
    );
    expect(hand.turns, 'the thread goes on').toHaveLength(2);
    await hand.feed(0).push(say(' and on'));
    expect(answer().content).toBe('on and on');
    await backend.timers.advance(5_000);
    expect(hand.feed(0).isReturned).toBe(true);
  });
});

describe('losing and being redacted', () => {
  it('[TE9] of two runners that claim apart one answer shows, and the loser says so', async () => {
    const board = new LivenessBoard();
    const base = createReplica('base');
    const thread_id = createThread(base.chat);
    const { message_id } = ask(base.chat, thread_id);
    const hands = [new HandAgent(), new HandAgent()] as const;
    const backends = hands.map((hand, at) =>
      createBackend(hand.agent, { replica: reload(base.doc, `r${at}`), board, runner_id: `r${at}` }),
    );
    await settle();
    await hands[0].feed().push(say('from 0'));
    await hands[1].feed().push(say('from 1'));
    syncAll(backends);
    await settle();
    const aborted = hands.map((hand) => hand.isAborted());
    expect(aborted.filter(Boolean)).toHaveLength(1);
    const winner = aborted[0] ? 1 : 0;
    await present(hands[winner]).feed().push(say(', all of it'));
    await present(hands[1 - winner])
      .feed()
      .push(say('not this'));
    await present(hands[winner]).feed().end();
    syncAll(backends);
    await settle();
    for (const { chat } of backends) {
      const answer = answerTo(chat, thread_id, message_id);
      expect(answer.content).toBe(`from ${winner}, all of it`);
      expect(answer.attempt?.finish_reason).toBe('stop');
      expect(answer.alternates).toMatchObject([
        { content: `from ${1 - winner}`, finish_reason: 'superseded' },
      ]);
      expect(chat.messages(thread_id)).toHaveLength(2);
    }
    expect(outcomes(present(backends[1 - winner]).events)).toEqual(['superseded']);
  });

  it('[TE9] one that lost against a later epoch finishes superseded', async () => {
    const { hand, backend, prompt, answer } = await start();
    await hand.feed(0).push(say('first'));
    const other = reload(backend.doc, 'other');
    other.chat.retry({ message_id: prompt.message_id, by: 'ada' });
    const second = other.chat.openAttempt({
      prompt_id: prompt.message_id,
      sender_id: 'agent',
      runner_id: 'o',
    });
    second.openPart().append('second');
    syncAll([backend, other]);
    await settle();
    expect(hand.isAborted(0)).toBe(true);
    expect(answer()).toMatchObject({ content: 'second', generating: true });
    expect(answer().alternates).toMatchObject([{ content: 'first', finish_reason: 'superseded' }]);
    expect(outcomes(backend.events)).toEqual(['superseded']);
  });

  it('[TE9] one that lost against a settled attempt never takes its place', async () => {
    for (const isSmaller of [true, false]) {
      const { hand, backend, prompt, answer } = await start();
      await hand.feed().push(say('mine'));
      const own = present(answer().attempt).attempt;
      // Stamps follow the clock: an hour before, or a minute after.
      const rival = new Y.Doc();
      Y.applyUpdate(rival, Y.encodeStateAsUpdate(backend.doc));
      const time = START + (isSmaller ? -3_600_000 : 60_000);
      const chat = openChat(rival, { environment: createEnvironment('rival', { time }) });
      const writer = chat.openAttempt({ prompt_id: prompt.message_id, sender_id: 'agent', runner_id: 'o' });
      writer.addPart({ kind: 'text', text: 'theirs' });
      writer.finish({ finish_reason: 'stop' });
      if (!isSmaller) expect(writer.attempt > own).toBe(true);
      syncAll([backend, { doc: rival }]);
      await settle();
      expect(answer().attempt).toMatchObject({
        attempt: writer.attempt,
        content: 'theirs',
        finish_reason: 'stop',
      });
      const [alternate] = answer().alternates;
      expect(alternate).toMatchObject({ attempt: own, content: 'mine' });
      expect(alternate?.finish_reason).toBe('superseded');
      expect(backend.chat.state(answer().thread_id).state).toBe('complete');
    }
  });

  it('[TE10] a redacted answer ends its turn at once, and no text comes after', async () => {
    const { hand, backend, answer } = await start();
    const feed = hand.feed();
    await feed.push(say('a secret'));
    await feed.push(say(' not flushed'));
    const viewer = reload(backend.doc, 'viewer');
    viewer.chat.redact({ message_id: answer().message_id, by: 'ada' });
    syncAll([backend, viewer]);
    await settle();
    expect(hand.isAborted()).toBe(true);
    await feed.push(say('more of it'));
    await backend.timers.advance(20_000);
    syncAll([backend, viewer]);
    expect(answer()).toMatchObject({ redacted: true, content: '', generating: false });
    expect(backend.chat.toJSONL()).not.toMatch(/secret|flushed|more of it/);
    expect(answer().attempt?.finish_reason).toBe('redacted');
  });

  it('[TE10] a redacted prompt ends its turn as well', async () => {
    const { hand, backend, prompt, answer } = await start();
    await hand.feed().push(say('You said: How?'));
    backend.chat.redact({ message_id: prompt.message_id, by: 'ada' });
    await settle();
    expect(hand.isAborted()).toBe(true);
    expect(outcomes(backend.events)).toEqual(['redacted']);
    expect(answer().attempt?.state).toBe('settled');
  });

  it('[TE10] a redaction waits for no agent that is being stopped', async () => {
    const { hand, backend, prompt, answer } = await start();
    await hand.feed().push(say('x'));
    stopTurn(backend.chat, { message_id: prompt.message_id, by: 'ada' });
    await settle();
    backend.chat.redact({ message_id: answer().message_id, by: 'ada' });
    await settle();
    expect(answer().attempt?.finish_reason).toBe('redacted');
  });

  it('[TE11] a runner that meets an interrupt of its attempt goes on', async () => {
    const { hand, backend, thread_id, answer } = await start();
    await hand.feed().push(say('so far'));
    const other = reload(backend.doc, 'other');
    other.chat.interrupt({ message_id: answer().message_id });
    syncAll([backend, other]);
    expect(answer().acp_interrupted).toBe(true);
    await settle();
    expect(answer(), 'at once, not with the next token').toMatchObject({
      acp_interrupted: false,
      generating: true,
    });
    await hand.feed().push(say(', and on'));
    await hand.feed().end();
    expect(answer()).toMatchObject({ content: 'so far, and on', attempt: { finish_reason: 'stop' } });
    expect(backend.chat.state(thread_id).state).toBe('complete');
  });
});

describe('failing', () => {
  it('[TE12] an agent that throws ends the turn as an error, and keeps its text', async () => {
    const { backend, thread_id, answer } = await play([
      say('I was'),
      { type: 'fail', error: new Error('prompt was: How?') },
    ]);
    expect(answer()).toMatchObject({ content: 'I was', generating: false });
    expect(answer().attempt).toMatchObject({ finish_reason: 'error', error: { code: 'agent_failed' } });
    expect(backend.chat.state(thread_id).state).toBe('error');
    expect(backend.chat.toJSONL()).not.toContain('prompt was');
  });

  it('[TE12] an agent that throws before anything, or at its first step, does the same', async () => {
    const throwing: Agent[] = [
      () => {
        throw new Error('at once');
      },
      () => ({
        [Symbol.asyncIterator]: () => ({
          next: () => {
            throw new Error('at next');
          },
        }),
      }),
      () => ({ [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(new Error('later')) }) }),
    ];
    for (const agent of throwing) {
      const backend = createBackend(agent);
      const thread_id = createThread(backend.chat);
      ask(backend.chat, thread_id);
      await settle();
      await backend.engine.idle();
      expect(outcomes(backend.events)).toEqual(['error']);
      expect(backend.chat.state(thread_id).state).toBe('error');
    }
  });

  it('[TE12] what an AgentError says is written, but never a secret', async () => {
    const error = new AgentError('rate_limited', 'key sk-123 has no quota left');
    const { answer, backend } = await play([{ type: 'fail', error }], {
      secrets: { key: 'sk-123', none: '' },
    });
    expect(answer().attempt?.error).toEqual({ code: 'rate_limited', message: 'key … has no quota left' });
    expect(JSON.stringify(backend.events)).not.toContain('sk-123');
  });

  it('[TE13] an agent that gives nothing for too long has timed out', async () => {
    const { hand, backend, answer } = await start({ engine: { limits: { idle_timeout_ms: 1_000 } } });
    await backend.timers.advance(900);
    await hand.feed().push(say('alive'));
    await backend.timers.advance(900);
    expect(hand.isAborted()).toBe(false);
    await backend.timers.advance(200);
    expect(hand.isAborted()).toBe(true);
    await backend.timers.advance(5_000);
    expect(answer()).toMatchObject({
      content: 'alive',
      attempt: { finish_reason: 'error', error: { code: 'timeout' } },
    });
  });

  it('[TE13] so has one that goes on for ever', async () => {
    const { hand, backend, answer } = await start({ engine: { limits: { turn_timeout_ms: 10_000 } } });
    for (let second = 0; second < 10; second += 1) {
      await hand.feed().push(say('.'));
      await backend.timers.advance(1_000);
    }
    expect(hand.isAborted()).toBe(true);
    await hand.feed().end();
    expect(answer().attempt).toMatchObject({ finish_reason: 'error', error: { code: 'timeout' } });
    expect(answer().content).toBe('..........');
  });

  it('[TE14] an event that nothing can be stored of is passed over, with a notice, and the turn goes on', async () => {
    const bad = [
      { type: 'text', text: 7 },
      { type: 'reasoning', text: null },
      { type: 'tool_call', part_id: {} },
      { type: 'session', session: null },
      { type: 'usage', usage: 'none' },
      {
        type: 'file',
        get data(): never {
          throw new Error('not here');
        },
      },
    ] as unknown as TurnEvent[];
    for (const event of bad) {
      const { answer, hand, backend } = await start();
      await hand.feed().push(say('fine, '), event, event, say('and on'));
      await hand.feed().end();
      expect(answer().attempt, event.type).toMatchObject({ finish_reason: 'stop' });
      expect(answer().attempt).not.toHaveProperty('error');
      expect(answer().content).toBe('fine, and on');
      const notices = answer().parts.filter(({ kind }) => kind === 'notice');
      expect(notices).toMatchObject([
        { title: `an event could not be stored: ${event.type}`, data: { code: 'bad_event' } },
      ]);
      expect(backend.events.at(-1)).toMatchObject({ type: 'drained', bad_events: 2 });
      expect(backend.chat.quarantine()).toEqual([]);
    }
  });

  it('[TE22] an agent that ignores its stop adds no more to its answer after a second', async () => {
    const { answer, hand, backend } = await start();
    await hand.feed().push(say('begun'));
    stopTurn(backend.chat, { message_id: answer().message_id, by: 'ada' });
    await settle();
    await backend.timers.advance(900);
    await hand.feed().push(say(', flushed'), { type: 'tool_call', part_id: 't', state: 'in_progress' });
    await backend.timers.advance(100);
    for (let at = 0; at < 5; at += 1) {
      await hand.feed().push(say(' TOO LATE'), { type: 'reasoning', text: 'more' });
      await backend.timers.advance(200);
    }
    // That a tool has ended is still news.
    await hand.feed().push({ type: 'tool_call', part_id: 't', state: 'completed', output: 'done' });
    await hand.feed().end();
    expect(answer().content).toBe('begun, flushed');
    expect(answer().parts.map(({ kind, state }) => [kind, state])).toEqual([
      ['text', undefined],
      ['tool_call', 'completed'],
    ]);
    expect(answer().attempt).toMatchObject({ finish_reason: 'stopped' });
    expect(backend.events.at(-1)).toMatchObject({ type: 'drained', late_events: 10 });
  });

  it('[TE16] a document that cannot be written is no longer served, and the others are', async () => {
    const doc = new Y.Doc();
    const source = createReplica('source');
    ask(source.chat, createThread(source.chat));
    send(source.doc, doc);
    const readOnly = createReplica('ro', { readOnly: true }, doc);
    const { hand, backend, thread_id } = await start();
    backend.engine.serve(readOnly.chat, { agentFor: () => ({ agent: hand.agent, sender_id: 'agent' }) });
    await settle();
    const fault = backend.events.find((event) => event.type === 'fault');
    expect(fault).toMatchObject({ error: expect.any(ChatDocError) });
    await hand.feed().end();
    ask(backend.chat, thread_id, 'again');
    await settle();
    expect(hand.turns).toHaveLength(2);
  });

  it('[TE16] a host whose agentFor throws is no longer served', async () => {
    const { backend, prompt } = await start({
      serve: {
        agentFor: () => {
          throw new Error('no config');
        },
      },
    });
    expect(backend.events).toMatchObject([{ type: 'fault' }]);
    expect(backend.chat.queue(prompt.thread_id)).toEqual([prompt.message_id]);
  });

  it('[TE16] a document that is lost in mid-turn ends the turn, also from a timer', async () => {
    for (const atTimer of [true, false]) {
      const doc = new Y.Doc();
      const replica = createReplica('nested', {}, doc);
      const { hand, backend } = await start({ replica });
      await hand.feed().push(say('one'), say('two'));
      doc.transact = () => {
        throw new Error('gone');
      };
      if (atTimer) await backend.timers.advance(60);
      else await hand.feed().push({ type: 'plan', data: [] });
      expect(outcomes(backend.events)).toEqual(['disconnected']);
      expect(hand.isAborted()).toBe(true);
    }
  });

  it('[TE16] a listener that throws harms no turn', async () => {
    const heard: unknown[] = [];
    const listener = (reason: unknown): void => void heard.push(reason);
    process.on('unhandledRejection', listener);
    const before = process.listeners('unhandledRejection').filter((each) => each !== listener);
    for (const each of before) process.off('unhandledRejection', each);
    const { hand, backend, answer } = await start();
    backend.engine.subscribe(() => {
      throw new Error('listener');
    });
    await hand.feed().push(say('x'));
    await hand.feed().end();
    await settle();
    process.off('unhandledRejection', listener);
    for (const each of before) process.on('unhandledRejection', each);
    expect(answer().attempt?.state).toBe('settled');
    expect(heard.length).toBeGreaterThan(0);
  });

  it('[TE17] closing ends what runs, to be continued elsewhere, and claims nothing more', async () => {
    const { hand, backend, thread_id, answer } = await start();
    ask(backend.chat, thread_id, 'next');
    await hand.feed().push(say('so'), say(' far'));
    let isClosed = false;
    const closing = backend.engine.close().then(() => {
      isClosed = true;
    });
    await settle();
    expect(hand.isAborted()).toBe(true);
    await backend.timers.advance(4_999);
    expect(isClosed).toBe(false);
    await backend.timers.advance(1);
    await closing;
    expect(answer()).toMatchObject({ acp_interrupted: true, content: 'so far' });
    expect(backend.chat.state(thread_id).state).toBe('interrupted');
    ask(backend.chat, createThread(backend.chat), 'elsewhere');
    await settle();
    expect(hand.turns).toHaveLength(1);
    await backend.timers.advance(10_000);
    expect(backend.timers.pending).toBe(0);
  });
});

describe('what the engine can write', () => {
  it('[TE18] it holds no call that writes settings', () => {
    const { chat } = createReplica();
    const narrow = narrowChat(chat) as unknown as Record<string, unknown>;
    expect(Object.isFrozen(narrow)).toBe(true);
    const writes = [
      'configure',
      'createThread',
      'setVariables',
      'setState',
      'activate',
      'annotate',
      'edit',
      'send',
    ];
    expect(writes.filter((call) => call in narrow || Object.values(narrow).includes(chat))).toEqual([]);
  });

  it('[TE18] the config is byte-equal before and after turns of all kinds', async () => {
    const steps = [say('x'), { type: 'tool_call', part_id: 't' }] as ScriptStep[];
    for (const last of [
      [],
      [{ type: 'fail', error: new Error('x') }],
      [{ type: 'hang' }],
    ] as ScriptStep[][]) {
      const timers = new FakeTimers();
      const backend = createBackend(scriptedAgent({ steps: [...steps, ...last] }, timers), { timers });
      const { thread_id } = backend.chat.createThread({
        created_by: 'ada',
        name: 'Plan',
        acp_config: { model: 'm' },
        agent_kind: 'codex',
      });
      const before = JSON.stringify(backend.chat.config(thread_id));
      const { message_id } = ask(backend.chat, thread_id);
      await timers.advance(1_000);
      stopTurn(backend.chat, { message_id, by: 'ada' });
      await timers.advance(60_000);
      expect(JSON.stringify(backend.chat.config(thread_id))).toBe(before);
      expect(entriesOf(backend.chat, 'thread_config')).toHaveLength(1);
    }
  });

  it('[TE19] nothing is written within the transaction that brings the news', async () => {
    const { hand, backend } = await start();
    const source = reload(backend.doc, 'source');
    await hand.feed().push(say('x'));
    ask(source.chat, createThread(source.chat), 'another');
    source.chat.stop({ message_id: present(hand.turn().prompt).message_id, by: 'ada' });
    let during = 0;
    backend.doc.on('update', (_update: Uint8Array, origin: unknown) => {
      if (origin !== NETWORK) during += 1;
    });
    backend.doc.transact(() => send(source.doc, backend.doc), NETWORK);
    expect(during).toBe(0);
    await settle();
    expect(during).toBeGreaterThan(0);
  });
});
