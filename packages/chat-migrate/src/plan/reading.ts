import type { SourceRow } from '../source/rows.js';
import type { PlanDraft } from './draft.js';

/** What a reader makes of a file. */
export interface Reading {
  readonly rows: readonly SourceRow[];
  readonly draft: PlanDraft;
  /** Which chat this is, and the row that says so. Absent where nothing does. */
  readonly identity?: { readonly row: SourceRow; readonly doc_id: string };
}

/** The author of what names none: the name that CoCalc gave it. */
export const UNKNOWN_SENDER = '__unknown__';
