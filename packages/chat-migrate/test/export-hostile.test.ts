import { type Chat, openChat } from '@chatdoc/schema';
import { deriveUlid } from '@chatdoc/schema/internal';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as Y from 'yjs';
import { runs, scale } from '../../../tools/amounts.js';
import { chatScripts, createScriptEnvironment, writeChat } from '../../chat-testkit/src/index.js';
import { describeLoss } from '../src/export/describe-loss.js';
import { EXPORT_FORMATS, exportChat } from '../src/export/export-chat.js';
import { openLegacy } from '../src/plan/open-legacy.js';
import { importPlans } from './helpers/documents.js';
import { expectPlan, readFixture, toBytes } from './helpers/plans.js';

const ids = Array.from({ length: 7 }, (_, index) => deriveUlid(1_763_726_400_000 + index, 'hostile', index));
const OWN: Readonly<Record<string, string>> = { thread: 'thread_id', message: 'message_id', part: 'attempt' };
const TYPES = [
  ...['thread', 'message', 'message', 'part', 'thread_config', 'revision', 'redaction', 'annotation'],
  ...['thread_state', 'document', 'legacy_row', 'variables', 'finish', 'poll'],
];
const FIELDS = [
  ...[
    'date',
    'created_at',
    'created_by',
    'sender_id',
    'content',
    'legacy',
    'n',
    'kind',
    'title',
    'data',
    'text',
  ],
  ...[
    'updated_at',
    'updated_by',
    'name',
    'pin',
    'anchor',
    'acp_config',
    'user_id',
    'key',
    'value',
    'reason',
    'row',
  ],
  ...[
    'state',
    'values',
    'scope',
    'forked_from',
    'migrated_from',
    'deleted',
    'author_id',
    'input',
    'purpose',
    'slot',
  ],
];
const id = fc.constantFrom(...ids);
const REASONS = [
  ...['columns', 'draft', 'placeholder', 'agent', 'jupyter_user', 'jupyter_metadata', 'jupyter_member'],
  ...['jupyter_attachment', 'unknown_event', 'partial'],
];

/** What a field may hold that nobody expects. */
const odd = fc.oneof(
  fc.jsonValue({ maxDepth: 3 }),
  id,
  fc.constantFrom(
    '2026-99-99T99:99:99.999Z',
    '9999-12-31T23:59:59.999Z',
    '__proto__',
    'constructor',
    '\ud800',
    'read',
  ),
  fc.constantFrom(
    { message_id: 'x', thread_id: 'x', date: {}, id: 'x', time: 'x', chat_id: 'x', history: [] },
    { thread_id: ids[0] },
  ),
  fc.record({
    message_id: id,
    columns: fc.dictionary(
      fc.constantFrom(
        'id',
        'history',
        'feedback',
        'attachments',
        'metadata',
        'body',
        'event',
        'name',
        'tool_calls',
      ),
      fc.jsonValue(),
    ),
  }),
  fc.record({ key: fc.constantFrom('messages', 'users', '__proto__', 'x'), value: fc.jsonValue() }),
);

/** An entry with the head of its type and anything behind it. */
const entry = fc
  .record({
    type: fc.constantFrom(...TYPES),
    own: id,
    subject: id,
    rest: fc.dictionary(fc.constantFrom(...FIELDS), odd, { maxKeys: 8 }),
    reason: fc.constantFrom(...REASONS),
    isPlain: fc.boolean(),
  })
  .map(({ type, own, subject, rest, reason, isPlain }) => {
    const plain = isPlain
      ? {
          created_at: '2026-11-21T12:00:00.000Z',
          date: '2026-11-21T12:00:00.000Z',
          updated_at: '2026-11-21T12:00:00.000Z',
          created_by: 'a',
          sender_id: 'a',
          author_id: 'a',
          updated_by: 'a',
          purpose: 'chat',
          by: 'a',
        }
      : {};
    const about =
      type === 'message' || type === 'thread_config' || type === 'thread_state' ? 'thread_id' : 'message_id';
    const isAbout = [
      'message',
      'thread_config',
      'thread_state',
      'revision',
      'redaction',
      'annotation',
    ].includes(type);
    return JSON.stringify({
      type,
      [OWN[type] ?? 'id']: own,
      ...(isAbout ? { [about]: subject } : {}),
      ...(type === 'part' ? { n: 1 } : {}),
      ...(type === 'legacy_row' ? { reason } : {}),
      ...plain,
      ...rest,
    });
  });

const HEADER = JSON.stringify({
  type: 'lane',
  lane_id: ids[0],
  schema_version: 2,
  min_reader: 2,
  generation: 0,
  writer_id: ids[1],
});

function readLines(lines: readonly string[]): Chat {
  const doc = new Y.Doc();
  doc.getMap('chat').set('lane', new Y.Text(`${[HEADER, ...lines].join('\n')}\n`));
  return openChat(doc, { environment: createScriptEnvironment(1, 1) });
}

/** Every format, and what it says of its loss; the files it makes are read without a fault. */
function expectExports(chat: Chat): void {
  for (const format of EXPORT_FORMATS) {
    const text = exportChat(chat, format);
    for (const { count } of describeLoss(chat, format)) expect(count).toBeGreaterThan(0);
    if (format === 'cocalc' || format === 'jupyter') openLegacy(toBytes(text));
    if (format === 'jupyter') JSON.parse(text);
    if (format === 'cocalc') for (const line of text.split('\n')) if (line !== '') JSON.parse(line);
  }
}

function listMessages(chat: Chat): readonly string[] {
  const lines = chat.toJSONL().split('\n');
  const threads = new Set(lines.flatMap((line) => /"thread_id":"([0-9A-Z]{26})"/.exec(line)?.[1] ?? []));
  return [...threads].flatMap((thread_id) => chat.messageIds(thread_id)).sort();
}

describe('EX exports of documents that nobody should have written', () => {
  it('[EX3] no entry, whatever it holds, makes an export throw or leaves a message out', () => {
    let messages = 0;
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 25, size: 'max' }), (lines) => {
        const chat = readLines(lines);
        expectExports(chat);
        const found = listMessages(chat);
        const { messages: listed } = JSON.parse(exportChat(chat, 'jupyter')) as { messages: unknown[] };
        expect(listed).toHaveLength(found.length);
        messages += found.length;
      }),
      runs(250),
    );
    expect(messages).toBeGreaterThan(scale(250));
  });

  it('[EX3] damaged lanes and other things in the map', () => {
    const edits = fc.array(fc.tuple(fc.nat(6000), fc.nat(200), fc.string()), { maxLength: 6 });
    fc.assert(
      fc.property(chatScripts(), edits, (script, damage) => {
        const lines = writeChat(script).toJSONL();
        const doc = new Y.Doc();
        const text = new Y.Text(lines);
        doc.getMap('chat').set('lane', text);
        const peer = new Y.Doc();
        Y.applyUpdate(peer, Y.encodeStateAsUpdate(doc));
        const lane = peer.getMap('chat').get('lane') as Y.Text;
        for (const [at, length, inserted] of damage) {
          const start = at % Math.max(1, lane.length);
          lane.delete(start, Math.min(length, lane.length - start));
          lane.insert(start, inserted);
        }
        peer.getMap('chat').set('number', 5);
        Y.applyUpdate(doc, Y.encodeStateAsUpdate(peer));
        expectExports(openChat(doc, { environment: createScriptEnvironment(2, 1) }));
      }),
      runs(40),
    );
  });

  it('[EX3] a message whose thread has not come is in every export', () => {
    const [thread_id, message_id] = ids;
    const line = JSON.stringify({
      type: 'message',
      message_id,
      thread_id,
      sender_id: 'ada',
      date: '2026-11-21T12:00:00.000Z',
      content: 'early',
    });
    const chat = readLines([line]);
    expect(chat.threads()).toEqual([]);
    for (const format of EXPORT_FORMATS) expect(exportChat(chat, format)).toContain('early');
  });

  it('[EX3] what was rolled back, or asks for a later reader, is not exported', () => {
    const config = {
      type: 'thread_config',
      id: ids[3],
      thread_id: ids[2],
      updated_at: '2026-11-21T12:00:00.000Z',
      updated_by: 'ada',
      legacy: { hidden: 'secret' },
    };
    const thread = JSON.stringify({
      type: 'thread',
      thread_id: ids[2],
      created_at: '2026-11-21T12:00:00.000Z',
      created_by: 'ada',
      purpose: 'chat',
    });
    const later = JSON.stringify({ ...(JSON.parse(HEADER) as object), lane_id: ids[4], min_reader: 9 });
    const chat = readLines([thread, later, JSON.stringify(config)]);
    expect(exportChat(chat, 'cocalc')).not.toContain('secret');
    expect(exportChat(readLines([thread, JSON.stringify(config)]), 'cocalc')).toContain('secret');
  });

  it('[EX3] redacted messages leave nothing behind', () => {
    const chat = importPlans(expectPlan(readFixture('jupyter-2026.chat')));
    const messages = chat.threads().flatMap(({ thread_id }) => chat.messages(thread_id));
    for (const { message_id } of messages) chat.redact({ message_id, by: 'ada' });
    for (const format of ['cocalc', 'jupyter', 'markdown'] as const) {
      const text = exportChat(chat, format);
      for (const { content, parts } of messages) {
        if (content.length > 3) expect(text).not.toContain(content);
        for (const { title } of parts)
          if (title !== undefined && title.length > 3) expect(text).not.toContain(title);
      }
    }
  });
});
