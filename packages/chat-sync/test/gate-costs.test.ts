import { deriveAnswerId, formatDate, openChat } from '@chatdoc/schema';
import { COST, type Cost } from '@chatdoc/schema/internal';
import { describe, expect, it } from 'vitest';
import * as Y from 'yjs';
import { Gate, type GateOptions } from '../src/gate/gate.js';
import {
  createEnvironment,
  DOC_ID,
  forge,
  GENERATION,
  headerLine,
  idAt,
  MINUTE,
  START,
} from './hostile-world.js';

const NAMES = Object.keys(COST) as (keyof Cost)[];

/** What work costs, where it is done. Laws of cost are about these numbers, never about times. */
function costOf(work: () => void): Cost {
  const before = { ...COST };
  work();
  const cost = { ...COST };
  for (const name of NAMES) cost[name] -= before[name];
  return cost;
}

/** A document with nothing but a gate on it. */
function createGate(authorize?: GateOptions['authorize']): { doc: Y.Doc; gate: Gate } {
  const doc = new Y.Doc();
  const environment = { now: () => START + MINUTE, random: createEnvironment('gate').random };
  const options = { doc_id: DOC_ID, generation: GENERATION, environment };
  return { doc, gate: new Gate(doc, authorize === undefined ? options : { ...options, authorize }) };
}

const DATE = formatDate(START);
const MESSAGE = idAt(0, 'message');
const THREAD = idAt(0, 'thread');
const PROMPT = idAt(0, 'prompt');
const ANSWER = deriveAnswerId(PROMPT);
const ATTEMPT = idAt(0, 'attempt');
const mallory = { user_id: 'mallory', key: 'k', value: 1 };

/** Lines of each type about one subject: a message that is an answer, its attempt, its thread, or the document. */
const LINES: Readonly<Record<string, (n: number) => object>> = {
  thread: () => ({
    type: 'thread',
    thread_id: THREAD,
    created_at: DATE,
    created_by: 'mallory',
    purpose: 'chat',
  }),
  thread_config: (n) => ({
    type: 'thread_config',
    id: idAt(0, `config ${n}`),
    thread_id: THREAD,
    updated_at: DATE,
    updated_by: 'mallory',
  }),
  'message of one thread': (n) => ({
    type: 'message',
    message_id: idAt(0, `message ${n}`),
    thread_id: THREAD,
    sender_id: 'mallory',
    date: DATE,
    content: 'x',
  }),
  'message of one id': () => ({
    type: 'message',
    message_id: MESSAGE,
    thread_id: THREAD,
    sender_id: 'mallory',
    date: DATE,
    content: 'x',
  }),
  'attempt at one answer': (n) => ({
    type: 'message',
    message_id: ANSWER,
    thread_id: THREAD,
    prompt_id: PROMPT,
    attempt: idAt(0, `attempt ${n}`),
    epoch: 1,
    runner_id: 'm',
    sender_id: 'mallory',
    date: DATE,
  }),
  'answer of one attempt': () => ({
    type: 'message',
    message_id: ANSWER,
    thread_id: THREAD,
    prompt_id: PROMPT,
    attempt: ATTEMPT,
    epoch: 1,
    runner_id: 'm',
    sender_id: 'mallory',
    date: DATE,
  }),
  part: (n) => ({ type: 'part', attempt: ATTEMPT, n: n + 1, kind: 'text', text: 'x' }),
  finish: (n) => ({ type: 'finish', id: idAt(0, `finish ${n}`), attempt: ATTEMPT, finish_reason: 'stop' }),
  stop: (n) => ({ type: 'stop', id: idAt(0, `stop ${n}`), message_id: ANSWER, epoch: 1, by: 'mallory' }),
  retry: (n) => ({ type: 'retry', id: idAt(0, `retry ${n}`), message_id: ANSWER, epoch: 2, by: 'mallory' }),
  interrupt: (n) => ({
    type: 'interrupt',
    id: idAt(0, `interrupt ${n}`),
    message_id: ANSWER,
    attempt: ATTEMPT,
    seen: n,
  }),
  revision: (n) => ({
    type: 'revision',
    id: idAt(0, `revision ${n}`),
    message_id: ANSWER,
    author_id: 'mallory',
    date: DATE,
    content: 'x',
  }),
  redaction: (n) => ({
    type: 'redaction',
    id: idAt(0, `redaction ${n}`),
    message_id: ANSWER,
    by: 'mallory',
    date: DATE,
  }),
  activation: (n) => ({
    type: 'activation',
    id: idAt(0, `activation ${n}`),
    thread_id: THREAD,
    slot: { root_id: 'r', owner_id: 'o', provider: 'p' },
  }),
  variables: (n) => ({
    type: 'variables',
    id: idAt(0, `variables ${n}`),
    scope: 'org',
    scope_id: 'o',
    values: {},
  }),
  'annotation of a message': (n) => ({
    type: 'annotation',
    id: idAt(0, `on message ${n}`),
    message_id: ANSWER,
    ...mallory,
  }),
  'annotation of a thread': (n) => ({
    type: 'annotation',
    id: idAt(0, `on thread ${n}`),
    thread_id: THREAD,
    ...mallory,
  }),
  thread_state: (n) => ({
    type: 'thread_state',
    id: idAt(0, `state ${n}`),
    thread_id: THREAD,
    state: 'idle',
    updated_at: DATE,
  }),
  document: (n) => ({ type: 'document', id: idAt(0, `document ${n}`), doc_id: idAt(0, `doc ${n}`) }),
  'legacy_row of a message': (n) => ({
    type: 'legacy_row',
    id: idAt(0, `row ${n}`),
    message_id: ANSWER,
    row: {},
  }),
  legacy_row: (n) => ({ type: 'legacy_row', id: idAt(0, `loose row ${n}`), row: {} }),
};
const TYPES = Object.keys(LINES);

function linesOf(types: readonly string[], from: number, count: number): object[] {
  const lines: object[] = [];
  for (let n = from; n < from + count; n += 1) for (const type of types) lines.push(LINES[type]?.(n) ?? {});
  return lines;
}

/** What lines of these types cost that come with one update, and then as many with an update each. */
function costOfLines(types: readonly string[], count: number): { readonly once: Cost; readonly each: Cost } {
  const { gate } = createGate(() => true);
  const principal = gate.connect('mallory');
  const peer = new Y.Doc();
  const sent: Uint8Array[] = [];
  peer.on('update', (update: Uint8Array) => sent.push(update));
  const lane_id = idAt(0, 'lane');
  const text = new Y.Text();
  const costOfWrite = (write: () => void): Cost => {
    peer.transact(write);
    return costOf(() => {
      for (const update of sent.splice(0)) expect(gate.receive(update, principal).ok).toBe(true);
    });
  };
  const once = costOfWrite(() => {
    const lines = [headerLine({ lane_id, user_id: 'mallory' }), ...linesOf(types, 0, count)];
    text.insert(0, joinLines(lines));
    peer.getMap('chat').set(lane_id, text);
  });
  const each = costOf(() => undefined);
  for (const line of linesOf(types, count, count)) {
    const cost = costOfWrite(() => text.insert(text.length, joinLines([line])));
    for (const name of NAMES) each[name] += cost[name];
  }
  return { once, each };
}

function joinLines(lines: readonly (string | object)[]): string {
  return lines.map((line) => `${typeof line === 'string' ? line : JSON.stringify(line)}\n`).join('');
}

/** No line of these is longer. */
const LONGEST = 400;

/**
 * Per line of an update, at most: one head, one parse and one check, and of the index one head, and one parse of a
 * redaction; three hashes of derived ids, few looks at ids and rows. And one look at each line of the document that
 * is asked about.
 */
function expectLinear(cost: Cost, lines: number, stored: number): void {
  const most = { parses: 2 * lines, checks: lines, hashes: 3 * lines, lookups: 12 * lines };
  const looks = {
    heads: 2 * lines + stored,
    rows: 4 * (lines + stored),
    characters: 3 * (lines + stored) * LONGEST,
  };
  for (const [name, count] of Object.entries({ ...most, ...looks })) {
    expect(cost[name as keyof Cost], name).toBeLessThanOrEqual(count + 8);
  }
}

describe('what a hostile update costs at the gate', () => {
  it('[GT19] one head, one parse and one check for each line of an update', () => {
    for (const type of TYPES) {
      const { once } = costOfLines([type], 16);
      // The header is a line, too. The index reads each head once more, parses headers again, and redactions.
      expect(once.heads, type).toBe(2 * (16 + 1) + 2);
      expect(once.parses, type).toBe(type === 'redaction' ? 32 + 2 : 16 + 2);
      expect(once.checks, type).toBe(16);
    }
  });

  for (const type of TYPES) {
    it(`[GT19] lines of ${type} cost what they are, whatever their subject has already`, () => {
      for (const count of [8, 16, 32]) {
        const { once, each } = costOfLines([type], count);
        expectLinear(once, count, 0);
        expectLinear(each, count, 2 * count);
      }
    });
  }

  it('[GT19] so do lines of every pair of types about one subject', () => {
    for (const [at, first] of TYPES.entries()) {
      for (const second of TYPES.slice(at + 1)) {
        const { once, each } = costOfLines([first, second], 8);
        expectLinear(once, 16, 0);
        expectLinear(each, 16, 32);
      }
    }
  });
});

describe('what a stream costs at the gate', () => {
  it('[GT8] a chunk costs what it brings, however long its line is: the line is read once', () => {
    const { gate } = createGate();
    const principal = gate.connect('ada');
    const ada = new Y.Doc();
    const chat = openChat(ada, {
      user_id: 'ada',
      generation: GENERATION,
      environment: createEnvironment('ada'),
    });
    const sent: Uint8Array[] = [];
    ada.on('update', (update: Uint8Array) => sent.push(update));
    const { thread_id } = chat.createThread({ created_by: 'ada' });
    const part = chat.openMessage({ thread_id, sender_id: 'ada' }).openPart();
    const send = (): void => {
      for (const update of sent.splice(0)) expect(gate.receive(update, principal).ok).toBe(true);
    };
    for (const length of [10, 20_000, 200_000]) {
      part.append('y'.repeat(length));
      send();
      part.append('one ');
      const first = costOf(send);
      expect(first.characters).toBeLessThanOrEqual(2 * length + 40_000);
      for (let n = 0; n < 50; n += 1) {
        part.append('token ');
        const { heads, parses, checks, characters, lookups } = costOf(send);
        expect([heads, parses, checks, characters]).toEqual([0, 0, 0, 0]);
        expect(lookups).toBeLessThanOrEqual(4);
      }
    }
  });
});

describe('what a deletion costs at the gate', () => {
  /** A lane of many lines about one message that is redacted, none of them blank. */
  function createLane(lines: number): { gate: Gate; remove: (n: number) => Uint8Array } {
    const { doc, gate } = createGate();
    const revisions = Array.from({ length: lines }, (_, n) => ({
      ...LINES['revision']?.(n),
      message_id: MESSAGE,
      author_id: 'ada',
      content: `secret ${n}.`,
    }));
    const said = { ...LINES['message of one id']?.(0), sender_id: 'ada' };
    const redaction = { ...LINES['redaction']?.(0), message_id: MESSAGE, by: 'ada' };
    const lane_id = idAt(0, 'lane of ada');
    const header = headerLine({ lane_id, user_id: 'ada', writer: 'ada' });
    const text = joinLines([header, said, ...revisions, redaction]);
    const update = forge(doc, (map) => map.set(lane_id, new Y.Text(text)));
    expect(gate.receive(update, gate.connect('ada'))).toMatchObject({ ok: true });
    const remove = (n: number): Uint8Array =>
      forge(doc, (map) => {
        const all = map.get(lane_id) as Y.Text;
        all.delete(String(all).indexOf(`secret ${n}.`), 6);
      });
    return { gate, remove };
  }

  it('[GT19] the lines that it is in, not the lane: the same in one of 10 lines and in one of 1,000', () => {
    const [few, many] = [10, 1000].map((lines) => {
      const { gate, remove } = createLane(lines);
      const mallory = gate.connect('mallory');
      expect(gate.receive(remove(0), mallory)).toMatchObject({ ok: true });
      const last = remove(5);
      return costOf(() => expect(gate.receive(last, mallory)).toMatchObject({ ok: true }));
    });
    expect(many).toEqual(few);
    expect(many?.characters).toBeLessThan(10 * LONGEST);
  });
});
