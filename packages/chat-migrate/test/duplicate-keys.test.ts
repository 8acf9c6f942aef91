import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { runs } from '../../../tools/amounts.js';
import { repeatsKey } from '../src/source/json-walk.js';
import { importPlans } from './helpers/documents.js';
import { entriesOf, expectPlan, toBytes } from './helpers/plans.js';

const version = (content: string): string =>
  `[{"author_id":"u","content":"${content}","date":"2026-04-20T10:00:00.000Z"}]`;
const COCALC = `{"event":"chat","sender_id":"u","date":"2026-04-20T10:00:00.000Z","history":${version('FIRST')},"history":${version('SECOND')}}`;
const JUPYTER = '{"messages":[{"id":"m","type":"msg","time":1,"sender":"u","body":"FIRST","body":"SECOND"}]}';
const TASKS = '[{"taskId":"t","id":"1","role":"user","text":"FIRST","text":"SECOND"}]';

describe('RW rows with one key twice', () => {
  it.each([COCALC, JUPYTER, TASKS])(
    '[RW23] %s: the last value shows, the first is kept and reported',
    (text) => {
      const plan = expectPlan(toBytes(text));
      expect(plan.problems.filter(({ code }) => code === 'duplicate_key')).toMatchObject([{ row: 1 }]);
      const chat = importPlans(plan);
      const shown = chat
        .threads()
        .flatMap(({ thread_id }) => chat.messages(thread_id).map(({ content }) => content));
      expect(shown).toEqual(['SECOND']);
      expect(JSON.stringify(entriesOf(plan, 'legacy_row'))).toContain('FIRST');
    },
  );

  it('[RW23] a key is found twice at any depth, and never where it is not', () => {
    const texts = fc.oneof(fc.string(), fc.constantFrom('":', '"a":1', '\\":'));
    const value = fc.object({ key: texts, values: [texts, fc.integer(), fc.boolean()], maxDepth: 3 });
    fc.assert(
      fc.property(value, (object) => {
        const json = JSON.stringify(object);
        expect(repeatsKey(JSON.parse(json), json)).toBe(false);
        const twice = `{"x":[${json},{"k" : 1, "\\u006b":${json}}]}`;
        expect(repeatsKey(JSON.parse(twice), twice)).toBe(true);
      }),
      runs(300),
    );
  });
});
