import type { Chat, ChatReader, Json, JsonObject, Message, ThreadState } from '@chatdoc/schema';
import { RUN_PART } from '@chatdoc/turns';
import { isSameRecord } from '../store/derived.js';
import { attachmentOf, readerOf } from './attach.js';
import type { ChatDocRoot, PromptInstance } from './state.js';

/** A message as a list shows it: the same object for the same record. */
export interface DisplayMessage {
  readonly id: string;
  readonly role: 'user' | 'assistant';
  readonly content: string;
  /** Still being written. */
  readonly generating: boolean;
  readonly message: Message;
}

export function selectInstance(
  { chatdoc }: ChatDocRoot,
  instanceId: string | null | undefined,
): PromptInstance | undefined {
  return instanceId === null || instanceId === undefined ? undefined : chatdoc.instances[instanceId];
}

/** Every message of the instance, the records of its runs included. The same array until one changes. */
export function selectMessages(root: ChatDocRoot, instanceId: string | null | undefined): readonly Message[] {
  const instance = selectInstance(root, instanceId);
  return instance === undefined ? NONE : readerOf(root.chatdoc).messages(instance.thread_id);
}

/** The messages that people read. */
export function selectDisplayMessages(
  root: ChatDocRoot,
  instanceId: string | null | undefined,
): readonly DisplayMessage[] {
  const messages = selectMessages(root, instanceId);
  let shown = lists.get(messages);
  if (shown === undefined) {
    shown = Object.freeze(messages.filter(isShown).map(display));
    lists.set(messages, shown);
  }
  return shown;
}

const lists = new WeakMap<readonly Message[], readonly DisplayMessage[]>();
const displayed = new WeakMap<Message, DisplayMessage>();

function isShown({ deleted, redacted, parts }: Message): boolean {
  return !deleted && !redacted && !parts.some(({ kind }) => kind === RUN_PART);
}

function display(message: Message): DisplayMessage {
  let shown = displayed.get(message);
  if (shown === undefined) {
    const { message_id: id, prompt_id, content, generating } = message;
    shown = Object.freeze({
      id,
      role: prompt_id === undefined ? 'user' : 'assistant',
      content,
      generating,
      message,
    });
    displayed.set(message, shown);
  }
  return shown;
}

export function selectState(root: ChatDocRoot, instanceId: string | null | undefined): ThreadState['state'] {
  const instance = selectInstance(root, instanceId);
  return instance === undefined ? 'idle' : readerOf(root.chatdoc).state(instance.thread_id).state;
}

/**
 * The values that a run would take now: defaults, then those of the org, project and user, then the instance's own. Read
 * from the document at each call, never from what a form was rendered with.
 */
export function selectMergedVariables(
  root: ChatDocRoot,
  instanceId: string | null | undefined,
): Readonly<Record<string, Json>> {
  const instance = selectInstance(root, instanceId);
  if (instance === undefined) return EMPTY;
  const { chat } = attachmentOf(root.chatdoc);
  const next = merge(readerOf(root.chatdoc), root.chatdoc.scopes, instance.thread_id);
  const known = merged.get(chat) ?? new Map<string, Readonly<Record<string, Json>>>();
  merged.set(chat, known);
  const last = known.get(instance.thread_id);
  if (last !== undefined && isSameRecord(last, next)) return last;
  known.set(instance.thread_id, next);
  return next;
}

/** The last merge of each thread, to be the same object while its values are. */
const merged = new WeakMap<Chat, Map<string, Readonly<Record<string, Json>>>>();

function merge(
  reader: ChatReader,
  { org, project, user }: ChatDocRoot['chatdoc']['scopes'],
  threadId: string,
): Readonly<Record<string, Json>> {
  const { template, variables } = reader.config(threadId);
  const { defaults } = (template ?? {}) as { readonly defaults?: JsonObject };
  return Object.freeze({
    ...defaults,
    ...(org !== undefined && reader.variables('org', org)),
    ...(project !== undefined && reader.variables('project', project)),
    ...(user !== undefined && reader.variables('user', user)),
    ...(variables as JsonObject | undefined),
  });
}

const NONE: readonly never[] = Object.freeze([]);
const EMPTY: Readonly<Record<string, never>> = Object.freeze({});
