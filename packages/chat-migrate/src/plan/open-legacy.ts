import { type Chat, openChat } from '@chatdoc/schema';
import * as Y from 'yjs';
import { type MigrationPlan, type PlanOptions, type PlanResult, planMigration } from './plan.js';

export type OpenedLegacy =
  | {
      readonly ok: true;
      /** Reads as the migrated document would; what writes throws `read_only`. */
      readonly chat: Chat;
      readonly plan: MigrationPlan;
    }
  | Exclude<PlanResult, { ok: true }>;

/**
 * Opens a legacy chat through the read API of `Chat`. Nothing is written anywhere, and the ids are those that a
 * migration makes, so that a host can read old files and switch to documents one by one.
 */
export function openLegacy(bytes: Uint8Array, options?: PlanOptions): OpenedLegacy {
  const planned = planMigration(bytes, options);
  if (!planned.ok) return planned;
  const doc = new Y.Doc();
  const writer = openChat(doc);
  writer.importJSONL(planned.plan.jsonl);
  writer.close();
  return { ok: true, chat: openChat(doc, { readOnly: true }), plan: planned.plan };
}
