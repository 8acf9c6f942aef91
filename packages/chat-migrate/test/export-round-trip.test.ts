import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { type Chat, openChat } from '@chatdoc/schema';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as Y from 'yjs';
import { mayMiss, runs, scale } from '../../../tools/amounts.js';
import {
  COCALC_GENERATIONS,
  chatScripts,
  cocalcFiles,
  JUPYTER_SHAPES,
  jupyterFiles,
  relationalFiles,
  TABLE_SHAPES,
  taskFiles,
  writeChat,
} from '../../chat-testkit/src/index.js';
import { describeLoss, type LossKind } from '../src/export/describe-loss.js';
import { EXPORT_FORMATS, exportChat } from '../src/export/export-chat.js';
import { importPlans } from './helpers/documents.js';
import { describeForCocalc, describeForJupyter, sendThrough } from './helpers/exports.js';
import { expectPlan, readFixture } from './helpers/plans.js';

const CORPUS = new URL('../../../../shared/corpus/', import.meta.url);
const FILES: readonly (readonly [name: string, bytes: () => Uint8Array])[] = [
  ...readdirSync(new URL('fixtures', import.meta.url))
    .filter((name) => name.endsWith('.chat'))
    .map((name) => [name, () => readFixture(name)] as const),
  ...['cocalc-v1', 'jupyter'].flatMap((folder) => {
    if (!existsSync(CORPUS)) return [];
    const names = readdirSync(new URL(folder, CORPUS)).map((name) => `${folder}/${name}`);
    return names.map((name) => [name, () => readFileSync(new URL(name, CORPUS))] as const);
  }),
];

const KINDS = [
  ...[...COCALC_GENERATIONS, 'mixed' as const].map((name) => [`CoCalc ${name}`, cocalcFiles(name)] as const),
  ...JUPYTER_SHAPES.map((shape) => [`jupyter ${shape}`, jupyterFiles(shape)] as const),
  [`threads`, relationalFiles(TABLE_SHAPES[0])] as const,
  [`tasks`, taskFiles(TABLE_SHAPES[0])] as const,
];

const LOSSES: readonly LossKind[] = [
  ...(['alternates', 'annotations', 'attachments', 'errors', 'forks', 'reasoning', 'redactions'] as const),
  ...([
    'replies',
    'settings',
    'slots',
    'states',
    'threads',
    'tool_calls',
    'unfinished',
    'variables',
  ] as const),
  'versions',
];

function expectRoundTrips(chat: Chat): void {
  const cocalc = sendThrough(chat, 'cocalc');
  expect(describeForCocalc(cocalc.chat)).toEqual(describeForCocalc(chat));
  expectIdsKept(chat, cocalc.chat);
  const jupyter = sendThrough(chat, 'jupyter');
  if (chat.threads().length < 2) expect(describeForJupyter(jupyter.chat)).toEqual(describeForJupyter(chat));
  // From the old format and back again, every id stays.
  const again = sendThrough(cocalc.chat, 'cocalc');
  expect(again.chat.foldDigest()).toBe(cocalc.chat.foldDigest());
}

/** Messages of each thread stand in its order in the one list of jupyter-chat. */
function expectThreadsInOrder(chat: Chat): void {
  const { messages } = JSON.parse(exportChat(chat, 'jupyter')) as { messages: readonly { id: string }[] };
  const listed = messages.map(({ id }) => id);
  for (const { thread_id } of chat.threads()) {
    const ids = chat.messageIds(thread_id);
    expect(listed.filter((id) => ids.includes(id))).toEqual(ids);
  }
}

/** A row that has ids gives them to the record again. */
function expectIdsKept(chat: Chat, returned: Chat): void {
  const messages = chat.threads().flatMap(({ thread_id }) => chat.messages(thread_id));
  const named = messages.flatMap(({ message_id, thread_id, legacy }) => {
    const name = (legacy as { message_id?: string } | undefined)?.message_id;
    return name === undefined ? [] : [{ name, message_id, thread_id }];
  });
  for (const { name, message_id, thread_id } of named) {
    if (named.some((other) => other.name === name && other.message_id !== message_id)) continue;
    expect(returned.message(message_id)?.thread_id).toBe(thread_id);
  }
}

function countMessages(chat: Chat): number {
  return chat.threads().reduce((sum, { thread_id }) => sum + chat.messageIds(thread_id).length, 0);
}

describe('EX exports, there and back', () => {
  it.each(FILES)('[EX4] [EX6] [EX11] %s', (_, bytes) => {
    expectRoundTrips(importPlans(expectPlan(bytes())));
  });

  it.each(KINDS)('[EX4] [EX6] [EX11] generated: %s', (_, files) => {
    fc.assert(
      fc.property(files, (file) => expectRoundTrips(importPlans(expectPlan(file.write(file.rows))))),
      runs(8),
    );
  });

  it('[EX4] [EX6] [EX11] chats that the library has written', () => {
    let messages = 0;
    const seen = new Set<string>();
    fc.assert(
      fc.property(chatScripts(), (script) => {
        const chat = writeChat(script);
        expectRoundTrips(chat);
        expectThreadsInOrder(chat);
        messages += countMessages(chat);
        for (const { kind } of describeLoss(chat, 'jupyter')) seen.add(kind);
        for (const { kind } of describeLoss(chat, 'cocalc')) seen.add(kind);
      }),
      runs(100, 20),
    );
    expect(messages).toBeGreaterThan(scale(300));
    // All that a format may have no place for was in one of them.
    expect(LOSSES).toEqual(expect.arrayContaining([...seen]));
    expect(LOSSES.length - seen.size).toBeLessThanOrEqual(mayMiss(LOSSES.length));
  });

  it('[EX1] [EX2] an export depends on what the document holds, not on how it came together', () => {
    fc.assert(
      fc.property(chatScripts(), (script) => {
        const chat = writeChat(script);
        const jsonl = exportChat(chat, 'jsonl');
        expect(jsonl).toBe(chat.toJSONL());
        const copy = openChat(new Y.Doc());
        expect(copy.importJSONL(jsonl)).toMatchObject({ ok: true });
        for (const format of EXPORT_FORMATS) expect(exportChat(copy, format)).toBe(exportChat(chat, format));
      }),
      runs(30),
    );
  });
});

if (!existsSync(CORPUS)) it.skip('[EX6] real chats skipped: ../shared/corpus is missing', () => {});
