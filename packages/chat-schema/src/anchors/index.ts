import * as Y from 'yjs';
import { ChatDocError } from '../host/errors.js';

/** A range of a text that stays at its characters while others write: plain JSON, such as a thread's `anchor` takes. */
export interface Anchor {
  /** `Y.relativePositionToJSON`, as plain JSON: of the first character. What is written before it stays out. */
  readonly start: AnchorPosition;
  /** Of the last character. What is written behind it stays out. */
  readonly end: AnchorPosition;
  /** The text of the range when the anchor was made, cut after 200 characters. */
  readonly quote: string;
}

export interface AnchorPosition {
  readonly type?: AnchorId;
  readonly tname?: string;
  readonly item?: AnchorId;
  readonly assoc?: number;
}

export interface AnchorId {
  readonly client: number;
  readonly clock: number;
}

export interface ResolvedAnchor {
  /** The text in which the range is. */
  readonly type: Y.AbstractType<unknown>;
  /** In UTF-16 units, the end excluded. */
  readonly from: number;
  readonly to: number;
  /** Nothing is left of the range: `from` and `to` are where it was. */
  readonly gone: boolean;
}

const MAX_QUOTE = 200;

/** An anchor of the characters `from` to `to` (excluded) of a text in a document. Throws `invalid_argument` for an empty range. */
export function anchorOf(text: Y.Text, from: number, to: number): Anchor {
  const isRange = Number.isSafeInteger(from) && Number.isSafeInteger(to) && from >= 0 && from < to;
  if (!isRange || to > text.length) {
    throw new ChatDocError(
      'invalid_argument',
      'to',
      'expected a range of at least one character of the text',
    );
  }
  return {
    start: positionOf(text, from, 0),
    end: positionOf(text, to, -1),
    quote: cutQuote(text.toString().slice(from, Math.min(to, from + MAX_QUOTE))),
  };
}

function positionOf(text: Y.Text, index: number, assoc: number): AnchorPosition {
  const position = Y.createRelativePositionFromTypeIndex(text, index, assoc);
  // Its ids are of a class.
  return JSON.parse(JSON.stringify(Y.relativePositionToJSON(position))) as AnchorPosition;
}

/** Without half a character at its end. */
function cutQuote(quote: string): string {
  const last = quote.charCodeAt(quote.length - 1);
  return last >= 0xd8_00 && last <= 0xdb_ff ? quote.slice(0, -1) : quote;
}

/**
 * Where the range of an anchor is now. Undefined while its text has not arrived, and for anything that is no anchor.
 * Never throws, and makes no root. O(items before it).
 */
export function resolveAnchor(doc: Y.Doc, anchor: unknown): ResolvedAnchor | undefined {
  const { start, end } = Object(anchor) as { readonly start?: unknown; readonly end?: unknown };
  const first = resolvePosition(doc, start);
  const last = resolvePosition(doc, end);
  if (first === undefined || last === undefined || first.type !== last.type) return undefined;
  const gone = first.index >= last.index;
  return { type: first.type, from: first.index, to: gone ? first.index : last.index, gone };
}

interface Place {
  readonly type: Y.AbstractType<unknown>;
  readonly index: number;
}

function resolvePosition(doc: Y.Doc, position: unknown): Place | undefined {
  const json = readPosition(position);
  if (json === undefined) return undefined;
  // Yjs would make the root.
  if (json.item === undefined && json.tname !== undefined && !doc.share.has(json.tname)) return undefined;
  try {
    const relative = Y.createRelativePositionFromJSON(json);
    const { type, index } = Object(Y.createAbsolutePositionFromRelativePosition(relative, doc));
    return type === undefined ? undefined : { type, index };
  } catch {
    // Ids that no honest document holds, such as one within another kind of struct.
    return undefined;
  }
}

function readPosition(value: unknown): AnchorPosition | undefined {
  const { type, tname, item, assoc } = Object(value) as Readonly<Record<keyof AnchorPosition, unknown>>;
  const ids = [type, item].filter((id) => id !== undefined && id !== null);
  const hasName = typeof tname === 'string';
  if (!ids.every(isId) || (ids.length === 0 && !hasName)) return undefined;
  return {
    ...(isId(type) && { type }),
    ...(hasName && { tname }),
    ...(isId(item) && { item }),
    assoc: typeof assoc === 'number' && assoc < 0 ? -1 : 0,
  };
}

function isId(value: unknown): value is AnchorId {
  const { client, clock } = Object(value) as { readonly client?: unknown; readonly clock?: unknown };
  return isClock(client) && isClock(clock);
}

function isClock(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
