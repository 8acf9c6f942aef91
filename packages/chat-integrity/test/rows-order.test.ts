import { deriveAnswerId, openChat } from '@chatdoc/schema';
import { MAX_TIME } from '@chatdoc/schema/internal';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as Y from 'yjs';
import {
  brokenDates,
  createScriptEnvironment,
  dates,
  forgedDates,
  SCRIPT_START,
} from '../../chat-testkit/src/index.js';
import { createNumbers } from '../src/testing/simulation/seeded-environment.js';
import { headerOf, runs, scale, textOf, updateOf, writeDigits } from './rows-world.js';

const DOCUMENTS = 10_000;
/** Threads are ordered apart: as many in one document cost a fraction of as many documents. */
const THREADS = 50;
const LANES = 3;

const MINUTE = 60_000;
/** Times that a forger writes into an id, the first of them honest. */
const TIMES: readonly string[] = [
  ...[0, 1, 2, 3, 4, 5, 6, 7].map((minute) => SCRIPT_START + minute * MINUTE),
  ...[0, 1, MAX_TIME, MAX_TIME - 1, SCRIPT_START - 1e12, SCRIPT_START + 24 * 60 * MINUTE],
].map((time) => writeDigits(time, 10));

interface Node {
  readonly time: number;
  /** The bits after the time; a small range, so that many are equal but for the last. */
  readonly random: number;
  readonly reply: number;
  readonly after: number;
  /** Of an answer: its prompt. */
  readonly prompt: number;
  readonly date: unknown;
}

interface Case {
  readonly nodes: readonly Node[];
  /** The message that the thread names as its root; beyond the last: none. */
  readonly root: number;
  /** The message whose id is forged, and the time that it gets. */
  readonly forged: number;
  readonly time: number;
}

const MOST = 8;
const dated = fc.sample(fc.oneof(dates(), forgedDates(), brokenDates()), { numRuns: 60, seed: 1 });

/** A thread of a seed: ten thousand graphs are too many for arbitraries of their own. A failure names the seed. */
function createCase(seed: number): Case {
  const next = createNumbers(seed);
  const below = (limit: number): number => next() % limit;
  const nodes = Array.from(
    { length: 1 + below(MOST) },
    (): Node => ({
      time: below(TIMES.length),
      random: below(4),
      // Most numbers name no message.
      reply: below(MOST * 2),
      after: below(MOST * 3),
      prompt: below(MOST * 4),
      date: dated[below(dated.length)],
    }),
  );
  return { nodes, root: below(MOST * 2), forged: below(nodes.length), time: below(TIMES.length) };
}
const cases = fc
  .array(fc.nat(), { minLength: 1, maxLength: 2.5 * THREADS, size: 'max' })
  .map((seeds) => seeds.map(createCase));

interface Written {
  readonly thread_id: string;
  readonly ids: readonly string[];
  /** From each message to those that must not stand below it. */
  readonly targets: readonly (readonly number[])[];
  readonly lines: readonly string[];
}

/** Lines of a thread; with `isForged` one id, and all that names it, says another time. */
function writeCase({ nodes, root, forged, time }: Case, thread: number, isForged: boolean): Written {
  const own = nodes.map(({ time: honest, random }, at) => {
    const said = isForged && at === forged ? time : honest;
    return `${TIMES[said]}${writeDigits(random, 8)}${writeDigits(thread, 4)}${writeDigits(at, 4)}`;
  });
  const prompts = promptsOf(nodes);
  const ids = own.map((id, at) => {
    const prompt = prompts[at];
    return prompt === undefined ? id : deriveAnswerId(own[prompt] as string);
  });
  const thread_id = `${TIMES[0]}${'T'.repeat(12)}${writeDigits(thread, 4)}`;
  const lines = nodes.map(({ reply, after, date: said }, at) => {
    const prompt = prompts[at];
    return JSON.stringify({
      ...{ type: 'message', message_id: ids[at], thread_id },
      ...(prompt !== undefined && { prompt_id: own[prompt], attempt: own[at], epoch: 1, runner_id: 'r' }),
      ...(reply < nodes.length && { reply_to_message_id: ids[reply] }),
      ...(after < nodes.length && prompt === undefined && { after: ids[after] }),
      ...{ sender_id: 'mallory', date: said },
    });
  });
  const targets = nodes.map(({ reply, after }, at) =>
    [reply, prompts[at] ?? after].filter((to) => to < nodes.length && to !== at),
  );
  const first = {
    ...{ type: 'thread', thread_id },
    ...(root < nodes.length && { root_message_id: ids[root] }),
    ...{ created_at: '2026-11-21T12:00:00.000Z', created_by: 'ada', purpose: 'chat' },
  };
  return { thread_id, ids, targets, lines: [JSON.stringify(first), ...lines] };
}

/** Of each message its prompt: a message that is no answer, and has no other answer. */
function promptsOf(nodes: readonly Node[]): readonly (number | undefined)[] {
  const answered = new Set<number>();
  return nodes.map(({ prompt }, at) => {
    const asks = nodes[prompt];
    const isFree = !answered.has(prompt) && prompt !== at;
    if (asks === undefined || nodes[asks.prompt] !== undefined || !isFree) return undefined;
    answered.add(prompt);
    return prompt;
  });
}

/** All that stands above `at` by some chain of targets. */
function reach(targets: readonly (readonly number[])[], at: number): ReadonlySet<number> {
  const reached = new Set<number>();
  const open = [...(targets[at] ?? [])];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (reached.has(next)) continue;
    reached.add(next);
    open.push(...(targets[next] ?? []));
  }
  return reached;
}

/** The lanes of these threads, each line in one of them. */
function updatesOf(threads: readonly Written[]): readonly Uint8Array[] {
  const lines = threads.flatMap((thread) => thread.lines);
  return Array.from({ length: LANES }, (_, lane) => {
    const own = lines.filter((_line, at) => (at * 7 + (at % 5)) % LANES === lane);
    return updateOf(100 + lane, `lane ${lane}`, textOf([headerOf(lane), ...own]));
  });
}

/** What a replica reads that gets the updates in this order. */
function readOrder(
  updates: readonly Uint8Array[],
  threads: readonly Written[],
  readsBetween: boolean,
): readonly (readonly string[])[] {
  const doc = new Y.Doc();
  const chat = openChat(doc, { environment: createScriptEnvironment('reader', 0), readOnly: true });
  for (const update of updates) {
    Y.applyUpdate(doc, update);
    if (readsBetween) for (const { thread_id } of threads) chat.messageIds(thread_id);
  }
  const order = threads.map(({ thread_id }) => chat.messageIds(thread_id));
  chat.close();
  return order;
}

describe('the order of messages with forged ids and times', () => {
  const met = { documents: 0, cycles: 0, answers: 0, named: 0, bystanders: 0, moved: 0 };

  it('[HO11] is total and alike on all replicas, and none stands above what it answers', () => {
    fc.assert(
      fc.property(cases, (all) => {
        const threads = all.map((each, at) => writeCase(each, at, false));
        const twins = all.map((each, at) => writeCase(each, at, true));
        const updates = updatesOf(threads);
        const order = readOrder(updates, threads, true);
        expect(readOrder([...updates].reverse(), threads, false), '[HO11] alike on all replicas').toEqual(
          order,
        );
        const forged = readOrder(updatesOf(twins), twins, false);
        for (const [at, one] of all.entries()) {
          const thread = threads[at] as Written;
          met.documents += 1;
          expectOrdered(one, thread, order[at] as readonly string[]);
          expectUnmoved(one, thread, twins[at] as Written, [order[at] ?? [], forged[at] ?? []]);
        }
      }),
      runs(DOCUMENTS / THREADS),
    );
    expect(met.documents).toBeGreaterThanOrEqual(0.9 * scale(DOCUMENTS));
    expect(Object.entries(met).filter(([, count]) => count === 0)).toEqual([]);
  });

  /** Half a million of them: `expect` would take longer than what it looks at. */
  function demand(condition: boolean, what: string): void {
    if (!condition) expect.fail(`[HO11] ${what}`);
  }

  function expectOrdered({ nodes, root }: Case, { ids, targets }: Written, order: readonly string[]): void {
    demand([...order].sort().join() === [...ids].sort().join(), 'every message stands there once');
    const place = ids.map((id) => order.indexOf(id));
    const named = root < nodes.length ? root : -1;
    if (named >= 0) {
      met.named += 1;
      demand(place[named] === 0, 'the named root comes first');
    }
    const reached = targets.map((_, at) => reach(targets, at));
    for (const [at, own] of targets.entries()) {
      for (const target of own) {
        if (reached[target]?.has(at) === true) met.cycles += 1;
        else if (at !== named)
          demand((place[at] ?? -1) > (place[target] ?? -1), 'it stands below what it answers');
      }
    }
    met.answers += promptsOf(nodes).filter((prompt) => prompt !== undefined).length;
  }

  /** A forged time moves a message and what stands below it, and nothing else. */
  function expectUnmoved(
    { nodes, forged }: Case,
    thread: Written,
    twin: Written,
    orders: readonly [readonly string[], readonly string[]],
  ): void {
    const moved = forged;
    const others = nodes
      .map((_, at) => at)
      .filter((at) => at !== moved && !reach(thread.targets, at).has(moved));
    met.bystanders += others.length;
    const [before, after] = [thread, twin].map(({ ids }, which) =>
      [...others].sort((a, b) => {
        const order = orders[which] ?? [];
        return order.indexOf(ids[a] as string) - order.indexOf(ids[b] as string);
      }),
    );
    demand(before?.join() === after?.join(), 'only what answers it moves with it');
    if (thread.ids[moved] !== twin.ids[moved]) met.moved += 1;
  }
});
