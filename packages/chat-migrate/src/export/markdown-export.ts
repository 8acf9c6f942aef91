import { formatDate, type Message, type Part, type Thread } from '@chatdoc/schema';
import { UNKNOWN_SENDER } from '../plan/reading.js';
import { isJsonObject, readName } from '../source/json-value.js';
import { readTime } from './exported-time.js';
import { quoteMarkdown, writePlain } from './markdown-text.js';
import { type ExportableChat, readUnshown } from './unshown.js';

/**
 * The chat for people to read: threads as headings, each message under its sender and time (UTC). What somebody wrote
 * is in a quote of its own, so that none of it reaches beyond, and holds no HTML.
 */
export function exportMarkdown(chat: ExportableChat): string {
  return new MarkdownExport(chat).write();
}

/** Finish reasons of an attempt without problems. */
const ORDINARY: ReadonlySet<string> = new Set(['', 'complete', 'completed', 'end_turn', 'stop', 'success']);

class MarkdownExport {
  readonly #chat: ExportableChat;
  /** Display names that an old file gave. */
  readonly #names = new Map<string, string>();

  constructor(chat: ExportableChat) {
    this.#chat = chat;
    for (const { reason, row } of chat.legacyRows()) {
      if (reason !== 'jupyter_user' || !isJsonObject(row)) continue;
      const { key, value } = row;
      const name = isJsonObject(value) && (readName(value['display_name']) ?? readName(value['name']));
      if (typeof key === 'string' && typeof name === 'string') this.#names.set(key, name);
    }
  }

  write(): string {
    const blocks: string[] = [];
    for (const thread of this.#chat.threads()) {
      const messages = this.#chat.messages(thread.thread_id);
      blocks.push(
        this.#writeHeading(thread, messages),
        ...messages.map((message) => this.#writeMessage(message)),
      );
    }
    for (const thread_id of readUnshown(this.#chat).bareThreads) {
      const messages = this.#chat.messages(thread_id);
      if (messages.length > 0)
        blocks.push(
          `# ${this.#titleOf(thread_id, messages)}`,
          ...messages.map((message) => this.#writeMessage(message)),
        );
    }
    return blocks.length === 0 ? '*No messages.*\n' : `${blocks.join('\n\n')}\n`;
  }

  #writeHeading(thread: Thread, messages: readonly Message[]): string {
    const { thread_id, created_at, created_by, purpose, forked_from } = thread;
    const { pin, archived } = this.#chat.config(thread_id);
    const created = formatTime(readTime(created_at, thread_id));
    const by = created_by === UNKNOWN_SENDER ? '' : ` by ${this.#nameOf(created_by)}`;
    const facts = [
      messages.length === 1 ? '1 message' : `${messages.length} messages`,
      `begun ${created}${by}`,
      ...(purpose === 'run' ? ['run'] : []),
      ...(pin === true ? ['pinned'] : []),
      ...(archived === true ? ['archived'] : []),
      ...(forked_from === undefined ? [] : [this.#describeFork(forked_from.thread_id)]),
    ];
    return `# ${this.#titleOf(thread_id, messages)}\n\n*${facts.join(', ')}*`;
  }

  #describeFork(thread_id: string): string {
    const messages = this.#chat.messages(thread_id);
    return `forked from ${this.#titleOf(thread_id, messages)}`;
  }

  /** The name of the thread, else the beginning of the first message that is not blank. */
  #titleOf(thread_id: string, messages: readonly Message[]): string {
    const name = writePlain(this.#chat.config(thread_id).name ?? '', 200);
    if (name !== '') return name;
    const first = messages.find(({ content }) => content.trim() !== '');
    return (first && writePlain(first.content, 60)) || 'Untitled';
  }

  #nameOf(senderId: string): string {
    const name = writePlain(this.#names.get(senderId) ?? senderId, 100);
    return name === '' || senderId === UNKNOWN_SENDER ? 'unknown' : name;
  }

  #writeMessage(message: Message): string {
    const { message_id, sender_id, date, content, deleted, redacted, parts } = message;
    const marks = [
      formatTime(readTime(date, message_id)),
      ...this.#describeReply(message),
      ...listMarks(message),
    ];
    const lines = [`**${this.#nameOf(sender_id)}** ${marks.join(', ')}`];
    if (deleted || redacted) return lines.join('\n');
    const quoted = quoteMarkdown(content);
    const described = parts.flatMap(describePart);
    if (quoted !== '') lines.push('', quoted);
    if (described.length > 0) lines.push('', ...described.map((line) => `- ${line}`));
    return lines.join('\n');
  }

  #describeReply({ thread_id, reply_to_message_id }: Message): readonly string[] {
    if (reply_to_message_id === undefined || reply_to_message_id === this.#chat.messageIds(thread_id)[0])
      return [];
    const target = this.#chat.message(reply_to_message_id);
    if (target === undefined) return ['in reply to a message that is not here'];
    const time = formatTime(readTime(target.date, target.message_id));
    return [`in reply to ${this.#nameOf(target.sender_id)}, ${time}`];
  }
}

function listMarks({
  redacted,
  deleted,
  history,
  generating,
  acp_interrupted,
  attempt,
}: Message): readonly string[] {
  const marks: string[] = [];
  if (redacted) marks.push('*redacted*');
  else if (deleted) marks.push('*deleted*');
  else if (history.length > 1) marks.push('*edited*');
  const reason = writePlain(attempt?.finish_reason ?? '', 40);
  if (generating) marks.push('*unfinished*');
  else if (acp_interrupted) marks.push('*interrupted*');
  else if (attempt?.error !== undefined || reason === 'error') marks.push('*failed*');
  else if (!ORDINARY.has(reason)) marks.push(`*${reason}*`);
  return marks;
}

/** A tool call, a file, a plan in one line, whatever it holds. Text is in the message, reasoning is nobody's to read. */
function describePart({ kind, title, part_id, state, text }: Part): readonly string[] {
  if (kind === 'text' || kind === 'reasoning') return [];
  const name = kind === 'tool_call' ? 'tool call' : kind === 'file' ? 'attachment' : writePlain(kind, 40);
  const what = [title, text, part_id]
    .map((words) => writePlain(words ?? '', 200))
    .find((words) => words !== '');
  const how = state === undefined || state === '' ? '' : ` (${writePlain(state, 40)})`;
  return [`${name}${what === undefined ? '' : `: ${what}`}${how}`];
}

/** Seconds in UTC. A migrated message without a date is at 1970. */
function formatTime(time: number): string {
  return time === 0 ? 'undated' : `${formatDate(time).slice(0, 19).replace('T', ' ')} UTC`;
}
