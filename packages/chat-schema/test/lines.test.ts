import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as Y from 'yjs';
import { type Entry, LIMITS } from '../src/index.js';
import { closeLine, encodeLine, parseLine } from '../src/internal.js';
import {
  addText,
  answer,
  ask,
  asPeer,
  attemptLine,
  configLine,
  createPair,
  createReplica,
  DATE,
  deleteText,
  docOf,
  entryLine,
  expectSame,
  findText,
  header,
  idAt,
  laneTexts,
  line,
  linesOf,
  messageLine,
  NETWORK,
  partLine,
  present,
  reload,
  replicaOf,
  runs,
  say,
  send,
  syncAll,
  textOf,
  threadLine,
} from './world.js';

const T = idAt(0, 'thread');
const M = idAt(1, 'message');
const rawText = (doc: Y.Doc): string =>
  laneTexts(doc)
    .map(({ text }) => text)
    .join('');
const reasons = (lines: readonly string[]): (string | undefined)[] => {
  const { chat } = replicaOf([header(), threadLine(T), ...lines]);
  return lines.map((each) => chat.quarantine().find((found) => found.line === each)?.reason);
};
/** Everything awkward between quotes. */
const awkward = fc.array(
  fc.constantFrom(
    'a',
    '"',
    '\\',
    '\n',
    '\t',
    '\0',
    'é',
    'ж',
    '漢',
    '🎉',
    '\ud83d',
    '\udf89',
    '\u2028',
    '\\u12',
    '\x7f',
  ),
  { maxLength: 8 },
);

describe('lines', () => {
  it('[LN1] a line has its keys in a fixed order, text last, undefined left out, no newline', () => {
    const message = {
      content: 'hi\n',
      zeta: 1,
      alpha: { b: 1, a: 2 },
      legacy: undefined,
      date: DATE,
      sender_id: 'ada',
      after: idAt(0),
      thread_id: T,
      message_id: M,
      type: 'message',
    } as unknown as Entry;
    expect(encodeLine(message)).toBe(
      `{"type":"message","message_id":"${M}","thread_id":"${T}","after":"${idAt(0)}","sender_id":"ada",` +
        `"date":"${DATE}","alpha":{"b":1,"a":2},"zeta":1,"content":"hi\\n"}`,
    );
    const attempt = { text: 'x', kind: 'text', n: 2, attempt: M, type: 'part', later: [], state: undefined };
    expect(encodeLine(attempt as unknown as Entry)).toBe(
      `{"type":"part","attempt":"${M}","n":2,"kind":"text","later":[],"text":"x"}`,
    );
  });

  it('[LN1] any order of keys encodes to the same line', () => {
    const entry: Record<string, unknown> = {
      type: 'message',
      message_id: M,
      thread_id: T,
      prompt_id: idAt(0),
      attempt: idAt(2),
      epoch: 1,
      runner_id: 'r',
      sender_id: 'ada',
      date: DATE,
      x_new: { deep: ['é', '漢'] },
      a_new: null,
      content: 'text 🎉',
    };
    const expected = encodeLine(entry as unknown as Entry);
    fc.assert(
      fc.property(fc.shuffledSubarray(Object.keys(entry), { minLength: 12 }), (keys) => {
        const shuffled = Object.fromEntries(keys.map((key) => [key, entry[key]]));
        expect(encodeLine(shuffled as unknown as Entry)).toBe(expected);
      }),
      runs(50),
    );
    expect(parseLine(expected)).toEqual({ ok: true, body: entry });
  });

  it('[LN2] no line and no streamed chunk holds a surrogate', () => {
    const { a, b, thread_id } = createPair();
    a.chat.configure({ thread_id, updated_by: 'ada', name: '👪', variables: { '🔑': ['🎉'] } });
    say(a.chat, thread_id, `${'漢'.repeat(200)}🎉\ud83d`);
    const attempt = answer(a.chat, ask(a.chat, thread_id, '🎉').message_id);
    const part = attempt.openPart();
    for (const piece of ['🎉', '\ud83c', '\udf89', 'x🎉y']) part.append(piece);
    expect(rawText(a.doc)).not.toMatch(/[\ud800-\udfff]/);
    expect(rawText(a.doc)).toContain('\\ud83d\\udc6a');
    syncAll([a, b]);
    expect(b.chat.message(attempt.message_id)?.content).toBe('🎉🎉x🎉y');
    expect(b.chat.config(thread_id)).toMatchObject({ name: '👪', variables: { '🔑': ['🎉'] } });
    expectSame([a, b]);
  });

  it('[LN2] text streamed in any pieces, split anywhere, reads back equal on every replica', () => {
    fc.assert(
      fc.property(
        fc.array(awkward, { minLength: 1, maxLength: 4 }),
        fc.infiniteStream(fc.nat(3)),
        (texts, cuts) => {
          const { a, b, thread_id } = createPair();
          a.doc.on('update', (update: Uint8Array) => Y.applyUpdate(b.doc, update, NETWORK));
          send(a.doc, b.doc);
          const whole = texts.map((units) => units.join('')).join('');
          const attempt = answer(a.chat, ask(a.chat, thread_id).message_id);
          const part = attempt.openPart();
          for (let at = 0; at < whole.length; ) {
            const length = 1 + (cuts.next().value ?? 0);
            part.append(whole.slice(at, at + length));
            at += length;
            expect(b.chat.message(attempt.message_id)?.content ?? '').toBe(whole.slice(0, at));
          }
          part.close();
          for (const { chat } of [a, b, reload(b.doc)]) {
            expect(chat.message(attempt.message_id)?.content).toBe(whole);
          }
        },
      ),
      runs(25),
    );
  });

  it('[LN3] wide characters are escaped where they are rare, and left where they are common', () => {
    const { doc, chat } = createReplica();
    const { thread_id } = chat.createThread({ created_by: 'ada' });
    const english = `Wait… “quoted” and so on. ${'plain words '.repeat(30)}`;
    const russian = 'Чат хранится в одном документе. '.repeat(10);
    const chinese = '一个聊天保存在一个文档中。'.repeat(20);
    for (const text of [english, russian, chinese]) say(chat, thread_id, text);
    expect(rawText(doc)).toContain('Wait\\u2026 \\u201cquoted\\u201d');
    expect(rawText(doc)).toContain(russian);
    expect(rawText(doc)).toContain(chinese);
    expect(chat.messages(thread_id).map(({ content }) => content)).toEqual([english, russian, chinese]);
    say(chat, thread_id, 'Latin-1 stays: é ü ñ ÿ');
    expect(rawText(doc)).toContain('Latin-1 stays: é ü ñ ÿ');
  });

  it('[LN4] after every transaction the open line closes by adding a quote and a brace', () => {
    fc.assert(
      fc.property(fc.array(awkward, { minLength: 1, maxLength: 10 }), (pieces) => {
        const { a, b, thread_id } = createPair();
        a.doc.on('update', (update: Uint8Array) => Y.applyUpdate(b.doc, update, NETWORK));
        let open = 0;
        for (const { doc } of [a, b]) {
          doc.on('afterTransaction', () => {
            for (const { text } of laneTexts(doc)) {
              const last = text.slice(text.lastIndexOf('\n') + 1);
              if (last === '') continue;
              open += 1;
              expect(() => JSON.parse(`${last}"}`), last).not.toThrow();
            }
          });
        }
        const part = answer(a.chat, ask(a.chat, thread_id).message_id).openPart();
        part.append('start');
        for (const piece of pieces) part.append(piece.join(''));
        expect(open).toBeGreaterThan(0);
      }),
      runs(25),
    );
  });

  it('[LN5] a known type whose head is not whole, or whose ids are no ULIDs, is quarantined as head', () => {
    const bad = [
      `{"type":"message","thread_id":"${T}","message_id":"${M}","content":""}`,
      `{"type":"message","message_id":"${M}","content":""}`,
      `{"type":"message","message_id":"${M.toLowerCase()}","thread_id":"${T}"}`,
      `{"type":"message","message_id":"8${M.slice(1)}","thread_id":"${T}"}`,
      `{"type":"message", "message_id":"${M}","thread_id":"${T}"}`,
      `{"type":"message","message_id":"${M}","thread_id":"${T}","prompt_id":"${M}","epoch":1}`,
      `{"type":"message","message_id":"${M}","thread_id":"${T}`,
      `{"type":"part","attempt":"${M}","kind":"text","n":1}`,
      `{"type":"part","attempt":"${M}","n":0,"kind":"text"}`,
      `{"type":"part","attempt":"${M}","n":"1","kind":"text"}`,
      `{"type":"finish","id":"${M}","finish_reason":"stop"}`,
      `{"type":"thread","thread_id":"nope"}`,
      `{"type":"annotation","id":"${M}","user_id":"ada","key":"k","value":1}`,
    ];
    expect(reasons(bad)).toEqual(bad.map(() => 'head'));
    const { chat } = replicaOf([header(), threadLine(T), ...bad]);
    expect(chat.messages(T)).toEqual([]);
    expectSame([{ chat, doc: replicaOf([header(), threadLine(T), ...bad]).doc }]);
  });

  it('[LN5] a head ends with its line', () => {
    const cut = `{"type":"finish","id":"${M}","attempt":"`;
    const { chat } = replicaOf([header(), cut, `${M}","finish_reason":"stop"}`]);
    expect(chat.quarantine().map(({ reason }) => reason)).toEqual(['head', 'head']);
    expect(chat.waiting().parts_without_attempt).toBe(0);
  });

  it('[LN6] a line of a later schema is kept, copied and counted, and not folded', () => {
    const poll = `{"type":"poll","id":"${M}","thread_id":"${T}","options":["a"],"content":"?"}`;
    const longest = `{"type":"${'x'.repeat(64)}"}`;
    const replica = replicaOf([header(), threadLine(T), poll, longest, poll]);
    expect(replica.chat.report()).toMatchObject({
      unknown_types: { poll: 1, ['x'.repeat(64)]: 1 },
      quarantined: 0,
    });
    expect('constructor' in replica.chat.report().unknown_types).toBe(false);
    expect(replica.chat.messages(T)).toEqual([]);
    expect(linesOf(replica.chat)).toContain(poll);
    expectSame([replica]);
    const bad = [`{"type":"${'x'.repeat(65)}"}`, `{"type":"Poll"}`, `{"type":"_poll"}`, `{"type":""}`];
    expect(reasons(bad)).toEqual(bad.map(() => 'head'));
  });

  it('[LN6] unknown keys of known types ride along in every copy', () => {
    const content = messageLine(M, T, { x_priority: { level: [3] }, content: 'hi' });
    const replica = replicaOf([header(), threadLine(T, { x_color: 'red' }), content]);
    expect(replica.chat.message(M)).toMatchObject({ content: 'hi' });
    expect(replica.chat.message(M)).not.toHaveProperty('problem');
    expect(linesOf(replica.chat)).toContain(content);
    expectSame([replica]);
  });

  it('[LN7] whole lines beyond the limits are quarantined, with the reason, and not folded', () => {
    const nested = (depth: number): unknown => (depth === 0 ? 1 : [nested(depth - 1)]);
    const legacy = (name: string, value: unknown): string =>
      line({
        type: 'message',
        message_id: idAt(2, name),
        thread_id: T,
        sender_id: 'ada',
        date: DATE,
        legacy: value,
      });
    const fits = legacy('fits', nested(LIMITS.depth - 1));
    const deep = legacy('deep', nested(LIMITS.depth));
    const reserved = legacy('reserved', 1).replace('"legacy":1', '"legacy":{"a":[{"__proto__":1}]}');
    const top = legacy('top', 1).replace('"legacy":1', '"__proto__":{"polluted":true}');
    const broken = legacy('broken', 1).slice(0, -1);
    const trailing = `${legacy('trailing', 1)} x`;
    expect(LIMITS).toMatchObject({ line: 4_194_304, depth: 32 });
    expect(reasons([fits, deep, reserved, top, broken, trailing])).toEqual([
      undefined,
      'too_deep',
      'reserved_key',
      'reserved_key',
      'not_json',
      'not_json',
    ]);
    const replica = replicaOf([header(), threadLine(T), fits, deep, reserved, top, broken, trailing]);
    expect(replica.chat.messageIds(T)).toEqual([idAt(2, 'fits')]);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
    expectSame([replica]);
  });

  it('[LN8] a body that does not fit its schema yields its record with a problem and all that fits', () => {
    const bodies = [
      messageLine(M, T, { date: 'yesterday', reply_to_message_id: 7, content: 'kept' }),
      configLine(idAt(2), T, { name: 'kept', pin: 'yes' }),
      entryLine('revision', idAt(3), { message_id: M, author_id: 'ada', date: 3, content: 'edited' }),
    ];
    const replica = replicaOf([header(), threadLine(T, { purpose: 'party', created_by: 'eve' }), ...bodies]);
    const { chat } = replica;
    expect(chat.thread(T)).toMatchObject({
      thread_id: T,
      created_by: 'eve',
      purpose: 'chat',
      created_at: DATE,
    });
    expect(chat.thread(T)?.problem).toMatch(/purpose/);
    expect(chat.message(M)).toMatchObject({ sender_id: 'ada', content: 'edited', thread_id: T });
    expect(chat.message(M)?.problem).toMatch(/date/);
    expect(chat.message(M)?.history[0]?.content).toBe('kept');
    expect(chat.config(T)).toMatchObject({ name: 'kept' });
    expect(chat.config(T)).not.toHaveProperty('pin');
    expectSame([replica]);
  });

  it('[LN8] ids of the body that differ from the head are reported, and the head counts', () => {
    const [other, prompt] = [idAt(5), idAt(6)];
    const attempt = idAt(7);
    const replica = replicaOf([
      header(),
      threadLine(T),
      `${messageLine(M, T, { content: 'mine' }).slice(0, -1)},"message_id":"${other}"}`,
      messageLine(prompt, T, { expects: 'answer' }),
      attemptLine(prompt, T, attempt),
      `${partLine(attempt, 1, 'one').slice(0, -1)},"n":9,"attempt":"${other}"}`,
    ]);
    const { chat } = replica;
    expect(chat.message(M)).toMatchObject({ message_id: M, content: 'mine' });
    expect(chat.message(M)?.problem).toBeTruthy();
    expect(chat.message(other)).toBeUndefined();
    const reply = present(chat.messages(T).find((each) => each.prompt_id === prompt));
    expect(reply).toMatchObject({ content: 'one', parts: [{ n: 1, text: 'one' }] });
    expect(reply.problem).toBeTruthy();
    expectSame([replica]);
  });

  it('[LN9] quarantined lines are listed with lane, text and reason, equal everywhere, and stay', () => {
    const bad = `{"type":"message","message_id":"${M}","thread_id":"${T}","content":}`;
    const { a, b, thread_id } = createPair();
    const laneId = (JSON.parse(header()) as { lane_id: string }).lane_id;
    addText(a.doc, textOf([header(), bad, threadLine(T)]));
    say(b.chat, thread_id, 'meanwhile');
    syncAll([a, b]);
    expect(a.chat.quarantine()).toEqual([{ lane_id: laneId, line: bad, reason: 'not_json' }]);
    expect(b.chat.quarantine()).toEqual(a.chat.quarantine());
    expect(a.chat.report().quarantined).toBe(1);
    expect(a.chat.thread(T)).toBeDefined();
    expect(findText(b.doc, bad).text).toContain(bad);
    expect(linesOf(a.chat)).toContain(bad);
    expectSame([a, b]);
  });

  it('[LN10] closeLine strips a half escape and closes the text', () => {
    const open = partLine(M, 1, '').slice(0, -2);
    const closed = (text: string): string => `${open}${text}","cut":true}`;
    expect(closeLine(`${open}abc`)).toBe(closed('abc'));
    expect(closeLine(open)).toBe(closed(''));
    for (const half of ['\\', '\\u', '\\u1', '\\u12', '\\u12a']) {
      expect(closeLine(`${open}abc${half}`), half).toBe(closed('abc'));
    }
    expect(closeLine(`${open}abc\\u12ab`)).toBe(closed('abc\\u12ab'));
    expect(closeLine(`${open}abc\\\\`)).toBe(closed('abc\\\\'));
    expect(closeLine(`${open}abc\\\\u12`)).toBe(closed('abc\\\\u12'));
    expect(closeLine(`${open}abc\\\\\\u12`)).toBe(closed('abc\\\\'));
    for (const torn of ['{"type":"part","attempt":', `${open}abc"`, '{', '', 'x', `{"a":[1`]) {
      expect(closeLine(torn), torn).toBeUndefined();
    }
  });

  it('[LN10] an open line is read as if closed, and one that cannot be is listed as torn', () => {
    const prompt = idAt(2);
    const attempt = idAt(3);
    const lines = [
      header(),
      threadLine(T),
      messageLine(prompt, T, { expects: 'answer' }),
      attemptLine(prompt, T, attempt),
    ];
    const open = partLine(attempt, 1, 'so far').slice(0, -2);
    const readable = createReplica('r', {}, docOf(`${textOf(lines)}${open}\\u26`));
    const reply = present(readable.chat.messages(T).at(-1));
    expect(reply).toMatchObject({ content: 'so far', generating: true, parts: [{ n: 1, open: true }] });
    expect(readable.chat.quarantine()).toEqual([]);
    expectSame([readable]);
    const torn = createReplica('r', {}, docOf(`${textOf(lines)}{"type":"part","attempt":"${attempt}"`));
    expect(torn.chat.quarantine()).toMatchObject([
      { line: `{"type":"part","attempt":"${attempt}"`, reason: 'torn' },
    ]);
    expect(torn.chat.messages(T).at(-1)).toMatchObject({ content: '', parts: [] });
    expectSame([torn], { copies: false });
  });

  it('[LN11] a deletion reads as one NUL: two lines cannot splice into a third', () => {
    const one = messageLine(idAt(1), T, { content: 'left' });
    const two = messageLine(idAt(2), T, { content: 'right' });
    const replica = replicaOf([header(), threadLine(T), one, two]);
    deleteText(replica.doc, `ft"}\n${two.slice(0, -4)}`);
    expect(replica.chat.messageIds(T)).toEqual([]);
    const spliced = `${one.slice(0, -4)}\0ht"}`;
    expect(replica.chat.quarantine()).toMatchObject([{ line: spliced, reason: 'not_json' }]);
    expect(replica.chat.damage().map(({ line }) => line)).toEqual([one, two]);
    expectSame([replica]);
  });

  it('[LN11] NUL as the whole text of a value reads as empty, elsewhere as no JSON', () => {
    const prefix = 'prefix';
    const replica = replicaOf([
      header(),
      threadLine(T),
      messageLine(idAt(1), T, { content: 'whole' }),
      messageLine(idAt(2), T, { content: `${prefix} part` }),
      messageLine(idAt(3), T, { legacy: ['in a list'], content: 'x' }),
    ]);
    deleteText(replica.doc, 'whole');
    deleteText(replica.doc, prefix);
    deleteText(replica.doc, 'in a list');
    const { chat } = replica;
    expect(chat.messages(T).map(({ content }) => content)).toEqual(['', 'x']);
    expect(chat.message(idAt(3))?.legacy).toEqual(['']);
    expect(chat.quarantine()).toMatchObject([{ reason: 'not_json' }]);
    expectSame([replica]);
  });

  it('[LN11] adjacent deletions, by whomever and in whatever order, are one NUL', () => {
    const content = 'abcdef';
    const replica = replicaOf([header(), threadLine(T), messageLine(idAt(1), T, { content })]);
    for (const what of ['cd', 'ab', 'ef']) {
      const { key, text } = findText(replica.doc, what);
      asPeer(replica.doc, (map) => (map.get(key) as Y.Text).delete(text.indexOf(what), 2));
    }
    expect(replica.chat.message(idAt(1))?.content).toBe('');
    expect(linesOf(replica.chat).at(-1)).toBe(messageLine(idAt(1), T, { content: '' }));
    expectSame([replica]);
  });
});
