import type { Chat } from '@chatdoc/schema';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { runs } from '../../../tools/amounts.js';
import { createParts } from '../../../tools/parts.js';
import { check, type RepairResult, RULES, repair } from '../src/index.js';
import type { OpenDocument } from './documents.js';
import { bytesOf, damage, openDamaged } from './repair-documents.js';

const { test, all } = createParts();
/** Many small documents, each broken in several ways. `repair.property.test.ts` has the long ones. */

const MENDED = RULES.filter(({ repair: way }) => way !== undefined);
const AT_REST: RepairResult = { ok: true, actions: [], lines: 0 };
const met = new Set<string>();

/** What a repair said, and the updates that it wrote. */
function record({ chat, doc }: OpenDocument): { result: RepairResult; updates: readonly string[] } {
  const updates: string[] = [];
  const note = (update: Uint8Array): void => void updates.push(Buffer.from(update).toString('base64'));
  doc.on('update', note);
  const result = repair(chat);
  doc.off('update', note);
  return { result, updates };
}

/** Every text that somebody wrote, with how it shows. */
function readContents(chat: Chat): ReadonlySet<string> {
  const contents = new Set<string>();
  for (const id of chat.inspector.subjects('message')) {
    const message = chat.message(id);
    if (message !== undefined) contents.add(`${id} ${JSON.stringify(message.history)}`);
  }
  return contents;
}

describe('a repair of a document that is broken in several ways', () => {
  test('[RP1] [RP6] writes the same bytes on each replica, none the second time, and loses no text', () => {
    fc.assert(
      fc.property(damage, (broken) => {
        const [one, other] = openDamaged(broken, 2) as [OpenDocument, OpenDocument];
        const before = readContents(one.chat);
        const repaired = record(one);
        if (repaired.result.ok) for (const { rule } of repaired.result.actions) met.add(rule);
        expect(record(other)).toEqual(repaired);
        expect(bytesOf(other.doc)).toBe(bytesOf(one.doc));
        expect(record(one)).toEqual({ result: AT_REST, updates: [] });
        const after = readContents(one.chat);
        expect([...before].filter((content) => !after.has(content))).toEqual([]);
        expect(check(one.chat, MENDED)).toEqual([]);
      }),
      runs(5000, 250),
    );
  });

  it('[RP1] the documents above met every repair', async () => {
    await all();
    expect(MENDED.map(({ id }) => id).filter((id) => !met.has(id))).toEqual([]);
  });
});
