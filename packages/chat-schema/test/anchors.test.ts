import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as Y from 'yjs';

import { type Anchor, anchorOf, resolveAnchor } from '../src/anchors/index.js';
import { runs } from './world.js';

function createText(content = 'one brave new world'): { doc: Y.Doc; text: Y.Text } {
  const doc = new Y.Doc();
  const text = doc.getText('text');
  text.insert(0, content);
  return { doc, text };
}

const shown = (doc: Y.Doc, anchor: unknown): string | undefined => {
  const found = resolveAnchor(doc, anchor);
  return found === undefined ? undefined : found.type.toString().slice(found.from, found.to);
};

describe('an anchor', () => {
  it('[AN1] is plain JSON, and stays at its characters while others write', () => {
    fc.assert(
      fc.property(
        fc.tuple(fc.nat(18), fc.integer({ min: 1, max: 19 })).filter(([from, to]) => from < to),
        fc.array(fc.tuple(fc.boolean(), fc.nat(), fc.integer({ min: 1, max: 4 })), { maxLength: 12 }),
        ([from, to], edits) => {
          const { doc, text } = createText();
          const anchor = anchorOf(text, from, to);
          expect(anchor).toEqual(JSON.parse(JSON.stringify(anchor)));
          expect(anchor.quote).toBe(text.toString().slice(from, to));
          // The characters by hand: those of the range, those outside of it, those written since.
          let marks: string[] = [...text.toString()].map((_, at) => (from <= at && at < to ? 'in' : 'out'));
          for (const [isInsert, place, length] of edits) {
            const at = place % (marks.length + 1);
            const count = isInsert ? length : Math.min(length, marks.length - at);
            if (isInsert) text.insert(at, 'x'.repeat(count));
            else text.delete(at, count);
            const added = isInsert ? Array.from({ length: count }, () => 'new') : [];
            marks = [...marks.slice(0, at), ...added, ...marks.slice(isInsert ? at : at + count)];
          }
          const found = resolveAnchor(doc, anchor);
          const inside = marks.slice(found?.from, found?.to);
          expect(inside).not.toContain('out');
          expect(inside.filter((mark) => mark === 'in')).toEqual(marks.filter((mark) => mark === 'in'));
          expect(found?.gone).toBe(inside.length === 0);
        },
      ),
      runs(200),
    );
  });

  it('[AN1] what is written at its edges stays out, on every replica', () => {
    const { doc, text } = createText();
    const anchor = anchorOf(text, 4, 9);
    const peer = new Y.Doc();
    Y.applyUpdate(peer, Y.encodeStateAsUpdate(doc));
    peer.getText('text').insert(9, '!');
    peer.getText('text').insert(4, '>');
    peer.getText('text').insert(0, 'and ');
    peer.getText('text').insert(10, 'ea');
    Y.applyUpdate(doc, Y.encodeStateAsUpdate(peer));
    for (const each of [doc, peer]) expect(shown(each, anchor)).toBe('bearave');
  });

  it('[AN2] is gone once its characters are, and undefined while they have not arrived', () => {
    const { doc, text } = createText();
    const anchor = anchorOf(text, 4, 9);
    text.delete(2, 9);
    expect(resolveAnchor(doc, anchor)).toMatchObject({ from: 2, to: 2, gone: true });
    expect(resolveAnchor(new Y.Doc(), anchor)).toBeUndefined();
  });

  it('[AN3] a quote is at most 200 characters, and never half of one', () => {
    const { text } = createText(`${'x'.repeat(199)}🙂${'y'.repeat(50)}`);
    expect(anchorOf(text, 0, 250).quote).toBe('x'.repeat(199));
    expect(anchorOf(text, 1, 250).quote).toBe(`${'x'.repeat(198)}🙂`);
    for (const [from, to] of [
      [3, 3],
      [4, 3],
      [-1, 2],
      [0, 252],
      [0.5, 2],
      [Number.NaN, 2],
    ] as const) {
      expect(() => anchorOf(text, from, to)).toThrowError(
        expect.objectContaining({ code: 'invalid_argument' }),
      );
    }
  });

  it('[AN4] ✗ a hostile anchor throws nowhere, and makes no root', () => {
    const { doc, text } = createText();
    doc.getMap('map').set('key', 7);
    for (const nowhere of [{ tname: 'no root' }, { type: { client: 7, clock: 0 } }, {}]) {
      expect(resolveAnchor(doc, { start: nowhere, end: nowhere })).toBeUndefined();
    }
    expect([...doc.share.keys()].sort()).toEqual(['map', 'text']);
    const client = doc.clientID;
    const id = fc.oneof(
      fc.record({ client: fc.constantFrom(client, 0, 7), clock: fc.integer({ min: -3, max: 30 }) }),
      fc.record({ client: fc.anything(), clock: fc.anything() }),
      fc.anything(),
    );
    const position = fc.oneof(
      fc.record(
        {
          type: id,
          tname: fc.constantFrom<unknown>('text', 'map', 'no root', '__proto__', 7, null),
          item: id,
          assoc: fc.anything(),
        },
        { requiredKeys: [] },
      ),
      fc.anything(),
    );
    const anchors: fc.Arbitrary<unknown> = fc.oneof(
      fc.record({ start: position, end: position }),
      fc.record({ start: fc.constant<Anchor['start']>(anchorOf(text, 4, 9).start), end: position }),
      fc.anything(),
    );
    fc.assert(
      fc.property(anchors, (anchor) => {
        const found = resolveAnchor(doc, anchor);
        if (found !== undefined) expect(found.from).toBeLessThanOrEqual(found.to);
        expect([...doc.share.keys()].sort()).toEqual(['map', 'text']);
      }),
      runs(1_000),
    );
  });
});
