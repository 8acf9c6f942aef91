import { deriveAnswerId, formatDate } from '@chatdoc/schema';
import type * as Kernel from '@chatdoc/schema/internal';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import * as Y from 'yjs';
import {
  createServer,
  forge,
  headerLine,
  idAt,
  join,
  type Member,
  type Server,
  START,
} from './hostile-world.js';

/** What the gate asks of the kernel, counted: laws of cost are about these numbers, never about times. */
const counts = vi.hoisted(() => ({ heads: 0, parses: 0, checks: 0, rows: 0, characters: 0 }));

vi.mock('@chatdoc/schema/internal', async (importOriginal) => {
  const kernel = await importOriginal<typeof Kernel>();
  const sum = (runs: readonly { readonly length: number }[]): number =>
    runs.reduce((total, { length }) => total + length, 0);
  class CountedIndex extends kernel.EntryIndex {
    override *rowsAbout(...args: Parameters<Kernel.EntryIndex['rowsAbout']>): IterableIterator<number> {
      for (const row of super.rowsAbout(...args)) {
        counts.rows += 1;
        yield row;
      }
    }
    override otherRows(kind: number, since?: number): number[] {
      const rows = super.otherRows(kind, since);
      counts.rows += rows.length;
      return rows;
    }
    override rawLine(row: number): string {
      const line = super.rawLine(row);
      counts.characters += line.length;
      return line;
    }
  }
  return {
    ...kernel,
    EntryIndex: CountedIndex,
    readHead: (...args: Parameters<typeof kernel.readHead>) => {
      counts.heads += 1;
      kernel.readHead(...args);
    },
    parseLine: (line: string) => {
      counts.parses += 1;
      counts.characters += line.length;
      return kernel.parseLine(line);
    },
    closeLine: (line: string) => {
      counts.parses += 1;
      counts.characters += line.length;
      return kernel.closeLine(line);
    },
    readHeader: (line: string) => {
      counts.parses += 1;
      counts.characters += line.length;
      return kernel.readHeader(line);
    },
    readEntry: (...args: Parameters<typeof kernel.readEntry>) => {
      counts.checks += 1;
      return kernel.readEntry(...args);
    },
    blankLine: (line: string) => {
      counts.characters += line.length;
      return kernel.blankLine(line);
    },
    readLineRuns: (...args: Parameters<typeof kernel.readLineRuns>) => {
      const runs = kernel.readLineRuns(...args);
      counts.characters += sum(runs);
      return runs;
    },
    readOpenRuns: (...args: Parameters<typeof kernel.readOpenRuns>) => {
      const runs = kernel.readOpenRuns(...args);
      counts.characters += sum(runs);
      return runs;
    },
  };
});

type Counts = { -readonly [K in keyof typeof counts]: number };

function reset(): void {
  for (const key of Object.keys(counts) as (keyof Counts)[]) counts[key] = 0;
}

beforeEach(reset);

/** What `work` costs. */
function costOf(work: () => void): Counts {
  reset();
  work();
  return { ...counts };
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
function costOfLines(
  types: readonly string[],
  count: number,
): { readonly once: Counts; readonly each: Counts } {
  const server = createServer({ authorize: () => true });
  const principal = server.gate.connect('mallory');
  const peer = new Y.Doc();
  const sent: Uint8Array[] = [];
  peer.on('update', (update: Uint8Array) => sent.push(update));
  const lane_id = idAt(0, 'lane');
  const text = new Y.Text();
  const costOfWrite = (write: () => void): Counts => {
    peer.transact(write);
    return costOf(() => {
      for (const update of sent.splice(0)) {
        expect(server.gate.receive(update, principal)).toMatchObject({ ok: true });
      }
    });
  };
  const once = costOfWrite(() => {
    const lines = [headerLine({ lane_id, user_id: 'mallory' }), ...linesOf(types, 0, count)];
    text.insert(0, joinLines(lines));
    peer.getMap('chat').set(lane_id, text);
  });
  const each = { heads: 0, parses: 0, checks: 0, rows: 0, characters: 0 };
  for (const line of linesOf(types, count, count)) {
    const cost = costOfWrite(() => text.insert(text.length, joinLines([line])));
    for (const name of Object.keys(each) as (keyof Counts)[]) each[name] += cost[name];
  }
  return { once, each };
}

function joinLines(lines: readonly (string | object)[]): string {
  return lines.map((line) => `${typeof line === 'string' ? line : JSON.stringify(line)}\n`).join('');
}

/** No line of these is longer. */
const LONGEST = 400;

/** Per line, at most: its own head, parse and check, and one look at it for what others ask, once it is there. */
function expectLinear(cost: Counts, lines: number, stored: number): void {
  const most = { heads: lines + stored, parses: lines + stored, checks: lines, rows: 3 * stored };
  for (const [name, count] of Object.entries(most)) {
    expect(cost[name as keyof Counts], name).toBeLessThanOrEqual(count + 4);
  }
  expect(cost.characters).toBeLessThanOrEqual((lines + stored + 4) * 2 * LONGEST);
}

describe('what a hostile update costs at the gate', () => {
  it('[GT19] one head, one parse and one check for each line of an update', () => {
    for (const type of TYPES) {
      const { once } = costOfLines([type], 16);
      // The header is a line, too.
      expect(once.heads, type).toBe(16 + 1);
      expect(once.parses, type).toBe(16 + 1);
      expect(once.checks, type).toBe(16);
      expect(once.rows, type).toBe(0);
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

interface Stream {
  readonly server: Server;
  readonly ada: Member;
  readonly append: (text: string) => void;
}

function createStream(): Stream {
  const server = createServer();
  const ada = join(server, 'ada');
  const { thread_id } = ada.chat.createThread({ created_by: 'ada' });
  const part = ada.chat.openMessage({ thread_id, sender_id: 'ada' }).openPart();
  part.append('x');
  ada.send();
  return { server, ada, append: (text) => part.append(text) };
}

describe('what a stream costs at the gate', () => {
  it('[GT8] a chunk costs what it brings, however long its line is: the line is read once', () => {
    const { ada, append } = createStream();
    const send = (): void => ada.send();
    for (const length of [0, 20_000, 200_000]) {
      if (length > 0) append('y'.repeat(length));
      send();
      append('one ');
      const first = costOf(send);
      expect(first.characters).toBeLessThanOrEqual(3 * (length + 20_000));
      for (let n = 0; n < 50; n += 1) {
        append('token ');
        expect(costOf(send)).toEqual({ heads: 0, parses: 0, checks: 0, rows: 0, characters: 0 });
      }
    }
  });
});

describe('what a deletion costs at the gate', () => {
  /** A lane of many lines about one message that is redacted, none of them blank. */
  function createLane(lines: number): { server: Server; delete: (n: number) => Uint8Array } {
    const server = createServer();
    const ada = server.gate.connect('ada');
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
    const update = forge(server.doc, (map) => map.set(lane_id, new Y.Text(text)));
    expect(server.gate.receive(update, ada)).toMatchObject({ ok: true });
    const remove = (n: number): Uint8Array =>
      forge(server.doc, (map) => {
        const all = map.get(lane_id) as Y.Text;
        all.delete(String(all).indexOf(`secret ${n}.`), 6);
      });
    return { server, delete: remove };
  }

  it('[GT19] the lines that it is in, not the lane: the same in one of 10 lines and in one of 1,000', () => {
    const costs = [10, 1000].map((lines) => {
      const { server, delete: remove } = createLane(lines);
      const mallory = server.gate.connect('mallory');
      // Whatever has to be known of the message is known now.
      expect(server.gate.receive(remove(0), mallory)).toMatchObject({ ok: true });
      const last = remove(5);
      return costOf(() => expect(server.gate.receive(last, mallory)).toMatchObject({ ok: true }));
    });
    expect(costs[1]?.characters).toBeLessThan(6 * LONGEST + (costs[0]?.characters ?? 0));
  });
});
