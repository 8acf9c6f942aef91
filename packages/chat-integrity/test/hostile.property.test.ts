import { openChat } from '@chatdoc/schema';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as Y from 'yjs';
import { runs } from '../../../tools/amounts.js';
import { createParts } from '../../../tools/parts.js';
import { check } from '../src/index.js';
import { BREAKERS } from './breakers.js';
import { header, healthyLines, idAt, jsonl, openText, stillEnvironment, THREAD } from './documents.js';

const { test, all } = createParts();
const id = fc.integer({ min: 0, max: 6 }).map((minute) => idAt(minute));
const KEYS = [
  'id',
  'message_id',
  'thread_id',
  'attempt',
  'prompt_id',
  'reply_to_message_id',
  'root_message_id',
];
const TYPES = [
  'message',
  'thread',
  'thread_config',
  'part',
  'finish',
  'stop',
  'revision',
  'activation',
  'poll',
  'lane',
];

/** Entries whose ids refer to each other at random, with fields of any type. */
const wildLine = fc
  .record({
    type: fc.constantFrom(...TYPES),
    ids: fc.array(fc.tuple(fc.constantFrom(...KEYS), id), { maxLength: 5 }),
    rest: fc.dictionary(
      fc.constantFrom(
        'slot',
        'session',
        'replaces',
        'n',
        'date',
        'expects',
        'epoch',
        'content',
        'min_reader',
        'legacy',
      ),
      fc.jsonValue(),
      { maxKeys: 4 },
    ),
  })
  .map(({ type, ids, rest }) => JSON.stringify({ type, ...Object.fromEntries(ids), ...rest }));

/** A line of a healthy or broken document, with a piece of it replaced. */
const damagedLine = fc
  .tuple(
    fc.constantFrom(...healthyLines().map((line) => JSON.stringify(line))),
    fc.nat(200),
    fc.nat(20),
    fc.string({ maxLength: 8 }),
  )
  .map(([line, at, length, text]) => line.slice(0, at) + text.replaceAll('\n', '') + line.slice(at + length));

const seen = new Set<string>();

describe('a hostile document', () => {
  test('[CK2] [CK5] never makes the check throw, change anything, or say what was written', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(wildLine, damagedLine), { maxLength: 30 }), (lines) => {
        const { chat, doc } = openText(jsonl(header('a'), [...healthyLines(), ...lines]));
        const before = Y.encodeStateVector(doc);
        for (const { rule, message } of check(chat)) {
          seen.add(rule);
          expect(message).toMatch(/^[A-Za-z0-9 ,;:.'()_]+$/);
        }
        expect(Y.encodeStateVector(doc)).toEqual(before);
      }),
      runs(60, 30),
    );
  });

  test('[CK2] never makes the check throw where a peer deletes and inserts in lanes', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(3000), fc.nat(300), fc.string()), { maxLength: 8 }), (edits) => {
        const { chat, doc } = openText(jsonl(header('a'), healthyLines()));
        const peer = new Y.Doc();
        Y.applyUpdate(peer, Y.encodeStateAsUpdate(doc));
        for (const [at, length, text] of edits) {
          const [lane] = [...peer.getMap('chat').values()] as Y.Text[];
          if (lane === undefined) continue;
          const start = at % Math.max(1, lane.length);
          lane.delete(start, Math.min(length, lane.length - start));
          lane.insert(start, text);
        }
        Y.applyUpdate(doc, Y.encodeStateAsUpdate(peer));
        for (const { rule } of check(chat)) seen.add(rule);
      }),
      runs(60, 30),
    );
  });

  it('[CK2] never makes the check throw where the map holds other things than lanes', () => {
    const doc = new Y.Doc();
    const map = doc.getMap('chat');
    map.set('number', 5);
    map.set('array', new Y.Array());
    map.set('\u001b[31m', new Y.Text('no lane at all'));
    map.set('nested', new Y.Map([['thread', THREAD]]));
    expect(() => check(openChat(doc, { environment: stillEnvironment() }))).not.toThrow();
  });

  it('[CK2] the documents above met most rules', async () => {
    await all();
    for (const { rule, open } of BREAKERS)
      if (rule === 'IN19') for (const finding of check(open().chat)) seen.add(finding.rule);
    const expected = ['IN4', 'IN9', 'IN15', 'IN17', 'IN19', 'IN20', 'IN22', 'IN23'];
    expect(expected.filter((rule) => !seen.has(rule))).toEqual([]);
  });
});
