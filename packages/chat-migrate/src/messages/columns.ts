import type { Json, JsonObject } from '@chatdoc/schema';
import type { TableColumns } from '../tables/columns.js';

/** Columns that name the conversation of a message, the likeliest first. */
const CONVERSATIONS = [
  'conversationid',
  'threadid',
  'sessionid',
  'chatid',
  'conversation',
  'thread',
  'session',
  'chat',
  'roomid',
  'channelid',
  'topicid',
  'room',
  'channel',
  'topic',
] as const;
const ROLES = ['role', 'sendertype', 'isai', 'isuser'] as const;
const AUTHORS = ['senderid', 'userid', 'authorid', 'author', 'authorname', 'sender'] as const;
export const TEXTS = ['content', 'parts', 'text', 'body', 'message', 'messagetext'] as const;
/** Columns of mail, direct messages, forms and SMS, which are as frequent as chats. */
const FOREIGN = [
  'subject',
  'recipient',
  'recipientid',
  'receiverid',
  'to',
  'email',
  'phone',
  'direction',
] as const;
const LANGCHAIN: ReadonlySet<string> = new Set(['id', 'sessionid', 'message', 'createdat']);

/** Whether a table keeps messages of conversations. */
export function isMessageTable(columns: ReadonlySet<string>): boolean {
  const has = (names: readonly string[]): boolean => names.some((name) => columns.has(name));
  if (!has(CONVERSATIONS) || !has(TEXTS) || has(FOREIGN) || columns.has('taskid')) return false;
  if (has(ROLES) || columns.has('steporder')) return true;
  if (columns.has('sentat')) return false;
  if (has(AUTHORS) && columns.has('id')) return true;
  return columns.has('message') && [...columns].every((name) => LANGCHAIN.has(name));
}

/** Whether a row is a message in a request to a model, or in the state of a program that makes them. */
export function isModelMessage({ role, type, content }: JsonObject): boolean {
  if (content === undefined) return false;
  return typeof role === 'string' || (typeof type === 'string' && MODEL_TYPES.has(type));
}

export function readConversation(columns: TableColumns): string | undefined {
  return columns.id(...CONVERSATIONS);
}

/** Words for the kinds of senders. */
const WORDS: ReadonlySet<string> = new Set([
  'user',
  'human',
  'assistant',
  'ai',
  'bot',
  'system',
  'model',
  'agent',
]);

/** The role in lower case; undefined in a table of people. */
export function readRole(columns: TableColumns, body: Json | undefined): string | undefined {
  const given = columns.text('role', 'sendertype')?.trim().toLowerCase();
  if (given !== undefined && given !== '') return given;
  const isAi = columns.flag('isai');
  if (isAi !== undefined) return isAi ? 'assistant' : 'user';
  const isUser = columns.flag('isuser');
  if (isUser !== undefined) return isUser ? 'user' : 'assistant';
  const inner =
    typeof body === 'object' && body !== null ? (body as Readonly<Record<string, Json>>)['role'] : undefined;
  if (typeof inner === 'string') return inner.toLowerCase();
  const step = columns.count('steporder');
  if (step !== undefined) return columns.flag('tool') === true ? 'tool' : step === 0 ? 'user' : 'assistant';
  const type =
    typeof body === 'object' && body !== null && !Array.isArray(body)
      ? (body as Record<string, Json>)['type']
      : columns.text('type');
  if (typeof type === 'string' && MODEL_TYPES.has(type)) return type;
  const sender = columns.text('sender')?.trim().toLowerCase();
  return sender !== undefined && WORDS.has(sender) ? sender : undefined;
}

const MODEL_TYPES: ReadonlySet<string> = new Set(['human', 'ai', 'system', 'tool', 'function']);

export function readAuthor(columns: TableColumns): string | undefined {
  const author = columns.id(...AUTHORS);
  return author !== undefined && WORDS.has(author.toLowerCase()) ? undefined : author;
}

export function isAsking(role: string): boolean {
  return role === 'user' || role === 'human';
}

export function isHiddenRole(role: string): boolean {
  return role === 'system' || role === 'developer';
}

export function isToolRole(role: string): boolean {
  return role === 'tool' || role === 'function';
}
