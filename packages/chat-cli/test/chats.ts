/** Small chats of every kind, written by hand. */

const row = (fields: object): string => JSON.stringify({ event: 'chat', ...fields });

const ADA_DATE = '2024-09-13T14:37:00.000Z';

/** Two threads, a reply, an edit, a draft and a damaged line. */
export const COCALC: string = `${[
  row({
    sender_id: 'ada',
    date: ADA_DATE,
    history: [{ content: 'Shall we ship?', date: ADA_DATE, author_id: 'ada' }],
  }),
  row({
    sender_id: 'bob',
    date: '2024-09-13T14:38:00.000Z',
    reply_to: ADA_DATE,
    history: [
      { content: 'Yes, on Monday.', date: '2024-09-13T14:39:00.000Z', author_id: 'bob' },
      { content: 'Yes.', date: '2024-09-13T14:38:00.000Z', author_id: 'bob' },
    ],
  }),
  row({
    sender_id: 'cyd',
    date: '2024-09-13T15:00:00.000Z',
    history: [{ content: 'Lunch?', date: '2024-09-13T15:00:00.000Z', author_id: 'cyd' }],
  }),
  JSON.stringify({ event: 'draft', sender_id: 'ada', date: 0, input: 'I am not su', active: 1726239212596 }),
  '{"event":"chat","sender_id":"bob","history":[{"con',
].join('\n')}\n`;

export const JUPYTER: string = JSON.stringify({
  messages: [
    { id: 'm1', type: 'msg', sender: 'u1', time: 1700000000.5, body: 'Hello', raw_time: false },
    { id: 'm2', type: 'msg', sender: 'u2', time: 1700000010.5, body: 'Hi!', raw_time: false },
  ],
  users: { u1: { username: 'u1', display_name: 'Ada Lovelace' }, u2: { username: 'u2', name: 'Bob' } },
  metadata: {},
});
