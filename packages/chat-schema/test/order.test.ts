import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { deriveAnswerId } from '../src/index.js';
import {
  addText,
  answer,
  ask,
  attemptLine,
  createPair,
  createReplica,
  DATE,
  docOf,
  expectSame,
  header,
  idAt,
  MINUTE,
  messageLine,
  present,
  type Replica,
  replicaOf,
  runs,
  START,
  say,
  syncAll,
  textOf,
  threadLine,
} from './world.js';

const T = idAt(0, 'thread');

/** Messages by name: minutes of the own id, and the names that it refers to. */
type Graph = Readonly<Record<string, readonly [number, Readonly<Record<string, string>>?]>>;

/** The names in the order in which they stand, and all laws on the way; every order of arrival. */
function orderOf(graph: Graph, thread = threadLine(T)): string {
  const names = Object.keys(graph);
  const id = (name: string): string =>
    graph[name] === undefined ? idAt(999, name) : idAt(graph[name][0], name);
  const lines = names.map((name) => {
    const fields = Object.entries(present(graph[name])[1] ?? {}).map(([key, to]) => [key, id(to)]);
    return messageLine(id(name), T, { ...Object.fromEntries(fields), content: name });
  });
  const read = ({ chat }: Replica): string =>
    chat
      .messages(T)
      .map(({ content }) => content)
      .join(' ');
  const whole = replicaOf([header(), thread, ...lines]);
  const expected = read(whole);
  expectSame([whole]);
  for (const order of [lines, [...lines].reverse()]) {
    const replica = createReplica('one by one', {}, docOf(textOf([header(), thread])));
    for (const each of order) {
      addText(replica.doc, textOf([header({ lane: each.slice(-6) }), each]));
      replica.chat.messageIds(T);
    }
    expect(read(replica)).toBe(expected);
  }
  return expected;
}

describe('order', () => {
  it('[OR1] the own id leads where the targets are smaller', () => {
    expect(orderOf({ a: [1], b: [2, { after: 'a' }], c: [3, { reply_to_message_id: 'a' }] })).toBe('a b c');
  });

  it('[OR1] a message stands behind a target with a greater id, before what is greater still', () => {
    expect(orderOf({ root: [0], late: [1, { reply_to_message_id: 'a' }], a: [10], b: [11] })).toBe(
      'root a late b',
    );
    expect(orderOf({ root: [0], late: [1, { after: 'a' }], a: [10], b: [11] })).toBe('root a late b');
  });

  it('[OR1] eff is handed on, and hops count the way', () => {
    const chain = {
      root: [0],
      a: [10],
      b: [3, { after: 'a' }],
      c: [2, { after: 'b' }],
      d: [1, { after: 'c' }],
    } as const;
    expect(orderOf({ ...chain, z: [11] })).toBe('root a b c d z');
  });

  it('[OR1] hops are one more than the greatest of the leading targets', () => {
    expect(
      orderOf({
        root: [0],
        a: [10],
        b: [2, { after: 'a' }],
        c: [3, { after: 'a' }],
        // Both lead with a's eff: one hop and two.
        d: [1, { reply_to_message_id: 'a', after: 'b' }],
        e: [4, { after: 'b' }],
      }),
    ).toBe('root a b c d e');
  });

  it('[OR1] targets that are absent, or in another thread, do not count', () => {
    expect(orderOf({ a: [1], b: [2, { after: 'nowhere' }], c: [3] })).toBe('a b c');
    const [other, far, near] = [idAt(0, 'other'), idAt(50), idAt(1)];
    const replica = replicaOf([
      header(),
      threadLine(T),
      threadLine(other),
      messageLine(far, other, { content: 'elsewhere' }),
      messageLine(near, T, { reply_to_message_id: far, content: 'near' }),
      messageLine(idAt(2), T, { content: 'later' }),
    ]);
    expect(replica.chat.messages(T).map(({ content }) => content)).toEqual(['near', 'later']);
    expectSame([replica]);
  });

  it('[OR1] the derived id of an answer is no stamp: it stands right behind its prompt', () => {
    // The id after the prompt's, and the answer's beyond it.
    const prompt = present(
      [...Array(50).keys()]
        .map((i) => idAt(1, `p${i}`))
        .find((id) => deriveAnswerId(id) > `${id}Z` && !id.endsWith('Z')),
    );
    const last = prompt.charCodeAt(25);
    const next = `${prompt.slice(0, 25)}${last === 57 ? 'A' : String.fromCharCode(last + 1).replace(/[ILOU]/, 'V')}`;
    const reply = deriveAnswerId(prompt);
    expect([prompt, next, reply].sort()).toEqual([prompt, next, reply]);
    const replica = replicaOf([
      header(),
      threadLine(T),
      messageLine(prompt, T, { expects: 'answer' }),
      messageLine(next, T),
      attemptLine(prompt, T, idAt(90)),
    ]);
    expect(replica.chat.messageIds(T)).toEqual([prompt, reply, next]);
    expectSame([replica]);
  });

  it('[OR1] an answer follows what any of its attempts replies to; without a target present its own id leads', () => {
    const prompt = idAt(1, 'prompt');
    const reply = deriveAnswerId(prompt);
    const [far, between] = [idAt(10, 'far'), idAt(5, 'between')];
    const base = [
      header(),
      threadLine(T),
      messageLine(idAt(0, 'm'), T),
      messageLine(between, T),
      messageLine(far, T),
    ];
    const replica = replicaOf([
      ...base,
      messageLine(prompt, T, { expects: 'answer' }),
      attemptLine(prompt, T, idAt(2, 'one')),
      // Not the attempt that shows.
      attemptLine(prompt, T, idAt(3, 'two'), { reply_to_message_id: far }),
    ]);
    expect(replica.chat.message(reply)?.attempt?.attempt).toBe(idAt(2, 'one'));
    expect(replica.chat.messageIds(T).slice(1)).toEqual([prompt, between, far, reply]);
    expectSame([replica]);
    const alone = replicaOf([...base, attemptLine(prompt, T, idAt(60))]);
    expect(alone.chat.messageIds(T).slice(1)).toEqual([reply, between, far]);
    expectSame([alone]);
  });

  it('[OR2] edges within a cycle are ignored, those out of it and into it count', () => {
    expect(orderOf({ a: [1], b: [3, { after: 'c' }], c: [2, { after: 'b' }] })).toBe('a c b');
    expect(orderOf({ a: [1], b: [2, { after: 'b' }], c: [3] })).toBe('a b c');
    expect(
      orderOf({
        root: [0],
        x: [3, { after: 'y' }],
        y: [4, { after: 'z', reply_to_message_id: 'out' }],
        z: [5, { after: 'x' }],
        out: [20],
        in: [1, { after: 'z' }],
        end: [21],
      }),
    ).toBe('root x z in out y end');
  });

  it('[OR2] a chain as long as a thread is no matter', () => {
    const lines = Array.from({ length: 3000 }, (_, i) =>
      messageLine(idAt(3000 - i), T, i === 0 ? {} : { after: idAt(3001 - i) }),
    );
    const { chat } = replicaOf([header(), threadLine(T), ...lines]);
    expect(chat.messageIds(T)[0]).toBe(idAt(3000));
    expect(chat.messageIds(T).at(-1)).toBe(idAt(1));
  });

  it('[OR3] what was written after seeing another never stands above it, whatever the clocks', () => {
    const time = fc.oneof(
      fc.integer({ min: -90 * MINUTE, max: 90 * MINUTE }),
      fc.constantFrom(-START, 10 * START),
    );
    const kind = fc.constantFrom('say', 'reply', 'answer', 'stream');
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(2), time, kind, fc.boolean()), { minLength: 3, maxLength: 10 }),
        (steps) => {
          const replicas = [1, 2, 3].map((seed) => createReplica(seed));
          const { thread_id } = present(replicas[0]).chat.createThread({ created_by: 'ada' });
          syncAll(replicas);
          const seen = new Map<string, readonly string[]>();
          for (const [who, skew, what, sync] of steps) {
            const { chat, clock } = present(replicas[who]);
            clock.time = START + skew;
            const before = chat.messageIds(thread_id);
            const [first] = before;
            let id: string;
            if (what === 'reply' && first !== undefined) {
              id = chat.send({
                thread_id,
                sender_id: 'ada',
                content: '',
                reply_to_message_id: first,
              }).message_id;
            } else if (what === 'stream') {
              id = chat.openMessage({ thread_id, sender_id: 'ada' }).message_id;
            } else if (what === 'answer') {
              const prompt = ask(chat, thread_id);
              seen.set(prompt.message_id, before);
              id = answer(chat, prompt.message_id).message_id;
              seen.set(id, [prompt.message_id]);
            } else {
              id = say(chat, thread_id, '').message_id;
            }
            if (!seen.has(id)) seen.set(id, before);
            if (sync) syncAll(replicas);
          }
          syncAll(replicas);
          const ids = present(replicas[0]).chat.messageIds(thread_id);
          for (const [id, others] of seen) {
            for (const other of others) expect(ids.indexOf(other)).toBeLessThan(ids.indexOf(id));
          }
          expectSame(replicas);
        },
      ),
      runs(20),
    );
  });

  it('[OR4] the named root comes first if it is present in the thread', () => {
    const named = (minutes: number, name: string): string =>
      threadLine(T, { root_message_id: idAt(minutes, name) });
    expect(orderOf({ a: [1], b: [2], c: [3, { reply_to_message_id: 'b' }] }, named(2, 'b'))).toBe('b a c');
    expect(orderOf({ a: [1], b: [2] }, named(7, 'absent'))).toBe('a b');
    expect(orderOf({ b: [2, { reply_to_message_id: 'c' }], c: [3] }, named(2, 'b'))).toBe('b c');
  });

  it('[OR4] one root; every other message hangs under its reply target, else under the root', () => {
    const [root, reply, plain, self, lost, other] = ['a', 'b', 'c', 'd', 'e', 'f'].map((name, i) =>
      idAt(i + 1, name),
    ) as [string, string, string, string, string, string];
    const otherThread = idAt(0, 'other thread');
    const replica = replicaOf([
      header(),
      threadLine(T),
      threadLine(otherThread),
      messageLine(root, T, { reply_to_message_id: plain }),
      messageLine(reply, T, { reply_to_message_id: plain }),
      messageLine(plain, T),
      messageLine(self, T, { reply_to_message_id: self }),
      messageLine(lost, T, { reply_to_message_id: idAt(99) }),
      messageLine(other, otherThread, { reply_to_message_id: plain }),
      messageLine(idAt(7), otherThread, { reply_to_message_id: plain }),
    ]);
    const { chat } = replica;
    const first = chat.messageIds(T)[0];
    expect(first).toBe(plain);
    expect(chat.thread(T)?.root_message_id).toBe(plain);
    expect([root, reply, plain, self, lost, other].map((id) => chat.parent(id))).toEqual([
      plain,
      plain,
      null,
      plain,
      plain,
      null,
    ]);
    expect(chat.parent(idAt(7))).toBe(other);
    expect(chat.parent(idAt(98))).toBeNull();
    expectSame([replica]);
  });

  it('[OR4] concurrent first messages are both kept', () => {
    const { a, b, thread_id } = createPair();
    expect(a.chat.thread(thread_id)?.root_message_id).toBeNull();
    const [one, two] = [say(a.chat, thread_id, 'one'), say(b.chat, thread_id, 'two')].map(
      ({ message_id }) => message_id,
    );
    expect(a.chat.thread(thread_id)?.root_message_id).toBe(one);
    syncAll([a, b]);
    const ids = [one, two].sort();
    expect(a.chat.messageIds(thread_id)).toEqual(ids);
    expect(ids.map((id) => a.chat.parent(present(id)))).toEqual([null, ids[0]]);
    expect(b.chat.thread(thread_id)?.root_message_id).toBe(ids[0]);
    expectSame([a, b]);
  });

  it('[OR5] dates do not order', () => {
    const { chat, doc } = createReplica();
    const { thread_id } = chat.createThread({ created_by: 'ada' });
    const dates = [DATE, '1970-01-01T00:00:00.000Z', '2999-01-01T00:00:00.000Z', '2000-01-01T00:00:00.000Z'];
    const ids = dates.map(
      (date) => chat.send({ thread_id, sender_id: 'ada', content: date, date }).message_id,
    );
    expect(chat.messageIds(thread_id)).toEqual(ids);
    expect(chat.messages(thread_id).map(({ date }) => date)).toEqual(dates);
    expectSame([{ chat, doc }]);
  });

  it('[OR6] `after` is named only where the own id is not above the last message seen', () => {
    const { a, b, thread_id } = createPair();
    const first = say(a.chat, thread_id, 'first');
    expect(first.after).toBeUndefined();
    expect(say(a.chat, thread_id, 'second').after).toBeUndefined();
    // A clock that is far behind: its stamps do not follow, its messages do.
    a.clock.time += 60 * MINUTE;
    const ahead = say(a.chat, thread_id, 'ahead').message_id;
    syncAll([a, b]);
    const behind = say(b.chat, thread_id, 'behind');
    expect(behind.message_id < ahead).toBe(true);
    expect(behind.after).toBe(ahead);
    const next = say(b.chat, thread_id, 'still behind');
    expect(next.after).toBe(behind.message_id);
    syncAll([a, b]);
    expect(a.chat.messages(thread_id).map(({ content }) => content)).toEqual([
      'first',
      'second',
      'ahead',
      'behind',
      'still behind',
    ]);
    expectSame([a, b]);
  });

  it('[OR6] `after` is named while some message of the thread waits for a target', () => {
    const { doc, chat } = createReplica();
    const { thread_id } = chat.createThread({ created_by: 'ada' });
    const [late, waiting] = [idAt(4, 'late'), idAt(-1, 'waiting')];
    addText(doc, textOf([header(), messageLine(waiting, thread_id, { after: late, content: 'waiting' })]));
    const seen = say(chat, thread_id, 'after seeing it');
    expect(seen.after).toBe(waiting);
    const streamed = chat.openMessage({ thread_id, sender_id: 'ada' });
    expect(chat.message(streamed.message_id)?.after).toBe(seen.message_id);
    addText(doc, textOf([header({ lane: 'b' }), messageLine(late, thread_id, { content: 'late' })]));
    expect(chat.messages(thread_id).map(({ content }) => content)).toEqual([
      'late',
      'waiting',
      'after seeing it',
      '',
    ]);
    expect(say(chat, thread_id, 'then').after).toBeUndefined();
    expectSame([{ doc, chat }]);
  });
});
