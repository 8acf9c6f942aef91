import type { Chat } from '@chatdoc/schema';
import { deriveSlotThreadId, listSessions } from '@chatdoc/schema/internal';
import { type LineFacts, type LooseEntry, readLines } from '../facts.js';

/** The record kept of one thread, or of what is about a thread that is not in the document. */
export interface ThreadRecord {
  readonly isPresent: boolean;
  readonly root: string | undefined;
  /** The slot that it is in, as a key. */
  readonly slot: string | undefined;
  readonly derivedId: string | undefined;
  /** Activations that count. */
  readonly activations: readonly LooseEntry<'activation'>[];
  readonly misplaced: readonly string[];
  readonly isConfigured: boolean;
  /** Keys of the session that it goes on in. */
  readonly sessions: readonly string[];
  readonly conflicts: number;
  /** Settings, activations, annotations and states about it. */
  readonly about: number;
}

/** Reads one thread again. O(lines about it). */
export function readThread(
  chat: Chat,
  id: string,
): { readonly record: ThreadRecord; readonly lines: Pick<LineFacts, 'entries' | 'faults'> } {
  const lines = readLines(chat, 'thread', id);
  const { acp_config, agent_kind, template, session } = chat.config(id);
  let thread: LooseEntry<'thread'>['entry'] | undefined;
  const activations: LooseEntry<'activation'>[] = [];
  let about = 0;
  for (const each of lines.entries) {
    if (each.type === 'thread') thread = (each as LooseEntry<'thread'>).entry;
    else about += 1;
    if (each.type === 'activation') activations.push(each as LooseEntry<'activation'>);
  }
  // Read from its line: the record also has the root, which costs the order of all messages.
  const { slot, purpose = 'chat', root_message_id } = thread ?? {};
  const isFitting = ({ entry }: LooseEntry<'activation'>): boolean =>
    slot !== undefined &&
    entry.slot !== undefined &&
    slot.root_id === entry.slot.root_id &&
    slot.owner_id === entry.slot.owner_id &&
    slot.provider === entry.slot.provider;
  const record: ThreadRecord = {
    isPresent: thread !== undefined,
    root: root_message_id,
    slot: slot && JSON.stringify([slot.root_id, slot.owner_id, slot.provider, purpose]),
    derivedId: slot && deriveSlotThreadId(slot, purpose),
    activations: activations.filter(isFitting),
    misplaced:
      thread === undefined ? [] : activations.filter((each) => !isFitting(each)).map((each) => each.id),
    isConfigured: acp_config !== undefined || agent_kind !== undefined || template !== undefined,
    sessions: thread === undefined ? [] : listSessions(session),
    conflicts: chat.conflicts(id).length,
    about,
  };
  return { record, lines };
}
