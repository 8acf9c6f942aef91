import { type Chat, type JsonObject, type Message, openChat } from '@chatdoc/schema';
import { describe, expect, it } from 'vitest';
import * as Y from 'yjs';
import {
  activeThread,
  addInstance,
  addThread,
  clearThread,
  continueTurn,
  getOrCreateThread,
  handleOf,
  listRuns,
  listSlot,
  readSession,
  resubmitPrompt,
  retryTurn,
  type Session,
  type SlotOf,
  saveSession,
  startRun,
  stopTurn,
  type ThreadHandle,
  type TurnEvent,
} from '../src/index.js';
import {
  ask,
  createBackend,
  createEnvironment,
  createReplica,
  createThread,
  DATE,
  entriesOf,
  HandAgent,
  present,
  reload,
  START,
  say,
  settle,
  syncAll,
} from './world.js';

const CHAT: SlotOf<'chat'> = { root_id: 'r', owner_id: 'ada', provider: 'codex', purpose: 'chat' };
const RUN: SlotOf<'run'> = { ...CHAT, purpose: 'run' };
const fields = { created_by: 'ada', created_at: DATE } as const;

describe('slots', () => {
  it('[SS1] the active thread of a slot, and one thread where two replicas make it apart', () => {
    const [a, b] = [createReplica('a'), createReplica('b')];
    expect(activeThread(a.chat, CHAT)).toBeUndefined();
    const one = getOrCreateThread(a.chat, CHAT, { ...fields, name: 'from a' });
    expect(getOrCreateThread(a.chat, CHAT, fields)).toEqual({ ...one, created: false });
    expect(getOrCreateThread(b.chat, CHAT, { ...fields, name: 'from b' })).toEqual(one);
    expect(one.created, 'apart both have made it').toBe(true);
    const run = getOrCreateThread(b.chat, RUN, fields);
    expect(run.thread_id).not.toBe(one.thread_id);
    syncAll([a, b]);
    for (const { chat } of [a, b]) {
      expect(chat.threads()).toHaveLength(2);
      expect(one).toMatchObject(present(activeThread(chat, CHAT)));
      expect(run).toMatchObject(present(activeThread(chat, RUN)));
    }
    for (const other of [{ owner_id: 'bob' }, { provider: 'claude' }, { root_id: 's' }]) {
      expect(getOrCreateThread(a.chat, { ...CHAT, ...other }, fields).thread_id).not.toBe(one.thread_id);
    }
  });

  it('[SS2] clearing makes the next thread active, the old one stays', () => {
    const { chat } = createReplica();
    const first = getOrCreateThread(chat, CHAT, fields);
    chat.send({ thread_id: first.thread_id, sender_id: 'ada', content: 'old' });
    const second = clearThread(chat, CHAT, { ...fields, name: 'new' });
    expect(activeThread(chat, CHAT)).toEqual(second);
    expect(chat.messages(first.thread_id)).toHaveLength(1);
    expect(listSlot(chat, CHAT).map(({ thread_id }) => thread_id)).toEqual([
      first.thread_id,
      second.thread_id,
    ]);
    chat.activate({ thread_id: first.thread_id });
    expect(first).toMatchObject(present(activeThread(chat, CHAT)));
    expect(addThread(chat, CHAT, fields).thread_id).not.toBe(first.thread_id);
    expect(first, 'adding one activates none').toMatchObject(present(activeThread(chat, CHAT)));
    expect(listSlot(chat, CHAT)).toHaveLength(3);
    expect(
      listSlot(chat, CHAT).map(({ is_active, last_message_at }) => [is_active, last_message_at]),
    ).toEqual([
      [true, chat.messages(first.thread_id)[0]?.date],
      [false, null],
      [false, null],
    ]);
  });

  it('[SS2] exactly one thread is active when two replicas clear and activate apart', () => {
    const [a, b] = [createReplica('a'), createReplica('b')];
    const first = getOrCreateThread(a.chat, CHAT, fields);
    syncAll([a, b]);
    clearThread(a.chat, CHAT, fields);
    clearThread(a.chat, CHAT, fields);
    b.clock.time += 60_000;
    clearThread(b.chat, CHAT, fields);
    b.chat.activate({ thread_id: first.thread_id });
    syncAll([a, b]);
    expect(activeThread(a.chat, CHAT)).toBeDefined();
    expect(activeThread(a.chat, CHAT)).toEqual(activeThread(b.chat, CHAT));
    expect(listSlot(a.chat, CHAT).map(({ slot }) => slot?.number)).toEqual([1, 2, 3]);
  });
});

function sessionOf<P extends 'chat' | 'run'>(thread: ThreadHandle<P>, id: string): Session<P> {
  const { thread_id, purpose } = thread;
  return { thread_id, purpose, acp_session_id: id, last_message_id: thread_id, digest: 'd' };
}

describe('sessions', () => {
  it('[SS3] a session of one purpose or thread is refused for another', () => {
    const { chat } = createReplica();
    const [talk, run] = [getOrCreateThread(chat, CHAT, fields), getOrCreateThread(chat, RUN, fields)];
    const other = addThread(chat, CHAT, fields);
    const change = { expected: undefined, updated_by: 'r' };
    const before = chat.toJSONL();
    // @ts-expect-error a session of a run is none of a chat
    const crossed = saveSession(chat, talk, { ...change, session: sessionOf(run, 's') });
    expect(crossed).toEqual({ ok: false, code: 'other_purpose' });
    // @ts-expect-error nor the other way
    expect(saveSession(chat, run, { ...change, session: sessionOf(talk, 's') }).ok).toBe(false);
    expect(saveSession(chat, talk, { ...change, session: sessionOf(other, 's') })).toEqual({
      ok: false,
      code: 'other_thread',
    });
    const lie = { ...run, purpose: 'chat' } as const;
    expect(saveSession(chat, lie, { ...change, session: sessionOf(lie, 's') })).toEqual({
      ok: false,
      code: 'other_purpose',
    });
    const nowhere = { ...talk, thread_id: '01M7YZMHG0XQ0D9MKQ1ZWKK2DM' };
    expect(saveSession(chat, nowhere, { ...change, session: null })).toEqual({
      ok: false,
      code: 'not_found',
    });
    expect(chat.toJSONL()).toBe(before);
  });

  it('[SS3] a stored session that names another thread or purpose is not read', () => {
    const { chat } = createReplica();
    const thread = getOrCreateThread(chat, CHAT, fields);
    const good = sessionOf(thread, 's');
    const put = (session: object): Session<'chat'> | undefined => {
      chat.configure({ thread_id: thread.thread_id, updated_by: 'host', session: session as JsonObject });
      return readSession(chat, thread);
    };
    expect(put(good)).toEqual(good);
    expect(put({ ...good, purpose: 'run' })).toBeUndefined();
    expect(put({ ...good, thread_id: '01M7YZMHG0XQ0D9MKQ1ZWKK2DM' })).toBeUndefined();
    expect(put({ ...good, last_message_id: 7 })).toBeUndefined();
    expect(put({ ...good, acp_session_id: 7 })).toEqual({
      thread_id: thread.thread_id,
      purpose: thread.purpose,
      last_message_id: thread.thread_id,
      digest: 'd',
    });
  });

  it('[SS4] saving is compare-and-set', () => {
    const { chat } = createReplica();
    const thread = getOrCreateThread(chat, CHAT, fields);
    const [one, two] = [sessionOf(thread, 'one'), sessionOf(thread, 'two')];
    const save = (expected: Session<'chat'> | undefined, session: Session<'chat'> | null) =>
      saveSession(chat, thread, { expected, session, updated_by: 'r' });
    expect(save(one, two)).toEqual({ ok: false, code: 'conflict' });
    expect(save(undefined, one)).toEqual({ ok: true });
    const before = entriesOf(chat, 'thread_config').length;
    expect(save(undefined, two)).toEqual({ ok: false, code: 'conflict' });
    expect(save({ ...one, conversation_id: 'c' }, two)).toEqual({ ok: false, code: 'conflict' });
    expect(entriesOf(chat, 'thread_config')).toHaveLength(before);
    expect(save(one, two)).toEqual({ ok: true });
    expect(readSession(chat, thread)).toEqual(two);
    expect(save(two, null)).toEqual({ ok: true });
    expect(readSession(chat, thread)).toBeUndefined();
    expect(chat.conflicts(thread.thread_id)).toEqual([]);
  });

  it('[SS4] what two processes save apart is a conflict of which one shows everywhere', () => {
    const [a, b] = [createReplica('a'), createReplica('b')];
    const thread = getOrCreateThread(a.chat, CHAT, fields);
    syncAll([a, b]);
    for (const [at, { chat }] of [a, b].entries()) {
      saveSession(chat, thread, {
        expected: undefined,
        session: sessionOf(thread, `${at}`),
        updated_by: 'r',
      });
    }
    syncAll([a, b]);
    expect(a.chat.conflicts(thread.thread_id)).toMatchObject([{ field: 'session' }]);
    expect(readSession(a.chat, thread)).toEqual(readSession(b.chat, thread));
  });
});

/** A thread in which `hand` has answered `questions`, giving its session each time. */
async function converse(hand: HandAgent, questions: readonly string[]) {
  const backend = createBackend(hand.agent);
  const thread_id = createThread(backend.chat);
  for (const question of questions) {
    ask(backend.chat, thread_id, question);
    await settle();
    await hand.feed().push(say(`re: ${question}`), {
      type: 'session',
      session: { acp_session_id: 's-1', last_response_id: question },
    });
    await hand.feed().end();
  }
  const next = async (chat: Chat = backend.chat): Promise<Turn> => {
    ask(chat, thread_id, 'next');
    await settle();
    return hand.turn();
  };
  return { backend, thread_id, next, chat: backend.chat };
}

type Turn = ReturnType<HandAgent['turn']>;
const texts = (messages: readonly Message[]): string[] => messages.map(({ content }) => content);

describe('sessions in turns', () => {
  it('[SS5] the agent is given what the provider lacks, and no more', async () => {
    const hand = new HandAgent();
    const { chat, thread_id, next } = await converse(hand, ['one', 'two']);
    expect(texts(hand.turn().fresh), 'the second turn knew the first').toEqual(['two']);
    expect(hand.turn().session).toMatchObject({ acp_session_id: 's-1', last_response_id: 'one' });
    chat.send({ thread_id, sender_id: 'bob', content: 'meanwhile' });
    const turn = await next();
    expect(turn.session).toMatchObject({ acp_session_id: 's-1', last_response_id: 'two', purpose: 'chat' });
    expect(texts(turn.fresh)).toEqual(['meanwhile', 'next']);
    expect(turn.messages).toHaveLength(6);
  });

  it('[SS5] an edit, a redaction or a retry of what it includes makes it useless', async () => {
    const changes: ((chat: Chat, messages: readonly Message[]) => void)[] = [
      (chat, [first]) =>
        chat.edit({ message_id: present(first).message_id, author_id: 'ada', content: 'edited' }),
      (chat, [, answer]) => chat.redact({ message_id: present(answer).message_id, by: 'ada' }),
      (chat, [, answer]) => chat.delete({ message_id: present(answer).message_id, author_id: 'ada' }),
    ];
    for (const change of changes) {
      const hand = new HandAgent();
      const { chat, thread_id, next } = await converse(hand, ['one', 'two']);
      change(chat, chat.messages(thread_id));
      const turn = await next();
      expect(turn.session).toBeUndefined();
      expect(turn.fresh).toEqual(turn.messages);
    }
  });

  it('[SS5] so does a message that another replica had put before its end', async () => {
    const hand = new HandAgent();
    const { backend, chat, thread_id, next } = await converse(hand, ['one']);
    const late = new Y.Doc();
    const writer = openChat(late, { environment: createEnvironment('late', { time: START - 60_000 }) });
    Y.applyUpdate(late, Y.encodeStateAsUpdate(backend.doc));
    const [first] = chat.messages(thread_id);
    writer.send({
      thread_id,
      sender_id: 'bob',
      content: 'early',
      reply_to_message_id: present(first).message_id,
    });
    Y.applyUpdate(backend.doc, Y.encodeStateAsUpdate(late));
    ask(chat, thread_id, 'two');
    await settle();
    const turn = hand.turn();
    expect(texts(turn.messages)).toContain('early');
    expect(texts(turn.fresh)).toContain('early');
    void next;
  });

  const ids = (last_response_id: string, confirmed?: boolean) =>
    ({ type: 'session', session: { last_response_id }, ...(confirmed && { confirmed }) }) as const;

  /** A turn that is stopped, or fails, after what it gave. */
  async function cut(hand: HandAgent, how: 'stop' | 'fail', events: readonly TurnEvent[]) {
    const conversation = await converse(hand, ['one']);
    const turn = await conversation.next();
    await hand.feed().push(...events);
    if (how === 'stop') {
      stopTurn(conversation.chat, { message_id: turn.message_id, by: 'ada' });
      await settle();
      await hand.feed().end();
    } else await hand.feed().fail(new Error('gone'));
    await settle();
    const thread = handleOf(present(conversation.chat.thread(conversation.thread_id)));
    return { ...conversation, turn, session: () => readSession(conversation.chat, thread) };
  }

  it.each(['stop', 'fail'] as const)(
    '[SS6] ✗ after a %s only what the agent confirmed is saved, with what it includes',
    async (how) => {
      const none = new HandAgent();
      const unconfirmed = await cut(none, how, [say('half'), ids('r9')]);
      expect(unconfirmed.session(), 'the response was cut').toMatchObject({ last_response_id: 'one' });
      expect(texts((await unconfirmed.next()).fresh)).toEqual(['next', 'half', 'next']);

      const whole = new HandAgent();
      const all = await cut(whole, how, [say('half'), ids('r9', true)]);
      const { message_id } = all.turn;
      expect(all.session()).toMatchObject({ last_response_id: 'r9', last_message_id: message_id });
      expect(all.session(), 'ids that were not given again stay').toMatchObject({ acp_session_id: 's-1' });
      expect(texts((await all.next()).fresh)).toEqual(['next']);

      const early = new HandAgent();
      const asked = await cut(early, how, [ids('r8', true), say('half'), ids('r9')]);
      expect(asked.session()).toMatchObject({
        last_response_id: 'r8',
        last_message_id: asked.turn.prompt.message_id,
      });
      expect(texts((await asked.next()).fresh), 'the rest of the answer is told').toEqual(['half', 'next']);
    },
  );

  it('[SS5] ✗ what goes on after a stop goes on in its session', async () => {
    const hand = new HandAgent();
    const { chat, turn, session, next } = await cut(hand, 'stop', [say('half'), ids('r9', true)]);
    expect(continueTurn(chat, { message_id: turn.message_id, by: 'ada' })).toEqual({ ok: true });
    await settle();
    expect(hand.turn()).toMatchObject({
      fresh: [],
      session: { last_response_id: 'r9', acp_session_id: 's-1' },
    });
    await hand.feed().push(say(' done'), ids('r10'));
    await hand.feed().end();
    expect(session()).toMatchObject({ last_response_id: 'r10', last_message_id: turn.message_id });
    expect(texts((await next()).fresh)).toEqual(['next']);
  });

  it('[SS5] ✗ an older turn that goes on does so in the session of its thread, which knows the later ones still', async () => {
    const hand = new HandAgent();
    const { chat, thread_id, turn, session, next } = await cut(hand, 'stop', [say('half'), ids('r9', true)]);
    await next();
    await hand.feed().push(say('later'), ids('r10'));
    await hand.feed().end();
    const before = session();
    continueTurn(chat, { message_id: turn.message_id, by: 'ada' });
    await settle();
    expect(hand.turn()).toMatchObject({ fresh: [], session: { last_response_id: 'r10' } });
    await hand.feed().push(say(' done'), ids('r11'));
    await hand.feed().end();
    expect(session()).toMatchObject({
      last_response_id: 'r11',
      last_message_id: before?.last_message_id,
    });
    expect(texts(chat.messages(thread_id)).at(3)).toBe('half done');
    const last = await next();
    expect(last.session).toMatchObject({ last_response_id: 'r11' });
    expect(texts(last.fresh)).toEqual(['next']);
  });

  it('[SS5] a retry begins without what it takes back', async () => {
    const hand = new HandAgent();
    const { chat, turn } = await cut(hand, 'stop', [say('half'), ids('r9', true)]);
    retryTurn(chat, { message_id: turn.message_id, by: 'ada' });
    await settle();
    expect(hand.turn().session).toBeUndefined();
    expect(texts(hand.turn().fresh)).toEqual(['one', 're: one', 'next']);
  });

  it('[SS8] ✗ a session that a migration brought is used, and what came later is told', async () => {
    const brought = [
      [
        { session: { conversation_id: 'c', response_id: 'r', session_id: 's' } },
        { conversation_id: 'c', last_response_id: 'r', acp_session_id: 's' },
      ],
      [{ acp_config: { sessionId: 's', model: 'm' } }, { acp_session_id: 's' }],
    ] as const;
    for (const [settings, expected] of brought) {
      const hand = new HandAgent();
      const { chat, clock } = createBackend(hand.agent);
      const thread_id = createThread(chat);
      chat.send({ thread_id, sender_id: 'ada', content: 'old' });
      chat.configure({ thread_id, updated_by: 'import', ...settings });
      clock.time += 1_000;
      chat.send({ thread_id, sender_id: 'bob', content: 'newer' });
      ask(chat, thread_id, 'go on');
      await settle();
      expect(hand.turn().session).toMatchObject(expected);
      expect(texts(hand.turn().fresh)).toEqual(['newer', 'go on']);
      await hand.feed().push(say('yes'), { type: 'session', session: { acp_session_id: 'mine' } });
      await hand.feed().end();
      const thread = handleOf(present(chat.thread(thread_id)));
      expect(readSession(chat, thread)).toMatchObject({ ...expected, acp_session_id: 'mine' });
      saveSession(chat, thread, { expected: readSession(chat, thread), session: null, updated_by: 'ada' });
      ask(chat, thread_id, 'cleared');
      await settle();
      expect(hand.turn().session, 'a session that was cleared is not brought back').toBeUndefined();
    }
  });

  it('[SS9] ✗ a fork and an instance take the settings along, and no session of any form', () => {
    const { chat } = createReplica();
    const settings = { acp_config: { sessionId: 's', model: 'm' }, name: 'Old' };
    const template = { messages: [{ role: 'user', content: 'Count.' }] };
    const run = getOrCreateThread(chat, RUN, { ...fields, ...settings, template });
    const prompt = ask(chat, run.thread_id);
    const as = 'fork' as const;
    const base = { message_id: prompt.message_id, author_id: 'ada', content: 'x' };
    const fork = resubmitPrompt(chat, { ...base, as, client_message_id: 'c', date: DATE });
    const instance = addInstance(chat, RUN, run, 'ada');
    for (const thread_id of [fork.ok ? fork.thread_id : '', instance.thread_id]) {
      expect(chat.config(thread_id)).toMatchObject({ name: 'Old', acp_config: { model: 'm' } });
      expect(JSON.stringify(chat.config(thread_id))).not.toContain('sessionId');
    }
  });

  it('[SS6] a turn that lost, was redacted, or gave no session saves none', async () => {
    for (const loss of ['retry', 'redact', 'nothing'] as const) {
      const hand = new HandAgent();
      const { backend, chat, thread_id, next } = await converse(hand, ['one']);
      const before = JSON.stringify(chat.config(thread_id));
      const turn = await next();
      const ids = { type: 'session', session: { acp_session_id: 'other' } } as const;
      await hand.feed().push(say('x'), ...(loss === 'nothing' ? [] : [ids]));
      if (loss === 'redact') chat.redact({ message_id: turn.message_id, by: 'ada' });
      if (loss === 'retry') {
        const rival = reload(backend.doc, 'rival');
        rival.chat.retry({ message_id: turn.message_id, by: 'ada' });
        rival.chat.openAttempt({ prompt_id: turn.prompt.message_id, sender_id: 'agent', runner_id: 'rival' });
        syncAll([backend, rival]);
      }
      await settle();
      await hand.feed().end();
      expect(JSON.stringify(chat.config(thread_id)), loss).toBe(before);
    }
  });

  it('[SS6] one that somebody else changed meanwhile is left, and the host is told', async () => {
    const hand = new HandAgent();
    const { backend, chat, thread_id, next } = await converse(hand, ['one']);
    await next();
    const thread = handleOf(present(chat.thread(thread_id)));
    saveSession(chat, thread, { expected: readSession(chat, thread), session: null, updated_by: 'host' });
    await hand.feed().push({ type: 'session', session: { acp_session_id: 'mine' } });
    await hand.feed().end();
    expect(readSession(chat, thread)).toBeUndefined();
    expect(backend.events).toContainEqual({ type: 'session_conflict', thread_id });
  });

  it('[SS7] a chat and a run of one family run at once, each with its own session', async () => {
    const hand = new HandAgent();
    const { chat } = createBackend(hand.agent);
    const talk = getOrCreateThread(chat, CHAT, fields);
    const template = { messages: [{ role: 'user', content: 'Count.' }] };
    const run = getOrCreateThread(chat, RUN, { ...fields, template });
    ask(chat, talk.thread_id, 'Hello');
    const started = startRun(chat, {
      thread_id: run.thread_id,
      sender_id: 'ada',
      client_message_id: 'c',
      date: DATE,
    });
    await settle();
    expect(hand.turns.map(({ turn }) => turn.thread.purpose).sort()).toEqual(['chat', 'run']);
    for (const [at, { turn }] of hand.turns.entries()) {
      const id = `s-${turn.thread.purpose}`;
      await hand
        .feed(at)
        .push(say(`done ${turn.thread.purpose}`), { type: 'session', session: { acp_session_id: id } });
    }
    for (const at of [0, 1]) await hand.feed(at).end();
    expect(readSession(chat, talk)?.acp_session_id).toBe('s-chat');
    expect(readSession(chat, run)?.acp_session_id).toBe('s-run');
    const { purpose: _, ...family } = RUN;
    expect(listRuns(chat, family)).toMatchObject([
      {
        thread_id: run.thread_id,
        prompt_id: started.ok && started.prompt_id,
        answer: { content: 'done run' },
      },
    ]);
    expect(texts(chat.messages(talk.thread_id))).toEqual(['Hello', 'done chat']);
  });
});
