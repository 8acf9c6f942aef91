import type { Json, JsonObject } from '@chatdoc/schema';
import { isJsonArray, isJsonObject } from './json-value.js';

const KNOWN =
  'known are CoCalc chats, jupyter-chat documents, sessions of Claude Code and Codex, exports of ChatGPT, Claude.ai, Open WebUI and LibreChat, tables of messages with their conversation, tables of threads, and tables of tasks with their messages (as JSON, lines of JSON or CSV)';

/** How files begin that are known not to be chats, as Latin-1. */
const STARTS: readonly (readonly [start: string, name: string])[] = [
  ['\u00ff\u00fe', 'UTF-16 text: convert it to UTF-8'],
  ['\u00fe\u00ff', 'UTF-16 text: convert it to UTF-8'],
  ['PK\u0003\u0004', 'a ZIP archive: unpack it'],
  ['\u001f\u008b', 'a gzip archive: unpack it'],
  ['(\u00b5/\u00fd', 'a Zstandard archive: unpack it'],
  ['SQLite format 3', 'an SQLite database: export its tables as CSV or JSON'],
  ['PGDMP', 'a PostgreSQL dump: export its tables as CSV or JSON'],
  ['--\n-- PostgreSQL', 'a PostgreSQL dump: export its tables as CSV or JSON'],
  ['version https://git-lfs', 'a Git LFS pointer: fetch the file that it names'],
];

/** The name of a file that is not text, or not a chat, by its first bytes. */
export function refuseBytes(bytes: Uint8Array): string | undefined {
  const start = String.fromCharCode(...bytes.subarray(0, 32));
  const found = STARTS.find(([text]) => start.startsWith(text));
  if (found !== undefined) return describe(found[1]);
  // ASCII in two bytes each, without a mark: no text in UTF-8 has NULs.
  const isWide = start.length >= 8 && (/^(?:[^\0]\0){4}/.test(start) || /^(?:\0[^\0]){4}/.test(start));
  return isWide ? describe('UTF-16 text: convert it to UTF-8') : undefined;
}

/** Tests of chats of other programs, by the members of a document, of its first message, or of a line. */
const SHAPES: readonly (readonly [name: string, test: (value: JsonObject, first: JsonObject) => boolean])[] =
  [
    [
      'a list of links to a Claude.ai export: download the archives that it names',
      ({ files }) => isJsonArray(files) && isJsonObject(files[0]) && typeof files[0]['url'] === 'string',
    ],
    ['a Matrix (Element) export', (_, first) => first['origin_server_ts'] !== undefined],
    ['a Discord export', ({ guild, channel }) => isJsonObject(guild) && isJsonObject(channel)],
    ['a Telegram export', (_, first) => first['date_unixtime'] !== undefined],
    [
      'a Slack export',
      ({ ts, user, text }) => typeof ts === 'string' && user !== undefined && text !== undefined,
    ],
    [
      'a Claude Code history, which has prompts alone: migrate ~/.claude/projects',
      ({ display, project }) => display !== undefined && project !== undefined,
    ],
    [
      'a Codex history, which has prompts alone: migrate ~/.codex/sessions',
      ({ session_id, ts, text }) => session_id !== undefined && ts !== undefined && text !== undefined,
    ],
    ['a CoCalc export bundle', ({ event }) => event === 'chat-message'],
  ];

/** The name of a chat of another program, or undefined. */
export function refuseValue(value: Json): string | undefined {
  const list = isJsonArray(value) ? value : undefined;
  const one = list?.find(isJsonObject) ?? value;
  if (!isJsonObject(one)) return undefined;
  const messages = one['messages'];
  const first = isJsonArray(messages) ? messages.find(isJsonObject) : undefined;
  const found = SHAPES.find(([, test]) => test(one, first ?? {}));
  return found && describe(found[0]);
}

function describe(name: string): string {
  return `it is ${name}; ${KNOWN}`;
}

/** The reason of a file that is not recognized at all. */
export function refuseUnknown(reason: string): string {
  return `${reason}; ${KNOWN}`;
}
