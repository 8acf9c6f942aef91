import type { SourceRow } from '../source/rows.js';
import type { PlanDraft } from './draft.js';

/** The result of a reader. */
export interface Reading {
  readonly rows: readonly SourceRow[];
  readonly draft: PlanDraft;
  /** The id of the chat, and the row that it comes from. Absent where no row has one. */
  readonly identity?: { readonly row: SourceRow; readonly doc_id: string };
}

/** The author of what names none: the name that CoCalc gave it. */
export const UNKNOWN_SENDER = '__unknown__';
