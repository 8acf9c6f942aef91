import { LIMITS } from '@chatdoc/schema';
import type { PartEntry } from '@chatdoc/schema/internal';
import { derivePartNumber } from './part-number.js';

/** Code units of one piece of a long text: escaped sixfold it still fits a line. */
export const PIECE_LENGTH: number = Math.floor(LIMITS.text / 4);

/** A text in pieces that each fit an entry. */
export function splitText(text: string): readonly string[] {
  if (text.length <= PIECE_LENGTH) return text === '' ? [] : [text];
  const pieces: string[] = [];
  for (let at = 0; at < text.length; at += PIECE_LENGTH) pieces.push(text.slice(at, at + PIECE_LENGTH));
  return pieces;
}

/** Marks a line that a whole one with its id beats, in whatever order they come; of two cut ones the longer counts. */
export const CUT: { readonly cut: true } = { cut: true };

export interface LongContent {
  readonly content: string | undefined;
  readonly parts: readonly PartEntry[];
}

/** The content of a message, the rest of a very long one as parts: read together they are the whole text. */
export function createContent(message_id: string, text: string | undefined): LongContent {
  if (text === undefined || text.length <= PIECE_LENGTH) return { content: text, parts: [] };
  const [content = '', ...rest] = splitText(text);
  const parts = rest.map<PartEntry>((piece, index) => ({
    type: 'part',
    attempt: message_id,
    n: derivePartNumber('text', index, 0, piece),
    kind: 'text',
    text: piece,
  }));
  return { content, parts };
}
