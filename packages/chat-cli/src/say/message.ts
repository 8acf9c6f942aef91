import type { ChatReader, Message, Part } from '@chatdoc/schema';
import stringWidth from 'string-width';
import type { Colors } from '../io.js';
import { flatten, neutralise } from './plain-text.js';
import type { NameSender } from './sender-names.js';
import { cutText, wrapText } from './wrap-text.js';

export interface MessageStyle {
  readonly colors: Colors;
  readonly width: number;
  readonly nameSender: NameSender;
}

export interface MessagePlace {
  readonly rootOfThread: string | null;
  readonly isQueued: boolean;
}

const INDENT = '  ';
/** Finish reasons that say nothing but that all went well. */
const ORDINARY: ReadonlySet<string> = new Set(['', 'complete', 'completed', 'end_turn', 'stop', 'success']);

export function isOrdinaryEnd(finishReason: string): boolean {
  return ORDINARY.has(finishReason);
}

export function renderMessage(
  chat: ChatReader,
  message: Message,
  place: MessagePlace,
  style: MessageStyle,
): string {
  const body = message.deleted || message.redacted ? [] : renderBody(message, style);
  return [renderHead(chat, message, place, style), ...body.map((line) => `${INDENT}${line}`.trimEnd())].join(
    '\n',
  );
}

function renderHead(chat: ChatReader, message: Message, place: MessagePlace, style: MessageStyle): string {
  const { colors, width, nameSender } = style;
  const name = nameSender(message.sender_id);
  const time = formatTime(message.date);
  const marks = listMarks(message, place.isQueued).map((mark) => `(${mark})`);
  const used = stringWidth([name, time, ...marks].join('  '));
  const reply = describeReply(chat, message, place, style, width - used - 2);
  return [
    colors.bold(colors.cyan(name)),
    colors.dim(time),
    ...marks.map((mark) => colors.yellow(mark)),
    ...(reply === '' ? [] : [colors.dim(reply)]),
  ].join('  ');
}

function listMarks(message: Message, isQueued: boolean): readonly string[] {
  const { attempt, redacted, deleted, generating, history } = message;
  const marks: string[] = [];
  if (redacted) marks.push('redacted');
  else if (deleted) marks.push('deleted');
  else if (history.length > 1) marks.push('edited');
  if (generating) marks.push(attempt?.stop_requested === true ? 'stopping…' : 'streaming…');
  else if (message.acp_interrupted) marks.push('interrupted');
  else if (attempt !== undefined) {
    const said = attempt.error?.['message'];
    const reason = flatten(attempt.finish_reason ?? '');
    if (attempt.error !== undefined || reason === 'error')
      marks.push(typeof said === 'string' ? `failed: ${cutText(flatten(said), 60)}` : 'failed');
    else if (!isOrdinaryEnd(reason)) marks.push(cutText(reason.replaceAll('_', ' '), 40));
  }
  if (isQueued) marks.push('waiting for an answer');
  if (message.problem !== undefined) marks.push('damaged');
  return marks;
}

/** To whom a reply goes, and unless that is the root or the line is full, to which words. */
function describeReply(
  chat: ChatReader,
  message: Message,
  { rootOfThread }: MessagePlace,
  { nameSender }: MessageStyle,
  room: number,
): string {
  const target = message.reply_to_message_id;
  if (target === undefined) return '';
  const to = chat.message(target);
  if (to === undefined) return '↳ a message that is not here';
  const name = `↳ ${nameSender(to.sender_id)}`;
  const words = flatten(to.content.slice(0, 200));
  if (target === rootOfThread || words === '' || room < stringWidth(name) + 12) return name;
  return cutText(`${name}: ${words}`, Math.min(room, 60));
}

/** Minutes in UTC. A migrated message without a date stands in 1970. */
function formatTime(date: string): string {
  const match = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d)/.exec(date);
  return match === null || date.startsWith('1970-') ? 'undated' : `${match[1]} ${match[2]} UTC`;
}

function renderBody(message: Message, style: MessageStyle): readonly string[] {
  const { colors } = style;
  const { parts, content, alternates } = message;
  const width = style.width - INDENT.length;
  const wrap = (text: string): readonly string[] =>
    text === '' ? [] : wrapText(neutralise(text).trimEnd(), width);
  const streamed = parts.map((part) => (part.kind === 'text' ? (part.text ?? '') : '')).join('');
  const isStreamed = message.history.length === 1 && content.endsWith(streamed);
  const lines: string[] = [];
  if (isStreamed) lines.push(...wrap(content.slice(0, content.length - streamed.length)));
  for (const part of parts) {
    if (part.kind === 'text') lines.push(...(isStreamed ? wrap(part.text ?? '') : []));
    else if (part.kind === 'reasoning')
      lines.push(...wrap(`thinking: ${part.text ?? ''}`).map((line) => colors.dim(line)));
    else lines.push(colors.dim(cutText(describePart(part), width)));
  }
  if (!isStreamed) lines.push(...wrap(content));
  if (alternates.length > 0) {
    const others = alternates.length === 1 ? '1 other answer is' : `${alternates.length} other answers are`;
    lines.push(colors.dim(`▸ ${others} not shown`));
  }
  return lines;
}

/** A tool call, a file, a plan: one line, whatever it holds. */
export function describePart({ kind, title, part_id, state, text }: Part): string {
  const name = kind === 'tool_call' ? 'tool' : flatten(kind.replaceAll('_', ' '));
  const what = [title, text, part_id]
    .map((words) => flatten((words ?? '').slice(0, 400)))
    .find((words) => words !== '');
  const how = state === undefined ? '' : ` [${flatten(state.replaceAll('_', ' '))}]`;
  return `▸ ${name}${how}${what === undefined ? '' : `: ${what}`}`;
}
