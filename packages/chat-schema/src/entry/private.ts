import { createHead, readHead } from './head.js';
import { DEFINITION_OF_KIND } from './table.js';

/** Top-level keys whose strings a redaction leaves, of whatever type: ids, order and times, never what somebody wrote. */
const ENVELOPE: ReadonlySet<string> = new Set([
  'type',
  ...DEFINITION_OF_KIND.flatMap((definition) => {
    const { keys = [], private: taken, kept = [] } = definition ?? {};
    return taken === undefined ? [] : keys.filter((key) => !taken.includes(key) && !kept.includes(key));
  }),
]);
const NOTHING: readonly string[] = [];
const head = createHead();

/**
 * The ranges of a line that its redaction takes: everything between the quotes of each string value outside
 * the envelope, `[start, end)` in code units. An open line ends inside its last string.
 */
export function findPrivateRanges(line: string): readonly (readonly [number, number])[] {
  const ranges: [number, number][] = [];
  const token = /["{}[\]]/g;
  let depth = 0;
  let envelope = true;
  readHead(line, 0, line.length, head);
  const kept = DEFINITION_OF_KIND[head.kind]?.kept ?? NOTHING;
  for (let match = token.exec(line); match !== null; match = token.exec(line)) {
    if (match[0] !== '"') {
      depth += match[0] === '{' || match[0] === '[' ? 1 : -1;
      continue;
    }
    const start = match.index + 1;
    const end = findQuote(line, start);
    token.lastIndex = end + 1;
    if (end < line.length && line.charCodeAt(end + 1) === 58) {
      if (depth === 1) {
        const key = line.slice(start, end);
        envelope = ENVELOPE.has(key) || kept.includes(key);
      }
    } else if (!envelope && end > start) {
      ranges.push([start, end]);
    }
  }
  return ranges;
}

/** The quote that closes the string which begins at `from`, or the end of the line. O(length), without recursion. */
function findQuote(line: string, from: number): number {
  for (let at = line.indexOf('"', from); at >= 0; at = line.indexOf('"', at + 1)) {
    let slashes = 0;
    while (at - 1 - slashes >= from && line.charCodeAt(at - 1 - slashes) === 92) slashes += 1;
    if (slashes % 2 === 0) return at;
  }
  return line.length;
}

/** The line as a redaction leaves it. */
export function blankLine(line: string): string {
  let blank = '';
  let from = 0;
  for (const [start, end] of findPrivateRanges(line)) {
    blank += line.slice(from, start);
    from = end;
  }
  return blank + line.slice(from);
}
