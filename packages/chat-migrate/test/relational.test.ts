import { check } from '@chatdoc/integrity';
import type { Chat, Thread } from '@chatdoc/schema';
import { deriveSlotThreadId } from '@chatdoc/schema/internal';
import { describe, expect, it } from 'vitest';
import type { MigrationPlan } from '../src/index.js';
import { importPlans } from './helpers/documents.js';
import { entriesOf, expectPlan, recordLines, toBytes, toLines } from './helpers/plans.js';

type Row = Readonly<Record<string, unknown>>;

const DAY = '2024-05-01T00:00:00.000Z';

function threadRow(row_id: unknown, more: Row = {}): Row {
  const slot = { root_prompt_row_id: 7, owner_id: 'ada', provider: 'openai', purpose: 'chat' };
  return { row_id, ...slot, is_active: true, created_at: DAY, ...more };
}

function planOf(...rows: readonly Row[]): MigrationPlan {
  return expectPlan(toBytes(JSON.stringify(rows)));
}

const codes = (plan: MigrationPlan): string[] => plan.problems.map(({ code }) => code);
const rowIds = (threads: readonly Thread[]): unknown[] => threads.map(({ legacy }) => legacy);

/** The row that is active in the slot of prompt 7. */
function activeRow(chat: Chat, purpose: 'chat' | 'run' = 'chat'): unknown {
  const slot = { root_id: '7', owner_id: 'ada', provider: 'openai', purpose };
  return chat.thread(chat.activeThread(slot) ?? '')?.legacy;
}

describe('RL relational tables of threads', () => {
  it('[RL1] a row is a thread of its slot, with name, session and dates', () => {
    const plan = planOf(
      threadRow(1, {
        name: 'Plan',
        openai_conversation_id: 'conv',
        external_session_id: 'ext',
        last_response_id: 'resp',
        last_message_at: '2024-05-02T00:00:00.000Z',
      }),
    );
    expect(plan.format).toBe('relational');
    const chat = importPlans(plan);
    const [thread] = chat.threads();
    expect(thread).toMatchObject({
      slot: { root_id: '7', owner_id: 'ada', provider: 'openai' },
      purpose: 'chat',
      created_at: DAY,
      created_by: 'ada',
      legacy: { row_id: '1' },
    });
    const { slot, purpose = 'chat', thread_id = '' } = thread ?? {};
    expect(slot && deriveSlotThreadId(slot, purpose)).toBe(thread_id);
    expect(chat.config(thread_id)).toMatchObject({
      name: 'Plan',
      session: { conversation_id: 'conv', session_id: 'ext', response_id: 'resp' },
      updated_at: '2024-05-02T00:00:00.000Z',
      updated_by: 'ada',
    });
    expect(entriesOf(plan, 'legacy_row')).toEqual([]);
    expect([plan.problems, check(chat)]).toEqual([[], []]);
  });

  it('[RL2] chat and run rows of one family are two slots, each with its own session; without a purpose it is a run', () => {
    const { purpose: _, ...old } = threadRow(2, { openai_conversation_id: 'run conv' });
    const chat = importPlans(planOf(threadRow(1, { openai_conversation_id: 'chat conv' }), old));
    expect(
      chat
        .threads()
        .map(({ purpose }) => purpose)
        .sort(),
    ).toEqual(['chat', 'run']);
    expect([activeRow(chat, 'chat'), activeRow(chat, 'run')]).toEqual([{ row_id: '1' }, { row_id: '2' }]);
    const sessions = chat.threads().map(({ thread_id }) => chat.config(thread_id).session);
    expect(sessions).toEqual(
      expect.arrayContaining([{ conversation_id: 'chat conv' }, { conversation_id: 'run conv' }]),
    );
    const strange = planOf(threadRow(3, { purpose: 'review' }));
    expect(entriesOf(strange, 'thread')).toMatchObject([{ purpose: 'run' }]);
    expect(JSON.stringify(entriesOf(strange, 'legacy_row'))).toContain('review');
  });

  it('[RL3] of several active rows of a slot the newest stays active, and the others are reported', () => {
    const rows = [
      threadRow(5, { created_at: '2024-05-03', last_message_at: '2024-05-03' }),
      threadRow(4, { created_at: '2024-05-02', last_message_at: '2024-06-01' }),
      threadRow(6, { created_at: '2024-05-04', is_active: false }),
    ];
    const plan = planOf(...rows);
    expect(plan.problems).toMatchObject([{ row: 2, code: 'several_active' }]);
    const chat = importPlans(plan);
    expect(activeRow(chat)).toEqual({ row_id: '5' });
    expect(rowIds(chat.threads())).toHaveLength(3);
    expect(check(chat)).toEqual([]);
    // Also together with an export that has only an older row.
    for (const other of [planOf(rows[1] ?? {}), planOf(rows[0] ?? {})]) {
      expect(activeRow(importPlans(plan, other))).toEqual({ row_id: '5' });
      expect(importPlans(plan, other).report().duplicates).toBe(0);
      expect(activeRow(importPlans(other, plan))).toEqual({ row_id: '5' });
    }
  });

  it('[RL3] where no row is active, the newest counts', () => {
    const rows = ['2024-05-03', '2024-05-01', '2024-05-02'].map((created_at, index) =>
      threadRow(index + 1, { created_at, is_active: 'f' }),
    );
    const plan = planOf(...rows);
    expect(entriesOf(plan, 'activation')).toEqual([]);
    expect(activeRow(importPlans(plan))).toEqual({ row_id: '1' });
  });

  it('[RL4] a session that two threads name stays with the older one', () => {
    const shared = { openai_conversation_id: 'conv' };
    const plan = planOf(
      threadRow(2, { ...shared, purpose: 'run', created_at: '2024-05-02' }),
      threadRow(1, { ...shared, name: 'Mine' }),
    );
    expect(plan.problems).toMatchObject([{ row: 1, code: 'shared_session' }]);
    const chat = importPlans(plan);
    const sessions = chat
      .threads()
      .map(({ purpose, thread_id }) => [purpose, chat.config(thread_id).session]);
    expect(Object.fromEntries(sessions)).toEqual({ chat: { conversation_id: 'conv' }, run: undefined });
    expect(JSON.stringify(entriesOf(plan, 'thread_config'))).toContain('"legacy":{"session":');
    expect(check(chat)).toEqual([]);
  });

  it('[RL5] the number of a thread depends on its own row: exports that overlap merge to their union', () => {
    const rows = ['2024-05-01', '2024-05-01', '2024-05-02', undefined].map((created_at, index) =>
      threadRow(`00000000-0000-4000-8000-00000000000${index}`, { created_at, is_active: false }),
    );
    const whole = new Set(recordLines(planOf(...rows)));
    expect(entriesOf(planOf(...rows), 'thread')).toHaveLength(4);
    for (const row of rows) for (const line of recordLines(planOf(row))) expect(whole).toContain(line);
    const two = planOf(
      threadRow(1, { created_at: undefined }),
      threadRow(1, { created_at: undefined, name: 'B' }),
    );
    expect(entriesOf(two, 'thread')).toHaveLength(1);
    expect(two.ledger.became).toBe(2);
  });

  it('[RL5] rows that hash alike in one millisecond are two threads', () => {
    const plan = planOf(...Array.from({ length: 300 }, (_, index) => threadRow(index + 1)));
    expect(entriesOf(plan, 'thread')).toHaveLength(300);
    expect(new Set(entriesOf(plan, 'thread').map(({ thread_id }) => thread_id)).size).toBe(300);
  });

  it('[RL6] a row without root prompt belongs to no slot: it is reported and kept', () => {
    const plan = planOf(threadRow(1), threadRow(2, { root_prompt_row_id: null }));
    expect(plan.problems).toMatchObject([{ row: 2, code: 'missing_column' }]);
    expect(plan.ledger.rows[1]).toMatchObject({ outcome: 'set_aside', reason: 'partial' });
    const bare = planOf({ root_prompt_row_id: 'p', provider: null, owner_id: null });
    expect(entriesOf(bare, 'thread')).toMatchObject([
      { slot: { owner_id: '__unknown__', provider: '__unknown__' }, purpose: 'run' },
    ]);
    expect(codes(bare)).toEqual(['no_date']);
  });

  it('[PL6] the oldest thread names the document', () => {
    const docIds = (plan: MigrationPlan): string[] => entriesOf(plan, 'document').map(({ doc_id }) => doc_id);
    const newer = threadRow(2, { created_at: '2024-06-01' });
    expect(docIds(planOf(newer, threadRow(1)))).toEqual(docIds(planOf(threadRow(1))));
    expect(docIds(expectPlan(toLines(newer)))).not.toEqual(docIds(planOf(threadRow(1))));
  });
});
