import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { closePeers, openPeers, type Peer, runs, scale } from './rows-world.js';

const STRINGS = 200;
const STRINGS_PER_RUN = 5;

/** What takes more than one code unit, or is escaped, or means something only together. */
const UNITS = [
  ...['😀', '👩‍👩‍👧', '🇫🇷', '👍🏽', '𝒳', '𠮷', 'e\u0301', 'ש\u05c1', 'हि', '漢', 'я', 'é', 'ﷺ'],
  ...['\ud83d', '\ude00', '\ufeff', '\u200d', '\u2028', '\0', '\n', '"', '\\', '\\u', 'u00e9', 'a', ' '],
];
const strings = fc.array(
  fc.string({ unit: fc.constantFrom(...UNITS), minLength: 12, maxLength: 18, size: 'max' }),
  { minLength: STRINGS_PER_RUN, maxLength: STRINGS_PER_RUN },
);

describe('streamed text', () => {
  let splits = 0;

  it('[HO12] split at any code unit, a piece an update, reads on the third hop as it was streamed', () => {
    fc.assert(
      fc.property(strings, (texts) => {
        const peers = openPeers(3) as [Peer, Peer, Peer];
        const [writer, , reader] = peers;
        const { thread_id } = writer.chat.createThread({ created_by: 'ada' });
        const whole: string[] = [];
        for (const text of texts) {
          for (let at = 1; at < text.length; at += 1) {
            const message = writer.chat.openMessage({ thread_id, sender_id: 'bot' });
            const part = message.openPart();
            const read = (): string | undefined => reader.chat.message(message.message_id)?.content;
            part.append(text.slice(0, at));
            if (read() !== text.slice(0, at)) expect(read()).toBe(text.slice(0, at));
            part.append(text.slice(at));
            if (read() !== text) expect(read()).toBe(text);
            part.close();
            message.finish({ finish_reason: 'stop' });
            whole.push(text);
            splits += 1;
          }
        }
        for (const { chat } of peers) {
          expect(chat.messages(thread_id).map(({ content }) => content)).toEqual(whole);
          expect(chat.digest()).toBe(writer.chat.digest());
        }
        closePeers(peers);
      }),
      runs(STRINGS / STRINGS_PER_RUN),
    );
    expect(splits).toBeGreaterThanOrEqual(scale(4500));
  });
});
