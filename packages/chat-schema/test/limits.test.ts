import { describe, expect, it } from 'vitest';
import { isDue } from '../../../tools/amounts.js';
import { type AttemptWriter, ChatDocError, type Message } from '../src/index.js';
import {
  answer,
  ask,
  bytesOf,
  createReplica,
  expectSame,
  header,
  idAt,
  messageLine,
  present,
  replicaOf,
  threadLine,
} from './world.js';

const T = idAt(0, 'thread');

/** An answer that `write` has written to; everything about it must read on every replica. */
function writeAnswer(write: (writer: AttemptWriter) => void): Message {
  const { doc, chat } = createReplica();
  const { thread_id } = chat.createThread({ created_by: 'ada' });
  const writer = answer(chat, ask(chat, thread_id).message_id);
  write(writer);
  expect(chat.quarantine().map(({ reason }) => reason)).toEqual([]);
  expectSame([{ doc, chat }], { copies: false });
  return present(chat.message(writer.message_id));
}

describe('limits', () => {
  it('[LN7] a line may have 4,194,304 code units and not one more', () => {
    const pad = (id: string, length: number): string => {
      const empty = messageLine(id, T, { legacy: '' });
      return messageLine(id, T, { legacy: 'x'.repeat(length - empty.length) });
    };
    const { chat } = replicaOf([header(), threadLine(T), pad(idAt(1), 4_194_304), pad(idAt(2), 4_194_305)]);
    expect(chat.messageIds(T)).toEqual([idAt(1)]);
    expect(chat.quarantine().map(({ reason }) => reason)).toEqual(['too_long']);
  });

  const long = {
    plain: 'x'.repeat(4_200_000),
    'all escapes': '\u0001'.repeat(700_000),
    emoji: '🎉'.repeat(350_000),
  };
  for (const [name, text] of Object.entries(long).filter((_, index) => isDue(index))) {
    it(`[LN2] ${name}: text of any length reads back equal, streamed in one piece`, () => {
      const appended = writeAnswer((writer) => writer.openPart().append(text));
      expect(appended.content === text, `${appended.content.length} of ${text.length}`).toBe(true);
      expect(appended.problem).toBeUndefined();
      const closed = writeAnswer((writer) => writer.openPart().close(text));
      expect(closed.content === text, `${closed.content.length} of ${text.length}`).toBe(true);
      expect(closed.problem).toBeUndefined();
    });

    it(`[RD5] ${name}: a part, an end or a message whose line is too long is refused, or read back`, () => {
      const { doc, chat } = createReplica();
      const { thread_id } = chat.createThread({ created_by: 'ada' });
      const writer = answer(chat, ask(chat, thread_id).message_id);
      for (const write of [
        () => writer.addPart({ kind: 'text', text }),
        () => writer.addPart({ kind: 'tool_call', output: text }),
        () => chat.openMessage({ thread_id, sender_id: 'ada', legacy: text }),
        () => chat.setVariables({ scope: 'user', scope_id: 'ada', values: { text } }),
        () => writer.finish({ finish_reason: 'error', error: { text } }),
      ]) {
        const before = bytesOf(doc);
        try {
          write();
        } catch (error) {
          expect(error).toBeInstanceOf(ChatDocError);
          expect(bytesOf(doc) === before, 'nothing is written').toBe(true);
        }
      }
      expect(chat.quarantine().map(({ reason }) => reason)).toEqual([]);
      expect(chat.messages(thread_id).map(({ problem }) => problem)).toEqual(
        chat.messages(thread_id).map(() => undefined),
      );
    });
  }
});
