import { AGENT, type Draft, generateChat, USER } from './generator.js';

/** A multiple of the length of a thread, and little enough to hold. */
const CHUNK = 5_000;

/** The chat of the generator as CoCalc kept it in 2024: lines of JSON, replies naming the date of their root. */
export function writeCocalc(bytes: number): Uint8Array {
  let root = '';
  return fill(bytes, '', '\n', (draft) => {
    const date = formatTime(draft.time);
    const isRoot = draft.index === 0 || draft.record.thread_id !== root.slice(0, 26);
    if (isRoot) root = `${draft.record.thread_id}${date}`;
    const sender_id = draft.agent ? 'chatgpt-4o' : USER;
    const version = (content: string, at: string): object => ({ author_id: sender_id, content, date: at });
    const edits = draft.edited === undefined ? [] : [version(draft.edited, formatTime(draft.time + 60_000))];
    return JSON.stringify({
      sender_id,
      event: 'chat',
      history: [...edits, version(draft.pieces.join(''), date)],
      date,
      ...(isRoot ? { name: `Thread ${draft.thread}` } : { reply_to: root.slice(26) }),
      editing: {},
      folding: [],
      feedback: draft.reaction === undefined ? {} : { [USER]: 'positive' },
    });
  });
}

/** The same chat as a jupyter-chat document of 2025. */
export function writeJupyter(bytes: number): Uint8Array {
  const head = '{"messages":[';
  const tail = `],"users":{"${USER}":{"username":"${USER}"},"${AGENT}":{"username":"${AGENT}","bot":true}},"attachments":{},"metadata":{"id":"7d9f9b0e-54d1-4c52-9d0b-3d7f2f0f7a51"}}`;
  const messages = fill(bytes - tail.length, head, ',\n', (draft) =>
    JSON.stringify({
      body: draft.edited ?? draft.pieces.join(''),
      sender: draft.agent ? AGENT : USER,
      id: draft.record.message_id,
      time: draft.time / 1000,
      raw_time: false,
      deleted: false,
      edited: draft.edited !== undefined,
      type: 'msg',
    }),
  );
  return Buffer.concat([messages, Buffer.from(tail)]);
}

/** Rows until there are at most that many bytes. */
function fill(bytes: number, head: string, separator: string, write: (draft: Draft) => string): Uint8Array {
  const buffer = Buffer.allocUnsafeSlow(bytes);
  let end = buffer.write(head);
  for (let first = 0; ; first += CHUNK) {
    for (const draft of generateChat(CHUNK, first)) {
      const row = Buffer.from(`${first === 0 && draft.index === 0 ? '' : separator}${write(draft)}`);
      if (end + row.length > bytes) return buffer.subarray(0, end);
      end += row.copy(buffer, end);
    }
  }
}

function formatTime(time: number): string {
  return new Date(time).toISOString();
}
