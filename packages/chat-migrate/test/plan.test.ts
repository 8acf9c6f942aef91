import { describe, expect, it } from 'vitest';
import { detectFormat, type MigrationPlan, planMigration, summarize } from '../src/index.js';
import { entriesOf, expectPlan, readFixture, recordLines, toBytes, toLines } from './helpers/plans.js';

const ROW = { date: 1000, event: 'chat', sender_id: 'ada', payload: { content: 'hello' } };

function jupyter(...messages: readonly Record<string, unknown>[]): Uint8Array {
  const rows = messages.map((message) => ({ id: 'm', time: 1, sender: 'u', ...message }));
  return toBytes(JSON.stringify({ messages: rows, metadata: { id: 'c' }, users: {} }));
}

/** Lines that the earlier plan has and the later one has not. */
function lostLines(earlier: Uint8Array, later: Uint8Array): readonly string[] {
  const known = new Set(recordLines(expectPlan(later)));
  return recordLines(expectPlan(earlier)).filter((line) => !known.has(line));
}

function history(...contents: readonly string[]): Record<string, unknown> {
  const versions = contents.map((content, index) => ({ author_id: 'ada', content, date: 1000 + index }));
  return { date: 1000, event: 'chat', sender_id: 'ada', history: versions.reverse() };
}

describe('PL plan', () => {
  it('[PL1] entries stand in one order: document, threads, settings, messages with what is theirs, the rest', () => {
    const plan = expectPlan(readFixture('cocalc-2026.chat'));
    const types = plan.entries.map(({ type }) => type);
    expect(types.filter((type, index) => type !== types[index - 1])).toEqual([
      'document',
      'thread',
      'thread_config',
      'thread_state',
      'message',
      'finish',
      'legacy_row',
    ]);
    const deleted = expectPlan(readFixture('jupyter-2025.chat')).entries;
    const at = deleted.findIndex(({ type }) => type === 'revision');
    const [message, revision] = deleted.slice(at - 1, at + 1);
    expect(message).toMatchObject({ type: 'message' });
    expect(revision).toMatchObject({ message_id: message?.type === 'message' ? message.message_id : '' });
  });

  it('[PL3] editing, deleting and renaming add lines', () => {
    expect(lostLines(toLines(history('a')), toLines(history('a', 'b', '')))).toEqual([]);
    expect(lostLines(toLines(history('a', '')), toLines(history('a', '', 'c')))).toEqual([]);
    const folded = toLines({ ...history('a'), folding: ['ada'], name: 'New' });
    expect(lostLines(toLines(history('a')), folded)).toEqual([]);
    const renamed = lostLines(toLines({ ...history('a'), name: 'Old' }), folded);
    expect(renamed.map((line) => JSON.parse(line).type)).toEqual(['thread_config']);
  });

  it('[PL3] a tool call that goes on is another line of the same part, later than what it was', () => {
    const call = { tool_call_id: 't', title: 'ls', status: 'in_progress' };
    const plans = [call, { ...call, status: 'completed', raw_output: 'a' }].map((tool) =>
      expectPlan(jupyter({ body: '', metadata: { tool_calls: [tool] } })),
    );
    const [before, after] = plans.map((plan) => entriesOf(plan, 'part')[0]);
    expect(before?.part_id).toBe(after?.part_id);
    expect(Number(after?.n)).toBeGreaterThan(Number(before?.n));
    const messages = plans.map((plan) =>
      recordLines(plan).filter((line) => line.startsWith('{"type":"message"')),
    );
    expect(messages[0]).toEqual(messages[1]);
  });

  it('[PL4] rows of one millisecond and sender are all kept', () => {
    const rows = ['a', 'b', 'c'].map((content) => ({ ...ROW, payload: { content } }));
    const plan = expectPlan(toLines(...rows));
    expect(
      entriesOf(plan, 'message')
        .map(({ content }) => content)
        .sort(),
    ).toEqual(['a', 'b', 'c']);
    const alone = rows.flatMap((row) => entriesOf(expectPlan(toLines(row)), 'message'));
    expect(alone.map(({ message_id }) => message_id).sort()).toEqual(
      entriesOf(plan, 'message').map(({ message_id }) => message_id),
    );
  });

  it('[PL4] rows equal in all that never changes are counted, equal rows merged', () => {
    const rows = [history('a', 'b'), history('a', 'c'), history('a', 'b')];
    const plan = expectPlan(toLines(...rows));
    expect(new Set(entriesOf(plan, 'message').map(({ message_id }) => message_id)).size).toBe(2);
    expect(
      entriesOf(plan, 'revision')
        .map(({ content }) => content)
        .sort(),
    ).toEqual(['b', 'c']);
    expect(plan.ledger).toMatchObject({ became: 2, merged: 1 });
    expect(expectPlan(toLines(...rows.reverse())).jsonl).not.toBe('');
  });

  it('[PL4] different jupyter messages under one id are all kept', () => {
    const plan = expectPlan(jupyter({ body: 'a' }, { body: 'b' }, { body: 'a' }));
    expect(
      entriesOf(plan, 'message')
        .map(({ content }) => content)
        .sort(),
    ).toEqual(['a', 'b']);
    expect(plan.ledger.merged).toBe(1);
  });

  it('[PL5] one writer for all migrations, a lane for each content', () => {
    const headers = [readFixture('cocalc-a.chat'), readFixture('jupyter-2025.chat')].map((bytes) =>
      JSON.parse(expectPlan(bytes).jsonl.split('\n')[0] ?? ''),
    );
    expect(headers[0].writer_id).toBe(headers[1].writer_id);
    expect(headers[0].lane_id).not.toBe(headers[1].lane_id);
  });

  it('[PL6] the document is named by what does not change', () => {
    const docIds = (plan: MigrationPlan): string[] => entriesOf(plan, 'document').map(({ doc_id }) => doc_id);
    const [first, later] = [expectPlan(toLines(ROW)), expectPlan(toLines({ ...ROW, date: 2000 }, ROW))];
    expect(docIds(first)).toEqual(docIds(later));
    expect(entriesOf(first, 'document')[0]?.id).not.toBe(entriesOf(later, 'document')[0]?.id);
    expect(entriesOf(later, 'document')[0]?.migrated_from).toEqual({ format: 'cocalc', rows: 2 });
    expect(docIds(expectPlan(jupyter({ body: 'a' })))).toEqual(
      docIds(expectPlan(jupyter({ body: 'b', time: 9 }))),
    );
    const video = { event: 'start_video', date: 500, sender_id: 'ada' };
    expect(docIds(expectPlan(toLines(video)))).toEqual(docIds(expectPlan(toLines(ROW, video))));
    const draft = { event: 'draft', date: 0, input: 'x', sender_id: 'ada' };
    expect(docIds(expectPlan(toLines(draft)))).toEqual([]);
    expect(docIds(expectPlan(toLines(draft, ROW)))).toEqual(docIds(first));
  });

  it('[PL7] what cannot be planned is a value', () => {
    const code = (bytes: Uint8Array): string => {
      const result = planMigration(bytes);
      return result.ok ? 'ok' : result.code;
    };
    expect(code(toLines({ type: 'lane', lane_id: 'x' }))).toBe('already_chatdoc');
    const torn = toBytes('{"messages": [');
    expect(planMigration(torn)).toEqual({
      ok: false,
      code: 'unknown_format',
      message: detectFormat(torn).reason,
    });
    expect(code(new Uint8Array(192 * 1024 * 1024 + 1))).toBe('too_large');
  });

  it('[PL9] a summary counts', () => {
    expect(summarize(expectPlan(readFixture('cocalc-damaged.chat')))).toEqual({
      format: 'cocalc',
      rows: 14,
      became: 8,
      merged: 1,
      threads: 1,
      messages: 8,
      revisions: 0,
      parts: 0,
      set_aside: { not_a_row: 3, not_json: 2 },
      problems: {
        bad_history: 1,
        bad_reply_to: 1,
        date_without_zone: 1,
        no_date: 3,
        not_a_row: 3,
        not_json: 2,
      },
    });
  });

  it('[PL10] an empty file is an empty lane', () => {
    const plan = expectPlan(new Uint8Array());
    expect([plan.format, plan.entries, plan.ledger.rows]).toEqual(['empty', [], []]);
    expect(plan.jsonl.split('\n')).toHaveLength(2);
  });
});
