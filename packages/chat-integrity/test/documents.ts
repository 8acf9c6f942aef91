import { type Chat, deriveAnswerId, type Environment, openChat, SCHEMA_VERSION } from '@chatdoc/schema';
import { deriveUlid, encodeLine } from '@chatdoc/schema/internal';
import * as Y from 'yjs';

/** Documents written by hand, line by line: what an honest writer would never write. */

const NOW: number = Date.UTC(2026, 10, 21, 12);

/** A clock that stands still, and randomness that counts. */
export function stillEnvironment(): Environment {
  let calls = 0;
  return {
    now: () => NOW,
    random: (bytes) => {
      calls += 1;
      return Uint8Array.from({ length: bytes }, (_, i) => (calls * 31 + i * 7) % 256);
    },
  };
}

/** A ULID of a given minute, an hour before the clock and later. */
export function idAt(minute: number, tag = ''): string {
  return deriveUlid(NOW - 3_600_000 + minute * 60_000, 'test', minute, tag);
}

export function dateAt(minute: number): string {
  return new Date(NOW - 3_600_000 + minute * 60_000).toISOString();
}

export function header(name: string, fields: object = {}): string {
  return encodeLine({
    type: 'lane',
    lane_id: idAt(0, `lane ${name}`),
    schema_version: SCHEMA_VERSION,
    min_reader: SCHEMA_VERSION,
    generation: 0,
    writer_id: idAt(0, `writer ${name}`),
    ...fields,
  });
}

export const THREAD: string = idAt(1, 'thread');
export const ROOT: string = idAt(2, 'root');
export const PROMPT: string = idAt(3, 'prompt');
export const ANSWER: string = deriveAnswerId(PROMPT);
export const ATTEMPT: string = idAt(4, 'attempt');

export function thread(thread_id: string, fields: object = {}): object {
  return { type: 'thread', thread_id, created_at: dateAt(1), created_by: 'ada', purpose: 'chat', ...fields };
}

/** `minute` dates it; two of one minute would be a finding. */
export function message(message_id: string, minute: number, fields: object = {}): object {
  const { thread_id = THREAD, prompt_id, attempt, ...rest } = fields as Record<string, unknown>;
  return {
    type: 'message',
    message_id,
    thread_id,
    ...(prompt_id !== undefined && { prompt_id, attempt }),
    sender_id: 'ada',
    date: dateAt(minute),
    ...rest,
  };
}

/** One thread of an agent: a root, a prompt and its answer, streamed and finished. */
export function healthyLines(): readonly object[] {
  return [
    thread(THREAD, { root_message_id: ROOT }),
    {
      type: 'thread_config',
      id: idAt(1, 'config'),
      thread_id: THREAD,
      updated_at: dateAt(1),
      updated_by: 'ada',
      name: 'Roadmap',
      acp_config: { model: 'large' },
      session: { session_id: 's1' },
    },
    message(ROOT, 2, { content: 'Ship it?' }),
    message(PROMPT, 3, { reply_to_message_id: ROOT, expects: 'answer', content: 'Check the list.' }),
    message(ANSWER, 4, { prompt_id: PROMPT, attempt: ATTEMPT, epoch: 1, runner_id: 'laptop' }),
    { type: 'part', attempt: ATTEMPT, n: 1, kind: 'text', text: 'All done.' },
    { type: 'finish', id: idAt(5, 'finish'), attempt: ATTEMPT, finish_reason: 'complete' },
  ];
}

export function jsonl(head: string, lines: readonly (object | string)[]): string {
  return [head, ...lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line)))]
    .map((line) => `${line}\n`)
    .join('');
}

export interface OpenDocument {
  readonly doc: Y.Doc;
  readonly chat: Chat;
}

export function openText(...texts: readonly string[]): OpenDocument {
  const doc = new Y.Doc({ guid: 'chat' });
  const chat = openChat(doc, { environment: stillEnvironment() });
  for (const text of texts) {
    const result = chat.importJSONL(text);
    if (!result.ok) throw new Error(`import refused: ${result.code}`);
  }
  return { doc, chat };
}

/** The healthy document with more lines in the same lane. */
export function openWith(...lines: readonly (object | string)[]): OpenDocument {
  return openText(jsonl(header('a'), [...healthyLines(), ...lines]));
}
