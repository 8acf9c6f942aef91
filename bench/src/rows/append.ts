import { openChat } from '@chatdoc/schema';
import type * as Y from 'yjs';
import { ScriptedEnvironment } from '../chat/chat-document.js';
import type { Clients, Fixtures } from '../chat/fixtures.js';
import { type Draft, USER } from '../chat/generator.js';
import { loadDoc } from '../chat/layouts.js';
import { collectGarbage, medianOf, ratioOf } from '../measure/pair.js';
import { formatCount, progress } from '../measure/progress.js';
import type { Plan } from '../plan.js';
import { type Figure, figure, judge, type Measured, ratio } from '../report/figure.js';

const BLOCK = 100;
const WARM_UP = 3;
/** Threads that are open in the client; the first append to another folds it, which `whole` measures. */
const OPEN_THREADS = 20;

interface Appender {
  readonly append: (draft: Draft) => void;
  /** By block, the median of its appends in µs. */
  readonly medians: number[];
}

/**
 * One message appended, with index and a subscriber, beside a bare `Y.Map.set` of the same JSON in a document
 * of the same messages and clientIDs. All sizes take turns, block by block, so that flatness is paired too.
 */
export function benchAppend(plan: Plan): Measured {
  const { fixtures, sizes } = plan;
  const reps = plan.reps(15);
  const figures: Figure[] = [];
  for (const clients of ['few', 'many'] as const) {
    const pairs = sizes.map((size) => ({
      size,
      chatdoc: openAppender(fixtures, size, clients),
      floor: floorAppender(fixtures, size, clients),
    }));
    progress(`append: ${reps} blocks of ${BLOCK} messages at ${sizes.join(', ')}, ${clients} clientIDs`);
    const drafts = fixtures.spare((reps + WARM_UP) * BLOCK);
    for (let block = 0; block < reps + WARM_UP; block += 1) {
      const part = drafts.slice(block * BLOCK, (block + 1) * BLOCK);
      const discarded = block < WARM_UP;
      collectGarbage();
      for (const { chatdoc, floor } of pairs) {
        for (const side of block % 2 === 0 ? [chatdoc, floor] : [floor, chatdoc])
          appendBlock(side, part, discarded);
      }
    }
    const name = clients === 'few' ? '≤ 16 clientIDs' : '2 clientIDs per 200 messages';
    for (const { size, chatdoc, floor } of pairs) {
      figures.push(
        judge('append', size, ratioOf(chatdoc.medians, floor.medians), { what: name }),
        figure(`append, ${name}`, size, medianOf(chatdoc.medians), 'µs'),
        figure(`\`Y.Map.set\`, ${name}`, size, medianOf(floor.medians), 'µs'),
      );
    }
    if (clients === 'few') figures.push(...flatness(pairs));
  }
  return { figures };
}

function flatness(pairs: readonly { size: number; chatdoc: Appender; floor: Appender }[]): readonly Figure[] {
  const [least, greatest] = [pairs[0], pairs[pairs.length - 1]];
  if (least === undefined || greatest === undefined || least === greatest) return [];
  const [chatdoc, floor] = [
    ratioOf(greatest.chatdoc.medians, least.chatdoc.medians),
    ratioOf(greatest.floor.medians, least.floor.medians),
  ];
  const name = `at ${formatCount(greatest.size)} / at ${formatCount(least.size)} messages`;
  const isWhole = greatest.size === 100_000 && least.size === 1_000;
  return [
    isWhole ? judge('append_flat', null, chatdoc) : ratio(`append ${name}`, null, chatdoc),
    ratio(`\`Y.Map.set\` ${name}`, null, floor),
  ];
}

function openAppender(fixtures: Fixtures, size: number, clients: Clients): Appender {
  const threads = fixtures.threadIds(size, clients).slice(-OPEN_THREADS);
  const environment = new ScriptedEnvironment(99);
  const doc = loadDoc(fixtures.chat(size, clients));
  const chat = openChat(doc, { environment, user_id: USER });
  let seen = 0;
  chat.subscribe((change) => {
    seen += change.messages.length;
  });
  return {
    medians: [],
    append: (draft) => {
      environment.time = draft.time;
      const before = seen;
      chat.send({
        thread_id: threads[draft.index % threads.length] ?? '',
        sender_id: USER,
        content: draft.record.content,
      });
      if (seen === before) throw new Error('the subscriber saw nothing');
    },
  };
}

function floorAppender(fixtures: Fixtures, size: number, clients: Clients): Appender {
  const doc = loadDoc(fixtures.flat(size, clients));
  const map: Y.Map<unknown> = doc.getMap('messages');
  return {
    medians: [],
    append: (draft) => {
      map.set(draft.record.message_id, draft.record);
    },
  };
}

function appendBlock(side: Appender, drafts: readonly Draft[], discarded: boolean): void {
  const times: number[] = [];
  for (const draft of drafts) {
    const start = performance.now();
    side.append(draft);
    times.push((performance.now() - start) * 1_000);
  }
  if (!discarded) side.medians.push(medianOf(times));
}
