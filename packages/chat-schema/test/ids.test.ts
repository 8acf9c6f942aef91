import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import * as Y from 'yjs';
import { deriveAnswerId, deriveMessageId, isUlid, openChat, timeOfUlid } from '../src/index.js';
import {
  deriveInterruptId,
  deriveSlotThreadId,
  deriveUlid,
  FUTURE_LIMIT_MS,
  formatUlid,
  MAX_TIME,
  parseUlid,
} from '../src/internal.js';
import {
  addText,
  answer,
  ask,
  createEnvironment,
  createReplica,
  DATE,
  entriesOf,
  header,
  idAt,
  linesOf,
  MINUTE,
  messageLine,
  runs,
  START,
  say,
  syncAll,
  textOf,
  threadLine,
} from './world.js';

const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const numberOf = (ulid: string): bigint =>
  [...ulid].reduce((sum, digit) => sum * 32n + BigInt(ALPHABET.indexOf(digit)), 0n);

describe('ids and stamps', () => {
  afterEach(() => vi.restoreAllMocks());

  it('[ID1] a ULID is 26 upper-case characters of base 32, the first at most 7', () => {
    const id = idAt(0);
    expect(parseUlid(id)).toEqual({ ok: true, id, time: START });
    expect(parseUlid('7ZZZZZZZZZZZZZZZZZZZZZZZZZ')).toMatchObject({ ok: true, time: MAX_TIME });
    expect(parseUlid(`8${id.slice(1)}`)).toEqual({ ok: false, reason: 'too_late' });
    expect(parseUlid(id.toLowerCase())).toEqual({ ok: false, reason: 'character' });
    expect(parseUlid(id.slice(1))).toEqual({ ok: false, reason: 'length' });
    expect(parseUlid(`${id}0`)).toEqual({ ok: false, reason: 'length' });
    for (const bad of ['I', 'L', 'O', 'U', 'é', '\0', '\uffff', ' ']) {
      expect(parseUlid(id.slice(0, 25) + bad), bad).toEqual({ ok: false, reason: 'character' });
    }
    for (const bad of [undefined, null, 5, {}, [id]]) {
      expect(parseUlid(bad)).toEqual({ ok: false, reason: 'not_a_string' });
    }
  });

  it('[ID1] parseUlid never throws, and takes what isUlid takes', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.anything(), fc.ulid(), fc.string({ minLength: 26, maxLength: 26 })),
        (value) => {
          expect(parseUlid(value).ok).toBe(isUlid(value));
        },
      ),
      runs(300),
    );
  });

  it('[ID2] the stamps of one writer increase strictly, whatever its clock does', () => {
    const anyTime = fc.oneof(
      fc.constantFrom(
        Number.NaN,
        Number.POSITIVE_INFINITY,
        Number.NEGATIVE_INFINITY,
        -1,
        0,
        MAX_TIME,
        2 ** 60,
      ),
      fc.integer({ min: START - 10 * MINUTE, max: START + 10 * MINUTE }),
      fc.double(),
    );
    fc.assert(
      fc.property(fc.array(anyTime, { minLength: 2, maxLength: 25 }), (times) => {
        const { chat, clock } = createReplica();
        const { thread_id } = chat.createThread({ created_by: 'ada' });
        let last = thread_id;
        for (const time of times) {
          clock.time = time;
          const { message_id } = chat.send({ thread_id, sender_id: 'ada', content: '', date: DATE });
          expect(message_id > last, `${message_id} after ${last} at ${time}`).toBe(true);
          expect(isUlid(message_id)).toBe(true);
          last = message_id;
        }
      }),
      runs(40),
    );
  });

  it('[ID3] a new stamp exceeds every stamp seen, whichever clock is ahead', () => {
    // Further apart, [ID4] says what is not followed.
    const skew = fc.integer({ min: -2 * MINUTE, max: 2 * MINUTE });
    const kind = fc.constantFrom('send', 'edit', 'annotate', 'retry', 'attempt', 'configure', 'variables');
    fc.assert(
      fc.property(fc.array(fc.tuple(skew, kind), { minLength: 2, maxLength: 8 }), (writes) => {
        const replicas = [createReplica('left'), createReplica('right')] as const;
        const { thread_id } = replicas[0].chat.createThread({ created_by: 'ada' });
        let greatest = ask(replicas[0].chat, thread_id).message_id;
        const first = greatest;
        writes.forEach(([by, what], i) => {
          syncAll(replicas);
          const { chat, clock } = replicas[i % 2 === 0 ? 1 : 0];
          clock.time = START + by;
          const before = new Set(linesOf(chat));
          const author = { message_id: first, author_id: 'ada' };
          if (what === 'send') say(chat, thread_id, 'x');
          if (what === 'edit') chat.edit({ ...author, content: `${i}` });
          if (what === 'annotate') chat.annotate({ message_id: first, user_id: 'ada', key: 'k', value: i });
          if (what === 'retry') chat.retry({ message_id: first, by: 'ada' });
          if (what === 'attempt') answer(chat, first);
          if (what === 'configure') chat.configure({ thread_id, updated_by: 'ada', name: `${i}` });
          if (what === 'variables') chat.setVariables({ scope: 'user', scope_id: 'ada', values: { i } });
          for (const line of linesOf(chat).filter(
            (each) => !before.has(each) && !each.startsWith('{"type":"lane"'),
          )) {
            const entry = JSON.parse(line) as Record<string, string>;
            const stamp = entry['attempt'] ?? entry['id'] ?? entry['message_id'] ?? '';
            expect(stamp > greatest, `${line} after ${greatest}`).toBe(true);
            greatest = stamp;
          }
        });
      }),
      runs(40),
    );
  });

  it('[ID4] a stamp more than five minutes ahead is not followed and counted, and followed once it is near', () => {
    const { doc, chat, clock } = createReplica();
    const { thread_id } = chat.createThread({ created_by: 'ada' });
    const near = idAt(5, 'at the limit');
    const far = deriveUlid(START + FUTURE_LIMIT_MS + 1, 'test', 'beyond');
    addText(doc, textOf([header(), messageLine(near, thread_id)]));
    const afterNear = say(chat, thread_id, 'a').message_id;
    expect(afterNear > near).toBe(true);
    addText(doc, textOf([header({ lane: 'far' }), messageLine(far, thread_id)]));
    expect(chat.report().future_stamps).toBe(1);
    expect(say(chat, thread_id, 'b').message_id < far).toBe(true);
    clock.time += 1;
    expect(chat.report().future_stamps).toBe(0);
    expect(say(chat, thread_id, 'c').message_id > far).toBe(true);
  });

  it('[ID4] a stamp of the last years of ULIDs drags nobody along', () => {
    const { doc, chat } = createReplica();
    const { thread_id } = chat.createThread({ created_by: 'ada' });
    addText(doc, textOf([header(), messageLine('7ZZZZZZZZZZZZZZZZZZZZZZZZZ', thread_id)]));
    expect(timeOfUlid(say(chat, thread_id, 'a').message_id)).toBe(START);
    expect(chat.report().future_stamps).toBe(1);
  });

  it('[ID5] writers that saw the same maximum make different stamps, at most 2^45 above it', () => {
    const first = createReplica('first');
    const { thread_id } = first.chat.createThread({ created_by: 'ada' });
    const greatest = say(first.chat, thread_id, 'max').message_id;
    const made = new Set<string>();
    for (let i = 0; i < 200; i += 1) {
      const late = createReplica(`writer ${i}`);
      late.clock.time = START - 4 * MINUTE;
      Y.applyUpdate(late.doc, Y.encodeStateAsUpdate(first.doc));
      const { message_id } = say(late.chat, thread_id, 'late');
      const step = numberOf(message_id) - numberOf(greatest);
      expect(step > 0n).toBe(true);
      // The header of the lane took two stamps of its own.
      expect(step <= 3n * 2n ** 45n).toBe(true);
      made.add(message_id);
    }
    expect(made.size).toBe(200);
    expect([...made].some((id) => numberOf(id) - numberOf(greatest) > 2n ** 40n)).toBe(true);
  });

  it('[ID6] derived ids have the time of what they derive from', () => {
    const prompt = idAt(3);
    expect(timeOfUlid(deriveAnswerId(prompt))).toBe(START + 3 * MINUTE);
    expect(timeOfUlid(deriveInterruptId(prompt, 7))).toBe(START + 3 * MINUTE);
    expect(timeOfUlid(deriveMessageId(DATE, idAt(9), 'ada', 'c1'))).toBe(START);
    const slot = { root_id: 'r', owner_id: 'o', provider: 'p', number: 1 };
    expect(timeOfUlid(deriveSlotThreadId(slot, 'chat'))).toBe(0);
    // Documents hold these: they never change.
    expect([
      deriveAnswerId(prompt),
      deriveInterruptId(prompt, 7),
      deriveMessageId(DATE, idAt(9), 'ada', 'c1'),
      deriveSlotThreadId(slot, 'chat'),
    ]).toMatchInlineSnapshot(`
      [
        "01M7YZT1900WNP9W146FFS3K2V",
        "01M7YZT190G416MG5H7XCH9KD4",
        "01M7YZMHG0HCPVQDTM9PBZ3YHX",
        "0000000000Z999CZQ43TQHB476",
      ]
    `);
  });

  it('[ID6] tuples that differ in any part give different ids', () => {
    const part = fc.oneof(
      fc.string({ maxLength: 3 }),
      fc.integer({ min: 0, max: 9 }),
      fc.constantFrom('1', '","', ''),
    );
    const tuple = fc.tuple(fc.constantFrom('a', 'b', ''), fc.array(part, { maxLength: 4 }));
    fc.assert(
      fc.property(tuple, tuple, ([tagA, a], [tagB, b]) => {
        const equal = tagA === tagB && a.length === b.length && a.every((each, i) => each === b[i]);
        expect(deriveUlid(0, tagA, ...a) === deriveUlid(0, tagB, ...b)).toBe(equal);
      }),
      runs(500),
    );
    const slot = { root_id: 'r', owner_id: 'o', provider: 'p', number: 1 };
    const slots = [
      slot,
      { ...slot, root_id: 'o', owner_id: 'r' },
      { ...slot, number: 2 },
      { ...slot, provider: 'q' },
    ].flatMap((each) => [deriveSlotThreadId(each, 'chat'), deriveSlotThreadId(each, 'run')]);
    expect(new Set(slots).size).toBe(8);
    const ids = [
      deriveMessageId(DATE, idAt(1), 'ada', 'c1'),
      deriveMessageId(DATE, idAt(2), 'ada', 'c1'),
      deriveMessageId(DATE, idAt(1), 'adac', '1'),
      deriveMessageId(DATE, idAt(1), 'bob', 'c1'),
      deriveInterruptId(idAt(1), 1),
      deriveInterruptId(idAt(1), 2),
    ];
    expect(new Set(ids).size).toBe(6);
  });

  it('[ID7] the same environment and calls give the same bytes', () => {
    const write = (seed: number): string => {
      const { doc, chat, clock } = createReplica(seed, { user_id: 'ada' });
      const { thread_id } = chat.createThread({ created_by: 'ada', name: 'Plan' });
      const prompt = ask(chat, thread_id);
      clock.time += 10;
      const attempt = answer(chat, prompt.message_id);
      const part = attempt.openPart();
      part.append('Like ');
      part.close('so 🎉');
      attempt.finish({ finish_reason: 'stop' });
      chat.edit({ message_id: prompt.message_id, author_id: 'ada', content: 'How then?' });
      chat.redact({ message_id: prompt.message_id, by: 'ada' });
      return Buffer.from(Y.encodeStateAsUpdate(doc)).toString('hex');
    };
    expect(write(1)).toBe(write(1));
    expect(write(1)).not.toBe(write(2));
  });

  it('[ID7] no clock and no randomness but those of the environment', () => {
    const doc = new Y.Doc();
    const world = [
      vi.spyOn(Date, 'now'),
      vi.spyOn(Math, 'random'),
      vi.spyOn(crypto, 'getRandomValues'),
      vi.spyOn(crypto, 'randomUUID'),
    ];
    const chat = openChat(doc, { environment: createEnvironment(1, { time: START }) });
    const { thread_id } = chat.createThread({ created_by: 'ada' });
    answer(chat, ask(chat, thread_id).message_id).finish({ finish_reason: 'stop' });
    chat.digest();
    expect(world.map((spy) => spy.mock.calls.length)).toEqual([0, 0, 0, 0]);
    expect(entriesOf(chat, 'finish')).toHaveLength(1);
  });

  it('[ID1] formatUlid and timeOfUlid agree within the range, and clamp outside of it', () => {
    const zeros = new Uint8Array(10);
    fc.assert(
      fc.property(fc.integer({ min: 0, max: MAX_TIME - 11 * MINUTE }), (time) => {
        expect(timeOfUlid(formatUlid(time, zeros))).toBe(time);
      }),
      runs(50),
    );
    for (const time of [Number.NaN, -5, Number.POSITIVE_INFINITY, 2 ** 53]) {
      expect(isUlid(formatUlid(time, zeros)), String(time)).toBe(true);
    }
    expect(threadLine(idAt(0))).toContain(idAt(0));
  });
});
