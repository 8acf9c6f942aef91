import { check } from '@chatdoc/integrity';
import { type Chat, openChat } from '@chatdoc/schema';
import * as Y from 'yjs';
import type { MigrationPlan } from './plan.js';

export type VerifiedPlan =
  | {
      readonly ok: true;
      /** The chat that the plan makes, in a document of its own. */
      readonly doc: Y.Doc;
      readonly chat: Chat;
      readonly digest: string;
    }
  | { readonly ok: false; readonly code: VerifyRefusal; readonly message: string };

export type VerifyRefusal =
  /** The lines of the plan do not import whole. */
  | 'incomplete'
  /** The chat breaks a rule of `@chatdoc/integrity` whose severity is `error`. */
  | 'invariant';

/**
 * Reads the chat that a plan makes, before anything is written: every line is there and folded, and no rule is
 * broken. A failure is a bug of this package, and the source stays as it is.
 */
export function verifyPlan(plan: MigrationPlan): VerifiedPlan {
  const doc = new Y.Doc();
  const chat = openChat(doc, { generation: 0 });
  const imported = chat.importJSONL(plan.jsonl);
  if (!imported.ok)
    return { ok: false, code: 'incomplete', message: `the lines do not import (${imported.code})` };
  const unread = chat.quarantine().length + chat.duplicates().length;
  if (unread > 0) {
    return { ok: false, code: 'incomplete', message: `${unread} lines of the plan would not be read` };
  }
  const broken = check(chat).find(({ severity }) => severity === 'error');
  if (broken !== undefined) {
    return { ok: false, code: 'invariant', message: `${broken.rule}: ${broken.message}` };
  }
  return { ok: true, doc, chat, digest: chat.digest() };
}
