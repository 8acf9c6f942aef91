import { openChat } from '@chatdoc/schema';
import * as Y from 'yjs';
import { ChatSession } from './chat-document.js';
import type { Fixtures } from './fixtures.js';
import { type Draft, THREAD_LENGTH } from './generator.js';
import { loadDoc, NestedIndex, writeNested } from './layouts.js';
import { medianOf, pair, ratioOf, type Subject, timedOn } from './measure.js';
import { progress } from './progress.js';
import { type Figure, figure, ratio } from './report.js';

const BASE = 10_000;
const NEW = 5_000;

/** Two offline replicas: what each holds, and what it lacks. */
interface Apart {
  readonly states: readonly [Uint8Array, Uint8Array];
  readonly missing: readonly [Uint8Array, Uint8Array];
}

/** 5,000 messages on each side, both in the same 100 threads of the base, then each takes the other's update. */
export function benchMerge(fixtures: Fixtures, reps: number): readonly Figure[] {
  progress(`merge: writing ${NEW} messages on each of two replicas of ${BASE}`);
  const sides = [fixtures.spare(NEW), fixtures.spare(NEW, NEW)] as const;
  const threadIds = fixtures.threadIds(BASE, 'many');
  const chat = part(fixtures.chat(BASE, 'many'), sides, (doc, drafts, seed) => {
    const session = new ChatSession(doc, seed);
    for (const draft of drafts) {
      session.adopt(draft.thread, threadIds[draft.thread % (NEW / THREAD_LENGTH)] ?? '');
      session.write(draft);
    }
    session.close();
  });
  const nested = part(fixtures.nested(BASE), sides, (doc, drafts, seed) => {
    for (const draft of drafts) writeNested(doc, draft, draft.agent ? seed : seed + 1);
  });

  progress(`merge: ${reps} paired repetitions`);
  const shown = threadIds[0] ?? '';
  const subjects: readonly Subject[] = [
    mergeSubject('chatdoc', chat, (doc) => {
      const reader = openChat(doc);
      reader.messageIds(shown);
      return () => reader.messageIds(shown);
    }),
    mergeSubject('chatdoc, all threads', chat, (doc) => {
      const reader = openChat(doc);
      reader.messageIds(shown);
      return () => threadIds.map((id) => reader.messageIds(id));
    }),
    mergeSubject('nested', nested, (doc) => {
      const index = new NestedIndex(doc);
      return () => index.threads.size;
    }),
    mergeSubject('apply', chat, () => () => undefined),
  ];
  const samples = pair(reps, subjects);
  const name = 'merge 2 × 5,000 new messages';
  return [
    ratio(`${name} / nested Y.Maps`, BASE, ratioOf(samples['chatdoc'], samples['nested']), 0.3),
    ratio(
      `${name}, every thread ordered / nested`,
      BASE,
      ratioOf(samples['chatdoc, all threads'], samples['nested']),
    ),
    ratio(`${name} / its own \`applyUpdate\``, BASE, ratioOf(samples['chatdoc'], samples['apply'])),
    figure(name, BASE, medianOf(samples['chatdoc'] ?? []), 'ms'),
    figure('merge: nested Y.Maps', BASE, medianOf(samples['nested'] ?? []), 'ms'),
    figure('merge: update bytes', BASE, (chat.missing[0].length + chat.missing[1].length) / 1e6, 'MB'),
  ];
}

function part(
  base: Uint8Array,
  sides: readonly [readonly Draft[], readonly Draft[]],
  write: (doc: Y.Doc, drafts: readonly Draft[], seed: number) => void,
): Apart {
  const [a, b] = sides.map((drafts, side) => {
    const doc = loadDoc(base);
    write(doc, drafts, 0xa000_0000 + side * 100);
    return doc;
  });
  if (a === undefined || b === undefined) throw new Error('two sides are needed');
  return {
    states: [Y.encodeStateAsUpdate(a), Y.encodeStateAsUpdate(b)],
    missing: [
      Y.encodeStateAsUpdate(b, Y.encodeStateVector(a)),
      Y.encodeStateAsUpdate(a, Y.encodeStateVector(b)),
    ],
  };
}

/** Both replicas open before; timed is that each applies the other's update and its reader answers. */
function mergeSubject(name: string, apart: Apart, open: (doc: Y.Doc) => () => unknown): Subject {
  return timedOn(
    name,
    () =>
      apart.states.map((state, side) => {
        const doc = loadDoc(state);
        return { doc, answer: open(doc), update: apart.missing[side] ?? new Uint8Array() };
      }),
    (replicas) =>
      replicas.map(({ doc, answer, update }) => {
        Y.applyUpdate(doc, update);
        return answer();
      }),
  );
}
