import type { PartEntry } from '@chatdoc/schema/internal';
import { derivePartNumber, splitText } from './write-entry.js';

export interface LongContent {
  readonly content: string | undefined;
  readonly parts: readonly PartEntry[];
}

/** The content of a message, the rest of a very long one as parts: read together they are the whole text. */
export function createContent(message_id: string, text: string | undefined): LongContent {
  if (text === undefined) return { content: undefined, parts: [] };
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
