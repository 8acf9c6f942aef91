import { describe, expect, it } from 'vitest';
import { detectFormat, type MigrationPlan } from '../src/index.js';
import { entriesOf, expectPlan, recordLines, toBytes, toLines } from './helpers/plans.js';

const COLUMNS = [
  'row_id',
  'root_prompt_row_id',
  'owner_id',
  'provider',
  'purpose',
  'is_active',
  'name',
  'created_at',
];
const CREATED = '2024-05-01T10:00:00.000Z';
const ROWS = [
  ['1', '7', 'ada', 'openai', 'chat', 'true', 'Plan, "A"\nand B', CREATED],
  ['2', '7', 'ada', 'openai', 'run', 'false', '', '2024-05-02T10:00:00.000Z'],
];
const OBJECTS = ROWS.map((row) =>
  Object.fromEntries(row.map((value, index) => [COLUMNS[index] ?? '', value])),
);

function toCsv(delimiter: string, newline: string, ...rows: readonly (readonly string[])[]): string {
  const quote = (field: string): string =>
    /[",;|\s]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field;
  return rows.map((row) => row.map(quote).join(delimiter)).join(newline);
}

const planOf = (text: string): MigrationPlan => expectPlan(toBytes(text));
const CSV = toCsv(',', '\n', COLUMNS, ...ROWS);
const EXPECTED = planOf(JSON.stringify(OBJECTS));

describe('TB tables', () => {
  it.each([
    ['lines', OBJECTS.map((row) => JSON.stringify(row)).join('\n')],
    ['rows', JSON.stringify({ rows: OBJECTS })],
    ['a table by its name', JSON.stringify({ agent_threads: OBJECTS }, null, 2)],
    [
      'other keys first',
      JSON.stringify(OBJECTS.map((row) => Object.fromEntries(Object.entries(row).reverse()))),
    ],
    [
      'camel case',
      JSON.stringify(OBJECTS).replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()),
    ],
    ['comma-separated', CSV],
    ['semicolons', toCsv(';', '\n', COLUMNS, ...ROWS)],
    ['tabs', toCsv('\t', '\n', COLUMNS, ...ROWS)],
    ['a mark, CRLF and a last newline', `\ufeff${toCsv(',', '\r\n', COLUMNS, ...ROWS)}\r\n`],
    ['blank lines', CSV.replaceAll('Z\n2', 'Z\n\n \n2')],
    [
      'upper case and another order',
      toCsv(
        ',',
        '\n',
        ...[COLUMNS.map((name) => name.toUpperCase()), ...ROWS].map((row) => [...row].reverse()),
      ),
    ],
    [
      'spaces in the header',
      toCsv(
        ',',
        '\n',
        COLUMNS.map((name) => ` ${name.replaceAll('_', ' ')} `),
        ...ROWS,
      ),
    ],
  ])('[TB1] %s give the same chat', (_, text) => {
    const plan = planOf(text);
    expect(recordLines(plan)).toEqual(recordLines(EXPECTED));
    expect(plan.problems).toEqual([]);
    expect(plan.ledger).toMatchObject({ became: 2, merged: 0, set_aside: 0 });
  });

  it('[TB1] one row is a table, as a line and as a document over many', () => {
    for (const text of [JSON.stringify(OBJECTS[0]), JSON.stringify(OBJECTS[0], null, 2)])
      expect(entriesOf(planOf(text), 'thread')).toHaveLength(1);
    const [header = ''] = CSV.split('\n');
    expect(planOf(header)).toMatchObject({ format: 'relational', ledger: { rows: [] } });
  });

  it('[TB2] a row stands on the line where its record begins', () => {
    expect(planOf(CSV).ledger.rows.map(({ line }) => line)).toEqual([2, 4]);
    const json = planOf(JSON.stringify({ version: 3, rows: OBJECTS }, null, 1));
    expect(json.ledger.rows.map(({ line, path }) => [line, path])).toEqual([
      [2, 'version'],
      [4, 'rows/0'],
      [14, 'rows/1'],
    ]);
  });

  it('[TB3] a record whose quotes do not pair up is one problem, and the rows after it are read', () => {
    const [header = '', ...lines] = [
      CSV.split('\n')[0],
      ROWS[1]?.join(','),
      '3,"7,ada,openai',
      ROWS[1]?.join(',').replace('2', '4'),
      '5,7,a"da,openai',
    ];
    const plan = planOf([header, ...lines, '6,"7,ada'].join('\n'));
    expect(entriesOf(plan, 'thread')).toHaveLength(3);
    expect(plan.problems.map(({ line, code, raw }) => [line, code, raw])).toEqual([
      [3, 'not_json', '3,"7,ada,openai'],
      [5, 'no_date', undefined],
      [6, 'not_json', '6,"7,ada'],
    ]);
    const many = planOf(
      [header, ...Array.from({ length: 400 }, (_, index) => `${index},"7,ada`), ...lines].join('\n'),
    );
    expect(entriesOf(many, 'thread')).toHaveLength(3);
    expect(many.ledger.rows).toHaveLength(404);
  });

  it('[TB3] after a hundred such records each line is read by itself', () => {
    const [header = ''] = CSV.split('\n');
    const bad = Array.from({ length: 101 }, (_, index) => `${index},"7,ada`);
    const plan = planOf([header, ...bad, '8,9,ada,openai,run,f,"two', 'lines",', ROWS[1]?.join()].join('\n'));
    expect(entriesOf(plan, 'thread')).toHaveLength(1);
    const few = planOf([header, ...bad.slice(50), '8,9,ada,openai,run,f,"two', 'lines",'].join('\n'));
    expect(entriesOf(few, 'thread_config')).toMatchObject([{ name: 'two\nlines' }]);
  });

  it('[TB2] marks and returns within a file belong to no value', () => {
    const [header = ''] = ['root_prompt_row_id,provider,row_id,name'];
    const plan = planOf([header, '6,"x', '\ufeff7,openai,1,one', '7,openai,2,two', ''].join('\r\n'));
    expect(
      entriesOf(plan, 'thread_config')
        .map(({ name }) => name)
        .sort(),
    ).toEqual(['one', 'two']);
    expect(plan.ledger.rows.map(({ line }) => line)).toEqual([2, 3, 4]);
    expect(entriesOf(plan, 'thread').map(({ slot }) => slot?.root_id)).toContain('7');
  });

  it('[TB1] of two columns that read alike the first counts, and the other is kept', () => {
    const plan = planOf(JSON.stringify([{ ...OBJECTS[0], rowId: '99' }]));
    expect(entriesOf(plan, 'thread')).toMatchObject([{ legacy: { row_id: '1' } }]);
    expect(JSON.stringify(entriesOf(plan, 'legacy_row'))).toContain('"rowId":"99"');
  });

  it('[TB3] a record of another length keeps all its fields', () => {
    const plan = planOf(`${COLUMNS.join()}\n1,7,ada\n2,7,ada,openai,run,f,n,${CREATED},more,and more`);
    expect(entriesOf(plan, 'thread')).toHaveLength(2);
    const kept = JSON.stringify(entriesOf(plan, 'legacy_row'));
    expect(kept).toContain('"column 10":"and more","column 9":"more"');
    const twice = planOf('root_prompt_row_id,provider,note,,note\n7,openai,a,b,c');
    expect(JSON.stringify(entriesOf(twice, 'legacy_row'))).toContain(
      '"column 4":"b","column 5":"c","note":"a"',
    );
  });

  it('[TB4] an id is the same as a number, as digits and as a UUID in either case', () => {
    const uuid = 'aaaaaaaa-0000-4000-8000-00000000000f';
    const lines = (row: Record<string, unknown>): readonly string[] =>
      recordLines(planOf(JSON.stringify([{ ...OBJECTS[0], ...row }])));
    expect(lines({ row_id: 1, root_prompt_row_id: 7 })).toEqual(lines({}));
    expect(lines({ owner_id: uuid.toUpperCase() })).toEqual(lines({ owner_id: uuid }));
    const long = JSON.stringify([OBJECTS[0]]).replace('"row_id":"1"', '"row_id":12345678901234567891');
    expect(entriesOf(planOf(long), 'thread')[0]?.legacy).toEqual({ row_id: '12345678901234567891' });
    expect(JSON.stringify(entriesOf(planOf(long), 'legacy_row'))).toContain('12345678901234567891');
  });

  it.each([
    ...[true, 1, '1', 't', 'T', 'true', 'TRUE', 'yes'].map((value) => [value, 1] as const),
    ...[false, 0, '0', 'f', 'false', 'no', null, '', '\\N'].map((value) => [value, 0] as const),
  ])('[TB4] %j as a flag', (value, count) => {
    const plan = planOf(JSON.stringify([{ ...OBJECTS[0], is_active: value }]));
    expect(entriesOf(plan, 'activation')).toHaveLength(count);
    const unnamed = planOf(JSON.stringify([{ ...OBJECTS[0], name: '\\N' }]));
    expect(entriesOf(unnamed, 'thread_config')).toEqual([]);
    const odd = planOf(JSON.stringify([{ ...OBJECTS[0], is_active: 'maybe' }]));
    expect(JSON.stringify(entriesOf(odd, 'legacy_row'))).toContain('"is_active":"maybe"');
  });

  it.each([
    CREATED,
    '2024-05-01 10:00:00+00',
    '2024-05-01 10:00:00.000000+00:00',
    '2024-05-01T12:00:00+0200',
    '2024-05-01 10:00 UTC',
    1714557600,
    '1714557600',
    1714557600.0,
    1714557600000,
    1714557600000000,
  ])('[TB5] %j is one time', (created_at) => {
    const plan = planOf(JSON.stringify([{ ...OBJECTS[0], created_at }]));
    expect(entriesOf(plan, 'thread')).toMatchObject([{ created_at: CREATED }]);
    expect([plan.problems, entriesOf(plan, 'legacy_row')]).toEqual([[], []]);
  });

  it('[TB5] a time without a zone is UTC and reported, one finer than milliseconds is also kept', () => {
    const plan = planOf(JSON.stringify([{ ...OBJECTS[0], created_at: '2024-05-01 10:00:00.123456' }]));
    expect(entriesOf(plan, 'thread')).toMatchObject([{ created_at: '2024-05-01T10:00:00.123Z' }]);
    expect(plan.problems).toMatchObject([{ code: 'date_without_zone' }]);
    expect(JSON.stringify(entriesOf(plan, 'legacy_row'))).toContain('10:00:00.123456');
    const bad = planOf(JSON.stringify([{ ...OBJECTS[0], created_at: 'infinity' }]));
    expect(bad.problems).toMatchObject([{ code: 'no_date' }]);
    expect(JSON.stringify(entriesOf(bad, 'legacy_row'))).toContain('infinity');
  });

  it('[TB6] columns that no entry says ride along, and other members of the document', () => {
    const plan = planOf(
      JSON.stringify({ rows: [{ ...OBJECTS[0], mood: 'good', tags: ['a'] }, 5], exported: 'now' }),
    );
    const kept = entriesOf(plan, 'legacy_row');
    expect(kept.find(({ reason }) => reason === 'columns')?.row).toMatchObject({
      columns: { mood: 'good', tags: ['a'] },
    });
    expect(kept.find(({ reason }) => reason === 'table_member')?.row).toEqual({
      key: 'exported',
      value: 'now',
    });
    expect(plan.problems).toMatchObject([{ path: 'rows/1', code: 'not_a_row' }]);
    expect(planOf(JSON.stringify([OBJECTS[0], OBJECTS[0]])).ledger).toMatchObject({ became: 1, merged: 1 });
  });

  it('[TB6] a line that is not JSON is one problem', () => {
    const plan = expectPlan(toLines(OBJECTS[0], '{"row_id":', OBJECTS[1]));
    expect(plan.problems).toMatchObject([{ line: 2, code: 'not_json', raw: '{"row_id":' }]);
    expect(entriesOf(plan, 'thread')).toHaveLength(2);
  });

  it.each([
    ['CSV', CSV],
    ['JSON', JSON.stringify(OBJECTS)],
  ])('[TB7] %s that is not UTF-8 costs one row its exactness', (_, text) => {
    const bytes = toBytes(text.replace('Plan', 'Plän')).filter((byte) => byte !== 0xc3);
    const plan = expectPlan(bytes);
    expect(entriesOf(plan, 'thread')).toHaveLength(2);
    expect(plan.problems.map(({ code }) => code)).toEqual(['not_utf8']);
    expect(entriesOf(plan, 'thread_config')[0]?.name).toContain('Pl\ufffdn');
    expect(JSON.stringify(entriesOf(plan, 'legacy_row'))).toContain('Pl\u00a4n');
  });

  it('[TB8] a reserved name of a column, and rows too deep, are kept as text', () => {
    const deep = `${'['.repeat(500)}${']'.repeat(500)}`;
    const plan = planOf(
      `[${JSON.stringify(OBJECTS[0]).slice(0, -1)},"x":${deep}},${JSON.stringify(OBJECTS[1]).slice(0, -1)},"__proto__":{"y":1}}]`,
    );
    expect(entriesOf(plan, 'thread')).toHaveLength(2);
    const kept = JSON.stringify(entriesOf(plan, 'legacy_row'));
    for (const part of ['[[[[[[[[', '__proto__']) expect(kept).toContain(part);
    const csv = planOf(`__proto__,${COLUMNS.join()}\nz,${ROWS[1]?.join()}`);
    expect(entriesOf(csv, 'thread')).toHaveLength(1);
    expect(JSON.stringify(entriesOf(csv, 'legacy_row'))).toContain('z,2,7');
  });

  it('[TB9] a list, lines, a document or values with the columns of threads are relational', () => {
    for (const text of [
      JSON.stringify(OBJECTS),
      JSON.stringify({ rows: OBJECTS }),
      CSV,
      `half a li\n${JSON.stringify(OBJECTS[0])}`,
    ])
      expect(detectFormat(toBytes(text)).format).toBe('relational');
    expect(detectFormat(toBytes('a,b\n1,2')).format).toBe('unknown');
    expect(detectFormat(toBytes('[{"root_prompt_row_id":1}]')).format).toBe('unknown');
  });

  it('[TB10] rows with task, role and text are tasks, also where their list is called messages', () => {
    const row = { taskId: 't', role: 'user', content: 'x' };
    for (const text of [
      JSON.stringify([row]),
      JSON.stringify({ messages: [row] }),
      'task_id,role,status\n1,user,complete',
      JSON.stringify(row),
    ])
      expect(detectFormat(toBytes(text)).format).toBe('tasks');
    expect(detectFormat(toBytes('{"messages":[{"id":"m","body":"x","sender":"u","time":1}]}')).format).toBe(
      'jupyter',
    );
  });
});
