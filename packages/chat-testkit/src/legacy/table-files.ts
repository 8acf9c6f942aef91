import fc from 'fast-check';
import { type LegacyFile, type LegacyRow, toBytes } from './legacy-file.js';

/** The shapes in which tables are exported. */
export const TABLE_SHAPES = ['csv', 'crlf', 'tabs', 'list', 'lines', 'rows'] as const;
export type TableShape = (typeof TABLE_SHAPES)[number];

type Columns = Readonly<Record<string, unknown>>;

function writeTable(shape: TableShape, rows: readonly Columns[]): Uint8Array {
  switch (shape) {
    case 'list':
      return toBytes(JSON.stringify(rows));
    case 'lines':
      return toBytes(rows.map((row) => JSON.stringify(row)).join('\n'));
    case 'rows':
      return toBytes(JSON.stringify({ rows }, null, 1));
    default: {
      const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
      const quote = (value: unknown): string => {
        const text =
          value === null || value === undefined
            ? ''
            : typeof value === 'object'
              ? JSON.stringify(value)
              : String(value);
        return /[",\t\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
      };
      const delimiter = shape === 'tabs' ? '\t' : ',';
      const lines = rows.map((row) => columns.map((column) => quote(row[column])).join(delimiter));
      const mark = shape === 'crlf' ? '\ufeff' : '';
      return toBytes(mark + [columns.join(delimiter), ...lines].join(shape === 'crlf' ? '\r\n' : '\n'));
    }
  }
}

const START = Date.UTC(2024, 4, 1);

const threadSpec = fc.record({
  root: fc.nat(1),
  owner: fc.constantFrom('ada', 'grace'),
  purpose: fc.constantFrom('chat', 'run', undefined),
  isActive: fc.constantFrom(true, false, 't', '0', undefined),
  gap: fc.constantFrom(0, 1, 60_000),
  name: fc.constantFrom(undefined, 'Plan', 'Plan, "A"\nB', '計画'),
  hasSession: fc.boolean(),
  used: fc.option(fc.nat(1_000_000), { nil: undefined }),
});

/** Tables of threads. */
export function relationalFiles(shape: TableShape): fc.Arbitrary<LegacyFile> {
  return fc.array(threadSpec, { minLength: 1, maxLength: 10 }).map((specs): LegacyFile => {
    let time = START;
    const rows = specs.map(
      ({ root, owner, purpose, isActive, gap, name, hasSession, used }, index): LegacyRow => {
        time += gap;
        const value = {
          row_id: index + 1,
          root_prompt_row_id: `root-${root}`,
          owner_id: owner,
          provider: 'openai',
          purpose,
          is_active: isActive,
          name,
          openai_conversation_id: hasSession ? `conv_${index}` : null,
          last_response_id: hasSession ? `resp_${index}` : null,
          last_message_at: used === undefined ? null : new Date(time + used).toISOString(),
          created_at: new Date(time).toISOString(),
          notes: index % 3 === 0 ? { extra: index } : undefined,
        };
        return { value, needs: [], shown: [] };
      },
    );
    return createFile(shape, rows);
  });
}

const messageSpec = fc.record({
  task: fc.nat(1),
  kind: fc.constantFrom('user', 'again', 'assistant', 'assistant', 'assistant', 'tool'),
  status: fc.constantFrom('complete', 'complete', 'STOPPED', 'failed', 'streaming', 'pending'),
  word: fc.constantFrom('hello', 'two\nlines', '👋', 'a, "b"', ''),
  gap: fc.constantFrom(0, 1, 1000),
});
type MessageSpec = typeof messageSpec extends fc.Arbitrary<infer T> ? T : never;

interface TaskSoFar {
  readonly first: number;
  prompt: number | undefined;
  /** That prompt each time it was sent, and the answers to it. */
  turn: number[];
}

/** Tables of messages: each answer names the last prompt of its task. */
export function taskFiles(shape: TableShape): fc.Arbitrary<LegacyFile> {
  return fc.array(messageSpec, { minLength: 1, maxLength: 12 }).map((specs): LegacyFile => {
    const tasks = new Map<number, TaskSoFar>();
    const rows: LegacyRow[] = [];
    let time = START;
    for (const [index, one] of specs.entries()) {
      time += one.gap;
      const task = tasks.get(one.task) ?? { first: index, prompt: undefined, turn: [] };
      tasks.set(one.task, task);
      rows.push(createMessageRow(one, index, time, task, rows));
    }
    return createFile(shape, rows);
  });
}

const UNFINISHED: ReadonlySet<string> = new Set(['streaming', 'pending']);

function createMessageRow(
  { task: number, kind, status, word, gap }: MessageSpec,
  index: number,
  time: number,
  task: TaskSoFar,
  rows: readonly LegacyRow[],
): LegacyRow {
  const again = kind === 'again' ? task.prompt : undefined;
  // A blank answer shows instead of an unfinished one, unless an export without either has stopped their prompt.
  const isUnfinished = task.turn.some((turn) => UNFINISHED.has(String(rows[turn]?.value['status'])));
  const text = word === '' && !isUnfinished ? '' : `${word} ${index}`;
  const before = rows[again ?? -1]?.value;
  const content = before !== undefined && gap > 0 ? before['content'] : text;
  const isAnswer = kind === 'assistant' && task.prompt !== undefined;
  const isAsked = kind === 'user' || kind === 'again';
  const value = {
    id: `m${index}`,
    taskId: `task-${number}`,
    role: isAsked ? 'user' : kind,
    content,
    status: kind === 'assistant' ? status : 'complete',
    promptMessageId: isAnswer ? `m${task.prompt}` : null,
    clientMessageId: isAsked ? (before?.['clientMessageId'] ?? `c${index}`) : null,
    sequence: index + 1,
    createdAt: new Date(time).toISOString(),
    error: kind === 'assistant' && status === 'failed' ? `boom ${index}` : null,
  };
  const needs = [task.first, ...(again !== undefined || isAnswer ? task.turn : [])];
  if (kind === 'user' || (isAsked && again === undefined)) task.turn = [];
  if (isAsked) task.prompt = index;
  if (isAsked || isAnswer) task.turn.push(index);
  return {
    value,
    needs: needs.filter((needed) => needed !== index),
    shown: typeof content === 'string' && content !== '' ? [content] : [],
  };
}

function createFile(shape: TableShape, rows: readonly LegacyRow[]): LegacyFile {
  return {
    rows,
    write: (some) =>
      writeTable(
        shape,
        some.map(({ value }) => value),
      ),
    count: (some) => some.length,
    isSet: true,
  };
}
