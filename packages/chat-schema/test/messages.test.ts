import { describe, expect, it } from 'vitest';
import { deriveMessageId } from '../src/index.js';
import {
  addText,
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
  replicaOf,
  say,
  syncAll,
  textOf,
  threadLine,
} from './world.js';

const T = idAt(0, 'thread');
const M = idAt(1, 'message');
const base = [header(), threadLine(T)];

describe('messages', () => {
  it('[MS1] a plain message takes parts under its own id from its own writer, and is not rewritten', () => {
    const { a, b, thread_id } = createPair();
    const writer = a.chat.openMessage({ thread_id, sender_id: 'ada', date: DATE });
    const part = writer.openPart();
    part.append('Dictated ');
    syncAll([a, b]);
    expect(b.chat.message(writer.message_id)).toMatchObject({ content: 'Dictated ', alternates: [] });
    expect(b.chat.message(writer.message_id)).not.toHaveProperty('attempt');
    part.append('letter');
    writer.finish({ finish_reason: 'stop' });
    const forged = header({ lane: 'forged', writer: 'somebody else' });
    addText(b.doc, textOf([forged, partLine(writer.message_id, 2, ' and a lie')]));
    syncAll([a, b]);
    expect(a.chat.message(writer.message_id)?.content).toBe('Dictated letter');
    expect(a.chat.report().ignored).toHaveLength(1);
    expectSame([a, b]);
  });

  it('[MS2] history is the first content and every revision, oldest first, the winner last', () => {
    const revision = (minutes: number, content: string, fields = {}): string =>
      entryLine('revision', idAt(minutes), {
        message_id: M,
        ...fields,
        author_id: `by ${minutes}`,
        date: DATE,
        content,
      });
    const replica = replicaOf([
      ...base,
      messageLine(M, T, { content: 'first' }),
      revision(4, 'four'),
      revision(3, 'three', { replaces: [idAt(4)] }),
      revision(2, 'two'),
    ]);
    const message = present(replica.chat.message(M));
    expect(message.history).toEqual([
      { id: null, author_id: 'ada', date: DATE, content: 'first', deleted: false },
      { id: idAt(2), author_id: 'by 2', date: DATE, content: 'two', deleted: false },
      { id: idAt(4), author_id: 'by 4', date: DATE, content: 'four', deleted: false },
      { id: idAt(3), author_id: 'by 3', date: DATE, content: 'three', deleted: false },
    ]);
    expect(message).toMatchObject({ content: 'three', deleted: false, sender_id: 'ada' });
    expectSame([replica]);
  });

  it('[MS2] a deleted revision shows empty, and can be followed by another', () => {
    const { a, b, thread_id } = createPair();
    const { message_id } = say(a.chat, thread_id, 'oops');
    expect(a.chat.delete({ message_id, author_id: 'ada' })).toMatchObject({ content: '', deleted: true });
    syncAll([a, b]);
    expect(b.chat.message(message_id)).toMatchObject({ content: '', deleted: true, redacted: false });
    expect(b.chat.message(message_id)?.history.map(({ content }) => content)).toEqual(['oops', '']);
    b.chat.edit({ message_id, author_id: 'bob', content: 'back' });
    syncAll([a, b]);
    expect(a.chat.message(message_id)).toMatchObject({ content: 'back', deleted: false });
    expectSame([a, b]);
    const claimed = entryLine('revision', idAt(2), {
      message_id: M,
      author_id: 'ada',
      date: DATE,
      deleted: true,
      content: 'still here',
    });
    const hidden = replicaOf([...base, messageLine(M, T, { content: 'first' }), claimed]);
    expect(hidden.chat.message(M)).toMatchObject({ content: '', deleted: true });
    expect(hidden.chat.message(M)?.history[1]?.content).toBe('');
  });

  it('[MS3] sending with a client id is idempotent, also on two replicas', () => {
    const { a, b, thread_id } = createPair();
    const message = { thread_id, sender_id: 'ada', content: 'Ship it?', date: DATE, client_message_id: 'c1' };
    const first = a.chat.send(message);
    const lines = a.chat.toJSONL();
    expect(a.chat.send(message)).toBe(first);
    expect(a.chat.toJSONL()).toBe(lines);
    expect(first.message_id).toBe(deriveMessageId(DATE, thread_id, 'ada', 'c1'));
    expect(b.chat.send(message).message_id).toBe(first.message_id);
    syncAll([a, b]);
    expect(b.chat.messageIds(thread_id)).toEqual([first.message_id]);
    expect(b.chat.message(first.message_id)?.history).toHaveLength(1);
    for (const other of [
      { ...message, sender_id: 'bob' },
      { ...message, client_message_id: 'c2' },
      { ...message, date: '2026-11-21T12:00:00.001Z' },
    ]) {
      expect(a.chat.send(other).message_id).not.toBe(first.message_id);
    }
    syncAll([a, b]);
    expectSame([a, b]);
  });

  it('[MS3] another text under a client id becomes a revision: nothing is dropped', () => {
    const { chat, doc } = createReplica();
    const { thread_id } = chat.createThread({ created_by: 'ada' });
    const message = { thread_id, sender_id: 'ada', content: 'one', date: DATE, client_message_id: 'c1' };
    const { message_id } = chat.send(message);
    expect(chat.send({ ...message, content: 'two' })).toMatchObject({ message_id, content: 'two' });
    expect(chat.message(message_id)?.history.map(({ content }) => content)).toEqual(['one', 'two']);
    // A late retry of the first does not take the second back.
    expect(chat.send(message)).toMatchObject({ content: 'two' });
    expect(chat.send({ ...message, content: 'two' })).toMatchObject({ content: 'two' });
    expect(entriesOf(chat, 'revision')).toHaveLength(1);
    expectSame([{ chat, doc }]);
  });

  it('[MS4] content is followed by the text parts, by number', () => {
    const replica = replicaOf([
      ...base,
      messageLine(M, T, { content: 'zero ' }),
      partLine(M, 10, 'ten'),
      partLine(M, 2, 'two '),
      partLine(M, 1, 'one '),
      partLine(M, 3, 'thought ', { kind: 'reasoning' }),
    ]);
    expect(replica.chat.message(M)).toMatchObject({ content: 'zero one two ten' });
    expect(replica.chat.message(M)?.parts.map(({ n }) => n)).toEqual([1, 2, 3, 10]);
    expectSame([replica]);
  });

  it('[MS4] a part without a kind is text', () => {
    const bare = partLine(M, 1, ' bare').replace('"kind":"text",', '');
    expect(bare).not.toContain('kind');
    const replica = replicaOf([
      ...base,
      messageLine(M, T, { content: 'said' }),
      bare,
      partLine(M, 2, ' on', { continues: 1 }),
    ]);
    expect(replica.chat.message(M)).toMatchObject({ content: 'said bare on' });
    expect(replica.chat.message(M)?.parts).toEqual([{ n: 1, kind: 'text', text: ' bare on', open: false }]);
    expect(replica.chat.message(M)?.problem).toBeUndefined();
    expectSame([replica]);
  });

  it('[MS5] other kinds, also unknown ones, are parts and no content', () => {
    const kinds = ['reasoning', 'plan', 'file', 'hologram'];
    const replica = replicaOf([
      ...base,
      messageLine(M, T, { content: 'said' }),
      ...kinds.map((kind, i) => partLine(M, i + 1, `text of ${kind}`, { kind, data: { i } })),
    ]);
    const message = present(replica.chat.message(M));
    expect(message.content).toBe('said');
    expect(message.parts).toEqual(
      kinds.map((kind, i) => ({ n: i + 1, kind, data: { i }, text: `text of ${kind}`, open: false })),
    );
    expectSame([replica]);
  });

  it('[MS5] tool calls with one part_id are one part, at the place of the first, later fields over earlier', () => {
    const call = (n: number, part_id: string, fields: Readonly<Record<string, unknown>>): string => {
      const { state, title, ...rest } = fields;
      return JSON.stringify({
        type: 'part',
        attempt: M,
        n,
        kind: 'tool_call',
        part_id,
        state,
        title,
        ...rest,
      });
    };
    const replica = replicaOf([
      ...base,
      messageLine(M, T),
      call(1, 'a', { state: 'pending', title: 'Search', input: { q: 'x' } }),
      call(2, 'b', { state: 'pending' }),
      partLine(M, 3, 'meanwhile'),
      call(4, 'a', { state: 'running' }),
      call(6, 'a', { output: [1] }),
      call(5, 'a', { state: 'done', output: 'early', title: 'Found' }),
    ]);
    expect(replica.chat.message(M)?.parts).toEqual([
      {
        n: 1,
        kind: 'tool_call',
        part_id: 'a',
        state: 'done',
        title: 'Found',
        input: { q: 'x' },
        output: [1],
        open: false,
      },
      { n: 2, kind: 'tool_call', part_id: 'b', state: 'pending', open: false },
      { n: 3, kind: 'text', text: 'meanwhile', open: false },
    ]);
    expectSame([replica]);
  });

  it('[MS5] other kinds with one part_id stay apart', () => {
    const replica = replicaOf([
      ...base,
      messageLine(M, T),
      partLine(M, 1, 'a', { kind: 'plan', part_id: 'p' }),
      partLine(M, 2, 'b', { kind: 'plan', part_id: 'p' }),
    ]);
    expect(replica.chat.message(M)?.parts.map(({ text }) => text)).toEqual(['a', 'b']);
  });

  it('[MS6] a part with `continues` adds its text to that part, if it has the same kind', () => {
    const replica = replicaOf([
      ...base,
      messageLine(M, T),
      partLine(M, 1, 'so far, ').replace('"}', '","cut":true}'),
      partLine(M, 2, 'a thought', { kind: 'reasoning' }),
      partLine(M, 3, 'and on, ', { continues: 1 }),
      partLine(M, 4, 'to the end', { continues: 3 }),
      partLine(M, 5, 'of another kind', { kind: 'reasoning', continues: 1 }),
      partLine(M, 6, '!', { continues: 99 }),
    ]);
    const message = present(replica.chat.message(M));
    expect(message.content).toBe('so far, and on, to the end!');
    expect(message.parts.map(({ n, kind, text, open }) => [n, kind, text, open])).toEqual([
      [1, 'text', 'so far, and on, to the end', false],
      [2, 'reasoning', 'a thought', false],
      [5, 'reasoning', 'of another kind', false],
      [6, 'text', '!', false],
    ]);
    expectSame([replica]);
  });
});
