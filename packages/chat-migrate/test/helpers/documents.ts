import { type Chat, openChat } from '@chatdoc/schema';
import { expect } from 'vitest';
import * as Y from 'yjs';
import type { MigrationPlan } from '../../src/index.js';

/** A document that holds these plans, imported one after the other. */
export function importPlans(...plans: readonly MigrationPlan[]): Chat {
  const chat = openChat(new Y.Doc());
  for (const { jsonl } of plans) expect(chat.importJSONL(jsonl)).toMatchObject({ ok: true });
  return chat;
}
