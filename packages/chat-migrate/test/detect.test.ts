import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { runs } from '../../../tools/amounts.js';
import { detectFormat, planMigration } from '../src/index.js';
import { readFixture, toBytes, toLines } from './helpers/plans.js';

const FORMATS = ['cocalc', 'jupyter', 'chatdoc', 'empty', 'unknown'];
const FIXTURES = ['cocalc-a', 'cocalc-bc', 'cocalc-damaged', 'cocalc-2026', 'jupyter-2025', 'jupyter-2026'];

describe('DT detect', () => {
  it.each(['', ' \r\n\t', '\ufeff', '\ufeff\n'])('[DT1] %j is empty', (text) => {
    expect(detectFormat(toBytes(text)).format).toBe('empty');
  });

  it.each([
    '{"messages":[]}',
    '\ufeff{"messages":{}}\n',
    '{"users":{},"metadata":{"id":"c"}}',
    '{\n  "messages": [\n    {"id":"m","sender":"u","time":1,"body":"x"}\n  ]\n}',
  ])('[DT2] %j is jupyter', (text) => {
    expect(detectFormat(toBytes(text)).format).toBe('jupyter');
  });

  it.each([
    '{"name":"Ada","color":"1f80d8","date":"2013-04-01T10:00:00.000Z","mesg":{"event":"chat","content":"hello"}}',
    '{"active":1,"date":0,"event":"draft","input":"","sender_id":"a"}',
    '{"event":"chat","messages":[],"users":{},"metadata":{}}',
    'half a li\n{"event":"chat","sender_id":"a","date":0}',
    '{"event":"chat-thread-config","thread_id":"t"}',
    '{"a":1}\n{"event":"coding-agent","session_id":"s","msg_event":"message"}',
  ])('[DT3] %j is cocalc', (text) => {
    expect(detectFormat(toBytes(text)).format).toBe('cocalc');
  });

  it('[DT4] a lane header makes a chatdoc file', () => {
    const header = { type: 'lane', lane_id: '0'.repeat(26) };
    expect(detectFormat(toLines(header)).format).toBe('chatdoc');
    expect(detectFormat(toLines(header, { type: 'message' })).format).toBe('chatdoc');
    expect(planMigration(toLines(header))).toMatchObject({ ok: false, code: 'already_chatdoc' });
  });

  it('[DT4] so do lines of entries that have lost their header, which an export writes first', () => {
    const message_id = '01ARZ3NDEKTSV4RRFFQ69G5FAV';
    const line = { type: 'message', message_id, thread_id: message_id, sender_id: 'a', date: 'x' };
    expect(detectFormat(toLines(line)).format).toBe('chatdoc');
    expect(detectFormat(toLines(line, { type: 'lane', lane_id: message_id })).format).toBe('chatdoc');
  });

  it('[DT5] other files are unknown, and the reason says what to do', () => {
    const reason = (text: string | Uint8Array): string => {
      const found = detectFormat(typeof text === 'string' ? toBytes(text) : text);
      expect(found.format).toBe('unknown');
      return found.reason;
    };
    expect(reason('{"messages": [{"body": "secret')).toMatch(
      /^it begins like a jupyter-chat document, but .* known are CoCalc/,
    );
    expect(reason('[1,2]')).toMatch(
      /^it is JSON, but neither an object nor lines of objects; known are CoCalc/,
    );
    expect(reason('{"cells":[]}')).toMatch(
      /^it is one JSON object without chat messages and without an event; known/,
    );
    expect(reason(new Uint8Array([137, 80, 78, 71, 13, 10, 26, 10, 0, 255]))).toMatch(
      /^it is neither JSON nor lines of JSON/,
    );
    expect(reason('a secret\nof mine')).not.toContain('secret');
  });

  it.each([
    ['{"messages":{"hello":"Hello","bye":"Bye"},"locale":"en"}', 'known are'],
    ['{"messages":{"hello":"Hello"}}', 'known are'],
    ['{"error":"none","messages":[]}', 'known are'],
    ['{"display":"hi","project":"/home/ada"}\n{"display":"ho","project":"/home/ada"}', 'Claude Code history'],
    ['{"session_id":"s","ts":1,"text":"hi"}\n{"session_id":"s","ts":2,"text":"ho"}', '.codex/sessions'],
    ['{"files":[{"name":"a.zip","url":"https://example.org/a?sig=1"}]}', 'list of links'],
    [
      '{"messages":[{"type":"m.room.message","origin_server_ts":1,"content":{"body":"x"},"sender":"@a"}]}',
      'Matrix',
    ],
    ['{"name":"g","messages":[{"id":1,"type":"message","date_unixtime":"1","text":"x"}]}', 'Telegram'],
    ['version https://git-lfs.github.com/spec/v1\noid sha256:1\n', 'Git LFS'],
    ['--\n-- PostgreSQL database dump\n--\n', 'PostgreSQL'],
    ['PK\u0003\u0004rest', 'ZIP'],
    ['SQLite format 3\0', 'SQLite'],
  ])('[DT7] %j is refused by name, and never a jupyter-chat document', (text, name) => {
    const bytes = toBytes(text);
    const found = detectFormat(bytes);
    expect([found.format, found.reason.includes(name)]).toEqual(['unknown', true]);
    expect(found.reason).toContain('known are CoCalc chats, jupyter-chat documents, sessions');
    expect(planMigration(bytes)).toEqual({ ok: false, code: 'unknown_format', message: found.reason });
  });

  it('[DT7] UTF-16 is refused by name, with a mark and without', () => {
    const text = 'root_prompt_row_id,provider\n1,openai\n';
    const little = Uint8Array.from([...text].flatMap((char) => [char.charCodeAt(0), 0]));
    const big = Uint8Array.from([...text].flatMap((char) => [0, char.charCodeAt(0)]));
    for (const bytes of [little, big, Uint8Array.of(255, 254, ...little), Uint8Array.of(254, 255, ...big)]) {
      const { format, reason } = detectFormat(bytes);
      expect([format, reason.includes('UTF-16')]).toEqual(['unknown', true]);
    }
  });

  it.each([
    '{"messages":[]}',
    '{"messages":[],"users":{},"attachments":{},"metadata":{}}',
    '{"messages":[{"body":"hi","sender":{"username":"u"},"time":1}]}',
    '{"messages":{"m":{"body":{"text/plain":"x"},"type":"msg"}},"extra":1}',
    '{"messages":[5,{"id":"m","body":"","deleted":true,"time":1}]}',
  ])('[DT2] %j stays a jupyter-chat document', (text) => {
    expect(detectFormat(toBytes(text)).format).toBe('jupyter');
    expect(planMigration(toBytes(text))).toMatchObject({ ok: true, plan: { format: 'jupyter' } });
  });

  it('[DT5] a torn jupyter document is not taken for lines, though some of its lines are rows', () => {
    const text = '{"messages": [\n{"sender_id":"a","date":1,"event":"chat"}\n';
    expect(detectFormat(toBytes(text)).format).toBe('unknown');
  });

  it('[DT6] any bytes and any prefix of a file have a typed answer', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(FORMATS).toContain(detectFormat(bytes).format);
      }),
      runs(200),
    );
    for (const name of FIXTURES) {
      const bytes = readFixture(`${name}.chat`);
      for (let end = 0; end <= bytes.length; end += 7) {
        expect(FORMATS).toContain(detectFormat(bytes.subarray(0, end)).format);
      }
    }
  });
});
