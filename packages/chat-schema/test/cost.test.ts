import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as Y from 'yjs';
import { deriveAnswerId, openChat } from '../src/index.js';
import { COST, type Cost } from '../src/internal.js';
import { DATE, idAt, laneHeader, laneUpdate, messageLine, threadLine } from './raw.js';
import { createReplica, runs } from './world.js';

/** What `work` costs, by counter. */
function count(work: () => void): Cost {
  const before = { ...COST };
  work();
  const spent = { ...COST };
  for (const key of Object.keys(spent) as (keyof Cost)[]) spent[key] -= before[key];
  return spent;
}

const sum = ({ parses, checks, hashes, lookups, rows, characters }: Cost): number =>
  parses + checks + hashes + lookups + rows + characters / 100;

describe('cost', () => {
  it('[CO1] opening parses headers and redactions alone', () => {
    const { doc, chat } = createReplica();
    const { thread_id } = chat.createThread({ created_by: 'ada', name: 'one' });
    for (let i = 0; i < 300; i += 1) chat.send({ thread_id, sender_id: 'ada', content: `${i}` });
    const headers = chat.report().lanes;
    expect(count(() => openChat(doc)).parses).toBe(headers);
    const { message_id } = chat.send({ thread_id, sender_id: 'ada', content: 'secret' });
    chat.redact({ message_id, by: 'ada' });
    expect(count(() => openChat(doc)).parses).toBe(chat.report().lanes + 1);
  });

  const writes: Readonly<Record<string, (world: World, i: number) => void>> = {
    edit: ({ chat, plain }, i) => chat.edit({ message_id: plain, author_id: 'ada', content: `${i}` }),
    setting: ({ chat, thread_id }, i) => chat.configure({ thread_id, updated_by: 'ada', name: `${i}` }),
    'read mark': ({ chat, thread_id, plain, other }, i) => {
      chat.annotate({ thread_id, user_id: 'ada', key: 'read', value: i % 2 === 0 ? plain : other });
      chat.readMark(thread_id, 'ada');
    },
    reaction: ({ chat, other }, i) => {
      chat.annotate({ message_id: other, user_id: 'ada', key: 'reaction:+1', value: i });
      chat.annotations({ message_id: other });
    },
    variable: ({ chat }, i) => {
      chat.setVariables({ scope: 'user', scope_id: 'ada', values: { a: i } });
      chat.variables('user', 'ada');
    },
    state: ({ chat, thread_id }) => {
      chat.setState({ thread_id, state: 'idle' });
    },
    'update of one tool call': ({ chat, attempt }, i) => {
      attempt.addPart({ kind: 'tool_call', part_id: 'a', state: `${i}` });
      chat.message(attempt.message_id);
    },
    'another tool call': ({ chat, attempt }, i) => {
      attempt.addPart({ kind: 'tool_call', part_id: `tool ${i}`, state: 'done' });
      chat.message(attempt.message_id);
    },
    'stop and retry': ({ chat, prompt }, i) => {
      if (i % 2 === 0) chat.stop({ message_id: prompt, by: 'ada' });
      else chat.retry({ message_id: prompt, by: 'ada' });
      chat.message(deriveAnswerId(prompt));
    },
  };
  type World = ReturnType<typeof createWorld>;
  function createWorld() {
    const { chat } = createReplica();
    const { thread_id } = chat.createThread({ created_by: 'ada' });
    const say = (expects?: 'answer'): string =>
      chat.send({ thread_id, sender_id: 'ada', content: 'x', ...(expects && { expects }) }).message_id;
    const [plain, other, asked, prompt] = [say(), say(), say('answer'), say('answer')];
    const attempt = chat.openAttempt({ prompt_id: asked, sender_id: 'bot', runner_id: 'r' });
    return { chat, thread_id, plain, other, prompt, attempt };
  }
  for (const [name, write] of Object.entries(writes)) {
    it(`[CO2] the 2,000th ${name} costs at most 2 parses, and what the 200th does`, () => {
      const world = createWorld();
      world.chat.subscribe(() => {});
      const costs: Cost[] = [];
      for (let i = 0; i < 2_000; i += 1) costs.push(count(() => write(world, i)));
      // A lane is rolled now and then, which costs its header: the least of a few calls is what one costs.
      const least = (from: number): Cost =>
        costs.slice(from, from + 8).sort((a, b) => sum(a) - sum(b))[0] as Cost;
      const [early, late] = [least(200), least(1_990)];
      expect(late.parses).toBeLessThanOrEqual(2);
      expect(sum(late)).toBeLessThanOrEqual(sum(early) * 1.1 + 1);
    });
  }

  it('[CO3] a streamed token costs its characters and one look-up', () => {
    for (const messages of [10, 500]) {
      const { chat } = createReplica();
      const { thread_id } = chat.createThread({ created_by: 'ada' });
      for (let i = 0; i < messages; i += 1) chat.send({ thread_id, sender_id: 'ada', content: 'x' });
      const { message_id } = chat.send({ thread_id, sender_id: 'ada', content: 'x', expects: 'answer' });
      chat.subscribe(() => {});
      const attempt = chat.openAttempt({ prompt_id: message_id, sender_id: 'bot', runner_id: 'r' });
      for (let i = 0; i < messages; i += 1) attempt.addPart({ kind: 'tool_call', part_id: `${i}` });
      const part = attempt.openPart();
      part.append('first');
      chat.messages(thread_id);
      const spent = count(() => {
        part.append(' token');
        chat.messages(thread_id);
      });
      expect(spent).toMatchObject({ parses: 0, checks: 0, hashes: 0, characters: 0, lookups: 1 });
      expect(spent.rows).toBeLessThan(4);
    }
  });

  it('[CO4] threads() parses one line per thread, and then what changed', () => {
    const { doc, chat } = createReplica();
    for (let i = 0; i < 40; i += 1) {
      const { thread_id } = chat.createThread({ created_by: 'ada', name: `${i}` });
      for (let k = 0; k < 5; k += 1)
        chat.send({ thread_id, sender_id: 'ada', content: 'x', expects: 'answer' });
    }
    const other = openChat(doc);
    expect(count(() => other.threads()).parses).toBe(40);
    expect(count(() => other.threads()).parses).toBe(0);
    const [first] = other.threads();
    const thread_id = first?.thread_id ?? '';
    const spent = count(() => {
      chat.send({ thread_id, sender_id: 'ada', content: 'y' });
      other.threads();
    });
    expect(spent.parses).toBe(0);
  });

  it('[CO5] the last page parses the messages in it, and ids parse nothing', () => {
    const { doc, chat } = createReplica();
    const { thread_id } = chat.createThread({ created_by: 'ada' });
    for (let i = 0; i < 400; i += 1) {
      const { message_id } = chat.send({ thread_id, sender_id: 'ada', content: `${i}`, expects: 'answer' });
      const attempt = chat.openAttempt({ prompt_id: message_id, sender_id: 'bot', runner_id: 'r' });
      attempt.addPart({ kind: 'text', text: 'answer' });
      attempt.finish({ finish_reason: 'stop' });
    }
    const other = openChat(doc);
    const thread = 1;
    expect(count(() => other.messageCount(thread_id)).parses).toBe(thread);
    expect(count(() => other.messageIds(thread_id)).parses).toBe(0);
    // Half of them are answers, of three lines.
    expect(count(() => other.messages(thread_id, { limit: 50 })).parses).toBe(25 + 25 * 3);
    expect(other.messages(thread_id, { limit: 50 })).toEqual(chat.messages(thread_id).slice(-50));
  });

  const T = idAt(0, 'thread');
  const M = idAt(1, 'message');
  const P = idAt(2, 'prompt');
  const A = deriveAnswerId(P);
  const W = idAt(3, 'attempt');
  /** The n-th hostile line of each kind about one subject. */
  const kinds: Readonly<Record<string, (i: number) => object>> = {
    message: (i) => messageLine(idAt(i + 10, 'm'), T, { content: `${i}` }),
    'line of one message': (i) => messageLine(M, T, { content: `${i}` }),
    'answer that names one attempt': (i) =>
      messageLine(deriveAnswerId(idAt(i + 10, 'p')), T, { prompt_id: idAt(i + 10, 'p'), attempt: W }),
    'attempt of one answer': (i) => messageLine(A, T, { prompt_id: P, attempt: idAt(i + 10, 'a') }),
    part: (i) => ({ type: 'part', attempt: W, n: i + 1, text: 'x' }),
    'part that comes late': (i) => ({ type: 'part', attempt: W, n: 100_000 - i, text: 'x' }),
    'part of one number': (i) => ({ type: 'part', attempt: W, n: 7, text: `${i}` }),
    finish: (i) => ({ type: 'finish', id: idAt(i + 10, 'f'), attempt: W, finish_reason: 'stop' }),
    revision: (i) => ({
      type: 'revision',
      id: idAt(i + 10, 'r'),
      message_id: M,
      author_id: 'eve',
      date: DATE,
      content: `${i}`,
    }),
    stop: (i) => ({ type: 'stop', id: idAt(i + 10, 's'), message_id: A, epoch: i + 1, by: 'eve' }),
    retry: (i) => ({ type: 'retry', id: idAt(i + 10, 'y'), message_id: A, epoch: i + 2, by: 'eve' }),
    interrupt: (i) => ({ type: 'interrupt', id: idAt(i + 10, 'i'), message_id: A, attempt: W, seen: i }),
    redaction: (i) => ({ type: 'redaction', id: idAt(i + 10, 'd'), message_id: M, by: 'eve', date: DATE }),
    'redaction of another': (i) => ({
      type: 'redaction',
      id: idAt(i + 10, 'd'),
      message_id: idAt(i + 10, 'm'),
      by: 'eve',
      date: DATE,
    }),
    setting: (i) => ({
      type: 'thread_config',
      id: idAt(i + 10, 'c'),
      thread_id: T,
      updated_at: DATE,
      updated_by: 'eve',
      name: `${i}`,
    }),
    state: (i) => ({
      type: 'thread_state',
      id: idAt(i + 10, 't'),
      thread_id: T,
      state: 'idle',
      updated_at: DATE,
    }),
    reaction: (i) => ({
      type: 'annotation',
      id: idAt(i + 10, 'n'),
      message_id: M,
      user_id: 'eve',
      key: `k${i}`,
      value: 1,
    }),
    'read mark': (i) => ({
      type: 'annotation',
      id: idAt(i + 10, 'k'),
      thread_id: T,
      user_id: 'eve',
      key: 'read',
      value: M,
    }),
    variables: (i) => ({
      type: 'variables',
      id: idAt(i + 10, 'v'),
      scope: 'org',
      scope_id: 'o',
      values: { [`v${i}`]: i },
    }),
    document: (i) => ({ type: 'document', id: idAt(i + 10, 'o'), doc_id: idAt(i + 10, 'doc') }),
    'stop of one millisecond': (i) => ({
      type: 'stop',
      id: idAt(i + 10, 's'),
      message_id: `${T.slice(0, 10)}${idAt(i, 'x').slice(10)}`,
      epoch: 1,
      by: 'eve',
    }),
  };

  function attack(names: readonly string[], lines: number): number {
    const doc = new Y.Doc();
    const chat = openChat(doc);
    chat.subscribe(() => {});
    const base = [
      threadLine(T),
      messageLine(M, T, { content: 'x' }),
      messageLine(P, T, { content: 'x', expects: 'answer' }),
    ];
    Y.applyUpdate(doc, laneUpdate(1, laneHeader('base'), base));
    Y.applyUpdate(doc, laneUpdate(2, laneHeader('base'), [messageLine(A, T, { prompt_id: P, attempt: W })]));
    chat.messages(T);
    chat.threads();
    const read = (): void => {
      chat.threads();
      chat.messages(T);
      chat.config(T);
      chat.conflicts(T);
      chat.state(T);
      chat.annotations({ message_id: M });
      chat.readMark(T, 'eve');
      chat.variables('org', 'o');
      chat.docId();
    };
    let spent = 0;
    names.forEach((name, k) => {
      const make = kinds[name] as (i: number) => object;
      const update = laneUpdate(
        10 + k,
        laneHeader('base'),
        Array.from({ length: lines }, (_, i) => make(i)),
      );
      spent += sum(
        count(() => {
          Y.applyUpdate(doc, update);
          read();
        }),
      );
    });
    chat.close();
    return spent;
  }

  it('[CO6] any kind of hostile line costs in proportion to its number', () => {
    for (const name of Object.keys(kinds)) {
      const [once, twice] = [attack([name], 150), attack([name], 300)];
      expect(twice / once, name).toBeLessThan(2.5);
    }
  });

  it('[CO6] any pair of kinds, one after the other about one subject, costs in proportion to its number', () => {
    fc.assert(
      fc.property(fc.constantFrom(...Object.keys(kinds)), fc.constantFrom(...Object.keys(kinds)), (a, b) => {
        const [once, twice] = [attack([a, b], 80), attack([a, b], 160)];
        expect(twice / once, `${a}, ${b}`).toBeLessThan(2.5);
      }),
      runs(60),
    );
  });

  it('[CO7] a deletion costs the lines that it is in', () => {
    const costs = [100, 800].map((lines) => {
      const doc = new Y.Doc();
      const chat = openChat(doc);
      const messages = Array.from({ length: lines }, (_, i) =>
        messageLine(idAt(i, 'm'), T, { content: 'some text' }),
      );
      Y.applyUpdate(doc, laneUpdate(1, laneHeader('a'), [threadLine(T), ...messages]));
      chat.messages(T);
      const text = doc.getMap('chat').get('lane 1') as Y.Text;
      const at = text.toString().indexOf('some text', text.length >> 1);
      return sum(
        count(() => {
          text.delete(at, 4);
          chat.messages(T);
        }),
      );
    });
    expect(costs[1]).toBeLessThanOrEqual((costs[0] as number) * 1.5 + 5);
  });

  it('[CO8] a conflict of more heads than one entry names is resolved by the next writes', () => {
    const doc = new Y.Doc();
    const chat = openChat(doc);
    const heads = Array.from({ length: 4_100 }, (_, i) => kinds['setting']?.(i) as object);
    Y.applyUpdate(doc, laneUpdate(1, laneHeader('a'), [threadLine(T), ...heads]));
    expect(chat.conflicts(T)[0]?.entries.length).toBe(4_100);
    expect(chat.configure({ thread_id: T, updated_by: 'ada', name: 'mine' }).name).toBe('mine');
    expect(chat.conflicts(T)[0]?.entries.length).toBe(5);
    chat.configure({ thread_id: T, updated_by: 'ada', name: 'mine again' });
    expect(chat.conflicts(T)).toEqual([]);
    chat.close();
  });
});
