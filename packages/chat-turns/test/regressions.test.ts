import { deriveAnswerId, type Message } from '@chatdoc/schema';
import { describe, expect, it } from 'vitest';
import {
  type Agent,
  continueTurn,
  getOrCreateThread,
  LEASE_MS,
  listWaiting,
  readSession,
  resubmitPrompt,
  retryTurn,
  type ScriptStep,
  type SlotOf,
  saveSession,
  scriptedAgent,
  sendNow,
  startRun,
  stopTurn,
  submitPrompt,
  type TurnEvent,
} from '../src/index.js';
import {
  answerTo,
  ask,
  type Backend,
  createBackend,
  createReplica,
  createThread,
  DATE,
  entriesOf,
  FakeTimers,
  HandAgent,
  LivenessBoard,
  outcomes,
  present,
  reload,
  say,
  send,
  settle,
  syncAll,
} from './world.js';

/** What went wrong in other systems, one case each. Numbers are those of the report on peers. */

interface Scene {
  readonly hand: HandAgent;
  readonly backend: Backend;
  readonly board: LivenessBoard;
  readonly thread_id: string;
  readonly prompt: Message;
  answer(): Message;
  stop(): Promise<void>;
}

async function begin(...events: readonly TurnEvent[]): Promise<Scene> {
  const board = new LivenessBoard();
  const hand = new HandAgent();
  const backend = createBackend(hand.agent, { board });
  const thread_id = createThread(backend.chat);
  const prompt = ask(backend.chat, thread_id);
  await settle();
  await hand.feed().push(...events);
  const answer = (): Message => answerTo(backend.chat, thread_id, prompt.message_id);
  const stop = async (): Promise<void> => {
    stopTurn(backend.chat, { message_id: prompt.message_id, by: 'ada' });
    await settle();
  };
  return { hand, backend, board, thread_id, prompt, answer, stop };
}

/** The runner dies, another process finds that out. */
async function recover({ backend, board, hand }: Scene): Promise<Backend> {
  backend.kill();
  const next = createBackend(hand.agent, { board, replica: reload(backend.doc, 'next'), runner_id: 'next' });
  await next.timers.advance(LEASE_MS * 1.2);
  return next;
}

const CHAT: SlotOf<'chat'> = { root_id: 'r', owner_id: 'ada', provider: 'codex', purpose: 'chat' };
const RUN: SlotOf<'run'> = { ...CHAT, purpose: 'run' };
const prompted = (thread_id: string, id: string) =>
  ({ thread_id, sender_id: 'ada', content: id, client_message_id: id, date: DATE }) as const;

describe('stops', () => {
  it('[TE6] a stop works after the client that asked reconnected (39)', async () => {
    const { backend, hand, answer, prompt } = await begin(say('x'));
    const client = reload(backend.doc, 'client');
    client.chat.close();
    const again = reload(client.doc, 'again');
    stopTurn(again.chat, { message_id: prompt.message_id, by: 'ada' });
    send(again.doc, backend.doc);
    await settle();
    await hand.feed().end();
    expect(answer().attempt?.finish_reason).toBe('stopped');
  });

  it('[TE7] a stopped stream is not written to by its replay (40)', async () => {
    const { backend, hand, answer, stop } = await begin(say('kept'));
    await stop();
    await hand.feed().end();
    await hand.feed().push(say(' replayed'));
    expect(answer().content).toBe('kept');
    expect(backend.events.at(-1)?.type).toBe('drained');
  });

  it('[TE6] a stop tells that the turn ended, with the partial answer (41)', async () => {
    const { backend, hand, stop } = await begin(say('partial'));
    await stop();
    await hand.feed().end();
    expect(outcomes(backend.events)).toEqual(['stopped']);
  });

  it('[TE6] a stop discards nothing that was read (42)', async () => {
    const { hand, answer, stop } = await begin(say('what I have read'));
    await stop();
    expect(answer().content).toBe('what I have read');
    await hand.feed().fail(new Error('aborted'));
    expect(answer().content).toBe('what I have read');
  });

  it('[TE5] a cancelled tool call does not block the next turn (54)', async () => {
    const { hand, backend, thread_id, answer, stop } = await begin({ type: 'tool_call', part_id: 't' });
    await stop();
    await hand.feed().end();
    expect(answer().parts[0]?.state).toBe('cancelled');
    ask(backend.chat, thread_id, 'next');
    await settle();
    expect(hand.turns).toHaveLength(2);
  });

  it('[TE6] a stop before the first message of the agent (33)', async () => {
    const { hand, answer, stop, backend, thread_id } = await begin();
    await stop();
    await hand.feed().end();
    expect(answer()).toMatchObject({ content: '', attempt: { finish_reason: 'stopped' } });
    expect(backend.chat.state(thread_id).state).toBe('complete');
  });

  it('[RQ4] a stop affects one turn, not those of others (32)', async () => {
    const { hand, backend, stop } = await begin(say('x'));
    const other = createThread(backend.chat);
    ask(backend.chat, other, 'of bob');
    await settle();
    await stop();
    expect([hand.isAborted(0), hand.isAborted(1)]).toEqual([true, false]);
  });

  it('[TE7] a cancelled turn has one end, whatever the agent reports (61)', async () => {
    const { hand, backend, stop, answer } = await begin(say('x'));
    await stop();
    await hand
      .feed()
      .push({ type: 'finish', finish_reason: 'end_turn' }, { type: 'finish', finish_reason: 'cancelled' });
    expect(entriesOf(backend.chat, 'finish')).toHaveLength(1);
    expect(answer().attempt?.finish_reason).toBe('stopped');
  });

  it('[RQ4] stopping twice, and from two devices, is one stop of one turn', async () => {
    const { hand, backend, stop, prompt, thread_id } = await begin(say('x'));
    ask(backend.chat, thread_id, 'next');
    const phone = reload(backend.doc, 'phone');
    stopTurn(phone.chat, { message_id: prompt.message_id, by: 'ada' });
    await stop();
    await stop();
    send(phone.doc, backend.doc);
    await hand.feed().end();
    expect(hand.turn().prompt.content).toBe('next');
    expect(hand.isAborted()).toBe(false);
  });

  it('[RQ4] a stop that arrives after the end changes nothing', async () => {
    const { hand, backend, prompt, answer } = await begin(say('whole'));
    const phone = reload(backend.doc, 'phone');
    await hand.feed().end();
    stopTurn(phone.chat, { message_id: prompt.message_id, by: 'ada' });
    send(phone.doc, backend.doc);
    await settle();
    expect(answer().attempt).toMatchObject({ finish_reason: 'stop', content: 'whole' });
  });

  it('[RQ5] a stop that arrives after a retry does not hit it', async () => {
    const { hand, backend, prompt, answer } = await begin(say('one'));
    const phone = reload(backend.doc, 'phone');
    await hand.feed().end();
    retryTurn(backend.chat, { message_id: prompt.message_id, by: 'ada' });
    await settle();
    stopTurn(phone.chat, { message_id: prompt.message_id, by: 'ada' });
    send(phone.doc, backend.doc);
    await settle();
    expect(hand.isAborted()).toBe(false);
    expect(answer().attempt).toMatchObject({ epoch: 2, stop_requested: false });
  });

  it('[TE8] a hung run does not make its thread unusable (65)', async () => {
    const { hand, backend, thread_id, stop } = await begin();
    await stop();
    ask(backend.chat, thread_id, 'next');
    await backend.timers.advance(5_000);
    expect(hand.turn().prompt.content).toBe('next');
  });
});

describe('queues', () => {
  it('[TE1] what is sent during a stream is not dropped (46)', async () => {
    const { hand, backend, thread_id } = await begin(say('x'));
    submitPrompt(backend.chat, prompted(thread_id, 'a'));
    submitPrompt(backend.chat, prompted(thread_id, 'b'));
    expect(backend.chat.queue(thread_id)).toHaveLength(2);
    await hand.feed().end();
    expect(hand.turn().prompt.content).toBe('a');
  });

  it('[RQ3] sending now does not race the queue (47)', async () => {
    const { hand, backend, thread_id } = await begin(say('x'));
    submitPrompt(backend.chat, prompted(thread_id, 'first'));
    const urgent = submitPrompt(backend.chat, { ...prompted(thread_id, 'urgent'), when_busy: 'interrupt' });
    await hand.feed().end();
    expect(hand.turn().prompt.message_id).toBe(urgent.ok && urgent.message.message_id);
  });

  it('[TE1] inputs at once are answered one after the other (50)', async () => {
    const { hand, backend, thread_id } = await begin(say('a'));
    const replicas = ['p', 'q'].map((name) => reload(backend.doc, name));
    for (const [at, { chat }] of replicas.entries()) ask(chat, thread_id, `${at}`);
    syncAll([backend, ...replicas]);
    await settle();
    expect(hand.turns).toHaveLength(1);
  });

  it('[RC1] a crashed run blocks the queue only until it is skipped (55)', async () => {
    const scene = await begin(say('x'));
    ask(scene.backend.chat, scene.thread_id, 'next');
    const next = await recover(scene);
    expect(scene.hand.turns).toHaveLength(1);
    stopTurn(next.chat, { message_id: scene.prompt.message_id, by: 'ada' });
    await settle();
    expect(scene.hand.turn().prompt.content).toBe('next');
  });

  it('[RQ1] a run that was accepted is never lost without a trace (52)', async () => {
    const replica = createReplica();
    const thread_id = createThread(replica.chat);
    submitPrompt(replica.chat, prompted(thread_id, 'accepted'));
    const hand = new HandAgent();
    createBackend(hand.agent, { replica: reload(replica.doc, 'after a crash') });
    await settle();
    expect(hand.turn().prompt.content).toBe('accepted');
  });

  it('[RQ2] double texting: what is interrupted stays, what comes after is merged in order (53)', async () => {
    const { hand, backend, thread_id, answer } = await begin(say('half'));
    submitPrompt(backend.chat, { ...prompted(thread_id, 'and also'), when_busy: 'interrupt' });
    await settle();
    await hand.feed().end();
    expect(answer().content).toBe('half');
    expect(hand.turn().messages.map(({ content }) => content)).toEqual(['How?', 'half', 'and also']);
  });

  it('[TE1] a message sent while the agent works is there for the next turn (63)', async () => {
    const { hand, backend, thread_id } = await begin(say('x'));
    backend.chat.send({ thread_id, sender_id: 'ada', content: 'I meant the other file' });
    ask(backend.chat, thread_id, 'go on');
    await hand.feed().end();
    expect(hand.turn().messages.map(({ content }) => content)).toContain('I meant the other file');
  });

  it('[RQ1] a queue in memory only was lost with its browser', () => {
    const { chat, doc } = createReplica();
    const thread_id = createThread(chat);
    submitPrompt(chat, prompted(thread_id, 'queued'));
    expect(listWaiting(reload(doc, 'r').chat, thread_id)).toHaveLength(1);
  });

  it('[RQ3] what was sent to run next is next on every device', () => {
    const { chat, doc } = createReplica();
    const thread_id = createThread(chat);
    const [, second] = ['a', 'b'].map((id) => submitPrompt(chat, prompted(thread_id, id)));
    const message_id = second?.ok ? second.message.message_id : '';
    sendNow(chat, { message_id, by: 'ada' });
    expect(listWaiting(reload(doc, 'r').chat, thread_id)[0]).toBe(message_id);
  });
});

describe('restarts', () => {
  it('[RC1] cancelling and crashing lose no streamed state (51)', async () => {
    const scene = await begin(
      say('streamed '),
      { type: 'tool_call', part_id: 't', state: 'completed' },
      say('state'),
    );
    const next = await recover(scene);
    const answer = answerTo(next.chat, scene.thread_id, scene.prompt.message_id);
    expect(answer.content).toBe('streamed state');
    expect(answer.parts).toHaveLength(3);
  });

  it('[RQ6] what continues is the same message, under one id (43, 49)', async () => {
    const scene = await begin(say('one '));
    const next = await recover(scene);
    continueTurn(next.chat, { message_id: scene.prompt.message_id, by: 'ada' });
    await settle();
    await scene.hand.feed().push(say('two'));
    await scene.hand.feed().end();
    const answers = next.chat.messages(scene.thread_id).filter(({ attempt }) => attempt !== undefined);
    expect(answers).toMatchObject([{ content: 'one two', generating: false }]);
    expect(next.chat.state(scene.thread_id).state).toBe('complete');
  });

  it('[RC4] an offer to resume that is handled twice renders once (48)', async () => {
    const scene = await begin(say('x'));
    const next = await recover(scene);
    for (const by of ['ada', 'bob']) continueTurn(next.chat, { message_id: scene.prompt.message_id, by });
    await settle();
    await scene.hand.feed().push(say('y'));
    await scene.hand.feed().end();
    await settle();
    expect(scene.hand.turns).toHaveLength(2);
    expect(answerTo(next.chat, scene.thread_id, scene.prompt.message_id).content).toBe('xy');
  });

  it('[RC1] a restart does not judge a turn that lives (64)', async () => {
    const scene = await begin(say('x'));
    const next = createBackend(scene.hand.agent, {
      board: scene.board,
      replica: reload(scene.backend.doc, 'next'),
    });
    await next.timers.advance(10 * LEASE_MS);
    await scene.hand.feed().push(say(', still here'));
    await scene.hand.feed().end();
    send(scene.backend.doc, next.doc);
    expect(answerTo(next.chat, scene.thread_id, scene.prompt.message_id).content).toBe('x, still here');
    expect(next.chat.messages(scene.thread_id)).toHaveLength(2);
  });

  it('[RC3] a restart runs no tool again by itself', async () => {
    const scene = await begin({ type: 'tool_call', part_id: 'rm', state: 'in_progress' });
    const next = await recover(scene);
    await next.timers.advance(10 * LEASE_MS);
    expect(scene.hand.turns).toHaveLength(1);
  });

  it('[TE18] a restart does not change the settings of a thread', async () => {
    const scene = await begin(say('x'));
    scene.backend.chat.configure({
      thread_id: scene.thread_id,
      updated_by: 'ada',
      acp_config: { model: 'm' },
    });
    const before = JSON.stringify(scene.backend.chat.config(scene.thread_id));
    const next = await recover(scene);
    expect(JSON.stringify(next.chat.config(scene.thread_id))).toBe(before);
  });

  it('[RC1] no spinner outlives its runner', async () => {
    const scene = await begin(say('x'));
    const next = await recover(scene);
    expect(next.chat.messages(scene.thread_id).some(({ generating }) => generating)).toBe(false);
  });
});

describe('several runners', () => {
  it('[TE9] parallel answers to one prompt do not fail each other (57)', async () => {
    const { backend, hand, prompt, answer } = await begin(say('mine'));
    const rival = reload(backend.doc, 'rival');
    const writer = rival.chat.openAttempt({
      prompt_id: prompt.message_id,
      sender_id: 'agent',
      runner_id: 'rival',
    });
    writer.addPart({ kind: 'text', text: 'theirs' });
    syncAll([backend, rival]);
    await settle();
    if (!hand.isAborted()) await hand.feed().end();
    writer.finish({ finish_reason: 'stop' });
    syncAll([backend, rival]);
    await settle();
    const states = [answer().attempt, ...answer().alternates].map((each) => each?.finish_reason);
    expect(states).not.toContain('error');
    expect(['mine', 'theirs']).toContain(answer().content);
  });

  it('[TE9] a late stop does not bring back what lost', async () => {
    const { backend, hand, prompt, answer } = await begin(say('mine'));
    const rival = reload(backend.doc, 'rival');
    const writer = rival.chat.openAttempt({
      prompt_id: prompt.message_id,
      sender_id: 'agent',
      runner_id: 'rival',
    });
    writer.addPart({ kind: 'text', text: 'theirs' });
    writer.finish({ finish_reason: 'stop' });
    syncAll([backend, rival]);
    await settle();
    expect(hand.isAborted()).toBe(true);
    stopTurn(rival.chat, { message_id: prompt.message_id, by: 'ada' });
    syncAll([backend, rival]);
    await settle();
    expect(answer()).toMatchObject({ content: 'theirs', attempt: { finish_reason: 'stop' } });
    expect(answer().alternates).toMatchObject([{ content: 'mine', finish_reason: 'superseded' }]);
  });

  it('[TE9] two that lose against each other leave one', async () => {
    const { backend, hand, prompt, answer } = await begin(say('mine'));
    const rival = reload(backend.doc, 'rival');
    const writer = rival.chat.openAttempt({
      prompt_id: prompt.message_id,
      sender_id: 'agent',
      runner_id: 'rival',
    });
    // It has seen ours, and gives way.
    writer.finish({ finish_reason: 'superseded' });
    syncAll([backend, rival]);
    await settle();
    expect(hand.isAborted()).toBe(false);
    await hand.feed().end();
    expect(answer()).toMatchObject({ content: 'mine', attempt: { finish_reason: 'stop' } });
  });

  it('[TE9] several instances of one agent make one message (75)', async () => {
    const base = createReplica('base');
    const thread_id = createThread(base.chat);
    ask(base.chat, thread_id);
    const backends = [0, 1, 2, 3].map((at) =>
      createBackend(scriptedAgent({ steps: [say(`${at}`)] }), {
        replica: reload(base.doc, at),
        runner_id: `${at}`,
      }),
    );
    for (const { engine } of backends) await engine.idle();
    syncAll(backends);
    for (const { chat } of backends) expect(chat.messages(thread_id)).toHaveLength(2);
  });

  it('[TE9] a late result of one that was fenced off never shows', async () => {
    const { backend, hand, prompt, answer } = await begin(say('old'));
    const other = reload(backend.doc, 'other');
    other.chat.retry({ message_id: prompt.message_id, by: 'ada' });
    const writer = other.chat.openAttempt({
      prompt_id: prompt.message_id,
      sender_id: 'agent',
      runner_id: 'o',
    });
    writer.addPart({ kind: 'text', text: 'new' });
    send(other.doc, backend.doc);
    await settle();
    await hand.feed().push(say(' and late'));
    await hand.feed().end();
    expect(answer().content).toBe('new');
    expect(answer().alternates.map(({ content }) => content)).toEqual(['old']);
  });

  it('[TE4] an approval does not make a second message, nor a stuck stream (58, 59)', async () => {
    const { hand, backend, answer, thread_id } = await begin(
      { type: 'tool_call', part_id: 't', state: 'pending' },
      { type: 'tool_call', part_id: 't', state: 'completed' },
      say('done'),
    );
    await hand.feed().end();
    expect(backend.chat.messages(thread_id)).toHaveLength(2);
    expect(answer().generating).toBe(false);
  });
});

describe('threads and sessions', () => {
  it('[SS3] context does not bleed between threads that share a provider (76)', async () => {
    const hand = new HandAgent();
    const { chat } = createBackend(hand.agent);
    const [one, two] = [createThread(chat), createThread(chat)];
    ask(chat, one, 'secret of one');
    await settle();
    await hand.feed().push({ type: 'session', session: { acp_session_id: 's' } });
    await hand.feed().end();
    ask(chat, two, 'of two');
    await settle();
    expect(hand.turn().session).toBeUndefined();
    expect(JSON.stringify(hand.turn())).not.toContain('secret of one');
  });

  it('[SS1] owner and provider are part of what names a thread (77)', () => {
    const { chat } = createReplica();
    const ids = [CHAT, { ...CHAT, owner_id: 'bob' }, { ...CHAT, provider: 'claude' }].map(
      (slot) => getOrCreateThread(chat, slot, { created_by: 'ada' }).thread_id,
    );
    expect(new Set(ids).size).toBe(3);
  });

  it('[TE1] queues do not leak between threads of one profile (78)', async () => {
    const { hand, backend } = await begin(say('x'));
    const other = createThread(backend.chat);
    ask(backend.chat, other, 'elsewhere');
    await settle();
    expect(hand.turns.map(({ turn }) => turn.thread.thread_id)[1]).toBe(other);
    sendNow(backend.chat, { message_id: hand.turn().prompt.message_id, by: 'ada' });
    await settle();
    expect(hand.isAborted(0)).toBe(false);
  });

  it('[SS7] a chat and a batch run do not overwrite each other', () => {
    const { chat } = createReplica();
    const [talk, run] = [
      getOrCreateThread(chat, CHAT, { created_by: 'ada' }),
      getOrCreateThread(chat, RUN, { created_by: 'ada' }),
    ];
    const ids = { last_message_id: talk.thread_id, digest: '' };
    for (const [thread, id] of [
      [talk, 'a'],
      [run, 'b'],
    ] as const) {
      const session = { ...thread, ...ids, acp_session_id: id };
      saveSession<'chat' | 'run'>(chat, thread, { expected: undefined, session, updated_by: 'r' });
    }
    expect([readSession(chat, talk)?.acp_session_id, readSession(chat, run)?.acp_session_id]).toEqual([
      'a',
      'b',
    ]);
  });

  it('[TE1] a new thread leaves the one that streams alone (62)', async () => {
    const { hand, backend, answer } = await begin(say('x'));
    createThread(backend.chat);
    await hand.feed().push(say('y'));
    await hand.feed().end();
    expect(answer().content).toBe('xy');
  });

  it('[RQ7] a conversation that is in use can be forked (45, 66)', async () => {
    const { hand, backend, prompt } = await begin(say('x'));
    const fork = {
      author_id: 'bob',
      content: 'mine',
      as: 'fork',
      client_message_id: 'f',
      date: DATE,
    } as const;
    const forked = resubmitPrompt(backend.chat, { message_id: prompt.message_id, ...fork });
    await settle();
    expect(hand.turn().thread.thread_id).toBe(forked.ok && forked.thread_id);
    expect(hand.isAborted(0)).toBe(false);
  });

  it('[TE14] one bad part fails no turn, and not the conversation (44)', async () => {
    const bad = { type: 'text', text: null } as unknown as TurnEvent;
    const { hand, backend, thread_id } = await begin(say('fi'), bad, say('ne'));
    await hand.feed().end();
    expect(outcomes(backend.events)).toEqual(['complete']);
    ask(backend.chat, thread_id, 'next');
    await settle();
    expect(hand.turn().messages.map(({ content }) => content)).toEqual(['How?', 'fine', 'next']);
  });

  it('[TE3] storage grows with the text, not with the steps (56)', async () => {
    const timers = new FakeTimers();
    const tokens: ScriptStep[] = Array.from({ length: 2_000 }, () => say('word '));
    const { chat, events } = createBackend(scriptedAgent({ steps: tokens }, timers), { timers });
    ask(chat, createThread(chat));
    await timers.advance(1_000);
    expect(outcomes(events)).toEqual(['complete']);
    expect(chat.toJSONL().length).toBeLessThan(2_000 * 5 * 1.2 + 2_000);
  });

  it('[PV1] a variable that changed is used (79)', async () => {
    const hand = new HandAgent();
    const { chat } = createBackend(hand.agent);
    const template = { messages: [{ role: 'user', content: '{{x}} {{y}} {{x}}' }], defaults: { x: 1, y: 2 } };
    const { thread_id } = getOrCreateThread(chat, RUN, { created_by: 'ada', template });
    chat.configure({ thread_id, updated_by: 'ada', variables: { x: 'new' } });
    startRun(chat, { thread_id, sender_id: 'ada', client_message_id: 'c', date: DATE });
    await settle();
    // And one that stands twice shifts no other (80).
    expect(hand.turn().prompt.content).toBe('new 2 new');
  });
});

describe('a laptop that sleeps in the middle of a turn', () => {
  it('[TE9] whose turn a phone has gone on with writes nothing more when it wakes, and keeps no session', async () => {
    const scene = await begin(say('from the laptop'));
    const { backend, hand, board, thread_id, prompt } = scene;
    const phone = createBackend(hand.agent, {
      board,
      replica: reload(backend.doc, 'phone'),
      runner_id: 'phone',
    });
    // Asleep: nothing of it is heard, shown or run.
    backend.liveness.kill();
    await phone.timers.advance(LEASE_MS * 1.2);
    expect(phone.chat.state(thread_id).state).toBe('interrupted');
    expect(continueTurn(phone.chat, { message_id: prompt.message_id, by: 'ada' })).toEqual({ ok: true });
    await settle();
    await hand
      .feed(1)
      .push(say(', gone on by the phone'), { type: 'session', session: { acp_session_id: 'phone' } });
    // It wakes, and its agent talks before the network is back; then it hears of the phone.
    await hand
      .feed(0)
      .push(say(' TOO LATE'), { type: 'session', session: { acp_session_id: 'laptop' }, confirmed: true });
    syncAll([backend, phone]);
    await settle();
    expect(hand.isAborted(0)).toBe(true);
    await hand.feed(0).push(say(' AND LATER'));
    await hand.feed(0).end();
    await hand.feed(1).end();
    await settle();
    syncAll([backend, phone]);
    expect(outcomes(backend.events)).toEqual(['superseded']);
    for (const { chat } of [backend, phone]) {
      expect(answerTo(chat, thread_id, prompt.message_id).content).toBe(
        'from the laptop, gone on by the phone',
      );
      expect(chat.config(thread_id).session).toMatchObject({ acp_session_id: 'phone' });
      expect(chat.conflicts(thread_id)).toEqual([]);
    }
  });
});

describe('the names of one answer', () => {
  it('[TE1] an answer has the id that its prompt gives it, so a lost reply cannot be on the wrong row', async () => {
    const { prompt, answer } = await begin(say('x'));
    expect(answer().message_id).toBe(deriveAnswerId(prompt.message_id));
  });

  it('[TE12] finishing is written once, whatever ends at the same time', async () => {
    const agent: Agent = async function* () {
      yield say('x');
      yield { type: 'finish' };
      throw new Error('after the end');
    };
    const { chat, engine, events } = createBackend(agent);
    ask(chat, createThread(chat));
    await engine.idle();
    expect(entriesOf(chat, 'finish')).toHaveLength(1);
    expect(outcomes(events)).toEqual(['complete']);
    expect(present(events.at(-1)).type).toBe('drained');
  });
});
