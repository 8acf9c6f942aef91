import {
  type AnnotationEntry,
  type Chat,
  findHeads,
  parseLine,
  readEntry,
  type ThreadStateEntry,
} from '@chatdoc/schema';
import { isFolded, type LaneText } from './lane-text.js';

type Superseding = AnnotationEntry | ThreadStateEntry;

/**
 * Lines that a compaction leaves out. Of the annotations of one target, user and key, and of the states of one
 * thread, those that the one that shows outranks in every merge: its id is greater than theirs and than all that
 * they replace, so that they change nothing if a stale replica brings them back. Of the read marks of one user the
 * one that stands last in the thread stays too. Nothing else is ever left out: messages, revisions, settings and
 * turns are history.
 */
export function findSuperseded(chat: Chat, lanes: readonly LaneText[]): ReadonlySet<string> {
  const groups = new Map<string, Map<string, { readonly entry: Superseding; readonly line: string }>>();
  const ambiguous = new Set<string>();
  for (const lane of lanes) {
    if (!isFolded(lane)) continue;
    for (const line of lane.lines) {
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
  const superseded = new Set<string>();
  for (const [name, group] of groups) {
    if (group.size < 2 || ambiguous.has(name)) continue;
    const winner = findHeads([...group.values()].map(({ entry }) => entry))[0] as Superseding;
    for (const { entry, line } of group.values()) {
      const isOutranked =
        entry.id < winner.id && (entry.replaces ?? []).every((replaced) => replaced < winner.id);
      if (isOutranked && !isLastMark(chat, entry)) superseded.add(line);
    }
  }
  return superseded;
}

function readSuperseding(line: string): Superseding | undefined {
  const type = line.startsWith('{"type":"annotation"')
    ? 'annotation'
    : line.startsWith('{"type":"thread_state"')
      ? 'thread_state'
      : undefined;
  if (type === undefined) return undefined;
  const parsed = parseLine(line);
  if (!parsed.ok) return undefined;
  const { entry, problem } = readEntry(type, parsed.body);
  return problem === undefined ? (entry as Superseding) : undefined;
}

function nameGroup(entry: Superseding): string {
  if (entry.type === 'thread_state') return `state ${entry.thread_id}`;
  const { message_id, thread_id, user_id, key } = entry;
  return JSON.stringify([message_id ?? null, thread_id ?? null, user_id, key]);
}

/** Whether it names the message up to which the user has read, or one that is not here yet. */
function isLastMark(chat: Chat, entry: Superseding): boolean {
  if (entry.type !== 'annotation' || entry.key !== 'read' || entry.thread_id === undefined) return false;
  const { thread_id, user_id, value } = entry;
  if (typeof value !== 'string' || value === chat.readMark(thread_id, user_id)) return true;
  return !chat.messageIds(thread_id).includes(value);
}
