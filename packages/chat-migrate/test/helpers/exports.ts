import type { Chat, ChatReader, Message, ThreadConfig } from '@chatdoc/schema';
import { expect } from 'vitest';
import { type ExportFormat, exportChat } from '../../src/export/export-chat.js';
import type { Problem } from '../../src/plan/draft.js';
import { openLegacy } from '../../src/plan/open-legacy.js';
import { expectPlan, toBytes } from './plans.js';

export interface Returned {
  readonly text: string;
  readonly chat: Chat;
  readonly problems: readonly Problem[];
}

/** Exports, checks the plan of the export, and opens it; and then once more, which must change nothing. */
export function sendThrough(chat: Chat, format: ExportFormat): Returned {
  const text = exportChat(chat, format);
  const plan = expectPlan(toBytes(text));
  expect([plan.format, 'empty']).toContain(plan.format === 'empty' ? 'empty' : format);
  const opened = openLegacy(toBytes(text));
  if (!opened.ok) throw new Error(`expected a chat, got ${opened.code}`);
  const { quarantined, duplicates, ignored } = opened.chat.report();
  expect([quarantined, duplicates, ignored]).toEqual([0, 0, []]);
  expect(exportChat(opened.chat, format)).toBe(text);
  return { text, chat: opened.chat, problems: opened.plan.problems };
}

const SETTINGS = [
  ...(['name', 'thread_color', 'thread_icon', 'thread_image', 'pin', 'archived', 'acp_config'] as const),
  ...(['agent_kind', 'anchor', 'resolved', 'updated_at', 'updated_by'] as const),
] as const;

const AT_REST: ReadonlyMap<string, string> = new Map([
  ['running', 'interrupted'],
  ['queued', 'interrupted'],
]);

/** All of a chat that CoCalc v2 has a place for, without the ids that a row of 2026 gives anew. */
export function describeForCocalc(chat: ChatReader): readonly unknown[] {
  const threads = chat
    .threads()
    .map(({ thread_id, created_at, created_by, root_message_id, forked_from }) => {
      const messages = chat.messages(thread_id);
      const ids = messages.map(({ message_id }) => message_id);
      const { state, active_message_id } = chat.state(thread_id);
      const config = chat.config(thread_id);
      const isFork = forked_from !== undefined && chat.messageIds(forked_from.thread_id).length > 0;
      return {
        created_at,
        created_by,
        root: root_message_id === null ? -1 : ids.indexOf(root_message_id),
        isFork,
        config: pickSettings(config),
        state: AT_REST.get(state) ?? state,
        active: active_message_id === undefined ? -1 : ids.indexOf(active_message_id),
        read: describeReads(chat, thread_id),
        messages: messages.map((message) => describeMessage(chat, message)),
      };
    });
  return threads.map((thread) => JSON.stringify(thread)).sort();
}

function pickSettings(config: ThreadConfig): Readonly<Record<string, unknown>> {
  const carried = SETTINGS.filter((field) => config[field] !== undefined);
  const settings = Object.fromEntries(carried.map((field) => [field, sortKeys(config[field])]));
  const isSet = carried.some((field) => field !== 'updated_at' && field !== 'updated_by');
  return isSet ? settings : {};
}

function sortKeys(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function describeReads(chat: ChatReader, thread_id: string): readonly unknown[] {
  const readers = chat.annotations({ thread_id }).filter(({ key }) => key === 'read');
  const marks = readers.flatMap(({ user_id }) => {
    const mark = chat.readMark(thread_id, user_id);
    return mark === undefined ? [] : [`${user_id} ${chat.message(mark)?.date}`];
  });
  return [...new Set(marks)].sort();
}

function describeMessage(chat: ChatReader, message: Message): unknown {
  const { message_id, sender_id, date, content, redacted, history } = message;
  const votes = chat
    .annotations({ message_id })
    .filter(({ key, value }) => key === 'feedback' && typeof value === 'string')
    .map(({ user_id, value }) => `${user_id} ${String(value)}`);
  const versions = history.map((version, index) => ({
    author_id: version.author_id,
    date: version.date,
    content: version.content,
    // CoCalc deletes by a blank version, and what is redacted shows as deleted.
    deleted: index > 0 && version.content.trim() === '',
  }));
  if (redacted && versions.length === 1)
    versions.push({ author_id: sender_id, date, content: '', deleted: true });
  return { sender_id, date, content, versions, votes: votes.sort() };
}

/** All of a chat that jupyter-chat has a place for: one list. */
export function describeForJupyter(chat: ChatReader): readonly unknown[] {
  const threads = chat.threads().map(({ thread_id }) => chat.messages(thread_id));
  return threads.length > 1 ? [] : (threads[0] ?? []).map(describeJupyterMessage);
}

function describeJupyterMessage({
  sender_id,
  date,
  content,
  deleted,
  redacted,
  history,
  parts,
}: Message): unknown {
  const isGone = deleted || redacted;
  const shown = redacted ? [] : parts.filter(({ kind }) => kind === 'tool_call' || kind === 'file');
  return {
    sender_id,
    date,
    content,
    isGone,
    isEdited: !isGone && history.length > 1,
    parts: shown.map(({ kind, title, state, input, output, data }) => ({
      kind,
      title,
      state,
      input,
      output,
      data,
    })),
  };
}
