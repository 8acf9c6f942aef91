import { describe, expect, it } from 'vitest';
import { planMigration } from '../src/index.js';
import { listSamples, openPlans } from './helpers/import-samples.js';
import { entriesOf, expectPlan, toLines } from './helpers/plans.js';

const SECRET = 'sk-abcdefghijklmnopqrstuvwx';
const PICTURE = 'iVBORw0KGgo'.repeat(200);

function prompt(uuid: string, content: unknown, parentUuid: string | null = null): unknown {
  const timestamp = '2026-05-04T10:00:01.000Z';
  return { type: 'user', uuid, parentUuid, sessionId: 's', timestamp, message: { role: 'user', content } };
}

describe('IM details', () => {
  it('[IM5] a picture is its type, size and hash', () => {
    const image = { type: 'image', source: { type: 'base64', media_type: 'image/png', data: PICTURE } };
    const plan = expectPlan(toLines(prompt('u', [{ type: 'text', text: 'Look' }, image, image])));
    expect(plan.jsonl).not.toContain(PICTURE.slice(0, 40));
    const data = { omitted: true, type: 'image/png', size: 1650 };
    const files = entriesOf(plan, 'part').map((part) => part.data);
    expect(files).toEqual([expect.objectContaining(data), expect.objectContaining(data)]);
  });

  it('[IM6] a key is reported by its row, stays in the text, and is in no problem', () => {
    const plan = expectPlan(toLines(prompt('u', `My key is ${SECRET}`), `{"torn ${SECRET}`, `["${SECRET}"]`));
    expect(plan.problems.map(({ row, code }) => [row, code])).toEqual([
      [1, 'possible_secret'],
      [2, 'not_json'],
      [3, 'not_a_row'],
    ]);
    expect(JSON.stringify(plan.problems)).not.toContain(SECRET);
    expect(openPlans(plan).messages(openPlans(plan).threads()[0]?.thread_id ?? '')[0]?.content).toContain(
      SECRET,
    );
    expect(JSON.stringify(planMigration(toLines(`{"torn ${SECRET}`)))).not.toContain(SECRET);
  });

  it('[IM3] what a model says after its answer had ended is a message of its own', () => {
    const said = (uuid: string, parentUuid: string, text: string): unknown => ({
      type: 'assistant',
      uuid,
      parentUuid,
      sessionId: 's',
      timestamp: '2026-05-04T10:00:02.000Z',
      message: {
        id: uuid,
        model: 'm',
        content: [{ type: 'text', text }],
        stop_reason: 'end_turn',
        usage: { input_tokens: 1 },
      },
    });
    const lines = [prompt('u', 'Go'), said('a', 'u', 'Done.'), said('b', 'a', 'The build is over, too.')];
    const chat = openPlans(expectPlan(toLines(...lines.slice(0, 2))), expectPlan(toLines(...lines)));
    const [thread] = chat.threads();
    const texts = chat.messages(thread?.thread_id ?? '').map(({ content }) => content);
    expect(texts).toEqual(['Go', 'Done.', 'The build is over, too.']);
  });

  it('[IM1] there are samples of every format', () => {
    const formats = new Set(listSamples().map((sample) => sample.split('/')[0]));
    expect([...formats].sort()).toEqual([
      'chatgpt',
      'claude-ai',
      'claude-code',
      'codex',
      'librechat',
      'open-webui',
    ]);
  });
});
