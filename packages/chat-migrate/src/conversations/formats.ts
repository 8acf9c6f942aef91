import type { Json, JsonObject } from '@chatdoc/schema';
import { readChatgpt } from '../chatgpt/reader.js';
import { readClaudeAi } from '../claude-ai/reader.js';
import { isLogLine } from '../claude-code/lines.js';
import { readClaudeCode } from '../claude-code/reader.js';
import { isRolloutLine } from '../codex/lines.js';
import { readCodex } from '../codex/reader.js';
import { readLibrechat } from '../librechat/reader.js';
import { readMessages } from '../messages/reader.js';
import { readOpenWebui } from '../open-webui/reader.js';
import type { Reading } from '../plan/reading.js';
import { isJsonArray, isJsonObject, readName } from '../source/json-value.js';
import type { Progress } from '../source/progress.js';

const IMPORT_FORMATS = [
  'claude-code',
  'codex',
  'chatgpt',
  'claude-ai',
  'open-webui',
  'librechat',
  'messages',
] as const;
export type ImportFormat = (typeof IMPORT_FORMATS)[number];

interface Importer {
  /** How `detectFormat` explains it. */
  readonly reason: string;
  /** Of a document: whether this value, or this element of its list, is of the format. */
  readonly isConversation?: (value: JsonObject) => boolean;
  /** Of lines of JSON. */
  readonly isLine?: (value: JsonObject) => boolean;
  readonly read: (bytes: Uint8Array, progress: Progress) => Reading;
}

const IMPORTERS: Readonly<Record<ImportFormat, Importer>> = {
  'claude-code': { reason: 'lines of a Claude Code session', isLine: isLogLine, read: readClaudeCode },
  codex: { reason: 'lines of a Codex rollout', isLine: isRolloutLine, read: readCodex },
  chatgpt: {
    reason: 'conversations with a mapping of nodes',
    isConversation: ({ mapping }) =>
      isJsonObject(mapping) &&
      Object.values(mapping).every((node) => isJsonObject(node)) &&
      (Object.keys(mapping).length === 0 || Object.values(mapping).some(isChatgptNode)),
    read: readChatgpt,
  },
  'claude-ai': {
    reason: 'conversations with chat_messages',
    isConversation: ({ chat_messages, uuid }) => isJsonArray(chat_messages) && readName(uuid) !== undefined,
    read: readClaudeAi,
  },
  'open-webui': {
    reason: 'chats with a history of messages',
    isConversation: ({ chat }) => {
      if (!isJsonObject(chat)) return false;
      const { history, messages } = chat;
      const isTree = isJsonObject(history) && isJsonObject(history['messages']);
      return isTree || (isJsonArray(messages) && messages.some((one) => isJsonObject(one) && 'role' in one));
    },
    read: readOpenWebui,
  },
  librechat: {
    reason: 'a conversation with messageId of each message',
    isConversation: ({ conversationId, messages, messagesTree }) =>
      readName(conversationId) !== undefined &&
      (isJsonArray(messagesTree) ||
        (isJsonArray(messages) && (messages.length === 0 || messages.some(isLibrechatMessage)))),
    read: readLibrechat,
  },
  messages: { reason: 'a table of messages, each with its conversation', read: readMessages },
};

function isLibrechatMessage(message: Json): boolean {
  return isJsonObject(message) && 'messageId' in message;
}

function isChatgptNode(node: Json): boolean {
  return isJsonObject(node) && ('children' in node || 'parent' in node);
}

export interface DetectedImport {
  readonly format: ImportFormat;
  readonly reason: string;
}

/** As far as a list is searched for an element that shows its format. */
const MAX_ELEMENTS = 1000;

/** The format of a JSON document, a list, or an object with a list of conversations. */
export function detectDocument(value: Json): DetectedImport | undefined {
  const list = isJsonArray(value) ? value : isJsonObject(value) ? value['conversations'] : undefined;
  const elements = isJsonArray(list) ? list.slice(0, MAX_ELEMENTS) : [];
  if (isJsonObject(value)) elements.push(value);
  for (const element of elements) {
    if (!isJsonObject(element)) continue;
    const found = IMPORT_FORMATS.find((format) => IMPORTERS[format].isConversation?.(element) === true);
    if (found !== undefined) return { format: found, reason: IMPORTERS[found].reason };
  }
  return undefined;
}

/** The format of lines of JSON of which this is one. */
export function detectLine(value: JsonObject): DetectedImport | undefined {
  const found = IMPORT_FORMATS.find((format) => IMPORTERS[format].isLine?.(value) === true);
  return found && { format: found, reason: IMPORTERS[found].reason };
}

export function readImport(format: ImportFormat, bytes: Uint8Array, progress: Progress): Reading {
  return IMPORTERS[format].read(bytes, progress);
}
