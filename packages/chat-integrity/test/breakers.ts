import { deriveAnswerId } from '@chatdoc/schema';
import { deriveInterruptId, deriveSlotThreadId } from '@chatdoc/schema/internal';
import * as Y from 'yjs';
import {
  ANSWER,
  ATTEMPT,
  dateAt,
  header,
  healthyLines,
  idAt,
  jsonl,
  message,
  type OpenDocument,
  openText,
  openWith,
  PROMPT,
  ROOT,
  THREAD,
  thread,
} from './documents.js';

export interface Breaker {
  readonly rule: string;
  readonly damage: string;
  readonly open: () => OpenDocument;
  /** The id to look at first. */
  readonly first: string | undefined;
}

const OTHER = idAt(20, 'other thread');
const NEW = idAt(21, 'new message');
export const SLOT = { root_id: 'notebook.ipynb', owner_id: 'ada', provider: 'codex' };
export const slotThread = (number: number): string => deriveSlotThreadId({ ...SLOT, number }, 'chat');
const activation = (id: string, thread_id: string, slot: object = SLOT): object => ({
  type: 'activation',
  id,
  thread_id,
  slot,
});
const config = (id: string, thread_id: string, fields: object): object => ({
  type: 'thread_config',
  id,
  thread_id,
  updated_at: dateAt(9),
  updated_by: 'bob',
  ...fields,
});
const revision = (id: string, fields: object = {}): object => ({
  type: 'revision',
  id,
  message_id: ROOT,
  author_id: 'ada',
  date: dateAt(10),
  content: 'Ship it!',
  ...fields,
});
const finish = (id: string, fields: object = {}): object => ({
  type: 'finish',
  id,
  attempt: ATTEMPT,
  finish_reason: 'complete',
  ...fields,
});

const lines = (
  rule: string,
  damage: string,
  first: string,
  ...more: readonly (object | string)[]
): Breaker => ({
  rule,
  damage,
  first,
  open: () => openWith(...more),
});

const lanes = (
  rule: string,
  damage: string,
  first: string | undefined,
  ...texts: readonly string[]
): Breaker => ({
  rule,
  damage,
  first,
  open: () => openText(jsonl(header('a'), healthyLines()), ...texts),
});

/** For each rule the documents that break it, and nothing else. */
export const BREAKERS: readonly Breaker[] = [
  lines('IN1', 'a message whose thread is nowhere', NEW, message(NEW, 21, { thread_id: OTHER })),
  lines('IN2', 'a thread that names a root that is nowhere', OTHER, thread(OTHER, { root_message_id: NEW })),
  lines('IN3', 'a thread that names a root of another', OTHER, thread(OTHER, { root_message_id: ROOT })),
  lines('IN4', 'a reply to nothing', NEW, message(NEW, 21, { reply_to_message_id: idAt(22) })),
  lines(
    'IN5',
    'a reply to a message of another thread',
    NEW,
    thread(OTHER),
    message(NEW, 21, { thread_id: OTHER, reply_to_message_id: ROOT }),
  ),
  lines('IN6', 'a reply to itself', NEW, message(NEW, 21, { reply_to_message_id: NEW })),
  lines(
    'IN6',
    'two replies to each other',
    NEW,
    message(NEW, 21, { reply_to_message_id: idAt(22) }),
    message(idAt(22), 22, { reply_to_message_id: NEW }),
    message(idAt(23), 23, { reply_to_message_id: NEW }),
  ),
  lines(
    'IN7',
    'a second answer to a prompt',
    NEW,
    message(NEW, 21, { prompt_id: PROMPT, attempt: idAt(22), epoch: 1, runner_id: 'x' }),
  ),
  answerTo('a message that asks for none', ROOT),
  lines('IN9', 'a revision of nothing', idAt(30), revision(idAt(31), { message_id: idAt(30) })),
  lines('IN9', 'a part of nothing', idAt(30), {
    type: 'part',
    attempt: idAt(30),
    n: 1,
    kind: 'text',
    text: '',
  }),
  lines('IN9', 'settings of nothing', OTHER, config(idAt(31), OTHER, { name: 'Lost' })),
  lines('IN9', 'a stop of nothing', NEW, {
    type: 'stop',
    id: idAt(31),
    message_id: NEW,
    epoch: 1,
    by: 'ada',
  }),
  lines('IN10', 'two finishes', ATTEMPT, finish(idAt(6), { finish_reason: 'error' })),
  lines(
    'IN11',
    'two threads of a slot activated apart',
    [slotThread(1), slotThread(2)].sort()[0] as string,
    thread(slotThread(1), { slot: { ...SLOT, number: 1 } }),
    thread(slotThread(2), { slot: { ...SLOT, number: 2 } }),
    activation(idAt(7), slotThread(1)),
    activation(idAt(8), slotThread(2)),
  ),
  lines('IN12', 'an activation of a thread without slot', idAt(7), activation(idAt(7), THREAD)),
  lines(
    'IN12',
    'an activation under another slot',
    idAt(7),
    thread(slotThread(1), { slot: { ...SLOT, number: 1 } }),
    activation(idAt(7), slotThread(1), { ...SLOT, owner_id: 'bob' }),
  ),
  lines('IN13', 'a slot thread under a free id', OTHER, thread(OTHER, { slot: { ...SLOT, number: 1 } })),
  lines(
    'IN14',
    'two threads with one session id',
    [THREAD, OTHER].sort()[0] as string,
    thread(OTHER),
    config(idAt(9), OTHER, { session: { session_id: 's1', model: 'x' } }),
  ),
  lines('IN15', 'another message under the id of one', ROOT, message(ROOT, 2, { content: 'No.' })),
  lines('IN15', 'another part under the number of one', ATTEMPT, {
    type: 'part',
    attempt: ATTEMPT,
    n: 1,
    kind: 'text',
    text: 'No.',
  }),
  lines(
    'IN16',
    'a message of tomorrow',
    idAt(24 * 60),
    message(idAt(24 * 60), 24 * 60, { content: 'Hello from tomorrow' }),
  ),
  { rule: 'IN17', damage: 'text of another client in a lane', first: undefined, open: openForeign },
  lanes(
    'IN18',
    'a part by another writer',
    ATTEMPT,
    jsonl(header('b'), [{ type: 'part', attempt: ATTEMPT, n: 2, kind: 'text', text: 'I was never here' }]),
  ),
  { rule: 'IN19', damage: 'a lane that a peer deleted', first: idAt(0, 'lane b'), open: openDamaged },
  lines(
    'IN20',
    'a line that is no JSON',
    idAt(0, 'lane a'),
    `{"type":"redaction","id":"${NEW}","message_id":"${ROOT}",`,
  ),
  lines(
    'IN20',
    'a part that is no JSON',
    idAt(0, 'lane a'),
    `{"type":"part","attempt":"${ATTEMPT}","n":2,"kind":"text",`,
  ),
  lines('IN29', 'a line without a whole head', idAt(0, 'lane a'), { type: 'message', message_id: 'x' }),
  lanes(
    'IN21',
    'a lane of a later version',
    idAt(0, 'lane b'),
    jsonl(header('b', { min_reader: 3 }), [message(NEW, 21)]),
  ),
  lines('IN22', 'an entry of a later version', '', { type: 'poll', id: NEW, text: 'Tabs or spaces?' }),
  lines('IN23', 'a message with a date that is none', NEW, message(NEW, 21, { date: 'yesterday' })),
  lines(
    'IN23',
    'a message with two ids',
    NEW,
    JSON.stringify(message(NEW, 21)).replace(/\}$/, `,"message_id":"${ROOT}"}`),
  ),
  lines('IN23', 'a part with a number for text', ATTEMPT, {
    type: 'part',
    attempt: ATTEMPT,
    n: 2,
    kind: 'text',
    text: 5,
  }),
  lines('IN23', 'settings with a pin that is none', idAt(9), config(idAt(9), THREAD, { pin: 'yes' })),
  lines(
    'IN24',
    'a message that a copy cut off',
    NEW,
    message(NEW, 21, { content: 'Half a senten', cut: true }),
  ),
  lines('IN25', 'two messages of one date', NEW, message(NEW, 21), message(idAt(22), 21)),
  lines(
    'IN26',
    'an agent without settings',
    OTHER,
    thread(OTHER),
    message(NEW, 21, { thread_id: OTHER, expects: 'answer' }),
  ),
  lines('IN27', 'two names at once', THREAD, config(idAt(9), THREAD, { name: 'Plan' })),
  lines('IN27', 'two revisions at once', ROOT, revision(idAt(9)), revision(idAt(10), { content: 'Ship!' })),
];

/** What looks like damage and is none. */
export const HARMLESS: readonly { readonly name: string; readonly open: () => OpenDocument }[] = [
  { name: 'the healthy document', open: () => openWith() },
  { name: 'an empty document', open: () => openText() },
  {
    name: 'the same lines in two lanes',
    open: () =>
      openText(
        jsonl(header('a'), healthyLines()),
        jsonl(header('b'), [message(ROOT, 2, { content: 'Ship it?' })]),
      ),
  },
  {
    name: 'a copy that was cut beside the whole',
    open: () =>
      openWith(
        message(NEW, 21, { content: 'Half', cut: true }),
        message(NEW, 21, { content: 'Half and half' }),
      ),
  },
  {
    name: 'a stop of a queued prompt',
    open: () => {
      const document = openWith(message(NEW, 21, { expects: 'answer' }));
      document.chat.stop({ message_id: NEW, by: 'ada' });
      return document;
    },
  },
  {
    name: 'revisions that replace each other',
    open: () => openWith(revision(idAt(9)), revision(idAt(10), { content: 'Ship!', replaces: [idAt(9)] })),
  },
  {
    name: 'an interrupted and retried attempt',
    open: () => {
      const again = idAt(12);
      return openText(
        jsonl(header('a'), [
          ...healthyLines().slice(0, -1),
          {
            type: 'interrupt',
            id: deriveInterruptId(ATTEMPT, 1),
            message_id: ANSWER,
            attempt: ATTEMPT,
            seen: 1,
          },
          { type: 'retry', id: idAt(11), message_id: ANSWER, epoch: 2, by: 'ada' },
          message(ANSWER, 12, { prompt_id: PROMPT, attempt: again, epoch: 2, runner_id: 'desk' }),
          finish(idAt(13), { attempt: again }),
        ]),
      );
    },
  },
  {
    name: 'two slot threads, the second made active after the first',
    open: () =>
      openWith(
        thread(slotThread(1), { slot: { ...SLOT, number: 1 } }),
        thread(slotThread(2), { slot: { ...SLOT, number: 2 } }),
        activation(idAt(7), slotThread(1)),
        { ...activation(idAt(8), slotThread(2)), replaces: [idAt(7)] },
      ),
  },
  {
    name: 'a redacted message',
    open: () => {
      const document = openWith(message(NEW, 21, { content: 'secret' }));
      document.chat.redact({ message_id: NEW, by: 'ada' });
      return document;
    },
  },
];

function answerTo(what: string, promptId: string): Breaker {
  const document = (): OpenDocument => {
    const { chat, doc } = openWith();
    const answer = JSON.stringify(
      message(deriveAnswerId(promptId), 21, {
        prompt_id: promptId,
        attempt: idAt(22),
        epoch: 1,
        runner_id: 'x',
      }),
    );
    chat.importJSONL(jsonl(header('b'), [answer]));
    return { chat, doc };
  };
  return { rule: 'IN8', damage: `an answer to ${what}`, first: deriveAnswerId(promptId), open: document };
}

function openForeign(): OpenDocument {
  const document = openWith();
  const peer = new Y.Doc();
  Y.applyUpdate(peer, Y.encodeStateAsUpdate(document.doc));
  const [text] = [...peer.getMap('chat').values()] as Y.Text[];
  text?.insert(text.length, '{"type":"finish","id":"forged"}\n');
  Y.applyUpdate(document.doc, Y.encodeStateAsUpdate(peer));
  return document;
}

function openDamaged(): OpenDocument {
  const document = openWith();
  document.chat.importJSONL(jsonl(header('b'), [message(NEW, 21, { content: 'Gone in a moment' })]));
  const peer = new Y.Doc();
  Y.applyUpdate(peer, Y.encodeStateAsUpdate(document.doc));
  const map = peer.getMap('chat');
  const key = [...map.keys()].find((name) => String(map.get(name)).includes('Gone in a moment'));
  if (key !== undefined) map.delete(key);
  Y.applyUpdate(document.doc, Y.encodeStateAsUpdate(peer));
  return document;
}
