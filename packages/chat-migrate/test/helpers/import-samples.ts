import { readdirSync, readFileSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { check } from '@chatdoc/integrity';
import { type Chat, openChat } from '@chatdoc/schema';
import * as Y from 'yjs';
import type { MigrationPlan } from '../../src/index.js';

/** The result of a sample: what the document of its source shows. */
export interface Expected {
  readonly about: string;
  readonly detect: string;
  readonly accept: boolean;
  readonly inputs: readonly string[];
  readonly together: boolean;
  readonly texts: readonly string[];
  readonly threads: readonly ExpectedThread[];
  readonly problems: Readonly<Record<string, number>>;
  readonly hidden: readonly string[];
  readonly never: readonly string[];
  readonly usage?: Readonly<Record<string, number>>;
}

interface ExpectedThread {
  readonly name: string | null;
  readonly purpose: string;
  readonly messages: readonly ExpectedMessage[];
  readonly forked_from?: { readonly thread: number; readonly message?: number };
  readonly session?: Readonly<Record<string, unknown>>;
  readonly config?: Readonly<Record<string, unknown>>;
}

interface ExpectedMessage {
  readonly by: string;
  readonly text: string;
  readonly at: string;
  readonly end?: string;
  readonly parts?: readonly string[];
  readonly alternates?: readonly string[];
}

const FOLDER = new URL('../fixtures/imports/', import.meta.url);

export function listSamples(): readonly string[] {
  return readdirSync(FOLDER)
    .flatMap((format) => readdirSync(new URL(`${format}/`, FOLDER)).map((name) => `${format}/${name}`))
    .sort();
}

export function readExpected(sample: string): Expected {
  const expected = JSON.parse(readFileSync(new URL(`${sample}/expected.json`, FOLDER), 'utf8')) as Expected;
  return { ...expected, detect: NAMES.get(expected.detect) ?? expected.detect };
}

/** Formats that have another name here than in the samples. */
const NAMES: ReadonlyMap<string, string> = new Map([
  ['messages-table', 'messages'],
  ['convex', 'messages'],
]);

export function samplePath(sample: string, input: string): string {
  return fileURLToPath(new URL(`${sample}/${input}`, FOLDER));
}

export function isFolder(path: string): boolean {
  return statSync(path).isDirectory();
}

export function openPlans(...plans: readonly MigrationPlan[]): Chat {
  const chat = openChat(new Y.Doc());
  for (const { jsonl } of plans) {
    const imported = chat.importJSONL(jsonl);
    if (!imported.ok) throw new Error(imported.code);
  }
  return chat;
}

/** Rules that the document breaks. */
export function listBroken(chat: Chat): readonly string[] {
  return [
    ...check(chat)
      .filter(({ severity }) => severity === 'error')
      .map(({ rule, message }) => `${rule}: ${message}`),
    ...chat.quarantine().map(() => 'quarantined line'),
    ...chat
      .duplicates()
      .filter(({ line }) => !line.includes('"cut":true'))
      .map(() => 'duplicate line'),
  ];
}

/** The chat in the shape of `expected.json`: no more than the sample has a word about. */
export function describeLike(chat: Chat, expected: Expected): readonly unknown[] {
  const placeOf = (thread_id: string): number =>
    expected.texts.indexOf(chat.messages(thread_id)[0]?.content ?? '');
  const threads = [...chat.threads()].sort(
    (a, b) => compare(firstDate(chat, a), firstDate(chat, b)) || placeOf(a.thread_id) - placeOf(b.thread_id),
  );
  const ids = threads.map(({ thread_id }) => thread_id);
  return threads.map((thread, index) => {
    const like = expected.threads[index];
    const { forked_from } = thread;
    const config = chat.config(thread.thread_id) as unknown as Record<string, unknown>;
    return {
      name: config['name'] ?? null,
      purpose: thread.purpose,
      messages: chat
        .messages(thread.thread_id)
        .map((message, at) => describeMessage(message, like?.messages[at])),
      ...(forked_from === undefined
        ? {}
        : {
            forked_from: {
              thread: ids.indexOf(forked_from.thread_id),
              ...(forked_from.message_id === undefined
                ? {}
                : {
                    message: chat
                      .messages(forked_from.thread_id)
                      .findIndex(({ message_id }) => message_id === forked_from.message_id),
                  }),
            },
          }),
      ...(like?.session === undefined ? {} : { session: config['session'] }),
      ...(like?.config === undefined
        ? {}
        : { config: Object.fromEntries(Object.keys(like.config).map((key) => [key, config[key]])) }),
    };
  });
}

type Message = ReturnType<Chat['messages']>[number];

function describeMessage(message: Message, like: ExpectedMessage | undefined): unknown {
  return {
    by: message.sender_id,
    text: message.content,
    ...(like !== undefined && !('at' in like) ? {} : { at: message.date }),
    ...(message.prompt_id === undefined ? {} : { end: readEnd(message) }),
    ...(like?.parts === undefined
      ? {}
      : { parts: message.parts.map(describePart).filter((part) => part !== '') }),
    ...(like?.alternates === undefined
      ? {}
      : { alternates: message.alternates.map(({ content }) => content) }),
  };
}

function readEnd(message: Message): string {
  return message.attempt?.finish_reason ?? message.attempt?.state ?? 'none';
}

function describePart({ kind, state, title }: Message['parts'][number]): string {
  if (kind === 'tool_call') return `tool_call:${state}:${title}`;
  return kind === 'file' ? `file:${title}` : kind;
}

function firstDate(chat: Chat, { thread_id, created_at }: ReturnType<Chat['threads']>[number]): string {
  return chat.messages(thread_id)[0]?.date ?? created_at;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
