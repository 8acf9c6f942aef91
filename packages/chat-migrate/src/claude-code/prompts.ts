import type { Json, JsonObject } from '@chatdoc/schema';
import { isJsonArray, isJsonObject, readName } from '../source/json-value.js';

/** The kinds of `user` lines. */
export type UserLine =
  | { readonly kind: 'prompt'; readonly text: string; readonly isCut: boolean }
  /** A prompt if the agent answers it. */
  | { readonly kind: 'command'; readonly text: string }
  | { readonly kind: 'results' }
  | { readonly kind: 'interrupted' }
  | { readonly kind: 'hidden' };

const MARKUP =
  /^\s*<(local-command-stdout|local-command-stderr|local-command-caveat|task-notification|bash-stdout|bash-stderr|bash-input|user-memory-input)>[\s\S]*<\/(?:\1|bash-stderr)>\s*$/;
const INTERRUPTED = /^\s*\[Request interrupted by user[^\]]*\]\s*$/;
const COMMAND =
  /^\s*<command-(?:name|message|args|contents)>[\s\S]*<\/command-(?:name|message|args|contents)>\s*$/;
const REMINDER = /\s*<system-reminder>[\s\S]*?<\/system-reminder>\s*/g;

/** Separates prompts of a person from results and from injected text. */
export function readUserLine(line: JsonObject): UserLine {
  const message = isJsonObject(line['message']) ? line['message'] : {};
  const blocks = listBlocks(message['content']);
  if (blocks.some(({ type }) => isResult(type))) return { kind: 'results' };
  const given = joinTexts(message['content']);
  if (INTERRUPTED.test(given)) return { kind: 'interrupted' };
  const origin = isJsonObject(line['origin']) ? line['origin']['kind'] : undefined;
  const isInjected = line['isMeta'] === true || line['isCompactSummary'] === true;
  if (isInjected || (origin !== undefined && origin !== 'human') || MARKUP.test(given))
    return { kind: 'hidden' };
  if (COMMAND.test(given)) {
    const name = readTag(given, 'command-name');
    const args = readTag(given, 'command-args');
    return name === ''
      ? { kind: 'hidden' }
      : { kind: 'command', text: args === '' ? name : `${name} ${args}` };
  }
  const isCut = REMINDER.test(given);
  REMINDER.lastIndex = 0;
  const text = isCut ? given.replace(REMINDER, '\n').trim() : given;
  const hasMore = blocks.some(({ type }) => type !== 'text');
  if (text.trim() === '' && !hasMore) return { kind: 'hidden' };
  return { kind: 'prompt', text, isCut };
}

function readTag(text: string, tag: string): string {
  const start = text.indexOf(`<${tag}>`);
  const end = text.indexOf(`</${tag}>`, start);
  return start < 0 || end < 0 ? '' : text.slice(start + tag.length + 2, end).trim();
}

export function isResult(type: Json | undefined): boolean {
  return typeof type === 'string' && type.endsWith('tool_result');
}

export function listBlocks(content: Json | undefined): readonly JsonObject[] {
  return isJsonArray(content) ? content.filter(isJsonObject) : [];
}

/** The words of a content: a text, or blocks. */
export function joinTexts(content: Json | undefined): string {
  if (typeof content === 'string') return content;
  return listBlocks(content)
    .flatMap(({ type, text }) => (type === 'text' ? (readName(text) ?? []) : []))
    .join('\n');
}
