import { type Chat, openChat } from '@chatdoc/schema';
import { USER } from '../chat/generator.js';
import { loadDoc, parseLines } from '../chat/layouts.js';
import { pair, ratioOf, spreadOf, timed, timedOn } from '../measure/pair.js';
import type { Plan } from '../plan.js';
import { type Figure, figure, type Measured, ratio } from '../report/figure.js';

/** What takes the whole document, and what is first done to one of which nothing was read. Without targets. */
export function benchWhole(plan: Plan): Measured {
  return { figures: plan.sizes.flatMap((size) => measureSize(plan, size)) };
}

function measureSize({ fixtures, reps }: Plan, size: number): readonly Figure[] {
  const update = fixtures.chat(size, 'many');
  const lines = fixtures.lines(size);
  const threadIds = fixtures.threadIds(size, 'many');
  const prepare = (): Chat => openChat(loadDoc(update));
  const samples = pair(`whole document at ${size} messages`, reps(size >= 100_000 ? 2 : 3), [
    timed('lines', () => parseLines(lines)),
    timedOn('digest', prepare, (chat) => chat.digest()),
    timedOn('jsonl', prepare, (chat) => chat.toJSONL()),
    timedOn(
      'digest again',
      () => {
        const chat = prepare();
        chat.digest();
        chat.send({ thread_id: threadIds[0] ?? '', sender_id: USER, content: 'One more.' });
        return chat;
      },
      (chat) => chat.digest(),
    ),
    timedOn('cold send', prepare, (chat) => {
      chat.send({ thread_id: threadIds[0] ?? '', sender_id: USER, content: 'The first here.' });
    }),
    timedOn('thread', prepare, (chat) => chat.messages(threadIds[threadIds.length >> 1] ?? '')),
  ]);
  const times = (name: string): ReturnType<typeof spreadOf> => spreadOf(samples[name]);
  return [
    ratio('first digest / JSON.parse of the JSONL', size, ratioOf(samples['digest'], samples['lines'])),
    figure('read the first thread', size, times('thread'), 'ms'),
    figure('first append to a thread not read before', size, times('cold send'), 'ms'),
    figure('first digest', size, times('digest'), 'ms'),
    figure('digest after one append', size, times('digest again'), 'ms'),
    figure('toJSONL', size, times('jsonl'), 'ms'),
  ];
}
