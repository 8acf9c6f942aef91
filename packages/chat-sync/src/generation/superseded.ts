import type { Chat } from '@chatdoc/schema';
import {
  type AnnotationEntry,
  createHead,
  findHeads,
  KIND,
  parseLine,
  readEntry,
  readHead,
  type ThreadStateEntry,
  TYPE_OF_KIND,
  ULID_LENGTH,
} from '@chatdoc/schema/internal';
import type { Copy } from './copy.js';

type Superseding = AnnotationEntry | ThreadStateEntry;

/**
 * Lines that a compaction leaves out. Of the annotations of one target, user and key, and of the states of one
 * thread, those that the one that shows outranks in every merge: its id is greater than theirs and than all that
 * they replace, so that they change nothing if a stale replica brings them back. Of the read marks of one user the
 * one that stands last in the thread stays too. Nothing else is ever left out: messages, revisions, settings and
 * turns are history.
 */
export function findSuperseded(chat: Chat, copies: readonly Copy[]): ReadonlySet<string> {
  const groups = new Map<string, Map<string, { readonly entry: Superseding; readonly line: string }>>();
  const ambiguous = new Set<string>();
  for (const { isFolded, lines } of copies) {
    if (!isFolded) continue;
    for (const line of lines) {
      const entry = readSuperseding(line);
      if (entry === undefined) continue;
      const name = nameGroup(entry);
      const group = groups.get(name) ?? new Map();
      groups.set(name, group);
      // Two lines of one id: which one counts is not ours to decide.
      if (group.has(entry.id) && group.get(entry.id)?.line !== line) ambiguous.add(name);
      group.set(entry.id, { entry, line });
    }
  }
  const members = new Map<string, ReadonlySet<string>>();
  const superseded = new Set<string>();
  for (const [name, group] of groups) {
    if (group.size < 2 || ambiguous.has(name)) continue;
    const winner = findHeads([...group.values()].map(({ entry }) => entry))[0] as Superseding;
    for (const { entry, line } of group.values()) {
      const isOutranked =
        entry.id < winner.id && (entry.replaces ?? []).every((replaced) => replaced < winner.id);
      if (isOutranked && !isLastMark(chat, entry, members)) superseded.add(line);
    }
  }
  return superseded;
}

/** Undefined also where the body names other ids than the head, which readers go by: such a line is kept. */
function readSuperseding(line: string): Superseding | undefined {
  readHead(line, 0, line.length, head);
  const { kind, own, subject } = head;
  if (kind !== KIND.annotation && kind !== KIND.thread_state) return undefined;
  const parsed = parseLine(line);
  if (!parsed.ok) return undefined;
  const read = readEntry(TYPE_OF_KIND[kind] as Superseding['type'], parsed.body);
  const entry = read.entry as Superseding;
  const about = entry.type === 'annotation' ? (entry.message_id ?? entry.thread_id) : entry.thread_id;
  const isForged = entry.id !== idAt(line, own) || about !== idAt(line, subject);
  return read.problem === undefined && !isForged ? entry : undefined;
}

const head = createHead();

function idAt(line: string, at: number): string {
  return line.substring(at, at + ULID_LENGTH);
}

function nameGroup(entry: Superseding): string {
  if (entry.type === 'thread_state') return `state ${entry.thread_id}`;
  const { message_id, thread_id, user_id, key } = entry;
  return JSON.stringify([message_id ?? null, thread_id ?? null, user_id, key]);
}

/** Whether it names the message up to which the user has read, or one that is not here yet. */
function isLastMark(chat: Chat, entry: Superseding, members: Map<string, ReadonlySet<string>>): boolean {
  if (entry.type !== 'annotation' || entry.key !== 'read' || entry.thread_id === undefined) return false;
  const { thread_id, user_id, value } = entry;
  if (typeof value !== 'string' || value === chat.readMark(thread_id, user_id)) return true;
  const present = members.get(thread_id) ?? new Set(chat.messageIds(thread_id));
  members.set(thread_id, present);
  return !present.has(value);
}
