import type { ChatReader, Message, Thread } from '@chatdoc/schema';
import picocolors from 'picocolors';
import { type MessageStyle, renderMessage } from './message.js';
import { flatten } from './plain-text.js';
import { createNameSender, UNKNOWN_NAME } from './sender-names.js';
import { cutText } from './wrap-text.js';

export interface TranscriptOptions {
  /** With ANSI colours; without unless told. */
  readonly color?: boolean;
  /** Columns; 80 unless told. */
  readonly width?: number;
  /** Only this thread. */
  readonly thread_id?: string;
}

const DEFAULT_WIDTH = 80;
const MIN_WIDTH = 24;

/**
 * A chat as text for a person: threads by their age, in each the messages in reading order. Times are UTC. Nothing that
 * people wrote reaches the terminal as a control character. Ends with a newline.
 */
export function renderTranscript(chat: ChatReader, options: TranscriptOptions = {}): string {
  const { color = false, width = DEFAULT_WIDTH, thread_id } = options;
  const style: MessageStyle = {
    colors: picocolors.createColors(color),
    width: Math.max(MIN_WIDTH, Math.floor(width) || DEFAULT_WIDTH),
    nameSender: createNameSender(chat),
  };
  const threads = chat
    .threads()
    .filter((thread) => thread_id === undefined || thread.thread_id === thread_id);
  // A message without a heading would read as part of the thread above it.
  let mayBeBare = thread_id === undefined;
  const blocks = threads.map((thread) => {
    const messages = chat.messages(thread.thread_id);
    mayBeBare &&= isBare(chat, thread, messages);
    return renderThread(chat, thread, messages, style, !mayBeBare);
  });
  return blocks.length === 0 ? 'No messages.\n' : `${blocks.join('\n\n')}\n`;
}

function renderThread(
  chat: ChatReader,
  thread: Thread,
  messages: readonly Message[],
  style: MessageStyle,
  hasHeading: boolean,
): string {
  const queue = new Set(chat.queue(thread.thread_id));
  const blocks = messages.map((message) =>
    renderMessage(
      chat,
      message,
      { rootOfThread: thread.root_message_id, isQueued: queue.has(message.message_id) },
      style,
    ),
  );
  return (hasHeading ? [renderHeading(chat, thread, messages, style), ...blocks] : blocks).join('\n\n');
}

/** Old side chats make a thread of every message: those at the top read better without a heading each. */
function isBare(chat: ChatReader, thread: Thread, messages: readonly Message[]): boolean {
  const { name } = chat.config(thread.thread_id);
  return (
    messages.length === 1 &&
    name === undefined &&
    thread.purpose === 'chat' &&
    thread.forked_from === undefined &&
    chat.state(thread.thread_id).state === 'idle'
  );
}

function renderHeading(
  chat: ChatReader,
  thread: Thread,
  messages: readonly Message[],
  { colors, width, nameSender }: MessageStyle,
): string {
  const { pin, archived } = chat.config(thread.thread_id);
  const creator = nameSender(thread.created_by);
  const count = messages.length === 1 ? '1 message' : `${messages.length} messages`;
  const facts = [
    chat.state(thread.thread_id).state,
    count,
    thread.purpose === 'run' ? 'run' : '',
    pin === true ? 'pinned' : '',
    archived === true ? 'archived' : '',
    creator === UNKNOWN_NAME ? '' : `by ${creator}`,
  ].filter((fact) => fact !== '');
  const lines = [
    colors.bold(cutText(`# ${titleOf(chat, thread, messages)}`, width)),
    colors.dim(cutText(`  ${facts.join(', ')}`, width)),
    colors.dim(cutText(`  thread ${thread.thread_id}`, width)),
  ];
  const origin = thread.forked_from && chat.thread(thread.forked_from.thread_id);
  if (origin) {
    const title = titleOf(chat, origin, chat.messages(origin.thread_id));
    lines.push(colors.dim(cutText(`  forked from ${title}`, width)));
  }
  return lines.join('\n');
}

/** The name that somebody gave, else the beginning of the first message that says something. */
function titleOf(chat: ChatReader, thread: Thread, messages: readonly Message[]): string {
  const { name } = chat.config(thread.thread_id);
  if (name !== undefined && flatten(name) !== '') return flatten(name);
  const first = messages.find(({ content }) => content.trim() !== '');
  return first === undefined ? 'Untitled' : cutText(flatten(first.content.slice(0, 400)), 50);
}
