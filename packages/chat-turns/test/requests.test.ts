import { ChatDocError, type Message } from '@chatdoc/schema';
import { describe, expect, it } from 'vitest';
import {
  continueTurn,
  listWaiting,
  type NewPrompt,
  resubmitPrompt,
  retryTurn,
  sendNow,
  stopTurn,
  submitPrompt,
} from '../src/index.js';
import {
  answerTo,
  ask,
  bytesOf,
  createBackend,
  createReplica,
  createThread,
  DATE,
  entriesOf,
  HandAgent,
  LivenessBoard,
  outcomes,
  present,
  reload,
  say,
  settle,
  syncAll,
} from './world.js';

const prompt = (thread_id: string, content: string, fields: Partial<NewPrompt> = {}): NewPrompt => ({
  thread_id,
  sender_id: 'ada',
  content,
  client_message_id: content,
  date: DATE,
  ...fields,
});

function submitted(result: ReturnType<typeof submitPrompt>): Message {
  if (!result.ok) throw new Error(result.code);
  return result.message;
}

async function start() {
  const hand = new HandAgent();
  const backend = createBackend(hand.agent);
  const thread_id = createThread(backend.chat);
  const first = submitted(submitPrompt(backend.chat, prompt(thread_id, 'first')));
  await settle();
  const answer = (message = first): Message => answerTo(backend.chat, thread_id, message.message_id);
  return { hand, backend, thread_id, first, answer, chat: backend.chat };
}

describe('submitting', () => {
  it('[RQ1] the same client id and date are one prompt, queued before the call returns', () => {
    const { chat, doc } = createReplica();
    const thread_id = createThread(chat);
    const first = submitPrompt(chat, prompt(thread_id, 'once'));
    expect(first).toMatchObject({ ok: true, outcome: 'sent' });
    expect(chat.queue(thread_id)).toEqual([submitted(first).message_id]);
    const before = bytesOf(doc);
    expect(submitPrompt(chat, prompt(thread_id, 'once'))).toMatchObject({ ok: true, outcome: 'known' });
    expect(bytesOf(doc)).toBe(before);
    const other = submitPrompt(chat, { ...prompt(thread_id, 'twice'), client_message_id: 'once' });
    expect(other).toMatchObject({ ok: true, outcome: 'revised', message: { content: 'twice' } });
    expect(submitted(other).history.map(({ content }) => content)).toEqual(['once', 'twice']);
    expect(chat.queue(thread_id)).toHaveLength(1);
    for (const missing of ['client_message_id', 'date']) {
      const bad = { ...prompt(thread_id, 'x'), [missing]: undefined } as unknown as NewPrompt;
      expect(() => submitPrompt(chat, bad)).toThrow(ChatDocError);
    }
  });

  it('[RQ1] two replicas that submit it offline, and both answer: one prompt, one answer, one alternate', async () => {
    const board = new LivenessBoard();
    const base = createReplica('base');
    const thread_id = createThread(base.chat);
    const hands = [new HandAgent(), new HandAgent()] as const;
    const backends = hands.map((hand, at) =>
      createBackend(hand.agent, { replica: reload(base.doc, `r${at}`), board, runner_id: `r${at}` }),
    );
    const sent = backends.map(({ chat }) => submitted(submitPrompt(chat, prompt(thread_id, 'offline'))));
    expect(sent[0]?.message_id).toBe(sent[1]?.message_id);
    await settle();
    for (const [at, hand] of hands.entries()) {
      await hand.feed().push(say(`answer ${at}`));
      await hand.feed().end();
    }
    const viewer = createReplica('viewer');
    syncAll([...backends, viewer]);
    await settle();
    syncAll([...backends, viewer]);
    const shown = new Set<string>();
    for (const { chat } of [...backends, viewer]) {
      expect(chat.messages(thread_id)).toHaveLength(2);
      const answer = answerTo(chat, thread_id, present(sent[0]).message_id);
      expect(answer.alternates).toHaveLength(1);
      expect(answer.attempt?.state).toBe('settled');
      shown.add(answer.content);
      expect(chat.queue(thread_id)).toEqual([]);
    }
    expect(shown.size).toBe(1);
  });

  it('[RQ2] enqueue waits, reject refuses and says for what', async () => {
    const { hand, chat, thread_id, answer, backend } = await start();
    const before = bytesOf(backend.doc);
    const refused = submitPrompt(chat, prompt(thread_id, 'no', { when_busy: 'reject' }));
    expect(refused).toEqual({ ok: false, code: 'busy', message_id: answer().message_id });
    expect(bytesOf(backend.doc)).toBe(before);
    const again = submitPrompt(chat, prompt(thread_id, 'first', { when_busy: 'reject' }));
    expect(again, 'what was sent is not refused').toMatchObject({ ok: true, outcome: 'known' });
    submitPrompt(chat, prompt(thread_id, 'second'));
    await hand.feed().end();
    expect(hand.turn().prompt.content).toBe('second');
    await hand.feed().end();
    const idle = submitPrompt(chat, prompt(thread_id, 'third', { when_busy: 'reject' }));
    expect(idle).toMatchObject({ ok: true, outcome: 'sent' });
  });

  it('[RQ2] a queue without a runner is busy, too', () => {
    const { chat } = createReplica();
    const thread_id = createThread(chat);
    const { message_id } = ask(chat, thread_id);
    const refused = submitPrompt(chat, prompt(thread_id, 'no', { when_busy: 'reject' }));
    expect(refused).toEqual({ ok: false, code: 'busy', message_id });
  });

  it('[RQ2] interrupt stops what runs and goes before what waits', async () => {
    const { hand, chat, thread_id, answer } = await start();
    await hand.feed().push(say('half'));
    submitPrompt(chat, prompt(thread_id, 'waits'));
    const urgent = prompt(thread_id, 'urgent', { when_busy: 'interrupt' });
    submitPrompt(chat, urgent);
    await settle();
    await hand.feed().end();
    expect(answer().attempt).toMatchObject({ finish_reason: 'stopped', content: 'half' });
    expect(hand.turn().prompt.content).toBe('urgent');
    // The same again, from a client that did not hear of it, stops nothing.
    submitPrompt(chat, urgent);
    await settle();
    expect(hand.isAborted()).toBe(false);
    await hand.feed().end();
    expect(hand.turn().prompt.content).toBe('waits');
  });

  it('[RQ3] what was sent later to run now runs first', async () => {
    const { hand, chat, thread_id } = await start();
    const [one, two, three] = ['one', 'two', 'three'].map((content) =>
      submitted(submitPrompt(chat, prompt(thread_id, content))),
    ) as [Message, Message, Message];
    expect(sendNow(chat, { message_id: two.message_id, by: 'ada' })).toEqual({ ok: true });
    expect(sendNow(chat, { message_id: three.message_id, by: 'bob' })).toEqual({ ok: true });
    expect(listWaiting(chat, thread_id)).toEqual([three.message_id, two.message_id, one.message_id]);
    await settle();
    const order: string[] = [];
    for (let turn = 0; turn < 4; turn += 1) {
      order.push(hand.turn().prompt.content);
      await hand.feed().end();
    }
    expect(order).toEqual(['first', 'three', 'two', 'one']);
    expect(sendNow(chat, { message_id: two.message_id, by: 'ada' })).toEqual({
      ok: false,
      code: 'not_queued',
    });
    expect(sendNow(chat, { message_id: thread_id, by: 'ada' })).toEqual({ ok: false, code: 'not_found' });
  });
});

describe('stopping and asking again', () => {
  it('[RQ4] a stop takes a prompt out of the queue, and never reaches another turn', async () => {
    const { hand, chat, thread_id, answer } = await start();
    const second = submitted(submitPrompt(chat, prompt(thread_id, 'second')));
    const third = submitted(submitPrompt(chat, prompt(thread_id, 'third')));
    expect(stopTurn(chat, { message_id: second.message_id, by: 'bob' })).toEqual({ ok: true });
    await settle();
    expect(hand.isAborted()).toBe(false);
    await hand.feed().end();
    expect(hand.turns.map(({ turn }) => turn.prompt.content)).toEqual(['first', 'third']);
    expect(answer(third).generating).toBe(true);
    expect(stopTurn(chat, { message_id: thread_id, by: 'bob' })).toEqual({ ok: false, code: 'not_found' });
    const plain = chat.send({ thread_id, sender_id: 'ada', content: 'plain' });
    expect(stopTurn(chat, { message_id: plain.message_id, by: 'bob' })).toEqual({
      ok: false,
      code: 'no_turn',
    });
  });

  it('[RQ4] a stop skips an interrupted turn', async () => {
    const { hand, chat, thread_id, first, answer, backend } = await start();
    submitPrompt(chat, prompt(thread_id, 'second'));
    await hand.feed().push(say('half'));
    void backend.engine.close();
    await hand.feed().end();
    const again = createBackend(hand.agent, { replica: reload(backend.doc, 'again') });
    await settle();
    expect(hand.turns).toHaveLength(1);
    stopTurn(again.chat, { message_id: first.message_id, by: 'ada' });
    await settle();
    expect(hand.turn().prompt.content).toBe('second');
    expect(answerTo(again.chat, thread_id, first.message_id).attempt).toMatchObject({
      finish_reason: 'stopped',
      content: 'half',
    });
    expect(answer().acp_interrupted).toBe(true);
  });

  it('[RQ5] a retry makes another attempt, and keeps the one before', async () => {
    const { hand, chat, first, answer } = await start();
    await hand.feed().push(say('worse'));
    await hand.feed().end();
    expect(retryTurn(chat, { message_id: first.message_id, by: 'ada' })).toEqual({ ok: true });
    retryTurn(chat, { message_id: answer().message_id, by: 'bob' });
    expect(entriesOf(chat, 'retry')).toHaveLength(1);
    await settle();
    expect(hand.turn()).toMatchObject({ epoch: 2 });
    expect(hand.turn().continues).toBeUndefined();
    await hand.feed().push(say('better'));
    await hand.feed().end();
    expect(answer()).toMatchObject({ content: 'better', attempt: { epoch: 2 } });
    expect(answer().alternates).toMatchObject([{ content: 'worse', finish_reason: 'stop' }]);
    expect(retryTurn(chat, { message_id: first.thread_id, by: 'ada' })).toEqual({
      ok: false,
      code: 'not_found',
    });
  });

  it('[RQ5] a prompt that was cancelled before it began can be asked again', async () => {
    const { hand, chat, thread_id } = await start();
    const second = submitted(submitPrompt(chat, prompt(thread_id, 'second')));
    stopTurn(chat, { message_id: second.message_id, by: 'ada' });
    await hand.feed().end();
    expect(hand.turns).toHaveLength(1);
    // The change names the answer, which is not there: no thread.
    retryTurn(chat, { message_id: second.message_id, by: 'ada' });
    await settle();
    expect(hand.turn()).toMatchObject({ epoch: 2, prompt: { content: 'second' } });
  });

  it('[RQ5] a retry of a turn that runs ends it first, and only then begins', async () => {
    const { hand, chat, first, answer, backend } = await start();
    await hand.feed().push(say('wrong way'));
    retryTurn(chat, { message_id: first.message_id, by: 'ada' });
    expect(sendNow(chat, { message_id: first.message_id, by: 'ada' })).toEqual({ ok: true });
    await settle();
    expect(hand.isAborted(0)).toBe(true);
    expect(hand.turns, 'never two agents in one thread').toHaveLength(1);
    await hand.feed(0).end();
    expect(hand.turn()).toMatchObject({ epoch: 2 });
    await hand.feed().push(say('right'));
    expect(answer()).toMatchObject({ content: 'right', alternates: [{ finish_reason: 'superseded' }] });
    expect(outcomes(backend.events)).toEqual(['retried']);
  });

  it('[RQ6] a continued turn begins with all that showed', async () => {
    const { hand, chat, first, answer, backend } = await start();
    const by = { message_id: first.message_id, by: 'ada' };
    expect(continueTurn(chat, by)).toEqual({ ok: false, code: 'running' });
    await hand
      .feed()
      .push(
        { type: 'reasoning', text: 'hm' },
        say('One, '),
        { type: 'tool_call', part_id: 'a', state: 'completed', output: 1 },
        { type: 'tool_call', part_id: 'b', state: 'in_progress', input: { x: 1 } },
        say('two, '),
      );
    await backend.timers.advance(50);
    // As a crash leaves it: nothing is closed.
    const crashed = reload(backend.doc, 'crashed');
    crashed.chat.interrupt({ message_id: answer().message_id });
    const again = createBackend(hand.agent, { replica: crashed });
    expect(continueTurn(again.chat, by)).toEqual({ ok: true });
    await settle();
    const turn = hand.turn();
    expect(turn).toMatchObject({ epoch: 2, continues: { content: 'One, two, ' } });
    await hand.feed().push(say('three.'));
    await hand.feed().end();
    const done = answerTo(again.chat, first.thread_id, first.message_id);
    expect(done).toMatchObject({ content: 'One, two, three.', attempt: { epoch: 2, finish_reason: 'stop' } });
    expect(done.parts.map(({ kind, state, text }) => state ?? `${kind} ${text}`)).toEqual([
      'reasoning hm',
      'text One, ',
      'completed',
      'cancelled',
      'text two, ',
      'text three.',
    ]);
    // The wish was for that one: a retry begins anew.
    retryTurn(again.chat, by);
    await settle();
    expect(hand.turn().continues).toBeUndefined();
  });

  it('[RQ6] a retry takes a wish to continue back, and what has not begun cannot be continued', async () => {
    const replica = createReplica();
    const { chat } = replica;
    const thread_id = createThread(chat);
    const { message_id } = ask(chat, thread_id);
    expect(continueTurn(chat, { message_id, by: 'ada' })).toEqual({ ok: false, code: 'not_begun' });
    const writer = chat.openAttempt({ prompt_id: message_id, sender_id: 'agent', runner_id: 'gone' });
    writer.addPart({ kind: 'text', text: 'old' });
    writer.finish({ finish_reason: 'stopped' });
    expect(continueTurn(chat, { message_id, by: 'ada' })).toEqual({ ok: true });
    retryTurn(chat, { message_id, by: 'bob' });
    const hand = new HandAgent();
    createBackend(hand.agent, { replica });
    await settle();
    expect(hand.turn()).toMatchObject({ epoch: 2 });
    expect(hand.turn().continues).toBeUndefined();
  });

  it('[RQ7] a prompt is edited and asked again in its place', async () => {
    const { hand, chat, thread_id, first, answer, backend } = await start();
    await hand.feed().push(say('to the old question'));
    const resubmission = {
      message_id: first.message_id,
      author_id: 'ada',
      content: 'better put',
      as: 'revision',
      client_message_id: 'c2',
      date: DATE,
    } as const;
    const expected = { ok: true, thread_id, prompt_id: first.message_id };
    expect(resubmitPrompt(chat, resubmission)).toEqual(expected);
    expect(resubmitPrompt(chat, resubmission)).toEqual(expected);
    expect(entriesOf(chat, 'revision')).toHaveLength(1);
    await settle();
    expect(hand.isAborted(0)).toBe(true);
    await hand.feed(0).end();
    expect(hand.turn().prompt.content).toBe('better put');
    await hand.feed().push(say('to the new one'));
    await hand.feed().end();
    expect(answer()).toMatchObject({ content: 'to the new one', attempt: { epoch: 2 } });
    expect(answer().alternates).toMatchObject([{ content: 'to the old question', finish_reason: 'stopped' }]);
    expect(outcomes(backend.events)).toEqual(['stopped', 'complete']);
    expect(hand.turns).toHaveLength(2);
  });

  it('[RQ7] a fork takes what was before, and leaves the thread as it is', async () => {
    const { hand, chat, thread_id, first, backend } = await start();
    chat.configure({
      thread_id,
      updated_by: 'ada',
      name: 'Plan',
      acp_config: { model: 'm' },
      session: { purpose: 'chat' },
    });
    await hand.feed().push(say('answer'));
    await hand.feed().end();
    const second = submitted(submitPrompt(chat, prompt(thread_id, 'second')));
    await settle();
    const before = bytesOf(backend.doc);
    const fork = {
      author_id: 'bob',
      content: 'instead',
      as: 'fork',
      client_message_id: 'f',
      date: DATE,
    } as const;
    const result = resubmitPrompt(chat, { message_id: second.message_id, ...fork });
    expect(bytesOf(backend.doc)).not.toBe(before);
    if (!result.ok) throw new Error(result.code);
    expect(resubmitPrompt(chat, { message_id: second.message_id, ...fork })).toEqual(result);
    expect(chat.transcript(result.thread_id).map(({ content }) => content)).toEqual([
      'first',
      'answer',
      'instead',
    ]);
    const { thread_id: _, updated_at: __, updated_by: ___, ...settings } = chat.config(result.thread_id);
    expect(settings).toEqual({ name: 'Plan', acp_config: { model: 'm' } });
    expect(chat.messages(thread_id).map(({ content }) => content)).toEqual(['first', 'answer', 'second', '']);
    await settle();
    expect(hand.turn().messages.map(({ content }) => content)).toEqual(['first', 'answer', 'instead']);
    // Of the very first prompt there is nothing to take along.
    const root = resubmitPrompt(chat, { message_id: first.message_id, ...fork });
    expect(root.ok && chat.transcript(root.thread_id).map(({ content }) => content)).toEqual(['instead']);
    expect(resubmitPrompt(chat, { message_id: thread_id, ...fork })).toEqual({
      ok: false,
      code: 'not_found',
    });
    const plain = chat.send({ thread_id, sender_id: 'ada', content: 'plain' });
    const refused = resubmitPrompt(chat, { message_id: plain.message_id, ...fork });
    expect(refused).toEqual({ ok: false, code: 'no_turn' });
  });

  it('[RQ8] a prompt that was deleted or redacted while it waited is cancelled', async () => {
    const { hand, chat, thread_id } = await start();
    const [deleted, redacted, last] = ['deleted', 'redacted', 'last'].map((content) =>
      submitted(submitPrompt(chat, prompt(thread_id, content))),
    ) as [Message, Message, Message];
    chat.delete({ message_id: deleted.message_id, author_id: 'ada' });
    chat.redact({ message_id: redacted.message_id, by: 'ada' });
    await hand.feed().end();
    expect(hand.turns.map(({ turn }) => turn.prompt.message_id).slice(1)).toEqual([last.message_id]);
    expect(chat.queue(thread_id)).toEqual([]);
    expect(entriesOf(chat, 'stop')).toHaveLength(2);
  });
});
