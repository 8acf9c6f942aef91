import { check } from '@chatdoc/integrity';
import { type Chat, openChat } from '@chatdoc/schema';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as Y from 'yjs';
import { runs, scale } from '../../../tools/amounts.js';
import {
  COCALC_GENERATIONS,
  closeUnderNeeds,
  cocalcFiles,
  JUPYTER_SHAPES,
  jupyterFiles,
  type LegacyFile,
  relationalFiles,
  TABLE_SHAPES,
  taskFiles,
} from '../../chat-testkit/src/index.js';
import type { MigrationPlan } from '../src/index.js';
import { importPlans } from './helpers/documents.js';
import { entriesOf, expectPlan } from './helpers/plans.js';

const KINDS: readonly (readonly [name: string, files: fc.Arbitrary<LegacyFile>])[] = [
  ...[...COCALC_GENERATIONS, 'mixed' as const].map((name) => [`CoCalc ${name}`, cocalcFiles(name)] as const),
  ...JUPYTER_SHAPES.map((shape) => [`jupyter ${shape}`, jupyterFiles(shape)] as const),
  ...TABLE_SHAPES.map((shape) => [`threads as ${shape}`, relationalFiles(shape)] as const),
  ...TABLE_SHAPES.map((shape) => [`tasks as ${shape}`, taskFiles(shape)] as const),
];
/** 33 kinds: over a thousand files. */
const RUNS = 32;

/** Every text that a reader can find: present, past, and of other attempts. */
function listTexts(chat: Chat): ReadonlySet<string> {
  const messages = chat.threads().flatMap(({ thread_id }) => chat.messages(thread_id));
  return new Set(
    messages.flatMap(({ content, history, alternates }) => [
      content,
      ...history.map((version) => version.content),
      ...alternates.map((attempt) => attempt.content),
    ]),
  );
}

/** What a reader sees, message by message. */
function readMessages(chat: Chat): ReadonlyMap<string, unknown> {
  const messages = chat.threads().flatMap(({ thread_id }) => chat.messages(thread_id));
  return new Map(
    messages.map(({ message_id, thread_id, content, deleted, history, generating }) => {
      const versions = history.map((version) => version.content);
      return [message_id, { thread_id, content, deleted, versions, generating }];
    }),
  );
}

function expectClean(chat: Chat): void {
  expect(check(chat).filter(({ severity }) => severity === 'error')).toEqual([]);
  const { quarantined, duplicates, ignored } = chat.report();
  expect([quarantined, duplicates, ignored]).toEqual([0, 0, []]);
}

function expectNothingBlank(chat: Chat, file: LegacyFile): void {
  const texts = listTexts(chat);
  for (const { shown } of file.rows) for (const text of shown) expect(texts).toContain(text);
}

function expectSame(file: LegacyFile, plan: MigrationPlan, shuffled: LegacyFile['rows']): void {
  expect(expectPlan(file.write(file.rows)).jsonl).toBe(plan.jsonl);
  if (file.isSet) expect(expectPlan(file.write(shuffled)).jsonl).toBe(plan.jsonl);
}

describe('PL plan, of generated files of every dialect', () => {
  it.each(KINDS)('[LG1] [PL2] [PL8] [GN1] [RW4] %s', (_, files) => {
    let messages = 0;
    let threads = 0;
    const cases = files.chain((file) =>
      fc.tuple(fc.constant(file), fc.shuffledSubarray([...file.rows], { minLength: file.rows.length })),
    );
    fc.assert(
      fc.property(cases, ([file, shuffled]) => {
        const plan = expectPlan(file.write(file.rows));
        expect(plan.ledger.rows).toHaveLength(file.count(file.rows));
        expectSame(file, plan, shuffled);
        const doc = new Y.Doc();
        const chat = openChat(doc);
        chat.importJSONL(plan.jsonl);
        const before = Y.encodeStateAsUpdate(doc);
        expect(chat.importJSONL(plan.jsonl)).toEqual({ ok: true, lines: 0 });
        const other = new Y.Doc();
        openChat(other).importJSONL(plan.jsonl);
        Y.applyUpdate(doc, Y.encodeStateAsUpdate(other));
        expect(Buffer.compare(Y.encodeStateAsUpdate(doc), before)).toBe(0);
        expectClean(chat);
        expectNothingBlank(chat, file);
        const read = readMessages(chat);
        expect([...read.values()]).not.toContainEqual(expect.objectContaining({ generating: true }));
        messages += read.size;
        threads += entriesOf(plan, 'thread').length;
      }),
      runs(RUNS),
    );
    expect(messages + threads).toBeGreaterThan(scale(RUNS));
  });

  it.each(KINDS)('[GN2] %s: exports that overlap merge to the whole', (_, files) => {
    const cases = files.chain((file) => {
      const side = fc.array(fc.boolean(), { minLength: file.rows.length, maxLength: file.rows.length });
      return fc.tuple(fc.constant(file), side, side);
    });
    fc.assert(
      fc.property(cases, ([file, left, right]) => {
        const parts = [left, right.map((has, index) => has || left[index] === false)].map((side) =>
          closeUnderNeeds(file.rows, (index) => side[index] === true),
        );
        const plans = parts.filter((rows) => rows.length > 0).map((rows) => expectPlan(file.write(rows)));
        const merged = importPlans(...plans);
        const whole = importPlans(expectPlan(file.write(file.rows)));
        expect(readMessages(merged)).toEqual(readMessages(whole));
        expect(merged.threads().map(({ thread_id }) => thread_id)).toEqual(
          whole.threads().map(({ thread_id }) => thread_id),
        );
        expectClean(merged);
      }),
      runs(RUNS / 4),
    );
  });
});
