import { ChatDocError, openChat } from '@chatdoc/schema';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as Y from 'yjs';
import { DigestExchange, type ExchangeResult } from '../src/digest-exchange/digest-exchange.js';
import {
  append,
  bytesOf,
  copyOf,
  createReplica,
  DOC_ID,
  exchange,
  headerLine,
  linesOf,
  messageLine,
  outcomesOf,
  type Replica,
  setText,
  sync,
  textsOf,
} from './digest-exchange-pair.js';
import { idOf, runs } from './presence-room.js';

/** Two replicas that hold one thread with one message. */
function createPair(): { readonly a: Replica; readonly b: Replica; readonly thread_id: string } {
  const a = createReplica('a');
  const { thread_id } = a.chat.createThread({ created_by: 'ada' });
  a.chat.send({ thread_id, sender_id: 'ada', content: 'first' });
  return { a, b: createReplica('b', copyOf(a.doc)), thread_id };
}

/** Two lanes under one clientID, one on each side: no sync brings them together. */
function createDiverged(first: readonly string[], second: readonly string[]): ReturnType<typeof createPair> {
  const pair = createPair();
  const text = (lines: readonly string[]): string => lines.map((line) => `${line}\n`).join('');
  setText(pair.a.doc, 4_000_000_000, 'first', text(first));
  setText(pair.b.doc, 4_000_000_000, 'second', text(second));
  sync(pair.a, pair.b);
  return pair;
}

const diverged = (): ReturnType<typeof createPair> => {
  const { thread_id } = createPair();
  return createDiverged(
    [headerLine('1'), messageLine('1', thread_id, 'one')],
    [headerLine('2'), messageLine('2', thread_id, 'two')],
  );
};

function expectHealed({ a, b }: { readonly a: Replica; readonly b: Replica }): void {
  sync(a, b);
  expect(b.chat.digest()).toBe(a.chat.digest());
  const bytes = [a, b].map(bytesOf);
  const again = exchange(a, b);
  expect(outcomesOf([...again.a, ...again.b])).toEqual(['equal', 'equal']);
  expect([a, b].map(bytesOf)).toEqual(bytes);
}

describe('digests', () => {
  it('[DX1] the message names document, generation, the hash of the state vector, and the digest', () => {
    const { a } = createPair();
    expect(JSON.parse(a.exchange.digest())).toEqual({
      type: 'chatdoc/digest',
      doc_id: DOC_ID,
      generation: 0,
      state: expect.stringMatching(/^[0-9a-f]{64}$/),
      digest: a.chat.digest(),
    });
  });

  it('[DX2] replicas that hold the same are equal, also where their bytes are not', () => {
    const { a, b } = createPair();
    expect(outcomesOf(exchange(a, b).a)).toEqual(['equal']);
    const copy = createReplica('copy');
    copy.chat.importJSONL(a.chat.toJSONL());
    expect(outcomesOf(exchange(a, copy).b)).toEqual(['equal']);
  });

  it('[DX3] different content with equal state vectors has diverged', () => {
    const { a, b } = diverged();
    expect(Y.encodeStateVector(a.doc)).toEqual(Y.encodeStateVector(b.doc));
    expect(a.exchange.receive(b.exchange.digest()).outcome).toBe('diverged');
  });

  it('[DX4] different state vectors are behind; the same two again are stuck, and the lanes are compared', () => {
    const { a, b, thread_id } = createPair();
    b.chat.send({ thread_id, sender_id: 'bob', content: 'not sent yet' });
    expect(a.exchange.receive(b.exchange.digest())).toEqual({ outcome: 'behind', stuck: false, replies: [] });
    b.chat.send({ thread_id, sender_id: 'bob', content: 'nor this' });
    expect(a.exchange.receive(b.exchange.digest())).toMatchObject({ outcome: 'behind', stuck: false });
    const stuck = a.exchange.receive(b.exchange.digest());
    expect(stuck).toMatchObject({ outcome: 'behind', stuck: true, replies: [expect.any(String)] });
    exchange(a, b);
    sync(a, b);
    expect(outcomesOf(exchange(a, b).a)).toEqual(['equal']);
    expect(a.exchange.receive(b.exchange.digest()).outcome).toBe('equal');
  });

  it('[DX4] what waits for an update that is lost is found and healed', () => {
    const { a, b, thread_id } = createPair();
    const updates: Uint8Array[] = [];
    b.doc.on('update', (update: Uint8Array) => updates.push(update));
    for (const content of ['lost', 'waits']) b.chat.send({ thread_id, sender_id: 'bob', content });
    Y.applyUpdate(a.doc, updates[1] as Uint8Array, 'network');
    exchange(a, b);
    expect(exchange(a, b).a[0]).toMatchObject({ outcome: 'behind', stuck: true });
    expect(a.chat.digest()).toBe(b.chat.digest());
  });

  it('[DX5] another document, another generation', () => {
    const { a, b } = createPair();
    const { doc, chat } = b;
    const other = new DigestExchange({ doc, chat, doc_id: idOf('other'), generation: 0 });
    const later = new DigestExchange({ doc, chat, doc_id: DOC_ID, generation: 1 });
    expect(a.exchange.receive(other.digest())).toEqual({ outcome: 'other_document', replies: [] });
    expect(a.exchange.receive(later.digest())).toEqual({ outcome: 'other_generation', replies: [] });
  });

  it('[DX5] a doc_id that is no ULID throws', () => {
    const { doc, chat } = createPair().a;
    const create = (): unknown => new DigestExchange({ doc, chat, doc_id: 'x', generation: 0 });
    expect(create).toThrow(ChatDocError);
    expect(create).toThrow('At doc_id: ');
  });
});

describe('the report', () => {
  it('[DX6] says which lanes differ, and which lines only one side holds', () => {
    const { a, b } = diverged();
    const found = exchange(a, b);
    const ids = [headerLine('1'), headerLine('2')].map(
      (line) => (JSON.parse(line) as { lane_id: string }).lane_id,
    );
    expect(found.a.filter(({ outcome }) => outcome === 'lanes')).toMatchObject([{ lanes: ids.sort() }]);
    const first = found.a.flatMap((result) => (result.outcome === 'lines' ? result.differences : []));
    const { thread_id } = createPair();
    expect(first).toContainEqual({
      lane_id: idOf('lane 1'),
      only_here: expect.toSatisfy(
        (lines: string[]) =>
          lines.length === 2 &&
          [headerLine('1'), messageLine('1', thread_id, 'one')].every((line) => lines.includes(line)),
      ),
      only_there: 0,
    });
    expect(first).toContainEqual({ lane_id: idOf('lane 2'), only_here: [], only_there: 2 });
  });

  it('[DX6] many lanes and long lanes travel in pages, and none is forgotten', () => {
    const { thread_id } = createPair();
    const many = Array.from({ length: 600 }, (_, i) => headerLine(`many ${i}`));
    const long = Array.from({ length: 600 }, (_, i) => `{"type":"later","i":${i}}`);
    const pair = createDiverged(
      [...many, headerLine('1'), messageLine('1', thread_id, 'x'.repeat(600_000))],
      [headerLine('2'), ...long, messageLine('2', thread_id, 'y'.repeat(600_000))],
    );
    const found = exchange(pair.a, pair.b);
    expect(outcomesOf(found.b).filter((outcome) => outcome === 'lanes')).toHaveLength(2);
    expect(outcomesOf(found.a).filter((outcome) => outcome === 'healed').length).toBeGreaterThan(1);
    expectHealed(pair);
    expect(linesOf(pair.a).length).toBeGreaterThan(1_200);
  });
});

describe('healing', () => {
  it('[DX7] both sides hold all lines of both, and one digest, also when both heal at once', () => {
    const pair = diverged();
    const before = [...linesOf(pair.a), ...linesOf(pair.b)];
    exchange(pair.a, pair.b);
    expectHealed(pair);
    for (const replica of [pair.a, pair.b]) expect(linesOf(replica)).toEqual(expect.arrayContaining(before));
  });

  it('[DX7] it is enough that one side asks', () => {
    const pair = diverged();
    const { a, b } = pair;
    let messages = [a.exchange.digest()];
    for (let to = b, from = a; messages.length > 0; [to, from] = [from, to]) {
      messages = messages.flatMap((message) => [...to.exchange.receive(message).replies]);
    }
    expectHealed(pair);
  });

  it('[DX7] one side alone can heal: its lines reach the other by sync', () => {
    const { a, b } = diverged();
    const before = bytesOf(b);
    const careful = new DigestExchange({
      doc: b.doc,
      chat: b.chat,
      doc_id: DOC_ID,
      generation: 0,
      heal: false,
    });
    const found = exchange(a, { ...b, exchange: careful });
    expect(found.b).toContainEqual({ outcome: 'unhealed', code: 'not_wanted', replies: [] });
    expect(bytesOf(b)).toBe(before);
    sync(a, b);
    expect(linesOf(b)).toEqual(expect.arrayContaining([headerLine('2')]));
  });

  it('[DX7] a chat that may not write is left as it is', () => {
    const { a, b } = diverged();
    const chat = openChat(b.doc, { readOnly: true });
    const reader = new DigestExchange({ doc: b.doc, chat, doc_id: DOC_ID, generation: 0 });
    const before = bytesOf(b);
    const found = exchange(a, { doc: b.doc, chat, exchange: reader });
    expect(found.b).toContainEqual({ outcome: 'unhealed', code: 'not_wanted', replies: [] });
    expect(bytesOf(b)).toBe(before);
  });

  it('[DX7] a line of one id that reads differently is kept in both forms; one of them shows, the same on both', () => {
    const { thread_id } = createPair();
    const pair = createDiverged(
      [headerLine('1'), messageLine('same', thread_id, 'one')],
      [headerLine('1'), messageLine('same', thread_id, 'two, and longer')],
    );
    exchange(pair.a, pair.b);
    expectHealed(pair);
    for (const { chat } of [pair.a, pair.b]) {
      expect(chat.message(idOf('message same'))?.content).toBe('two, and longer');
      expect(chat.duplicates().map(({ line }) => line)).toEqual([messageLine('same', thread_id, 'one')]);
    }
  });

  const odd: Readonly<Record<string, readonly string[]>> = {
    'that stand under no header': ['{"no":"header"}', 'nor this'],
    'under a header that is damaged': ['{"type":"lane","lane_id":"x"}', 'a line'],
    'that all end with a carriage return': [`${headerLine('3')}\r`, 'a line\r'],
    'that are empty': [headerLine('3'), '', 'x', ''],
    'that hold a whole character of two halves': [headerLine('3'), 'Zoë \ud83d\ude00'],
    'that hold a deletion': [headerLine('3'), '{"type":"x\0"}', '\0'],
    'of a later schema': [headerLine('3', { min_reader: 9 }), '{"type":"later"}'],
  };
  for (const [what, lines] of Object.entries(odd)) {
    it(`[DX7] lines ${what} come over as they are`, () => {
      const pair = createDiverged(lines, [headerLine('2'), 'two']);
      exchange(pair.a, pair.b);
      expectHealed(pair);
      for (const replica of [pair.a, pair.b]) {
        const now = linesOf(replica).map((line) => Buffer.from(line).toString());
        expect(now).toEqual(expect.arrayContaining(lines.map((line) => Buffer.from(line).toString())));
      }
    });
  }

  it('[DX7] a stream goes on while both heal, and is equal in the round after it ends', () => {
    const { thread_id } = createPair();
    const pair = createDiverged(
      [headerLine('1'), messageLine('1', thread_id, 'one')],
      [headerLine('2'), messageLine('2', thread_id, 'two')],
    );
    const { a, b } = pair;
    const thread = a.chat.threads()[0]?.thread_id as string;
    const prompt = a.chat.send({ thread_id: thread, sender_id: 'ada', content: '?', expects: 'answer' });
    const attempt = a.chat.openAttempt({ prompt_id: prompt.message_id, sender_id: 'bot', runner_id: 'a' });
    const part = attempt.openPart();
    part.append('so far');
    sync(a, b);
    exchange(a, b);
    part.append(', and on');
    attempt.finish({ finish_reason: 'stop' });
    sync(a, b);
    exchange(a, b);
    expectHealed(pair);
    expect(b.chat.message(attempt.message_id)?.content).toBe('so far, and on');
  });

  it('[DX8] an import that was written before and then lost is refused, typed', () => {
    const { a, b } = diverged();
    exchange(a, b);
    sync(a, b);
    const copy = textsOf(a.doc).find(({ key, text }) => text.includes('"one"') && key !== 'first')?.key;
    for (const key of [copy, 'first']) a.doc.getMap('chat').delete(key as string);
    const found = exchange(a, b);
    sync(a, b);
    const all = [...found.a, ...exchange(a, b).a, ...exchange(a, b).a];
    expect(all).toContainEqual({ outcome: 'unhealed', code: 'import_conflict', replies: [] });
  });

  it('[DX8] lines without a header, for a document without one, are refused, typed', () => {
    const a = createReplica('a');
    const b = createReplica('b');
    setText(a.doc, 7, 'a', 'no header\n');
    setText(b.doc, 7, 'b', 'none here\n');
    expect(exchange(a, b).a).toContainEqual({ outcome: 'unhealed', code: 'import_no_header', replies: [] });
  });
});

describe('hostile messages', () => {
  const { a } = diverged();
  const own = a.exchange.digest();
  const malformed: Readonly<Record<string, unknown>> = {
    'no string': 5,
    'no text': '',
    'no JSON': '{',
    null: 'null',
    'of another type': '{"type":"chatdoc/refused"}',
    'without digest': JSON.stringify({ ...JSON.parse(own), digest: undefined }),
    'with a digest that is none': JSON.stringify({ ...JSON.parse(own), digest: 'x'.repeat(64) }),
    'with a generation that is none': JSON.stringify({ ...JSON.parse(own), generation: -1 }),
    'with a payload where none belongs': `${own}\nx`,
    'with a head of 2,000 characters': JSON.stringify({ ...JSON.parse(own), more: 'x'.repeat(2_000) }),
    'deeper than any stack': `${'['.repeat(1_000_000)}`,
    'with lanes that are none': `${writeHead('chatdoc/lanes', { after: null, through: null })}\nx y`,
    'with digests that are none': `${writeHead('chatdoc/lines', { asks: true })}\nx`,
    'with digests of no lane': `${writeHead('chatdoc/lines', { asks: true })}\n${'0'.repeat(32)}`,
    'with entries that are cut': `${writeHead('chatdoc/entries', {})}\n{"type":"la`,
    'without entries': writeHead('chatdoc/entries', {}),
  };
  function writeHead(type: string, fields: object): string {
    return JSON.stringify({ type, doc_id: DOC_ID, generation: 0, ...fields });
  }
  for (const [what, message] of Object.entries(malformed)) {
    it(`[DX5] a message ${what} is malformed`, () => {
      expect(a.exchange.receive(message)).toEqual({ outcome: 'malformed', replies: [] });
    });
  }

  it('[DX5] a message longer than the limit is malformed', () => {
    const { doc, chat } = a;
    const strict = new DigestExchange({ doc, chat, doc_id: DOC_ID, generation: 0, limit: own.length - 1 });
    expect(strict.receive(own)).toEqual({ outcome: 'malformed', replies: [] });
  });

  it('[DX9] no message throws, whatever stands in it, and answers are bounded by what differs', () => {
    const outcomes = new Set<ExchangeResult['outcome']>();
    const word = fc.oneof(
      fc.constantFrom(
        DOC_ID,
        idOf('lane 1'),
        '',
        '\0',
        '__proto__',
        headerLine('1'),
        headerLine('9'),
        '0'.repeat(32),
      ),
      fc.string({ maxLength: 12 }),
      fc.string({ unit: 'binary', maxLength: 12 }),
    );
    const head = fc.record({
      type: fc.constantFrom('chatdoc/digest', 'chatdoc/lanes', 'chatdoc/lines', 'chatdoc/entries'),
      doc_id: fc.constant(DOC_ID),
      generation: fc.constant(0),
      state: fc.constant('0'.repeat(64)),
      digest: fc.constant('0'.repeat(64)),
      asks: fc.boolean(),
      after: fc.constantFrom(null, null, '', idOf('lane 1'), 'x'),
      through: fc.constantFrom(null, null, 'x', idOf('lane 2')),
    });
    const lines = fc.array(
      fc.oneof(
        word,
        fc.constantFrom(
          ` ${'0'.repeat(32)}`,
          `${idOf('lane 1')} ${'0'.repeat(32)}`,
          'f'.repeat(32),
          '0'.repeat(32),
        ),
      ),
      { maxLength: 5 },
    );
    fc.assert(
      fc.property(head, lines, fc.boolean(), (fields, payload, isEnded) => {
        const { a: here } = diverged();
        const message = [JSON.stringify(fields), ...payload].join('\n') + (isEnded ? '\n' : '');
        const result = here.exchange.receive(message);
        outcomes.add(result.outcome);
        expect(result.replies.length).toBeLessThanOrEqual(4);
        for (const reply of result.replies) expect(reply.length).toBeLessThan(10_000);
        expect(() => here.chat.messages(here.chat.threads()[0]?.thread_id ?? '')).not.toThrow();
        here.chat.close();
      }),
      runs(400, 120),
    );
    const expected = ['behind', 'healed', 'lanes', 'lines', 'malformed'];
    expect([...outcomes].sort()).toEqual(expect.arrayContaining(expected));
  });

  it('[DX9] a mutated message of a real exchange does no harm', () => {
    const messages: string[] = [];
    const note = (results: readonly ExchangeResult[]): number =>
      messages.push(...results.flatMap(({ replies }) => replies));
    const pair = diverged();
    const found = exchange(pair.a, pair.b);
    note(found.a);
    note(found.b);
    const { a: here } = diverged();
    const before = linesOf(here);
    fc.assert(
      fc.property(fc.nat(), fc.nat(), fc.string({ unit: 'binary', maxLength: 3 }), (which, at, text) => {
        const message = messages[which % messages.length] as string;
        const place = at % message.length;
        here.exchange.receive(message.slice(0, place) + text + message.slice(place + 1));
        expect(linesOf(here)).toEqual(expect.arrayContaining(before));
      }),
      runs(200),
    );
  });
});

it('[DX7] an appended line that is hidden behind equal state vectors comes over', () => {
  const { a, b, thread_id } = createPair();
  const lane = textsOf(a.doc)[0];
  if (lane === undefined) throw new Error('expected a lane');
  append(a.doc, lane.client, lane.key, `${messageLine('x', thread_id, '1')}\n`);
  append(b.doc, lane.client, lane.key, `${messageLine('y', thread_id, '2')}\n`);
  sync(a, b);
  exchange(a, b);
  expectHealed({ a, b });
  expect(a.chat.messages(thread_id).map(({ content }) => content)).toHaveLength(3);
});
