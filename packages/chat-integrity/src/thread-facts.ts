import { type Chat, deriveSlotThreadId, type JsonObject } from '@chatdoc/schema';
import { hasAgentConfig } from './rules/config.js';
import { isInSlot, slotKey } from './slot-activations.js';
import type { SurveyedEntry } from './survey.js';

/** What the rules look at of one thread, or of what is about a thread that is not there. */
export interface ThreadFacts {
  readonly present: boolean;
  readonly namedRoot: string | undefined;
  /** The slot that it is in, as a key. */
  readonly slot: string | undefined;
  /** Its id does not derive from the slot that it is in. */
  readonly isUnderived: boolean;
  /** Those that count. */
  readonly activations: readonly SurveyedEntry<'activation'>[];
  /** Activations that name another slot. */
  readonly misplaced: number;
  /** Somebody has chosen how its agent works. */
  readonly configured: boolean;
  readonly session: JsonObject | undefined;
  readonly conflicts: number;
  /** Settings, activations, annotations and states. */
  readonly about: number;
}

export function readThreadFacts(chat: Chat, id: string, entries: readonly SurveyedEntry[]): ThreadFacts {
  const config = chat.config(id);
  let thread: SurveyedEntry<'thread'>['entry'] | undefined;
  const activations: SurveyedEntry<'activation'>[] = [];
  let about = 0;
  for (const each of entries) {
    if (each.type === 'thread') thread = (each as SurveyedEntry<'thread'>).entry;
    else about += 1;
    if (each.type === 'activation') activations.push(each as SurveyedEntry<'activation'>);
  }
  // Read from its line: the record also knows the root, which costs the order of all messages.
  const { slot, purpose = 'chat', root_message_id } = thread ?? {};
  const fitting = activations.filter((each) => isInSlot({ slot }, each));
  return {
    present: thread !== undefined,
    namedRoot: root_message_id,
    slot: slot === undefined ? undefined : slotKey(slot, purpose),
    isUnderived: slot !== undefined && deriveSlotThreadId(slot, purpose) !== id,
    activations: fitting,
    misplaced: thread === undefined ? 0 : activations.length - fitting.length,
    configured: hasAgentConfig(config),
    session: thread === undefined ? undefined : config.session,
    conflicts: chat.conflicts(id).length,
    about,
  };
}
