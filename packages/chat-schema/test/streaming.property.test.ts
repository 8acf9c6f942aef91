import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as Y from 'yjs';
import { createParts } from '../../../tools/parts.js';
import { extractTexts } from '../../chat-testkit/src/index.js';
import { type AttemptWriter, type Chat, openChat, type PartWriter } from '../src/index.js';
import { checkLaws, FoldLedger } from './laws.js';
import { START } from './raw.js';
import { awkwardText, parameters } from './schedule.js';
import { NETWORK, seededEnvironment } from './schedule-run.js';

const { test, all } = createParts();
const ledger = new FoldLedger();
const sightings = { splitPairs: 0, redelivered: 0, lost: 0, continued: 0 };

interface Pair {
  readonly writer: Chat;
  readonly writerDoc: Y.Doc;
  readonly reader: Chat;
  readonly readerDoc: Y.Doc;
  readonly updates: Uint8Array[];
}

/** A replica that writes, and one that hears every update at once. */
function createPair(seed: number): Pair {
  const writerDoc = new Y.Doc();
  const readerDoc = new Y.Doc();
  const updates: Uint8Array[] = [];
  writerDoc.on('update', (update: Uint8Array) => {
    updates.push(update);
    Y.applyUpdate(readerDoc, update, NETWORK);
  });
  let clock = START;
  const tick = (): number => ++clock;
  const writer = openChat(writerDoc, { environment: seededEnvironment(seed, tick) });
  const reader = openChat(readerDoc, { environment: seededEnvironment(seed + 1, tick) });
  return { writer, writerDoc, reader, readerDoc, updates };
}

function openAnswer(chat: Chat, thread_id: string): AttemptWriter {
  const { message_id } = chat.send({ thread_id, sender_id: 'ada', content: '?', expects: 'answer' });
  return chat.openAttempt({ prompt_id: message_id, sender_id: 'agent', runner_id: 'runner' });
}

/** [LN4]: every line that is open closes by adding `"}`. */
function expectClosable(doc: Y.Doc): void {
  for (const { text } of extractTexts(doc)) {
    const open = text.slice(text.lastIndexOf('\n') + 1);
    if (open !== '') expect(() => JSON.parse(`${open}"}`), `[LN4] ${open}`).not.toThrow();
  }
}

/** Pieces of `text` by a bit mask: bit i set cuts after code unit i. */
function split(text: string, mask: number): string[] {
  const pieces: string[] = [];
  let from = 0;
  for (let at = 1; at < text.length; at += 1) {
    if ((mask & (1 << (at - 1))) === 0) continue;
    pieces.push(text.slice(from, at));
    from = at;
  }
  return [...pieces, text.slice(from)];
}

describe('streaming', () => {
  test('[LN2] every split of a string reads back equal, also while it streams', () => {
    fc.assert(
      fc.property(awkwardText(6), fc.nat(), (text, seed) => {
        if (/[\ud800-\udbff][\udc00-\udfff]/.test(text)) sightings.splitPairs += 1;
        const { writer, writerDoc, reader, readerDoc } = createPair(seed);
        const { thread_id } = writer.createThread({ created_by: 'ada' });
        for (let mask = 0; mask < 1 << Math.max(0, text.length - 1); mask += 1) {
          const answer = openAnswer(writer, thread_id);
          const part = answer.openPart({ kind: 'text' });
          let sofar = '';
          for (const piece of split(text, mask)) {
            part.append(piece);
            sofar += piece;
            expect(reader.message(answer.message_id)?.content, '[LN2] on the reader').toBe(sofar);
          }
          expectClosable(readerDoc);
          if (mask % 2 === 0) part.close();
          else part.close(text);
          answer.finish({ finish_reason: 'stop' });
          const whole = mask % 2 === 0 ? text : text + text;
          for (const chat of [writer, reader]) {
            const message = chat.message(answer.message_id);
            expect(message?.content, '[LN2] when it is done').toBe(whole);
            expect(message?.generating).toBe(false);
          }
          expectClosable(writerDoc);
        }
        checkLaws(reader, readerDoc, ledger);
        expect(reader.digest()).toBe(writer.digest());
      }),
      parameters(25, 25),
    );
  });

  test('[LN2] text given to close alone is written once', () => {
    fc.assert(
      fc.property(awkwardText(6), awkwardText(3), fc.nat(), (last, first, seed) => {
        const { writer, reader } = createPair(seed);
        const { thread_id } = writer.createThread({ created_by: 'ada' });
        const answer = openAnswer(writer, thread_id);
        const part = answer.openPart();
        if (first !== '') part.append(first);
        part.close(last);
        answer.finish({ finish_reason: 'stop' });
        expect(reader.message(answer.message_id)?.content).toBe(first + last);
      }),
      parameters(40),
    );
  });

  const interleaved = (streams: number): void =>
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat({ max: streams - 1 }), awkwardText(4)), { minLength: 4, maxLength: 30 }),
        fc.array(fc.nat(), { maxLength: 8 }),
        fc.nat(),
        (pieces, again, seed) => {
          const { writer, writerDoc, reader, readerDoc, updates } = createPair(seed);
          const { thread_id } = writer.createThread({ created_by: 'ada' });
          const answers = Array.from({ length: streams }, () => openAnswer(writer, thread_id));
          const parts = answers.map((answer): PartWriter => answer.openPart());
          const texts = answers.map(() => '');
          for (const [at, piece] of pieces) {
            const before = reader.messages(thread_id);
            (parts[at] as PartWriter).append(piece);
            texts[at] += piece;
            answers.forEach(({ message_id }, other) => {
              const message = reader.message(message_id);
              expect(message?.content).toBe(texts[other]);
              // [RD3] Other streams, and prompts, keep their snapshots.
              if (other !== at) expect(before).toContain(message);
            });
            expectClosable(readerDoc);
          }
          checkLaws(writer, writerDoc, ledger);
          answers.forEach((answer) => {
            answer.finish({ finish_reason: 'stop' });
          });
          checkLaws(reader, readerDoc, ledger);

          // The same updates in another order, some twice, on a third replica.
          const third = new Y.Doc();
          const chat = openChat(third, { environment: seededEnvironment(9, () => START) });
          const order = [...updates.keys()].sort(
            (a, b) => ((a * 7919 + seed) % 101) - ((b * 7919 + seed) % 101),
          );
          for (const at of [...order, ...again.map((number) => number % updates.length)]) {
            Y.applyUpdate(third, updates[at] as Uint8Array, NETWORK);
          }
          sightings.redelivered += again.length;
          checkLaws(chat, third, ledger);
          expect(answers.map(({ message_id }) => chat.message(message_id)?.content)).toEqual(texts);
          expect(chat.digest()).toBe(writer.digest());
        },
      ),
      parameters(40),
    );

  test('[LA4] two streams at once never mix', () => {
    interleaved(2);
  });

  test('[LA4] four streams at once never mix', () => {
    interleaved(4);
  });

  test('[LA7] a stream whose lane is taken, cut or replaced goes on in another, and what comes after is whole', () => {
    const harm = fc.constantFrom('steal', 'delete', 'replace', 'foreign');
    fc.assert(
      fc.property(
        fc.array(fc.oneof(awkwardText(4), fc.record({ harm })), { minLength: 3, maxLength: 12 }),
        fc.nat(),
        (steps, seed) => {
          const { writer, writerDoc, reader, readerDoc } = createPair(seed);
          const { thread_id } = writer.createThread({ created_by: 'ada' });
          const answer = openAnswer(writer, thread_id);
          const part = answer.openPart();
          part.append('start');
          let since = '';
          let lost = false;
          for (const step of steps) {
            if (typeof step === 'string') {
              part.append(step);
              since += step;
            } else if (step.harm === 'foreign' || !lost) {
              if (harmLane(writerDoc, step.harm, answer.attempt) && step.harm !== 'foreign') {
                lost = true;
                since = '';
                sightings.lost += 1;
              }
            }
            checkLaws(writer, writerDoc, ledger, START);
          }
          part.append('end');
          Y.applyUpdate(readerDoc, Y.encodeStateAsUpdate(writerDoc), NETWORK);
          const read = reader.message(answer.message_id)?.content;
          if (read !== undefined) {
            // A lane that was replaced has taken the message line with it: then nothing of it is read.
            expect(read.endsWith(`${since}end`), `[LA7] ${JSON.stringify([read, since])}`).toBe(true);
            if (lost) sightings.continued += 1;
          }
          if (!lost) expect(read).toBe(`start${since}end`);
          checkLaws(reader, readerDoc, ledger);
        },
      ),
      parameters(60),
    );
  });

  test('[RX3] text streamed beside a redaction is gone on every replica, and reads blank', () => {
    fc.assert(
      fc.property(awkwardText(5), awkwardText(5), fc.boolean(), fc.nat(), (first, late, done, seed) => {
        const before = `secret${first}`;
        const { writer, writerDoc } = createPair(seed);
        const { thread_id } = writer.createThread({ created_by: 'ada' });
        const answer = openAnswer(writer, thread_id);
        const part = answer.openPart();
        part.append(before);
        const other = new Y.Doc();
        Y.applyUpdate(other, Y.encodeStateAsUpdate(writerDoc), NETWORK);
        const redactor = openChat(other, { environment: seededEnvironment(seed + 7, () => START) });
        redactor.redact({ message_id: answer.message_id, by: 'ada' });
        part.append(`hidden${late}`);
        if (done) part.close();
        for (let round = 0; round < 3; round += 1) {
          Y.applyUpdate(writerDoc, Y.encodeStateAsUpdate(other), NETWORK);
          Y.applyUpdate(other, Y.encodeStateAsUpdate(writerDoc), NETWORK);
        }
        for (const [chat, doc] of [
          [writer, writerDoc],
          [redactor, other],
        ] as const) {
          const message = chat.message(answer.message_id);
          expect(message?.content).toBe('');
          expect(message?.redacted).toBe(true);
          expect(message?.parts.map(({ n, text }) => [n, text])).toEqual([[1, '']]);
          expect(
            extractTexts(doc).some(({ text }) => /secret|hidden/.test(text)),
            '[RX3]',
          ).toBe(false);
          checkLaws(chat, doc, ledger);
        }
        expect(redactor.digest()).toBe(writer.digest());
      }),
      parameters(30),
    );
  });

  it('[LN2] the runs above met what they are about', async () => {
    await all();
    expect(Object.entries(sightings).filter(([, count]) => count === 0)).toEqual([]);
  });
});

/** What a peer without a gate can do to the lane that an attempt streams in. */
function harmLane(doc: Y.Doc, how: string, attempt: string): boolean {
  const lane = extractTexts(doc).find(({ text }) => text.slice(text.lastIndexOf('\n') + 1).includes(attempt));
  if (lane === undefined) return false;
  const rogue = new Y.Doc();
  rogue.clientID = 4_000_000_000 + doc.store.clients.size;
  Y.applyUpdate(rogue, Y.encodeStateAsUpdate(doc));
  const map = rogue.getMap('chat');
  const text = map.get(lane.key) as Y.Text;
  if (how === 'steal') {
    rogue.clientID = map._map.get(lane.key)?.id.client ?? 0;
    text.insert(text.length, 'stolen');
  } else if (how === 'delete') {
    text.delete(text.length - 2, 2);
  } else if (how === 'replace') {
    map.set(lane.key, new Y.Text(''));
  } else {
    text.insert(text.length - 1, 'foreign');
  }
  Y.applyUpdate(doc, Y.encodeStateAsUpdate(rogue), NETWORK);
  return true;
}
