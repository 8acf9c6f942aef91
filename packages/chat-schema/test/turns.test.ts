import { describe, expect, it } from 'vitest';
import { type Attempt, deriveAnswerId, type Message } from '../src/index.js';
import { deriveInterruptId } from '../src/internal.js';
import {
  addText,
  answer,
  ask,
  attemptLine,
  createPair,
  createReplica,
  DATE,
  entriesOf,
  entryLine,
  expectSame,
  header,
  idAt,
  messageLine,
  partLine,
  present,
  type Replica,
  reload,
  replicaOf,
  say,
  syncAll,
  textOf,
  threadLine,
} from './world.js';

const T = idAt(0, 'thread');
const P = idAt(1, 'prompt');
const A = deriveAnswerId(P);
const base = [header(), threadLine(T), messageLine(P, T, { expects: 'answer', content: '?' })];
/** A minute for each, so that ids sort as numbers do. */
const [A1, A2, A3] = [idAt(11, 'attempt'), idAt(12, 'attempt'), idAt(13, 'attempt')];

const attempt = (id: string, epoch = 1, fields = {}): string => attemptLine(P, T, id, { epoch, ...fields });
const finish = (minutes: number, of: string, finish_reason = 'stop', fields = {}): string =>
  entryLine('finish', idAt(minutes, 'finish'), { attempt: of, finish_reason, ...fields });
const stop = (minutes: number, epoch: number): string =>
  entryLine('stop', idAt(minutes, 'stop'), { message_id: A, epoch, by: 'ada' });
const retry = (minutes: number, epoch: number, tag = ''): string =>
  entryLine('retry', idAt(minutes, `retry${tag}`), { message_id: A, epoch, by: 'ada' });
const interrupt = (of: string, seen: number): string =>
  entryLine('interrupt', deriveInterruptId(of, seen), { message_id: A, attempt: of, seen });

/** The answer under these lines, which hold all laws. */
function read(...lines: readonly string[]): Message & { readonly attempt: Attempt } {
  const replica = replicaOf([...base, ...lines]);
  expectSame([replica]);
  return present(replica.chat.message(A)) as Message & { readonly attempt: Attempt };
}

/** The greatest epoch that an attempt can have under these lines. */
function askedAfter(...lines: readonly string[]): number {
  const epochs = [1, 2, 3, 4, 5, 6, 7, 8, 9].map((epoch) => attempt(idAt(20 + epoch), epoch));
  return read(...lines, ...epochs).attempt.epoch;
}

describe('answers, attempts, state', () => {
  it('[TN1] every process that answers a prompt makes the same message', () => {
    const { a, b, thread_id } = createPair();
    const prompt = ask(a.chat, thread_id);
    syncAll([a, b]);
    const [one, two] = [answer(a.chat, prompt.message_id), answer(b.chat, prompt.message_id)];
    expect(one.message_id).toBe(two.message_id);
    expect(one.message_id).toBe(deriveAnswerId(prompt.message_id));
    one.openPart().append('from a');
    two.openPart().append('from b');
    syncAll([a, b]);
    expect(a.chat.messages(thread_id)).toHaveLength(2);
    const message = present(a.chat.message(one.message_id));
    expect([message.content, ...message.alternates.map(({ content }) => content)].sort()).toEqual([
      'from a',
      'from b',
    ]);
    expectSame([a, b]);
  });

  it('[TN1] an answer line with another message id has a problem and is not the answer of the prompt', () => {
    const other = idAt(5, 'forged');
    const forged = attemptLine(P, T, A1).replace(A, other);
    const replica = replicaOf([...base, forged]);
    expect(replica.chat.message(other)?.problem).toBeTruthy();
    expect(replica.chat.message(A)).toBeUndefined();
    expect(replica.chat.queue(T)).toEqual([P]);
    expectSame([replica]);
  });

  it('[TN2] parts and finishes count only under headers of the writer of the message line', () => {
    const [own, foreign] = [header({ lane: 'own', writer: 'w1' }), header({ lane: 'foreign', writer: 'w2' })];
    const lies = [partLine(A1, 2, ' lie'), partLine(A1, 1, 'a longer lie'), finish(30, A1, 'forged')];
    const replica = replicaOf(
      [...base],
      [own, attempt(A1), partLine(A1, 1, 'truth')],
      [foreign, ...lies],
      [header({ lane: 'own 2', writer: 'w1' }), partLine(A1, 3, ', all of it')],
    );
    expect(replica.chat.message(A)).toMatchObject({ content: 'truth, all of it', generating: true });
    const laneId = (JSON.parse(foreign) as { lane_id: string }).lane_id;
    expect(replica.chat.report().ignored).toEqual(
      [...lies].sort().map((line) => ({ lane_id: laneId, line })),
    );
    expect(replica.chat.duplicates()).toEqual([]);
    expectSame([replica]);
  });

  it('[TN3] the asked epoch rises by one for each distinct later retry epoch', () => {
    expect(askedAfter()).toBe(1);
    expect(askedAfter(retry(2, 2))).toBe(2);
    expect(askedAfter(retry(2, 2), retry(3, 2, 'again'), retry(4, 2, 'and again'))).toBe(2);
    expect(askedAfter(retry(2, 9))).toBe(2);
    expect(askedAfter(retry(2, 9), retry(3, 9, 'again'))).toBe(2);
    expect(askedAfter(retry(2, 7), retry(3, 3))).toBe(3);
    expect(askedAfter(retry(2, 2), retry(3, 3), retry(4, 4), retry(5, 1))).toBe(4);
    expect(askedAfter(retry(2, 1))).toBe(1);
  });

  it('[TN3] recovery never raises the asked epoch', () => {
    const { chat, doc } = createReplica();
    const { thread_id } = chat.createThread({ created_by: 'ada' });
    const prompt = ask(chat, thread_id);
    const gone = answer(chat, prompt.message_id);
    gone.abandon();
    chat.interrupt({ message_id: gone.message_id });
    const again = answer(chat, prompt.message_id);
    again.finish({ finish_reason: 'stop' });
    const attempts = [
      chat.message(again.message_id)?.attempt,
      ...(chat.message(again.message_id)?.alternates ?? []),
    ];
    expect(attempts.map((each) => each?.epoch)).toEqual([1, 1]);
    chat.retry({ message_id: prompt.message_id, by: 'ada' });
    chat.retry({ message_id: prompt.message_id, by: 'ada' });
    expect(entriesOf(chat, 'retry').map(({ epoch }) => epoch)).toEqual([2]);
    expect(answer(chat, prompt.message_id).message_id).toBe(again.message_id);
    expect(chat.message(again.message_id)?.attempt?.epoch).toBe(2);
    expectSame([{ chat, doc }]);
  });

  it('[TN4] an attempt above the asked epoch counts as epoch 1', () => {
    const forged = attempt(A2, 5);
    const honest = [attempt(A1), finish(30, A1)];
    expect(read(...honest, forged).attempt).toMatchObject({ attempt: A1, epoch: 1 });
    expect(read(...honest, forged).alternates).toMatchObject([{ attempt: A2, epoch: 1 }]);
    // A retry that has not arrived changes nothing before it does.
    const early = attempt(A2, 2);
    expect(read(...honest, early).attempt.attempt).toBe(A1);
    expect(read(...honest, early, retry(3, 2)).attempt).toMatchObject({ attempt: A2, epoch: 2 });
  });

  it('[TN4] a stop above the asked epoch counts as epoch 1', () => {
    const lines = [retry(3, 2), attempt(A1, 1), attempt(A2, 2)];
    expect(read(...lines, stop(30, 9)).attempt).toMatchObject({ attempt: A2, stop_requested: false });
    expect(read(...lines, stop(30, 9)).alternates).toMatchObject([{ attempt: A1, stop_requested: true }]);
    expect(read(...lines, stop(30, 2)).attempt).toMatchObject({ attempt: A2, stop_requested: true });
  });

  it('[TN5] the greatest epoch shows, then settled, open, interrupted, then the smallest attempt', () => {
    const shown = (...lines: string[]): string => read(...lines).attempt.attempt;
    expect(shown(retry(3, 2), attempt(A1, 1), finish(30, A1), attempt(A2, 2))).toBe(A2);
    expect(shown(attempt(A1), attempt(A2), finish(30, A2))).toBe(A2);
    expect(shown(attempt(A1), attempt(A2), interrupt(A1, 0))).toBe(A2);
    expect(shown(attempt(A1), attempt(A2), interrupt(A1, 0), interrupt(A2, 0))).toBe(A1);
    expect(shown(attempt(A3), attempt(A2), attempt(A1))).toBe(A1);
    expect(shown(attempt(A3), attempt(A2), finish(30, A2), finish(29, A3))).toBe(A2);
    const message = read(
      attempt(A2),
      partLine(A2, 1, 'two'),
      attempt(A1),
      partLine(A1, 1, 'one'),
      attempt(A3),
    );
    expect(message.content).toBe('one');
    expect(message.alternates.map(({ attempt: id, content }) => [id, content])).toEqual([
      [A2, 'two'],
      [A3, ''],
    ]);
  });

  it('[TN5] what lost stays so, whatever its runner or a late stop writes', () => {
    const shown = (...lines: string[]): string => read(...lines).attempt.attempt;
    const lost = finish(20, A1, 'superseded');
    expect(shown(attempt(A1), lost, attempt(A2))).toBe(A2);
    expect(shown(attempt(A1), lost, attempt(A2), finish(30, A2))).toBe(A2);
    expect(shown(attempt(A1), lost, attempt(A2), interrupt(A2, 0))).toBe(A2);
    expect(shown(attempt(A1), lost)).toBe(A1);
    const gone = [attempt(A1), interrupt(A1, 0), attempt(A2)];
    expect(shown(...gone, stop(40, 1))).toBe(A2);
    expect(shown(...gone, finish(30, A2), stop(40, 1))).toBe(A2);
    expect(shown(...gone, interrupt(A2, 0), stop(40, 1))).toBe(A1);
  });

  it('[TN5] an attempt without an epoch has epoch 1', () => {
    const bare = attempt(A1, 1).replace('"epoch":1,', '');
    expect(bare).not.toContain('epoch');
    expect(read(bare).attempt.epoch).toBe(1);
    expect(read(bare, retry(3, 2), attempt(A2, 2)).attempt).toMatchObject({ attempt: A2, epoch: 2 });
    expect(read(bare, stop(30, 1)).attempt.stop_requested).toBe(true);
    expect(read(bare).problem).toBeUndefined();
  });

  it('[TN6] a finish settles its attempt; of several the smallest id', () => {
    const usage = { acp_usage: { input: 3 }, acp_thread_id: 's1' };
    const message = read(
      attempt(A1),
      finish(31, A1, 'late'),
      finish(30, A1, 'first', usage),
      finish(32, A1, 'error'),
    );
    expect(message).toMatchObject({ generating: false, acp_usage: { input: 3 }, acp_thread_id: 's1' });
    expect(message.attempt).toMatchObject({ state: 'settled', finish_reason: 'first' });
  });

  it('[TN6] a settled attempt is never interrupted or stopped afterwards', () => {
    const message = read(attempt(A1), finish(30, A1), interrupt(A1, 0), stop(40, 1));
    expect(message.attempt).toMatchObject({ state: 'settled', stop_requested: false, finish_reason: 'stop' });
    expect(message.acp_interrupted).toBe(false);
    const { chat } = createReplica();
    const { thread_id } = chat.createThread({ created_by: 'ada' });
    const writer = answer(chat, ask(chat, thread_id).message_id);
    writer.finish({ finish_reason: 'stop' });
    chat.interrupt({ message_id: writer.message_id });
    expect(entriesOf(chat, 'interrupt')).toEqual([]);
  });

  it('[TN7] a stop covers attempts up to its effective epoch', () => {
    const lines = [retry(3, 2), attempt(A1, 1), attempt(A2, 2)];
    expect(read(...lines, stop(30, 1)).attempt.stop_requested).toBe(false);
    expect(read(...lines, stop(30, 1)).alternates[0]?.stop_requested).toBe(true);
    expect(read(...lines, stop(30, 2)).alternates[0]?.stop_requested).toBe(true);
    expect(read(...lines).attempt.stop_requested).toBe(false);
  });

  it('[TN7] a late stop never covers a later retry', () => {
    const { a, b, thread_id } = createPair();
    const prompt = ask(a.chat, thread_id);
    const first = answer(a.chat, prompt.message_id);
    first.finish({ finish_reason: 'error' });
    syncAll([a, b]);
    a.chat.retry({ message_id: prompt.message_id, by: 'ada' });
    const second = answer(a.chat, prompt.message_id);
    b.clock.time += 120_000;
    b.chat.stop({ message_id: first.message_id, by: 'bob' });
    syncAll([a, b]);
    const shown = present(a.chat.message(second.message_id)?.attempt);
    expect(shown).toMatchObject({ attempt: second.attempt, epoch: 2, stop_requested: false });
    expect(a.chat.state(thread_id).state).toBe('running');
    // One that has seen the retry does.
    b.chat.stop({ message_id: first.message_id, by: 'bob' });
    syncAll([a, b]);
    expect(a.chat.message(second.message_id)?.attempt?.stop_requested).toBe(true);
    expectSame([a, b]);
  });

  it('[TN8] an interrupt counts only while `seen` is the last part and there is no finish', () => {
    const lines = [attempt(A1), partLine(A1, 1, 'a'), partLine(A1, 4, 'b')];
    expect(read(...lines, interrupt(A1, 4))).toMatchObject({
      acp_interrupted: true,
      attempt: { state: 'interrupted' },
    });
    for (const seen of [0, 1, 3, 5]) {
      expect(read(...lines, interrupt(A1, seen)).attempt.state, `seen ${seen}`).toBe('open');
    }
    expect(read(...lines, interrupt(A1, 4), partLine(A1, 5, 'c')).attempt.state).toBe('open');
    expect(read(...lines, interrupt(A1, 4), finish(30, A1)).attempt.state).toBe('settled');
    expect(read(attempt(A1), interrupt(A1, 0)).attempt.state).toBe('interrupted');
  });

  it('[TN8] interrupts by ten replicas are one entry', () => {
    const first = createReplica('runner');
    const { thread_id } = first.chat.createThread({ created_by: 'ada' });
    const writer = answer(first.chat, ask(first.chat, thread_id).message_id);
    writer.addPart({ kind: 'text', text: 'so' });
    const replicas: Replica[] = [first];
    for (let i = 0; i < 10; i += 1) replicas.push(reload(first.doc, i));
    for (const { chat } of replicas.slice(1)) chat.interrupt({ message_id: writer.message_id });
    syncAll(replicas);
    expect(new Set(entriesOf(first.chat, 'interrupt').map((entry) => JSON.stringify(entry))).size).toBe(1);
    expect(first.chat.duplicates()).toEqual([]);
    expect(first.chat.message(writer.message_id)?.acp_interrupted).toBe(true);
    // The runner lives: its next part voids all of them.
    writer.addPart({ kind: 'text', text: ' on' });
    expect(first.chat.message(writer.message_id)).toMatchObject({ acp_interrupted: false, generating: true });
    expectSame([first]);
  });

  it('[TN8] an interrupted attempt that a stop covers reads as finished `stopped`', () => {
    const message = read(attempt(A1), partLine(A1, 1, 'a'), interrupt(A1, 1), stop(30, 1));
    expect(message).toMatchObject({ generating: false, acp_interrupted: false, content: 'a' });
    expect(message.attempt).toMatchObject({
      state: 'settled',
      finish_reason: 'stopped',
      stop_requested: false,
    });
  });

  it('[TN9] a message is generating while its shown attempt is open', () => {
    expect(read(attempt(A1)).generating).toBe(true);
    expect(read(attempt(A1), stop(30, 1)).generating).toBe(true);
    expect(read(attempt(A1), interrupt(A1, 0)).generating).toBe(false);
    expect(read(attempt(A1), attempt(A2), finish(30, A2)).generating).toBe(false);
  });

  it('[TN9] a plain message is generating while one of its parts is cut and it has no finish', () => {
    const { chat, doc } = createReplica();
    const { thread_id } = chat.createThread({ created_by: 'ada' });
    const writer = chat.openMessage({ thread_id, sender_id: 'ada' });
    const generating = (): boolean => present(chat.message(writer.message_id)).generating;
    expect(generating()).toBe(false);
    const part = writer.openPart();
    part.append('x');
    expect(generating()).toBe(true);
    part.close();
    expect(generating()).toBe(false);
    writer.openPart().append('y');
    expect(generating()).toBe(true);
    expectSame([{ chat, doc }]);
    writer.finish({ finish_reason: 'stop' });
    expect(generating()).toBe(false);
    const cut = partLine(P, 1, 'x').replace('"}', '","cut":true}');
    const crashed = replicaOf([header(), threadLine(T), messageLine(P, T), cut, finish(30, P)]);
    expect(crashed.chat.message(P)?.generating).toBe(false);
  });

  it('[TN9] a plain message is interrupted where its finish has that reason', () => {
    for (const finish_reason of ['interrupted', 'stop']) {
      const line = entryLine('finish', idAt(30), { attempt: P, finish_reason });
      const replica = replicaOf([header(), threadLine(T), messageLine(P, T), line]);
      expect(replica.chat.message(P)?.acp_interrupted).toBe(finish_reason === 'interrupted');
      expectSame([replica]);
    }
  });

  it('[TN10] a revision of an answer shows only while its attempt does, and shows again with it', () => {
    const revision = entryLine('revision', idAt(40), {
      message_id: A,
      attempt: A1,
      author_id: 'ada',
      date: DATE,
      content: 'edited',
    });
    const lines = [attempt(A1), partLine(A1, 1, 'one'), finish(30, A1), revision];
    expect(read(...lines)).toMatchObject({ content: 'edited' });
    const retried = [...lines, retry(3, 2), attempt(A2, 2), partLine(A2, 1, 'two')];
    expect(read(...retried)).toMatchObject({ content: 'two', history: [{ content: 'two' }] });
    // What was retried too early loses against the settled first attempt: the edit is back.
    const back = [...lines, attempt(A2, 2), partLine(A2, 1, 'two')];
    expect(read(...back)).toMatchObject({ content: 'edited' });
    expect(read(...back).history.map(({ content }) => content)).toEqual(['one', 'edited']);
    const { chat } = createReplica();
    const { thread_id } = chat.createThread({ created_by: 'ada' });
    const writer = answer(chat, ask(chat, thread_id).message_id);
    writer.finish({ finish_reason: 'stop' });
    chat.edit({ message_id: writer.message_id, author_id: 'ada', content: 'x' });
    expect(entriesOf(chat, 'revision')).toMatchObject([{ attempt: writer.attempt }]);
  });

  it('[TN11] the queue lists prompts whose asked epoch has neither an attempt nor a stop, in order', () => {
    const { chat, doc } = createReplica();
    const { thread_id } = chat.createThread({ created_by: 'ada' });
    const [one, two, three] = ['1', '2', '3'].map((content) => ask(chat, thread_id, content).message_id) as [
      string,
      string,
      string,
    ];
    const plain = say(chat, thread_id, 'no prompt').message_id;
    const expectQueue = (...ids: string[]): void => {
      expect(chat.queue(thread_id)).toEqual(ids);
      const all = [one, two, three, plain, deriveAnswerId(one), thread_id];
      expect(all.filter((id) => chat.isQueued(id))).toEqual(ids);
    };
    expectQueue(one, two, three);
    chat.stop({ message_id: two, by: 'ada' });
    expectQueue(one, three);
    const writer = answer(chat, one);
    expectQueue(three);
    writer.finish({ finish_reason: 'stop' });
    chat.retry({ message_id: one, by: 'ada' });
    expectQueue(one, three);
    chat.retry({ message_id: two, by: 'ada' });
    expectQueue(one, two, three);
    answer(chat, one, 7);
    expectQueue(one, two, three);
    expectSame([{ chat, doc }]);
  });

  it('[TN12] the state is derived from the turns', () => {
    const { chat, doc } = createReplica();
    const { thread_id } = chat.createThread({ created_by: 'ada' });
    const state = (): string => chat.state(thread_id).state;
    expect(state()).toBe('idle');
    say(chat, thread_id, 'hello');
    expect(state()).toBe('idle');
    const prompt = ask(chat, thread_id);
    expect(chat.state(thread_id)).toEqual({
      thread_id,
      state: 'queued',
      active_message_id: prompt.message_id,
    });
    const writer = answer(chat, prompt.message_id);
    const next = ask(chat, thread_id, 'next');
    expect(chat.state(thread_id)).toEqual({
      thread_id,
      state: 'running',
      active_message_id: writer.message_id,
    });
    chat.interrupt({ message_id: writer.message_id });
    expect(chat.state(thread_id)).toEqual({
      thread_id,
      state: 'interrupted',
      active_message_id: writer.message_id,
    });
    chat.retry({ message_id: writer.message_id, by: 'ada' });
    expect(state()).toBe('queued');
    answer(chat, prompt.message_id).finish({ finish_reason: 'stop' });
    expect(chat.state(thread_id)).toMatchObject({ state: 'queued', active_message_id: next.message_id });
    const last = answer(chat, next.message_id);
    last.finish({ finish_reason: 'error', error: { code: 'x' } });
    expect(state()).toBe('error');
    const end = answer(chat, ask(chat, thread_id, 'end').message_id);
    expect(state()).toBe('running');
    end.finish({ finish_reason: 'stop' });
    expect(state()).toBe('complete');
    expectSame([{ chat, doc }]);
  });

  it('[TN12] an interrupted turn that was stopped holds nothing', () => {
    const { chat } = createReplica();
    const { thread_id } = chat.createThread({ created_by: 'ada' });
    const writer = answer(chat, ask(chat, thread_id).message_id);
    chat.interrupt({ message_id: writer.message_id });
    chat.stop({ message_id: writer.message_id, by: 'ada' });
    expect(chat.state(thread_id).state).toBe('complete');
  });

  it('[TN12] what a host says shows only above every turn entry of the thread', () => {
    const state = (minutes: number, name: string): string =>
      entryLine('thread_state', idAt(minutes, 'state'), { thread_id: T, state: name, updated_at: DATE });
    const shown = (...lines: string[]): string => {
      const replica = replicaOf([...base, ...lines]);
      expectSame([replica]);
      return replica.chat.state(T).state;
    };
    expect(shown(state(2, 'error'))).toBe('error');
    expect(shown(state(0, 'error'))).toBe('queued');
    expect(shown(state(20, 'idle'), attempt(A1))).toBe('idle');
    expect(shown(state(20, 'idle'), attempt(idAt(21)))).toBe('running');
    expect(shown(state(20, 'idle'), attempt(A1), finish(21, A1))).toBe('complete');
    expect(shown(state(20, 'idle'), attempt(A1), stop(21, 1))).toBe('running');
    expect(shown(state(20, 'idle'), attempt(A1), retry(21, 2))).toBe('running');
    expect(shown(state(20, 'idle'), stop(21, 1))).toBe('idle');
    expect(shown(state(20, 'running'), stop(21, 1))).toBe('idle');
    expect(shown(state(20, 'running'), messageLine(idAt(21), T, { content: 'no turn' }))).toBe('running');
  });

  it('[TN13] an attempt that a crash leaves open keeps its text, readable on every replica', () => {
    const { a, b, thread_id } = createPair();
    const writer = answer(a.chat, ask(a.chat, thread_id).message_id);
    writer.openPart().append('half a sentence 🎉, and');
    a.chat.close();
    syncAll([a, b]);
    const { doc, chat } = reload(b.doc);
    expect(chat.message(writer.message_id)).toMatchObject({
      content: 'half a sentence 🎉, and',
      generating: true,
    });
    expect(b.chat.message(writer.message_id)?.parts).toMatchObject([{ open: true }]);
    addText(b.doc, textOf([header(), threadLine(T)]));
    expectSame([b]);
    expectSame([{ doc, chat }]);
  });
});
