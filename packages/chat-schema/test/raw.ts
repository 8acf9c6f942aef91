import * as Y from 'yjs';
import { deriveUlid } from '../src/internal.js';

/** Documents written by hand: one lane, one update. */

export const START = Date.UTC(2026, 10, 21);
export const DATE = '2026-11-21T00:00:00.000Z';

/** A ULID that says when: `minute` counts from the start of the tests. */
export function idAt(minute: number, tag = ''): string {
  return deriveUlid(START + minute * 60_000, 'test', minute, tag);
}

export function laneHeader(name: string, fields: object = {}): string {
  return JSON.stringify({
    type: 'lane',
    lane_id: deriveUlid(START, 'lane', name),
    schema_version: 2,
    min_reader: 2,
    generation: 0,
    writer_id: deriveUlid(START, 'writer', name),
    ...fields,
  });
}

/** An update with one text under a header of its own; `client` is its owner. */
export function laneUpdate(client: number, header: string, lines: readonly object[]): Uint8Array {
  const doc = new Y.Doc();
  doc.clientID = client;
  const text = [header, ...lines.map((line) => JSON.stringify(line))].map((line) => `${line}\n`).join('');
  doc.getMap('chat').set(`lane ${client}`, new Y.Text(text));
  const update = Y.encodeStateAsUpdate(doc);
  doc.destroy();
  return update;
}

export const threadLine = (thread_id: string, fields: object = {}): object => ({
  type: 'thread',
  thread_id,
  created_at: DATE,
  created_by: 'ada',
  purpose: 'chat',
  ...fields,
});

/** Fields in the order of the head: the answer's prompt and attempt stand right behind the thread. */
export const messageLine = (message_id: string, thread_id: string, fields: object = {}): object => {
  const { prompt_id, attempt, ...rest } = fields as { prompt_id?: string; attempt?: string };
  return {
    type: 'message',
    message_id,
    thread_id,
    ...(prompt_id !== undefined && { prompt_id, attempt }),
    sender_id: 'ada',
    date: DATE,
    ...rest,
  };
};
