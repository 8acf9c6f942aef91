import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openChat } from '../src/index.js';
import { idAt } from './raw.js';
import { createReplica, runs } from './world.js';

describe('pages of a thread', () => {
  it('[RD9] a page is a slice of the list, however the thread has grown', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.boolean(), fc.nat(), fc.constantFrom('none', 'reply', 'root')), {
          maxLength: 30,
        }),
        fc.array(fc.tuple(fc.nat(40), fc.constantFrom('before', 'after', 'around', 'last'), fc.nat(12))),
        (steps, looks) => {
          const { doc, chat } = createReplica();
          const { thread_id } = chat.createThread({ created_by: 'ada' });
          const ids: string[] = [];
          for (const [asks, at, kind] of steps) {
            const target = kind === 'reply' ? ids[at % Math.max(1, ids.length)] : undefined;
            const { message_id } = chat.send({
              thread_id,
              sender_id: 'ada',
              content: `${ids.length}`,
              ...(asks && { expects: 'answer' as const }),
              ...(target !== undefined && { reply_to_message_id: target }),
            });
            ids.push(message_id);
          }
          for (const reader of [chat, openChat(doc)]) {
            const count = reader.messageCount(thread_id);
            for (const [at, kind, limit] of looks) {
              // Pages first: they must not need the whole list to be there.
              const list = chat.messageIds(thread_id);
              const anchor = list[at];
              const range = kind === 'last' || anchor === undefined ? { limit } : { limit, [kind]: anchor };
              const page = reader.messages(thread_id, range);
              const pageIds = reader.messageIds(thread_id, range);
              const from = pageIds[0] === undefined ? 0 : list.indexOf(pageIds[0]);
              expect(pageIds).toEqual(list.slice(from, from + pageIds.length));
              expect(page).toEqual(pageIds.map((id) => reader.message(id)));
              expect(reader.messages(thread_id, range)).toBe(page);
              expect(page.length).toBe(
                expectedLength(kind === 'last' ? undefined : anchor, kind, at, limit, list.length),
              );
            }
            expect(count).toBe(reader.messages(thread_id).length);
          }
        },
      ),
      runs(200),
    );
  });

  function expectedLength(
    anchor: string | undefined,
    kind: string,
    at: number,
    limit: number,
    size: number,
  ): number {
    if (anchor === undefined) return Math.min(limit, size);
    if (kind === 'before') return Math.min(limit, at);
    if (kind === 'after') return Math.min(limit, size - at - 1);
    return Math.min(limit, size);
  }

  it('[RD9] a message that the thread does not have gives an empty page, a wrong range throws', () => {
    const { chat } = createReplica();
    const { thread_id } = chat.createThread({ created_by: 'ada' });
    const { message_id } = chat.send({ thread_id, sender_id: 'ada', content: 'x' });
    expect(chat.messages(thread_id, { limit: 5, before: idAt(1) })).toEqual([]);
    expect(chat.messageIds(idAt(2), { limit: 5 })).toEqual([]);
    for (const range of [
      { limit: -1 },
      { limit: 1.5 },
      { limit: 1, before: message_id, after: message_id },
      null,
    ]) {
      expect(() => chat.messages(thread_id, range as { limit: number })).toThrow(/range/);
    }
  });

  it('[RD9] a page stays the same array until something in it changes', () => {
    const { chat } = createReplica();
    const { thread_id } = chat.createThread({ created_by: 'ada' });
    const ids = Array.from(
      { length: 9 },
      (_, i) => chat.send({ thread_id, sender_id: 'ada', content: `${i}` }).message_id,
    );
    const page = chat.messages(thread_id, { limit: 3 });
    chat.edit({ message_id: ids[0] ?? '', author_id: 'ada', content: 'edited' });
    expect(chat.messages(thread_id, { limit: 3 })).toBe(page);
    chat.edit({ message_id: ids[8] ?? '', author_id: 'ada', content: 'edited' });
    const next = chat.messages(thread_id, { limit: 3 });
    expect(next).not.toBe(page);
    expect(next[0]).toBe(page[0]);
  });
});
