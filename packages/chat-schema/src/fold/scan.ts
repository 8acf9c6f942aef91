import { DEFINITION_OF_KIND } from '../entry/table.js';
import type { EntryIndex } from '../index/entry-index.js';
import type { OrderNode } from './order.js';

/** A line longer than this is folded: looking at each of its characters twice would cost more than it saves. */
const MAX_SCANNED = 16 * 1024;

const ID = '[0-7][0-9A-HJKMNP-TV-Z]{25}';
const PLAIN = '[^"\\\\\\u0000-\\u001f]*';
const TEXT = `"${PLAIN}(?:\\\\(?:["\\\\/bfnrt]|u[0-9a-fA-F]{4})${PLAIN})*"`;
const NUMBER = '[1-9][0-9]{0,14}';
/** How the values of a message line are written; what has another form is left to the parser. */
const FORMS: Readonly<Record<string, string>> = {
  message_id: `"${ID}"`,
  thread_id: `"${ID}"`,
  prompt_id: `"(${ID})"`,
  attempt: `"${ID}"`,
  epoch: NUMBER,
  reply_to_message_id: `"(${ID})"`,
  after: `"(${ID})"`,
  sender_id: `(${TEXT})`,
};
const message = DEFINITION_OF_KIND.find((definition) => definition?.type === 'message');
const { keys = [], unordered = [] } = message ?? {};
const KEYS = keys.filter((key) => !unordered.includes(key));
/** A whole message line as this library writes it: valid JSON, with its references as groups. */
const CANONICAL = new RegExp(
  `^\\{"type":"message"${KEYS.map((key) => `(?:,"${key}":${FORMS[key] ?? TEXT})?`).join('')}\\}$`,
);

/** The match of the only line of a message; undefined where a fold is needed. */
function matchLine(index: EntryIndex, row: number): RegExpExecArray | undefined {
  const line = index.rawLine(row);
  return line.length > MAX_SCANNED ? undefined : (CANONICAL.exec(line) ?? undefined);
}

/** The sender of a message, read without parsing it, under the conditions of `scanNode`. */
export function scanSender(index: EntryIndex, ref: number): string | undefined {
  const row = index.onlyLine(ref);
  const sender = row === undefined || index.isOpen(row) ? undefined : matchLine(index, row)?.[4];
  return sender === undefined ? undefined : (JSON.parse(sender) as string);
}

/**
 * The order node of a message, read without parsing: undefined where its line is not the only one, not whole, or not as
 * this library writes it, so that only a fold is certain. O(its line).
 */
export function scanNode(index: EntryIndex, ref: number): OrderNode | undefined {
  const row = index.onlyLine(ref);
  if (row === undefined || index.isOpen(row)) return undefined;
  const match = matchLine(index, row);
  if (match === undefined) return undefined;
  const answer = index.attemptOf(row) !== undefined;
  const targets: number[] = [];
  const prompt = match[1];
  const reply = match[2];
  const after = match[3];
  if (answer && prompt !== undefined) targets.push(index.refs.take(prompt));
  if (reply !== undefined) targets.push(index.refs.take(reply));
  if (!answer && after !== undefined) targets.push(index.refs.take(after));
  return { ref, answer, targets };
}
