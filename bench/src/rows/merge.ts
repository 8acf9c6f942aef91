import { openChat } from '@chatdoc/schema';
import type { LoroDoc } from 'loro-crdt';
import * as Y from 'yjs';
import { ChatSession } from '../chat/chat-document.js';
import { type Draft, generateChat, THREAD_LENGTH } from '../chat/generator.js';
import { loadDoc } from '../chat/layouts.js';
import { medianOf, pair, ratioOf, type Subject, timedOn } from '../measure/pair.js';
import { progress } from '../measure/progress.js';
import {
  LoroIndex,
  listIds,
  loadLoro,
  loroListsPeer,
  loroPeer,
  setWriter,
  type WriteToLoro,
  writeInLists,
  writeInMap,
} from '../peers/loro.js';
import { NestedIndex, writeNested } from '../peers/nested.js';
import type { Plan } from '../plan.js';
import { figure, judge, type Measured, ratio } from '../report/figure.js';

const BASE = 10_000;
const NEW = 5_000;

/** Two replicas that wrote offline: what each holds, and what it lacks. */
interface Apart {
  readonly states: readonly [Uint8Array, Uint8Array];
  readonly missing: readonly [Uint8Array, Uint8Array];
}

type Sides = readonly [readonly Draft[], readonly Draft[]];

/** 5,000 messages on each side, both in the same 100 threads of the base, then each takes the other's update. */
export function benchMerge(plan: Plan): Measured {
  const { fixtures } = plan;
  const [size, added] = [plan.amount(BASE), plan.amount(NEW)];
  const threads = Math.min(added, size) / THREAD_LENGTH;
  const baseThreads = generateChat(size).filter(({ index }) => index % THREAD_LENGTH === 0);
  // In the threads of the base: the place of a draft's own thread among those of its side.
  const intoBase = (draft: Draft): Draft => {
    const thread_id = baseThreads[draft.thread % threads]?.record.thread_id ?? '';
    return { ...draft, record: { ...draft.record, thread_id } };
  };
  const sides: Sides = [fixtures.spare(added).map(intoBase), fixtures.spare(added, added).map(intoBase)];
  progress(`merge: writing ${added} messages on each of two replicas of ${size}`);
  const threadIds = fixtures.threadIds(size, 'many');
  const chat = writeApart(fixtures.chat(size, 'many'), sides, (doc, drafts, seed) => {
    const session = new ChatSession(doc, seed);
    for (const draft of drafts) {
      session.adopt(draft.thread, threadIds[draft.thread % threads] ?? '');
      session.write(draft);
    }
    session.close();
  });
  const nested = writeApart(fixtures.nested(size), sides, (doc, drafts, seed) => {
    for (const draft of drafts) writeNested(doc, draft, draft.agent ? seed : seed + 1);
  });
  const loro = writeLoroApart(loroPeer.bytes(fixtures, size), sides, writeInMap);
  const loroLists = writeLoroApart(loroListsPeer.bytes(fixtures, size), sides, writeInLists);

  const shown = threadIds[0] ?? '';
  const shownPeer = baseThreads[0]?.record.thread_id ?? '';
  const length = THREAD_LENGTH + (2 * added) / threads;
  const samples = pair(`merge 2 × ${added} messages into ${size}`, plan.reps(7), [
    mergeSubject('chatdoc', chat, length, (doc) => {
      const reader = openChat(doc);
      reader.messageIds(shown);
      return () => reader.messageIds(shown).length;
    }),
    mergeSubject('ordered', chat, length, (doc) => {
      const reader = openChat(doc);
      reader.messageIds(shown);
      return () => threadIds.map((id) => reader.messageIds(id).length)[0] ?? 0;
    }),
    mergeSubject('nested', nested, length, (doc) => {
      const index = new NestedIndex(doc);
      return () => index.threads.get(shownPeer)?.length ?? 0;
    }),
    mergeLoroSubject('loro', loro, length, (doc) => {
      const index = new LoroIndex(doc);
      return () => index.threads.get(shownPeer)?.length ?? 0;
    }),
    mergeLoroSubject('loroLists', loroLists, length, (doc) => () => listIds(doc, shownPeer).length),
    mergeSubject('apply', chat, length, () => () => length),
  ]);
  const name = 'merge 2 × 5,000 new messages';
  const { chatdoc } = samples;
  return {
    figures: [
      judge('merge_loro', size, ratioOf(chatdoc, samples['loro'])),
      judge('merge_nested', size, ratioOf(chatdoc, samples['nested'])),
      judge('merge_ordered', size, ratioOf(samples['ordered'], samples['nested'])),
      ratio(`${name} / Loro, a list a thread`, size, ratioOf(chatdoc, samples['loroLists'])),
      ratio(`${name} / its own \`applyUpdate\``, size, ratioOf(chatdoc, samples['apply'])),
      figure(name, size, medianOf(chatdoc ?? []), 'ms'),
      figure('merge: nested Y.Maps', size, medianOf(samples['nested'] ?? []), 'ms'),
      figure('merge: Loro', size, medianOf(samples['loro'] ?? []), 'ms'),
      figure('merge: update bytes', size, (chat.missing[0].length + chat.missing[1].length) / 1e6, 'MB'),
    ],
  };
}

function writeApart(
  base: Uint8Array,
  sides: Sides,
  write: (doc: Y.Doc, drafts: readonly Draft[], seed: number) => void,
): Apart {
  const open = (side: 0 | 1): Y.Doc => {
    const doc = loadDoc(base);
    write(doc, sides[side], 0xa000_0000 + side * 100);
    return doc;
  };
  const [a, b] = [open(0), open(1)];
  return {
    states: [Y.encodeStateAsUpdate(a), Y.encodeStateAsUpdate(b)],
    missing: [
      Y.encodeStateAsUpdate(b, Y.encodeStateVector(a)),
      Y.encodeStateAsUpdate(a, Y.encodeStateVector(b)),
    ],
  };
}

function writeLoroApart(base: Uint8Array, sides: Sides, write: WriteToLoro): Apart {
  const open = (side: 0 | 1): LoroDoc => {
    const doc = loadLoro(base);
    for (const draft of sides[side]) {
      setWriter(doc, 0xa000_0000 + side * 100, draft);
      write(doc, draft);
    }
    return doc;
  };
  const [a, b] = [open(0), open(1)];
  const apart: Apart = {
    states: [a.export({ mode: 'snapshot' }), b.export({ mode: 'snapshot' })],
    missing: [
      b.export({ mode: 'update', from: a.oplogVersion() }),
      a.export({ mode: 'update', from: b.oplogVersion() }),
    ],
  };
  for (const doc of [a, b]) doc.free();
  return apart;
}

/** Both replicas open before; timed is that each takes the other's update and its reader shows one thread. */
function mergeSubject(
  name: string,
  { states, missing }: Apart,
  length: number,
  open: (doc: Y.Doc) => () => number,
): Subject {
  return timedOn(
    name,
    () =>
      states.map((state, side) => {
        const doc = loadDoc(state);
        return { doc, answer: open(doc), update: missing[side] ?? new Uint8Array() };
      }),
    (replicas) =>
      replicas.map(({ doc, answer, update }) => {
        Y.applyUpdate(doc, update);
        if (answer() !== length)
          throw new Error(`${name}: a thread of ${answer()} messages instead of ${length}`);
        return doc;
      }),
  );
}

function mergeLoroSubject(
  name: string,
  { states, missing }: Apart,
  length: number,
  open: (doc: LoroDoc) => () => number,
): Subject {
  const subject = timedOn(
    name,
    () =>
      states.map((state, side) => {
        const doc = loadLoro(state);
        return { doc, answer: open(doc), update: missing[side] ?? new Uint8Array() };
      }),
    (replicas) =>
      replicas.map(({ doc, answer, update }) => {
        doc.import(update);
        if (answer() !== length)
          throw new Error(`${name}: a thread of ${answer()} messages instead of ${length}`);
        return doc;
      }),
  );
  const free = (docs: unknown): void => {
    for (const doc of docs as LoroDoc[]) doc.free();
  };
  return { ...subject, free };
}
