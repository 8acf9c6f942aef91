import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as Y from 'yjs';
import { runs } from '../../../tools/amounts.js';
import { createParts } from '../../../tools/parts.js';
import { check, RULES, repair } from '../src/index.js';
import type { OpenDocument } from './documents.js';
import { damage, openDamaged } from './repair-documents.js';
import { OTHER_VERSION } from './repair-version.js';

const { test, all } = createParts();
const MENDED = RULES.filter(({ repair: way }) => way !== undefined);
const answered = new Set<number>();

/** Both ways; each learns what the other wrote before. */
function sync(one: Y.Doc, other: Y.Doc): void {
  Y.applyUpdate(other, Y.encodeStateAsUpdate(one, Y.encodeStateVector(other)));
  Y.applyUpdate(one, Y.encodeStateAsUpdate(other, Y.encodeStateVector(one)));
}

describe('two versions that choose otherwise', () => {
  test('[RP8] come to rest within three rounds, after two lines at most for each thing that was wrong', () => {
    fc.assert(
      fc.property(damage, fc.boolean(), (broken, inTurn) => {
        const [one, other] = openDamaged(broken, 2) as [OpenDocument, OpenDocument];
        const wrong = check(one.chat, MENDED).reduce((sum, { count }) => sum + count, 0);
        let lines = 0;
        for (let round = 0; ; round += 1) {
          const first = repair(one.chat);
          if (inTurn) sync(one.doc, other.doc);
          const second = repair(other.chat, { rules: OTHER_VERSION });
          sync(one.doc, other.doc);
          if (!first.ok || !second.ok) throw new Error('a repair was refused');
          if (first.lines + second.lines === 0) break;
          lines += first.lines + second.lines;
          answered.add(round);
          expect(round).toBeLessThan(2);
        }
        expect(lines).toBeLessThanOrEqual(2 * wrong);
        expect(one.chat.digest()).toBe(other.chat.digest());
      }),
      runs(5000, 200),
    );
  });

  it('[RP8] the documents above had something to repair', async () => {
    await all();
    expect(answered.has(0)).toBe(true);
  });
});
