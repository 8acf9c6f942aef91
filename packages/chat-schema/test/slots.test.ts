import { describe, expect, it } from 'vitest';
import type { Chat } from '../src/index.js';
import { COST, deriveSlotThreadId } from '../src/internal.js';
import {
  catchError,
  createPair,
  createReplica,
  entryLine,
  expectSame,
  header,
  idAt,
  linesOf,
  MINUTE,
  messageLine,
  replicaOf,
  say,
  syncAll,
  threadLine,
} from './world.js';

const T = idAt(0, 'thread');
const key = { root_id: 'root', owner_id: 'ada', provider: 'acp' };
const slotThread = (number: number, purpose: 'chat' | 'run' = 'chat'): string =>
  deriveSlotThreadId({ ...key, number }, purpose);
const slotLine = (number: number, fields = {}): string =>
  threadLine(slotThread(number), { slot: { ...key, number }, ...fields });
const activation = (minutes: number, thread_id: string, slot: object = key, replaces?: string[]): string =>
  entryLine('activation', idAt(minutes, 'activation'), { thread_id, ...(replaces && { replaces }), slot });

describe('slots, variables, annotations, forks', () => {
  it('[SL1] two replicas that create a thread of a slot apart create one', () => {
    const { a, b } = createPair();
    const one = a.chat.createThread({ created_by: 'ada', slot: key, name: 'From a' });
    b.clock.time += MINUTE;
    const two = b.chat.createThread({ created_by: 'bob', slot: { ...key, number: 1 } });
    expect(one.thread_id).toBe(two.thread_id);
    expect(one.thread_id).toBe(slotThread(1));
    syncAll([a, b]);
    expect(a.chat.thread(one.thread_id)).toMatchObject({ created_by: 'ada', slot: { ...key, number: 1 } });
    expect(a.chat.duplicates()).toEqual([]);
    expect(a.chat.createThread({ created_by: 'eve', slot: key })).toBe(a.chat.thread(one.thread_id));
    const others = [
      { ...key, number: 2 },
      { ...key, root_id: 'x' },
      { ...key, owner_id: 'x' },
      { ...key, provider: 'x' },
    ].map((slot) => a.chat.createThread({ created_by: 'ada', slot }).thread_id);
    const run = a.chat.createThread({ created_by: 'ada', slot: key, purpose: 'run' }).thread_id;
    expect(new Set([one.thread_id, run, ...others]).size).toBe(6);
    syncAll([a, b]);
    expectSame([a, b]);
  });

  it('[SL2] without an activation the thread with the greatest number is active', () => {
    const active = (...lines: string[]): string | undefined => {
      const replica = replicaOf([header(), ...lines]);
      expectSame([replica]);
      return replica.chat.activeThread({ ...key, purpose: 'chat' });
    };
    expect(active()).toBeUndefined();
    expect(active(slotLine(2), slotLine(10), slotLine(1))).toBe(slotThread(10));
    const forged = [idAt(8, 'x'), idAt(9, 'y')] as const;
    const twins = forged.map((id) => threadLine(id, { slot: { ...key, number: 3 } }));
    expect(active(slotLine(2), ...twins)).toBe(forged[1]);
  });

  it('[SL2] of activations the last writer wins, among threads of the slot that name it', () => {
    const threads = [slotLine(1), slotLine(2), slotLine(3)];
    const active = (...lines: string[]): string | undefined => {
      const replica = replicaOf([header(), ...threads, ...lines]);
      expectSame([replica]);
      return replica.chat.activeThread({ ...key, purpose: 'chat' });
    };
    expect(active(activation(1, slotThread(1)))).toBe(slotThread(1));
    expect(active(activation(1, slotThread(1)), activation(2, slotThread(2)))).toBe(slotThread(2));
    const [one, two] = [idAt(1, 'activation'), idAt(2, 'activation')];
    expect(active(activation(1, slotThread(1), key, [two]), activation(2, slotThread(2)))).toBe(
      slotThread(1),
    );
    expect(one < two).toBe(true);
    expect(
      active(activation(3, slotThread(1), { ...key, owner_id: 'eve' }), activation(2, slotThread(2))),
    ).toBe(slotThread(2));
    expect(active(activation(3, T), activation(2, slotThread(2)), threadLine(T))).toBe(slotThread(2));
    expect(active(activation(3, idAt(9)), activation(2, slotThread(2)))).toBe(slotThread(2));
    const run = threadLine(slotThread(1, 'run'), { slot: { ...key, number: 1 }, purpose: 'run' });
    expect(active(run, activation(3, slotThread(1, 'run')), activation(2, slotThread(2)))).toBe(
      slotThread(2),
    );
  });

  it('[SL2] clearing a slot activates the next number, on every replica', () => {
    const { a, b } = createPair();
    const first = a.chat.createThread({ created_by: 'ada', slot: key });
    a.chat.activate(first);
    syncAll([a, b]);
    const second = b.chat.createThread({ created_by: 'bob', slot: { ...key, number: 2 } });
    expect(b.chat.activeThread({ ...key, purpose: 'chat' })).toBe(first.thread_id);
    b.chat.activate(second);
    syncAll([a, b]);
    expect(a.chat.activeThread({ ...key, purpose: 'chat' })).toBe(second.thread_id);
    expect(a.chat.activeThread({ ...key, purpose: 'run' })).toBeUndefined();
    expectSame([a, b]);
  });

  it('[SL3] variables are last writer per name, and null clears', () => {
    const { a, b } = createPair();
    const scope = { scope: 'user', scope_id: 'ada' } as const;
    a.chat.setVariables({ ...scope, values: { tone: 'dry', lang: 'en', keep: { deep: [1] } } });
    syncAll([a, b]);
    a.chat.setVariables({ ...scope, values: { tone: 'warm' } });
    b.clock.time += MINUTE;
    b.chat.setVariables({ ...scope, values: { lang: null } });
    b.chat.setVariables({ scope: 'org', scope_id: 'ada', values: { tone: 'org' } });
    b.chat.setVariables({ scope: 'user', scope_id: 'bob', values: { tone: 'bob' } });
    syncAll([a, b]);
    expect(b.chat.variables('user', 'ada')).toEqual({ tone: 'warm', keep: { deep: [1] } });
    expect(b.chat.variables('org', 'ada')).toEqual({ tone: 'org' });
    expect(b.chat.variables('user', 'bob')).toEqual({ tone: 'bob' });
    expect(b.chat.variables('project', 'ada')).toEqual({});
    expectSame([a, b]);
  });

  it('[SL4] an annotation is last writer per target, user and key, and null clears it', () => {
    const { a, b, thread_id } = createPair();
    const { message_id } = say(a.chat, thread_id, 'x');
    syncAll([a, b]);
    const like = { message_id, key: 'reaction:👍', value: true };
    a.chat.annotate({ ...like, user_id: 'ada' });
    b.chat.annotate({ ...like, user_id: 'bob' });
    a.chat.annotate({ ...like, user_id: 'ada', key: 'feedback', value: { stars: 5 } });
    a.chat.annotate({ thread_id, user_id: 'ada', key: 'feedback', value: 'of the thread' });
    syncAll([a, b]);
    const read = (): unknown[] =>
      b.chat.annotations({ message_id }).map(({ user_id, key: name, value }) => [user_id, name, value]);
    expect(read()).toHaveLength(3);
    expect(b.chat.annotations({ thread_id })).toMatchObject([
      { thread_id, key: 'feedback', value: 'of the thread' },
    ]);
    b.chat.annotate({ ...like, user_id: 'ada', value: null });
    b.chat.annotate({ ...like, user_id: 'ada', key: 'feedback', value: { stars: 1 } });
    syncAll([a, b]);
    expect(read()).toHaveLength(2);
    expect(read()).toContainEqual(['bob', 'reaction:👍', true]);
    expect(read()).toContainEqual(['ada', 'feedback', { stars: 1 }]);
    expectSame([a, b]);
  });

  it('[SL4] of all read marks of a user the greatest position wins', () => {
    const { a, b, thread_id } = createPair();
    const ids = ['1', '2', '3'].map((content) => say(a.chat, thread_id, content).message_id);
    const elsewhere = say(a.chat, a.chat.createThread({ created_by: 'ada' }).thread_id, 'x').message_id;
    syncAll([a, b]);
    const mark = { thread_id, user_id: 'ada', key: 'read' };
    expect(a.chat.readMark(thread_id, 'ada')).toBeUndefined();
    a.chat.annotate({ ...mark, value: ids[2] ?? '' });
    syncAll([a, b]);
    b.chat.annotate({ ...mark, value: ids[0] ?? '' });
    for (const value of [elsewhere, 7, 'x'])
      expect(catchError(() => b.chat.annotate({ ...mark, value })).path).toBe('value');
    b.chat.annotate({ ...mark, user_id: 'bob', value: ids[1] ?? '' });
    syncAll([a, b]);
    expect(a.chat.readMark(thread_id, 'ada')).toBe(ids[2]);
    expect(a.chat.readMark(thread_id, 'bob')).toBe(ids[1]);
    expect(a.chat.readMark(thread_id, 'eve')).toBeUndefined();
    expectSame([a, b]);
  });

  it('[SL4] ✗ null takes back the marks that its author had seen, whatever comes first', () => {
    const { a, b, thread_id } = createPair();
    const ids = ['1', '2', '3'].map((content) => say(a.chat, thread_id, content).message_id);
    syncAll([a, b]);
    const mark = (chat: Chat, value: string | null | undefined): void =>
      chat.annotate({ thread_id, user_id: 'ada', key: 'read', value: value ?? null });
    mark(a.chat, ids[0]);
    mark(a.chat, ids[2]);
    syncAll([a, b]);
    // Unread from the third on; another device marks the second at the same time.
    mark(a.chat, null);
    mark(b.chat, ids[1]);
    syncAll([a, b]);
    expect(a.chat.readMark(thread_id, 'ada')).toBe(ids[1]);
    mark(b.chat, null);
    expect(b.chat.readMark(thread_id, 'ada')).toBeUndefined();
    expect(b.chat.unread(thread_id, 'bob')).toBe(3);
    mark(b.chat, ids[0]);
    syncAll([a, b]);
    expect(a.chat.readMark(thread_id, 'ada')).toBe(ids[0]);
    // The lines in any order: what was taken back stays so.
    const lines = linesOf(a.chat).filter((line) => !line.startsWith('{"type":"lane"'));
    for (const order of [lines, [...lines].reverse()]) {
      const replica = replicaOf([header(), ...order]);
      expect(replica.chat.readMark(thread_id, 'ada')).toBe(ids[0]);
    }
    expectSame([a, b]);
  });

  it('[SL6] ✗ unread counts what the user has not seen, late messages above the mark included', () => {
    const { a, b, thread_id } = createPair();
    const mark = (value: string): void => a.chat.annotate({ thread_id, user_id: 'ada', key: 'read', value });
    say(a.chat, thread_id, 'of ada');
    const first = say(a.chat, thread_id, 'of bob', 'bob');
    syncAll([a, b]);
    expect(a.chat.unread(thread_id, 'ada')).toBe(1);
    expect(a.chat.unread(thread_id, 'bob')).toBe(1);
    // Written offline before the mark, and in order above what it names.
    const late = say(b.chat, thread_id, 'late', 'bob');
    a.clock.time += 60_000;
    const last = say(a.chat, thread_id, 'last of bob', 'bob');
    mark(last.message_id);
    expect(a.chat.unread(thread_id, 'ada')).toBe(0);
    syncAll([a, b]);
    expect(a.chat.messageIds(thread_id).indexOf(late.message_id)).toBeLessThan(
      a.chat.messageIds(thread_id).indexOf(last.message_id),
    );
    expect(a.chat.unread(thread_id, 'ada')).toBe(1);
    // Neither edits nor reactions nor own messages count.
    b.chat.edit({ message_id: first.message_id, author_id: 'bob', content: 'edited' });
    b.chat.annotate({ message_id: first.message_id, user_id: 'bob', key: 'reaction', value: true });
    say(b.chat, thread_id, 'own, elsewhere', 'ada');
    syncAll([a, b]);
    expect(a.chat.unread(thread_id, 'ada')).toBe(1);
    mark(last.message_id);
    expect(a.chat.unread(thread_id, 'ada')).toBe(0);
    const before = { ...COST };
    expect(a.chat.unread(thread_id, 'carol')).toBe(5);
    expect(COST.parses - before.parses).toBe(0);
    syncAll([a, b]);
    expectSame([a, b]);
  });

  it('[SL4] a fork without messages of its own can be marked', () => {
    const { a, thread_id } = createPair();
    const { message_id } = say(a.chat, thread_id, 'before the fork', 'bob');
    const fork = a.chat.createThread({ created_by: 'ada', forked_from: { thread_id, message_id } });
    const mark = { thread_id: fork.thread_id, user_id: 'ada', key: 'read' };
    a.chat.annotate({ ...mark, value: message_id });
    expect(a.chat.readMark(fork.thread_id, 'ada')).toBe(message_id);
    expect(a.chat.unread(fork.thread_id, 'ada')).toBe(0);
    const own = say(a.chat, fork.thread_id, 'in the fork', 'bob');
    expect(a.chat.unread(fork.thread_id, 'ada')).toBe(1);
    a.chat.annotate({ ...mark, value: own.message_id });
    expect(a.chat.readMark(fork.thread_id, 'ada')).toBe(own.message_id);
    const later = say(a.chat, thread_id, 'after the fork', 'bob');
    expect(catchError(() => a.chat.annotate({ ...mark, value: later.message_id })).path).toBe('value');
  });

  it('[SL5] the transcript of a fork is that of its origin up to the message, then its own', () => {
    const { chat, doc } = createReplica();
    const contents = (id: string): string =>
      chat
        .transcript(id)
        .map(({ content }) => content)
        .join(' ');
    const origin = chat.createThread({ created_by: 'ada' }).thread_id;
    const ids = ['a', 'b', 'c'].map((content) => say(chat, origin, content).message_id);
    const fork = (forked_from: { thread_id: string; message_id?: string }, ...own: string[]): string => {
      const { thread_id } = chat.createThread({ created_by: 'ada', forked_from });
      for (const content of own) say(chat, thread_id, content);
      return thread_id;
    };
    const middle = fork({ thread_id: origin, message_id: ids[1] ?? '' }, 'd', 'e');
    expect(contents(origin)).toBe('a b c');
    expect(contents(middle)).toBe('a b d e');
    const d = chat.messageIds(middle)[0] ?? '';
    expect(contents(fork({ thread_id: middle, message_id: d }, 'f'))).toBe('a b d f');
    // In what the origin took over, too.
    expect(contents(fork({ thread_id: middle, message_id: ids[0] ?? '' }, 'g'))).toBe('a g');
    expect(contents(fork({ thread_id: origin }, 'h'))).toBe('a b c h');
    expect(contents(fork({ thread_id: origin, message_id: idAt(99) }, 'i'))).toBe('a b c i');
    expect(contents(fork({ thread_id: idAt(98) }, 'j'))).toBe('j');
    say(chat, origin, 'late');
    expect(contents(middle)).toBe('a b d e');
    expectSame([{ chat, doc }]);
  });

  it('[SL5] cycles of forks end', () => {
    const [one, two] = [idAt(1), idAt(2)];
    const replica = replicaOf([
      header(),
      threadLine(one, { forked_from: { thread_id: two } }),
      threadLine(two, { forked_from: { thread_id: one } }),
      threadLine(T, { forked_from: { thread_id: T } }),
      messageLine(idAt(3), one, { content: 'one' }),
      messageLine(idAt(4), two, { content: 'two' }),
      messageLine(idAt(5), T, { content: 'self' }),
    ]);
    const contents = (id: string): string =>
      replica.chat
        .transcript(id)
        .map(({ content }) => content)
        .join(' ');
    expect([one, two, T].map(contents)).toEqual(['two one', 'one two', 'self']);
    expectSame([replica]);
  });
});
