import type { Chat, JsonObject } from '@chatdoc/schema';
import { hasAgentConfig } from './rules/config.js';
import { isInSlot, slotKey } from './slot-activations.js';
import type { SurveyedEntry } from './survey.js';

/** What the rules look at of one thread, or of what is about a thread that is not there. */
export interface ThreadFacts {
  readonly present: boolean;
  readonly namedRoot: string | undefined;
  /** The slot that it is in, as a key. */
  readonly slot: string | undefined;
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
  const thread = chat.thread(id);
  const config = chat.config(id);
  const activations: SurveyedEntry<'activation'>[] = [];
  let namedRoot: string | undefined;
  let about = 0;
  for (const each of entries) {
    if (each.type === 'thread') namedRoot = (each as SurveyedEntry<'thread'>).entry.root_message_id;
    else about += 1;
    if (each.type === 'activation') activations.push(each as SurveyedEntry<'activation'>);
  }
  const fitting = thread === undefined ? [] : activations.filter((each) => isInSlot(thread, each));
  return {
    present: thread !== undefined,
    namedRoot,
    slot: thread?.slot === undefined ? undefined : slotKey(thread.slot, thread.purpose),
    activations: fitting,
    misplaced: thread === undefined ? 0 : activations.length - fitting.length,
    configured: hasAgentConfig(config),
    session: thread === undefined ? undefined : config.session,
    conflicts: chat.conflicts(id).length,
    about,
  };
}
