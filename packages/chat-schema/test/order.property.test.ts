import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as Y from 'yjs';
import { createParts } from '../../../tools/parts.js';
import { deriveAnswerId, openChat } from '../src/index.js';
import { checkLaws, FoldLedger, readingEnvironment } from './laws.js';
import { DATE, idAt, laneHeader, laneUpdate, messageLine, START, threadLine } from './raw.js';
import { parameters } from './schedule.js';

const { test, all } = createParts();
const ledger = new FoldLedger();
const THREADS = [idAt(0, 'thread'), idAt(0, 'other')] as const;
const sightings = { cycles: 0, answers: 0, named: 0, late: 0, absent: 0 };

interface Node {
  readonly minute: number;
  readonly thread: number;
  readonly reply: number | null;
  readonly after: number | null;
  /** Of an answer: which message is its prompt. */
  readonly prompt: number | null;
}

const target = (count: number): fc.Arbitrary<number | null> =>
  fc.option(fc.nat({ max: count }), { nil: null });
const graph = fc.integer({ min: 1, max: 12 }).chain((count) =>
  fc.record({
    nodes: fc.array(
      fc.record<Node>({
        minute: fc.integer({ min: -600, max: 600 }),
        thread: fc.constantFrom(0, 0, 0, 1),
        reply: target(count),
        after: target(count),
        prompt: fc.option(fc.nat({ max: count }), { nil: null, freq: 3 }),
      }),
      { minLength: count, maxLength: count },
    ),
    root: target(count),
    // The order in which updates arrive; the threads come where they will.
    arrival: fc.shuffledSubarray(
      Array.from({ length: count + 1 }, (_, at) => at),
      { minLength: count + 1 },
    ),
  }),
);

type Graph = typeof graph extends fc.Arbitrary<infer T> ? T : never;

function idsOf(nodes: readonly Node[]): string[] {
  const own = nodes.map((node, at) => idAt(node.minute, `m${at}`));
  return own.map((id, at) => {
    const prompt = nodes[at]?.prompt;
    return prompt === null || prompt === undefined ? id : deriveAnswerId(own[prompt] ?? idAt(1, 'absent'));
  });
}

/** One update a message, and one for the threads. */
function updatesOf({ nodes, root }: Graph): Uint8Array[] {
  const ids = idsOf(nodes);
  const own = nodes.map((node, at) => idAt(node.minute, `m${at}`));
  const to = (at: number | null): string | undefined =>
    at === null ? undefined : (ids[at] ?? idAt(1, 'absent'));
  const updates = nodes.map((node, at) => {
    const prompt_id = node.prompt === null ? undefined : (own[node.prompt] ?? idAt(1, 'absent'));
    const line = messageLine(ids[at] as string, THREADS[node.thread] as string, {
      ...(prompt_id !== undefined && {
        prompt_id,
        attempt: idAt(node.minute, `m${at}`),
        epoch: 1,
        runner_id: 'r',
      }),
      reply_to_message_id: to(node.reply),
      after: to(node.after),
      content: `${at}`,
    });
    return laneUpdate(at + 1, laneHeader(`m${at}`), [line]);
  });
  const named = to(root);
  const threads = [
    threadLine(THREADS[0], named === undefined ? {} : { root_message_id: named }),
    threadLine(THREADS[1]),
  ];
  return [...updates, laneUpdate(100, laneHeader('threads'), threads)];
}

describe('order', () => {
  test('[OR1] any graph of targets, cycles included, is ordered by (eff, hops, id), however it arrives', () => {
    fc.assert(
      fc.property(graph, (shape) => {
        const updates = updatesOf(shape);
        const doc = new Y.Doc();
        const chat = openChat(doc, { environment: readingEnvironment(START), readOnly: true });
        let everything = checkLaws(chat, doc, ledger).everything;
        for (const at of shape.arrival) {
          const before = everything.order[THREADS[0]] ?? [];
          Y.applyUpdate(doc, updates[at] as Uint8Array);
          everything = checkLaws(chat, doc, ledger).everything;
          const now = everything.order[THREADS[0]] ?? [];
          if (before.length > 0 && now.length > before.length && now[0] !== before[0]) sightings.late += 1;
        }
        sightings.answers += shape.nodes.filter(({ prompt }) => prompt !== null).length;
        sightings.named += shape.root === null ? 0 : 1;
        sightings.absent += shape.nodes.filter(({ reply }) => reply === shape.nodes.length).length;
        sightings.cycles += shape.nodes.filter(({ reply, after }, at) =>
          [reply, after].some(
            (to) => to !== null && (shape.nodes[to]?.reply === at || shape.nodes[to]?.after === at),
          ),
        ).length;
        chat.close();
      }),
      parameters(80),
    );
  });

  test('[OR5] dates do not order', () => {
    fc.assert(
      fc.property(
        graph,
        fc.date({ noInvalidDate: true, min: new Date(0), max: new Date(4e12) }),
        (shape, date) => {
          const plain = { ...shape, nodes: shape.nodes.map((node) => ({ ...node, prompt: null })) };
          const read = (other: string): readonly string[] => {
            const doc = new Y.Doc();
            for (const update of updatesOf(plain)) Y.applyUpdate(doc, changeText(update, DATE, other));
            return openChat(doc, { environment: readingEnvironment(START), readOnly: true }).messageIds(
              THREADS[0],
            );
          };
          expect(read(date.toISOString())).toEqual(read(DATE));
        },
      ),
      parameters(60),
    );
  });

  it('[OR1] the graphs above met what they are about', async () => {
    await all();
    expect(Object.entries(sightings).filter(([, count]) => count === 0)).toEqual([]);
  });
});

/** The same lane with another text in it. */
function changeText(update: Uint8Array, from: string, to: string): Uint8Array {
  const doc = new Y.Doc();
  Y.applyUpdate(doc, update);
  const next = new Y.Doc();
  for (const [key, text] of doc.getMap<Y.Text>('chat')) {
    const client = doc.getMap('chat')._map.get(key)?.id.client ?? 0;
    next.clientID = client;
    next.getMap('chat').set(key, new Y.Text(text.toString().replaceAll(from, to)));
  }
  return Y.encodeStateAsUpdate(next);
}
