import type { Chat, LaneEntry } from '@chatdoc/schema';
import {
  createHead,
  groupLines,
  readHead,
  readHeader,
  type Section,
  splitLines,
} from '@chatdoc/schema/internal';

/** One lane of a chat's copy, as `toJSONL` writes it. */
export interface Copy extends Section {
  /** Undefined where there is no header, or one that fails its schema. */
  readonly lane: LaneEntry | undefined;
  /** Whether readers of our schema fold the lines under this header. */
  readonly isFolded: boolean;
}

/** The lanes of a chat, by lane id and header, lines without a header first. O(document). */
export function readCopy(chat: Chat): Copy[] {
  return groupLines(splitLines(chat.toJSONL())).map((section) => {
    const { lane, hidden } = section.header === '' ? NO_HEADER : readHeader(section.header);
    return { ...section, lane: lane ?? undefined, isFolded: lane !== null && !hidden };
  });
}

const NO_HEADER = { lane: null, hidden: false };
const head = createHead();

/** The kind of entry that a line is, by its head. */
export function kindOf(line: string): number {
  readHead(line, 0, line.length, head);
  return head.kind;
}
