import { check } from '@chatdoc/integrity';
import type { Message } from '@chatdoc/schema';
import { describe, expect, it } from 'vitest';
import type { MigrationPlan } from '../src/index.js';
import { importPlans } from './helpers/documents.js';
import { entriesOf, expectPlan, recordLines, toBytes } from './helpers/plans.js';

type Row = Readonly<Record<string, unknown>>;

const START = Date.UTC(2026, 2, 1);

/** The row with this number: its second tells when. */
function row(sequence: number, role: string, content: unknown, more: Row = {}): Row {
  const createdAt = new Date(START + sequence * 1000).toISOString();
  return { id: `m${sequence}`, taskId: 't', role, content, status: 'complete', sequence, createdAt, ...more };
}

const answer = (sequence: number, content: unknown, more: Row = {}): Row =>
  row(sequence, 'assistant', content, { promptMessageId: 'm1', ...more });
const ASK = row(1, 'user', 'ask');

function planOf(...messages: readonly Row[]): MigrationPlan {
  return expectPlan(toBytes(JSON.stringify({ messages })));
}

/** What a reader sees of the only thread. No error may be found in it. */
function read(...plans: readonly MigrationPlan[]): readonly Message[] {
  const chat = importPlans(...plans);
  expect(check(chat).filter(({ severity }) => severity === 'error')).toEqual([]);
  expect(chat.report().duplicates).toBe(0);
  const threads = chat.threads();
  expect(threads).toHaveLength(1);
  return threads.flatMap(({ thread_id }) => chat.messages(thread_id));
}

const contents = (messages: readonly Message[]): string[] => messages.map(({ content }) => content);
const codes = (plan: MigrationPlan): string[] => plan.problems.map(({ code }) => code);
function stateOf(plan: MigrationPlan): string | undefined {
  const chat = importPlans(plan);
  return chat.threads().map(({ thread_id }) => chat.state(thread_id).state)[0];
}

describe('TK tasks and messages', () => {
  it('[TK1] a task is a thread, its rows the messages; a row of the table of tasks names it', () => {
    const tasks = [
      { id: 't', title: 'Do it', createdAt: '2026-02-01T00:00:00.000Z', userId: 'ada', mood: 1 },
    ];
    const messages = [ASK, answer(2, 'reply'), row(3, 'system', 'note', { taskId: 'u' })];
    const plan = expectPlan(toBytes(JSON.stringify({ tasks, messages })));
    expect(plan.format).toBe('tasks');
    const chat = importPlans(plan);
    const named = chat.threads().find(({ thread_id }) => chat.config(thread_id).name === 'Do it');
    expect(named).toMatchObject({
      created_at: '2026-02-01T00:00:00.000Z',
      created_by: 'ada',
      legacy: { task_id: 't' },
    });
    expect(contents(chat.messages(named?.thread_id ?? ''))).toEqual(['ask', 'reply']);
    expect(chat.threads()).toHaveLength(2);
    expect(JSON.stringify(entriesOf(plan, 'legacy_row'))).toContain('"mood":1');
    expect(entriesOf(plan, 'message').find(({ content }) => content === 'ask')).toMatchObject({
      sender_id: 'user',
      date: '2026-03-01T00:00:01.000Z',
      legacy: { id: 'm1', sequence: 1 },
    });
  });

  it('[TK1] the sender is the author, the model of an answer, else the role', () => {
    const plan = planOf(
      row(1, 'user', 'a', { authorId: 'ada' }),
      answer(2, 'b', { model: 'gpt' }),
      row(3, 'tool', 'c'),
      row(4, '', 'd'),
    );
    expect(read(plan).map(({ sender_id }) => sender_id)).toEqual(['ada', 'gpt', 'tool', '__unknown__']);
  });

  it('[TK2] two assistants of one prompt are one answer with an alternate attempt', () => {
    const messages = read(planOf(ASK, answer(2, 'first'), answer(3, 'second')));
    expect(contents(messages)).toEqual(['ask', 'first']);
    expect(messages[1]?.alternates.map(({ content }) => content)).toEqual(['second']);
    expect(messages[1]).toMatchObject({
      prompt_id: messages[0]?.message_id,
      attempt: { finish_reason: 'stop' },
    });
    const late = read(planOf(ASK, answer(2, 'first', { createdAt: START + 9000 }), answer(3, 'second')));
    expect(late[1]).toMatchObject({ content: 'first', alternates: [{ content: 'second' }] });
  });

  it.each([
    ['failed', answer(2, '', { status: 'failed', error: 'boom' })],
    ['stopped', answer(2, 'par', { status: 'STOPPED' })],
    ['unfinished', answer(2, 'par', { status: 'streaming' })],
    ['blank', answer(2, ' ')],
  ])('[TK2] an answer after a %s one shows instead of it', (_, first) => {
    const plan = planOf(ASK, first, answer(3, 'whole'), answer(4, 'twin'));
    const [, shown] = read(plan);
    expect(shown).toMatchObject({ content: 'whole', attempt: { epoch: 2, state: 'settled' } });
    expect(shown?.alternates).toHaveLength(2);
    expect(stateOf(plan)).toBe('complete');
    const later = read(planOf(ASK, answer(2, 'whole'), { ...first, id: 'm9', sequence: 9 }));
    expect(later[1]).toMatchObject({ content: 'whole', attempt: { epoch: 1 } });
  });

  it('[TK2] a blank retry hides no text', () => {
    const [, shown] = read(planOf(ASK, answer(2, 'par', { status: 'STOPPED' }), answer(3, '')));
    expect(shown).toMatchObject({ content: 'par', alternates: [{ content: '' }] });
    const [, last] = read(planOf(ASK, answer(2, ''), answer(3, '', { status: 'failed', error: 'boom' })));
    expect(last).toMatchObject({ attempt: { epoch: 2, error: { message: 'boom' } } });
  });

  it.each(['STOPPED', 'stopped', 'cancelled'])('[TK3] %s keeps its partial content as complete', (status) => {
    const plan = planOf(ASK, answer(2, 'partial', { status }));
    expect(read(plan)[1]).toMatchObject({
      content: 'partial',
      generating: false,
      acp_interrupted: false,
      attempt: { state: 'settled', finish_reason: 'stopped' },
    });
    expect(stateOf(plan)).toBe('complete');
    const alone = planOf(row(1, 'assistant', 'partial', { status }));
    expect(entriesOf(alone, 'finish')).toMatchObject([{ finish_reason: 'stopped' }]);
    expect(contents(read(alone))).toEqual(['partial']);
  });

  it('[TK4] retries of one client id are one message, and another text is a revision', () => {
    const send = (sequence: number, content: string): Row =>
      row(sequence, 'user', content, { clientMessageId: 'c' });
    const again = [send(1, 'ask'), send(2, 'ask'), send(3, 'ask better'), send(4, 'ask better')];
    const plan = planOf(
      ...again,
      answer(5, 'one', { promptMessageId: 'm2' }),
      answer(6, 'two', { promptMessageId: 'c' }),
    );
    const messages = read(plan);
    expect(contents(messages)).toEqual(['ask better', 'one']);
    expect(messages[0]).toMatchObject({ client_message_id: 'c' });
    expect(messages[0]?.history.map(({ content }) => content)).toEqual(['ask', 'ask better']);
    expect(messages[1]?.alternates.map(({ content }) => content)).toEqual(['two']);
    expect(plan.ledger).toMatchObject({ became: 6, merged: 0 });
    const slow = { ...send(6, 'ask best'), createdAt: START };
    expect(read(planOf(send(1, 'ask'), send(5, 'ask better'), slow))).toMatchObject([
      { content: 'ask best', history: [{}, { content: 'ask better' }, { content: 'ask best' }] },
    ]);
    const other = row(2, 'user', 'ask', { clientMessageId: 'c', taskId: 'u' });
    expect(entriesOf(planOf(send(1, 'ask'), other), 'message')).toHaveLength(2);
  });

  it('[TK5] a failed answer keeps its error', () => {
    for (const error of ['boom', { message: 'boom', code: 500 }]) {
      const plan = planOf(ASK, answer(2, 'par', { status: 'failed', error }));
      const told = typeof error === 'string' ? { message: error } : error;
      expect(read(plan)[1]).toMatchObject({
        content: 'par',
        attempt: { finish_reason: 'error', error: told },
      });
      expect(stateOf(plan)).toBe('error');
    }
    const asked = planOf({ ...ASK, status: 'failed', error: 'not sent' });
    expect(JSON.stringify(entriesOf(asked, 'legacy_row'))).toContain('not sent');
  });

  it.each(['pending', 'streaming'])(
    '[TK6] an answer that is %s was interrupted: readable, and not generating',
    (status) => {
      const plan = planOf(ASK, answer(2, 'so far', { status }));
      expect(read(plan)[1]).toMatchObject({ content: 'so far', generating: false, acp_interrupted: true });
      expect(codes(plan)).toEqual(['unfinished']);
      expect(stateOf(plan)).toBe('interrupted');
      expect(read(planOf(row(1, 'assistant', 'so far', { status })))).toMatchObject([
        { content: 'so far', generating: false },
      ]);
    },
  );

  it('[TK6] a long one is interrupted after all of its text', () => {
    const content = 'é👋'.repeat(400_000);
    const [, message] = read(planOf(ASK, answer(2, content, { status: 'streaming' })));
    expect([message?.acp_interrupted, message?.content === content]).toEqual([true, true]);
  });

  it('[TK6] what goes on in a later export shows instead of what it was', () => {
    const before = planOf(ASK, answer(2, 'so', { status: 'streaming' }));
    const after = planOf(ASK, answer(2, 'so it ends'));
    for (const plans of [
      [before, after],
      [after, before],
    ]) {
      const messages = read(...plans);
      expect(contents(messages)).toEqual(['ask', 'so it ends']);
      expect(messages[1]?.alternates).toMatchObject([{ content: 'so', state: 'interrupted' }]);
    }
  });

  it('[TK7] no prompt waits for an answer once it is migrated: opening the document runs nothing', () => {
    const plan = planOf(ASK, row(2, 'user', 'nobody answers'), row(3, 'assistant', 'without a prompt'));
    const chat = importPlans(plan);
    const [thread_id = ''] = chat.threads().map((thread) => thread.thread_id);
    expect(chat.queue(thread_id)).toEqual([]);
    expect(chat.state(thread_id).state).toBe('idle');
    // Not even where a later export has the answer.
    const answered = planOf(ASK, answer(2, 'late'));
    expect(contents(read(planOf(ASK), answered))).toEqual(['ask', 'late']);
  });

  it('[TK8] messages read in the order of their numbers, an answer behind its prompt', () => {
    const rows = [4, 2, 5, 1, 3].map((sequence) =>
      row(sequence, 'tool', `${sequence}`, { createdAt: undefined }),
    );
    expect(contents(read(planOf(...rows)))).toEqual(['1', '2', '3', '4', '5']);
    const backwards = [1, 2, 3].map((sequence) =>
      row(sequence, 'tool', `${sequence}`, { createdAt: START - sequence * 1000 }),
    );
    expect(contents(read(planOf(...backwards)))).toEqual(['1', '2', '3']);
    const queued = [
      ASK,
      row(2, 'user', 'next'),
      answer(3, 'of ask'),
      answer(4, 'of next', { promptMessageId: 'm2' }),
    ];
    expect(contents(read(planOf(...queued)))).toEqual(['ask', 'of ask', 'next', 'of next']);
    const late = [{ ...ASK, createdAt: START + 9000 }, answer(2, 'reply'), row(3, 'user', 'then')];
    expect(contents(read(planOf(...late)))).toEqual(['ask', 'reply', 'then']);
    const plain = ['c', 'a', 'b'].map((content) => ({ taskId: 't', role: 'tool', content }));
    expect(contents(read(planOf(...plain)))).toEqual(['c', 'a', 'b']);
    expect(codes(planOf(...plain))).toEqual(['no_date', 'no_date', 'no_date']);
  });

  it('[TK9] the text of a row is found in any of its columns, and in lists of parts', () => {
    const texts = [
      { content: [{ type: 'text', text: 'a' }, { type: 'image', url: 'x' }, 'b'] },
      { content: '', text: 'ab' },
      { content: null, parts: [{ type: 'text', text: 'ab' }] },
      { content: { text: 'ab' } },
      { content: undefined, body: 'ab' },
    ];
    for (const more of texts) {
      const plan = planOf(row(1, 'user', '', more));
      expect(contents(read(plan))).toEqual(['ab']);
    }
    const first = planOf(row(1, 'user', '', texts[0]));
    expect(JSON.stringify(entriesOf(first, 'legacy_row'))).toContain('"url":"x"');
  });

  it('[TK10] an answer to a message that is not there is a message of its own', () => {
    const plan = planOf(ASK, answer(2, 'lost', { promptMessageId: 'gone', status: 'failed', error: 'boom' }));
    expect(contents(read(plan))).toEqual(['ask', 'lost']);
    expect(codes(plan)).toEqual(['orphan_reply']);
    expect(entriesOf(plan, 'finish')).toMatchObject([{ error: { message: 'boom' } }]);
    expect(JSON.stringify(entriesOf(plan, 'legacy_row'))).toContain('"promptMessageId":"gone"');
  });

  it('[TK10] a row without a task is reported and kept', () => {
    const { taskId: _, ...stray } = row(2, 'user', 'stray');
    const plan = planOf(ASK, stray);
    expect(plan.problems).toMatchObject([{ row: 2, code: 'missing_column' }]);
    expect(plan.ledger.rows[1]).toMatchObject({ outcome: 'set_aside', reason: 'partial' });
  });

  it('[TK11] different messages under one id are all kept', () => {
    const messages = read(planOf(row(1, 'user', 'a'), row(1, 'user', 'b', { createdAt: START + 5000 })));
    expect(messages).toMatchObject([{ content: 'b', history: [{ content: 'a' }, { content: 'b' }] }]);
    const bare = { taskId: 't', role: 'user', createdAt: START };
    expect(contents(read(planOf({ ...bare, content: 'a' }, { ...bare, content: 'b' })))).toHaveLength(2);
  });

  it('[TB1] comma-separated values give the same chat', () => {
    const rows = [ASK, answer(2, 'a "reply",\nin lines'), answer(3, 'twin', { status: 'STOPPED' })];
    const columns = ['id', 'taskId', 'role', 'content', 'status', 'sequence', 'createdAt', 'promptMessageId'];
    const quote = (value: unknown): string => `"${String(value ?? '').replaceAll('"', '""')}"`;
    const lines = rows.map((one) => columns.map((column) => quote(one[column])).join());
    const plan = expectPlan(toBytes([columns.join(), ...lines].join('\r\n')));
    expect(recordLines(plan)).toEqual(recordLines(planOf(...rows)));
  });

  it('[PL6] the earliest message names the document', () => {
    const docIds = (plan: MigrationPlan): string[] => entriesOf(plan, 'document').map(({ doc_id }) => doc_id);
    expect(docIds(planOf(ASK, answer(2, 'x'), row(3, 'user', 'more')))).toEqual(docIds(planOf(ASK)));
  });
});
