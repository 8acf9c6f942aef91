import { check, repair, watch } from '@chatdoc/integrity';
import { type Chat, openChat } from '@chatdoc/schema';
import { ScriptedEnvironment } from '../chat/chat-document.js';
import type { Fixtures } from '../chat/fixtures.js';
import { type Draft, USER } from '../chat/generator.js';
import { loadDoc } from '../chat/layouts.js';
import { collectGarbage, medianOf, pair, ratioOf, spreadOf, timedOn } from '../measure/pair.js';
import { formatCount, progress } from '../measure/progress.js';
import type { Plan } from '../plan.js';
import { type Figure, figure, judge, type Measured, ratio } from '../report/figure.js';

const SIZE = 50_000;
const BLOCK = 200;
const WARM_UP = 3;
const OPEN_THREADS = 20;

/** Counters kept by a watcher and read after every entry; and full passes beside reading all messages. */
export function benchIntegrity({ fixtures, reps, amount }: Plan): Measured {
  const size = amount(SIZE);
  return { figures: [...benchWatch(fixtures, size, reps(15)), ...benchPasses(fixtures, size, reps(5))] };
}

function benchWatch(fixtures: Fixtures, size: number, reps: number): readonly Figure[] {
  progress(`integrity: ${reps} blocks of ${BLOCK} messages at ${formatCount(size)}, watched and not`);
  const bare = openAppender(fixtures, size);
  const watched = openAppender(fixtures, size);
  const watcher = watch(watched.chat);
  watcher.counters();
  const drafts = fixtures.spare((reps + WARM_UP) * BLOCK);
  const more: number[] = [];
  for (let block = 0; block < reps + WARM_UP; block += 1) {
    const part = drafts.slice(block * BLOCK, (block + 1) * BLOCK);
    collectGarbage();
    const [first, second] = block % 2 === 0 ? [bare, watched] : [watched, bare];
    const times = [first, second].map((side) => {
      const each = part.map((draft) => {
        const start = performance.now();
        side.append(draft);
        if (side === watched) watcher.counters();
        return (performance.now() - start) * 1_000;
      });
      return { side, time: medianOf(each) };
    });
    const timeOf = (side: typeof bare): number =>
      times.find((each) => each.side === side)?.time ?? Number.NaN;
    if (block >= WARM_UP) more.push(timeOf(watched) - timeOf(bare));
  }
  return [judge('watch', size, spreadOf(more))];
}

function benchPasses(fixtures: Fixtures, size: number, reps: number): readonly Figure[] {
  // Later than the chat: else every entry would be one of the future, and listed.
  const [next] = fixtures.spare(1);
  const open = (): Chat => {
    const environment = new ScriptedEnvironment(7);
    environment.time = next?.time ?? Number.NaN;
    return openChat(loadDoc(fixtures.chat(size, 'few')), { environment });
  };
  const openRead = (): Chat => {
    const chat = open();
    read(chat);
    return chat;
  };
  const read = (chat: Chat): number =>
    chat.threads().reduce((sum, { thread_id }) => sum + chat.messages(thread_id).length, 0);
  const samples = pair(`integrity: full passes at ${formatCount(size)}`, reps, [
    timedOn('read', open, read),
    timedOn('check', open, (chat) => check(chat)),
    timedOn('check again', openRead, (chat) => check(chat)),
    timedOn('watch', open, (chat) => watch(chat).counters()),
    timedOn('repair', open, (chat) => repair(chat)),
  ]);
  return [
    judge('check', size, ratioOf(samples['check'], samples['read'])),
    ratio('begin to watch / reading all messages', size, ratioOf(samples['watch'], samples['read'])),
    figure('check', size, spreadOf(samples['check']), 'ms'),
    figure('check of a chat that was read before', size, spreadOf(samples['check again']), 'ms'),
    figure('repair where nothing is wrong', size, spreadOf(samples['repair']), 'ms'),
  ];
}

function openAppender(
  fixtures: Fixtures,
  size: number,
): { readonly chat: Chat; readonly append: (draft: Draft) => void } {
  const threads = fixtures.threadIds(size, 'few').slice(-OPEN_THREADS);
  const environment = new ScriptedEnvironment(99);
  const chat = openChat(loadDoc(fixtures.chat(size, 'few')), { environment, user_id: USER });
  const append = (draft: Draft): void => {
    environment.time = draft.time;
    const thread_id = threads[draft.index % threads.length] ?? '';
    chat.send({ thread_id, sender_id: USER, content: draft.record.content });
  };
  return { chat, append };
}
