import type { Message, Thread, ThreadConfigFields } from '@chatdoc/schema';
import { COCALC_SETTINGS, findFork } from './cocalc-export.js';
import type { ExportFormat } from './export-chat.js';
import { type ExportableChat, readUnshown } from './unshown.js';

/** Kinds of content that a format may have no place for. */
export type LossKind =
  /** Answers that do not show, beside the one that does. */
  | 'alternates'
  | 'annotations'
  | 'attachments'
  /** Errors of failed answers. */
  | 'errors'
  | 'forks'
  /** Plans, and parts of kinds that nobody knows. */
  | 'other_parts'
  | 'reasoning'
  /** Messages that become deleted ones. */
  | 'redactions'
  /** Replies to another message than the first of a thread. */
  | 'replies'
  /** Settings of threads, each field counted. */
  | 'settings'
  /** Rows and columns of an old file that became no record. */
  | 'set_aside'
  /** Threads that run prompts, or are in a slot. */
  | 'slots'
  | 'states'
  /** Threads beyond the first. */
  | 'threads'
  | 'tool_calls'
  /** Answers that were being written. */
  | 'unfinished'
  | 'variables'
  /** Earlier versions of messages. */
  | 'versions';

export interface Loss {
  readonly kind: LossKind;
  readonly count: number;
}

/** The kinds that each format has no place for. */
const LOST: Readonly<Record<ExportFormat, readonly LossKind[]>> = {
  jsonl: [],
  cocalc: [
    ...(['alternates', 'annotations', 'attachments', 'errors', 'forks', 'other_parts', 'reasoning'] as const),
    ...(['redactions', 'replies', 'settings', 'set_aside', 'slots', 'tool_calls', 'unfinished'] as const),
    'variables',
  ],
  jupyter: [
    ...([
      'alternates',
      'annotations',
      'errors',
      'forks',
      'other_parts',
      'reasoning',
      'redactions',
      'replies',
    ] as const),
    ...([
      'settings',
      'set_aside',
      'slots',
      'states',
      'threads',
      'unfinished',
      'variables',
      'versions',
    ] as const),
  ],
  markdown: [
    ...([
      'alternates',
      'annotations',
      'errors',
      'reasoning',
      'settings',
      'set_aside',
      'slots',
      'states',
    ] as const),
    ...(['variables', 'versions'] as const),
  ],
};

/** Counts what an export leaves out: kinds in the order of their names, without those that the chat does not have. */
export function describeLoss(chat: ExportableChat, format: ExportFormat): readonly Loss[] {
  if (LOST[format].length === 0) return [];
  const survey = new Survey(chat, format);
  return [...LOST[format]]
    .sort()
    .map((kind) => ({ kind, count: survey.count(kind) }))
    .filter(({ count }) => count > 0);
}

/** Reasons of rows that come back, by format. */
const RETURNED: Readonly<Partial<Record<ExportFormat, ReadonlySet<string>>>> = {
  cocalc: new Set(['draft', 'video', 'video_chat', 'agent', 'partial', 'unknown_event']),
  jupyter: new Set(['jupyter_user', 'jupyter_attachment', 'jupyter_metadata', 'jupyter_member']),
};

const SETTINGS: Readonly<Partial<Record<ExportFormat, ReadonlySet<string>>>> = {
  cocalc: new Set(COCALC_SETTINGS),
  markdown: new Set(['name', 'pin', 'archived']),
};

const NO_FIELDS: ReadonlySet<string> = new Set();
const NOT_SETTINGS: ReadonlySet<string> = new Set(['thread_id', 'updated_at', 'updated_by']);

class Survey {
  readonly #counts = new Map<LossKind, number>();

  constructor(chat: ExportableChat, format: ExportFormat) {
    const { bareThreads, formats, variables } = readUnshown(chat);
    const threads = chat.threads();
    const ids = [...threads.map(({ thread_id }) => thread_id), ...bareThreads];
    this.#add('threads', ids.length - 1);
    this.#add('variables', variables);
    for (const thread of threads) this.#lookAtThread(chat, thread, format);
    for (const thread_id of ids) {
      const [root] = chat.messageIds(thread_id);
      for (const message of chat.messages(thread_id)) this.#lookAtMessage(chat, message, root, format);
    }
    const returned = RETURNED[format] ?? NO_FIELDS;
    const hasColumns = formats.size === 0 || formats.has(format);
    for (const { reason = '' } of chat.legacyRows())
      if (!(reason === 'columns' ? hasColumns && format !== 'markdown' : returned.has(reason)))
        this.#add('set_aside', 1);
  }

  count(kind: LossKind): number {
    return this.#counts.get(kind) ?? 0;
  }

  #add(kind: LossKind, count: number): void {
    this.#counts.set(kind, this.count(kind) + count);
  }

  #lookAtThread(chat: ExportableChat, thread: Thread, format: ExportFormat): void {
    const { thread_id, purpose, slot, forked_from } = thread;
    const carried = SETTINGS[format] ?? NO_FIELDS;
    const config: ThreadConfigFields = chat.config(thread_id);
    const fields = Object.keys(config).filter((field) => !carried.has(field) && !NOT_SETTINGS.has(field));
    this.#add('settings', fields.length);
    const isSaid = format === 'cocalc' && findFork(chat, thread) !== undefined;
    if (forked_from !== undefined && !isSaid) this.#add('forks', 1);
    if (slot !== undefined || purpose === 'run') this.#add('slots', 1);
    if (chat.state(thread_id).state !== 'idle') this.#add('states', 1);
    for (const { key } of chat.annotations({ thread_id }))
      if (format !== 'cocalc' || key !== 'read') this.#add('annotations', 1);
  }

  #lookAtMessage(
    chat: ExportableChat,
    message: Message,
    root: string | undefined,
    format: ExportFormat,
  ): void {
    const { message_id, reply_to_message_id, redacted, parts, history, alternates, attempt } = message;
    this.#add('alternates', alternates.length);
    if (attempt?.error !== undefined) this.#add('errors', 1);
    if (redacted) this.#add('redactions', 1);
    if (message.generating) this.#add('unfinished', 1);
    if (reply_to_message_id !== undefined && reply_to_message_id !== root) this.#add('replies', 1);
    this.#add('versions', history.slice(0, -1).filter(({ content }) => content.trim() !== '').length);
    for (const { kind } of parts) {
      if (kind !== 'text') this.#add(PARTS.get(kind) ?? 'other_parts', 1);
    }
    for (const { key, value } of chat.annotations({ message_id }))
      if (format !== 'cocalc' || key !== 'feedback' || typeof value !== 'string') this.#add('annotations', 1);
  }
}

const PARTS: ReadonlyMap<string, LossKind> = new Map([
  ['file', 'attachments'],
  ['reasoning', 'reasoning'],
  ['tool_call', 'tool_calls'],
]);
