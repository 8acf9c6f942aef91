import type { Outcome, Pick, Seat, Stranger } from '@chatdoc/integrity/testing';
import { formatDate, SCHEMA_VERSION } from '@chatdoc/schema';
import { deriveUlid, encodeLine } from '@chatdoc/schema/internal';
import * as Y from 'yjs';
import { textsOf } from '../../../chat-integrity/src/testing/chat/chat-state.js';
import { extractTexts, headOf } from '../oracle/oracle-lines.js';

/** Programs that write into the document of a chat without this library. */

const START = Date.UTC(2026, 10, 21, 12);
const DATE = formatDate(START);

/** Ids of threads and messages, and whole lines, that are in the document. */
interface View {
  readonly threads: readonly string[];
  readonly messages: readonly string[];
  readonly prompts: readonly string[];
  readonly attempts: readonly string[];
}

function readView(doc: Y.Doc): View {
  const threads = new Set<string>();
  const messages = new Set<string>();
  const prompts = new Set<string>();
  const attempts = new Set<string>();
  for (const { text } of extractTexts(doc)) {
    for (const line of text.split('\n')) {
      const head = headOf(line);
      if (head?.type === 'thread') threads.add(head.own);
      if (head?.type !== 'message') continue;
      messages.add(head.subject);
      if (head.ids['attempt'] !== undefined) attempts.add(String(head.ids['attempt']));
      else if (line.includes('"expects":"answer"')) prompts.add(head.subject);
    }
  }
  const sort = (ids: Set<string>): string[] => [...ids].sort();
  return {
    threads: sort(threads),
    messages: sort(messages),
    prompts: sort(prompts),
    attempts: sort(attempts),
  };
}

type Fields = Readonly<Record<string, unknown>>;

/** Makes ids of one visitor: each is new. */
class Hand {
  readonly pick: Pick;
  readonly view: View;
  readonly #seat: Seat;
  #made = 0;

  constructor(doc: Y.Doc, pick: Pick, seat: Seat) {
    this.pick = pick;
    this.view = readView(doc);
    this.#seat = seat;
  }

  createId(time: number = START): string {
    this.#made += 1;
    return deriveUlid(time, this.#seat.name, this.#made);
  }

  one(ids: readonly string[]): string {
    return this.pick.one(ids) ?? this.createId();
  }

  header(fields: Fields = {}): string {
    return encodeLine({
      type: 'lane',
      lane_id: this.createId(),
      schema_version: SCHEMA_VERSION,
      min_reader: SCHEMA_VERSION,
      generation: this.#seat.generation,
      writer_id: this.createId(),
      ...fields,
    });
  }

  message(fields: Fields = {}): Fields {
    const { message_id = this.createId(), thread_id = this.one(this.view.threads), ...rest } = fields;
    return { type: 'message', message_id, thread_id, sender_id: this.#seat.name, date: DATE, ...rest };
  }
}

/** A lane of a client of its own. */
function addLane(doc: Y.Doc, hand: Hand, lines: readonly (Fields | string)[], ending = '\n'): void {
  const text = lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line))).join('\n');
  doc.getMap('chat').set(hand.createId(), new Y.Text(`${text}${ending}`));
}

/** A client of before: it names no `after`, replaces nothing, and knows fewer fields. */
export const olderClient: Stranger = (doc, pick, seat) => {
  const hand = new Hand(doc, pick, seat);
  const { threads, messages } = hand.view;
  if (threads.length === 0) return false;
  const thread_id = hand.one(threads);
  const by = seat.name;
  addLane(doc, hand, [
    hand.header({ schema_version: 1, min_reader: 1 }),
    hand.message({ thread_id, content: 'from before' }),
    {
      type: 'revision',
      id: hand.createId(),
      message_id: hand.one(messages),
      author_id: by,
      date: DATE,
      content: 'x',
    },
    {
      type: 'thread_config',
      id: hand.createId(),
      thread_id,
      updated_at: DATE,
      updated_by: by,
      name: 'before',
    },
  ]);
  return [];
};

/** A client of later: types and fields that nobody here knows, and now and then a lane that they must not read. */
export const newerClient: Stranger = (doc, pick, seat) => {
  const hand = new Hand(doc, pick, seat);
  const { threads } = hand.view;
  if (threads.length === 0) return false;
  const min_reader = pick.chance(3) ? SCHEMA_VERSION + 1 : SCHEMA_VERSION;
  addLane(doc, hand, [
    hand.header({ schema_version: SCHEMA_VERSION + 1, min_reader, capabilities: ['polls'] }),
    { type: 'poll', id: hand.createId(), options: [1, { deep: [2] }] },
    hand.message({ content: 'from later', mood: { face: '🙂' } }),
    {
      type: 'thread',
      thread_id: hand.createId(),
      created_at: DATE,
      created_by: seat.name,
      purpose: 'chat',
      room: 7,
    },
  ]);
  seat.mark(min_reader > SCHEMA_VERSION ? 'a lane that must not be read' : 'types of a later schema');
  return [];
};

type Attack = (doc: Y.Doc, hand: Hand, by: string) => Outcome;

const write =
  (mark: string, lines: (hand: Hand, by: string) => readonly (Fields | string)[], ending?: string): Attack =>
  (doc, hand, by) => {
    addLane(doc, hand, [hand.header(), ...lines(hand, by)], ending);
    return { acknowledged: [mark] };
  };

const ATTACKS: readonly Attack[] = [
  write('lines that are not JSON', () => ['garbage', '{"type":"message"}', '{"type":"note","id":', '[]']),
  write('a reserved key', (hand) => [
    { ...hand.message(), content: 'x', nested: JSON.parse('{"__proto__":1}') },
  ]),
  write('an id of the far future', (hand) => [
    hand.message({ message_id: hand.createId(9e12), content: 'soon' }),
  ]),
  write('a cycle of replies', (hand) => {
    const [a, b] = [hand.createId(), hand.createId()];
    const thread_id = hand.one(hand.view.threads);
    return [
      hand.message({ message_id: a, thread_id, reply_to_message_id: b, content: 'a' }),
      hand.message({ message_id: b, thread_id, reply_to_message_id: a, content: 'b' }),
    ];
  }),
  write('parts of another writer', (hand) => [
    { type: 'part', attempt: hand.one(hand.view.attempts), n: 1, text: '#99 ' },
    { type: 'finish', id: hand.createId(), attempt: hand.one(hand.view.attempts), finish_reason: 'stop' },
  ]),
  write('a forged answer', (hand) => [
    hand.message({
      prompt_id: hand.one(hand.view.prompts),
      attempt: hand.createId(),
      epoch: 99,
      runner_id: 'm',
    }),
  ]),
  write('a stop of everything', (hand, by) =>
    hand.view.prompts.map((message_id) => ({ type: 'stop', id: hand.createId(), message_id, epoch: 99, by })),
  ),
  write('fields of the wrong type', (hand) => [
    { ...hand.message(), content: 7, date: null },
    { type: 'thread_config', id: hand.createId(), thread_id: hand.one(hand.view.threads), name: [1] },
  ]),
  write(
    'a line without an end',
    (hand) => [`${JSON.stringify(hand.message()).slice(0, -1)},"content":"cut`],
    '',
  ),
  (doc, hand) => {
    addLane(doc, hand, [hand.message({ content: 'under no header' })]);
    return { acknowledged: ['a lane without a header'] };
  },
  (doc, hand) => {
    doc.getMap('chat').set(hand.createId(), hand.pick.below(100));
    doc.getArray('elsewhere').push([1]);
    return { acknowledged: ['values that are not lanes'] };
  },
  (doc, hand) => {
    const text = pickText(doc, hand);
    text?.insert(hand.pick.below(text.length + 1), 'forged\n');
    return { acknowledged: ['foreign text'] };
  },
  (doc, hand, by) => {
    const message_id = hand.one(hand.view.messages);
    const redaction = { type: 'redaction', id: hand.createId(), message_id, by, date: DATE };
    addLane(doc, hand, [hand.header(), redaction]);
    return { acknowledged: ['a redaction by a stranger'], withdrawn: textsOf(message_id) };
  },
  (doc, hand) => {
    const text = pickText(doc, hand);
    const from = hand.pick.below(text?.length ?? 0);
    if (text !== undefined && text.length > 0) text.delete(from, Math.min(40, text.length - from));
    // Without a gate anybody may: what others still hold is kept aside, and no fact is safe.
    return { acknowledged: ['a deletion in a lane'], withdrawn: [''] };
  },
  (doc, hand) => {
    const map = doc.getMap('chat');
    const key = hand.pick.one([...map.keys()].sort());
    if (key !== undefined) map.delete(key);
    return { acknowledged: ['a lane was deleted'], withdrawn: [''] };
  },
];

function pickText(doc: Y.Doc, hand: Hand): Y.Text | undefined {
  const map = doc.getMap('chat');
  const texts = [...map.keys()].sort().map((key) => map.get(key));
  return hand.pick.one(texts.filter((text) => text instanceof Y.Text));
}

/** A peer that keeps no rule but those of Yjs. */
export const hostilePeer: Stranger = (doc, pick, seat) => {
  const hand = new Hand(doc, pick, seat);
  const attack = ATTACKS[pick.below(ATTACKS.length)] as Attack;
  const { acknowledged = [], withdrawn = [] } = attack(doc, hand, seat.name);
  for (const what of acknowledged) seat.mark(what);
  return { withdrawn };
};
