import { type Chat, openChat } from '@chatdoc/schema';
import { loadDoc } from '../chat/layouts.js';
import { count } from '../measure/counts.js';
import { pair, spreadOf, timedOn } from '../measure/pair.js';
import type { Plan } from '../plan.js';
import { type Figure, figure, judge, type Measured } from '../report/figure.js';

/** The list of threads of a chat that is open and of which nothing was read. */
export function benchThreads(plan: Plan): Measured {
  return { figures: plan.sizes.flatMap((size) => benchSize(plan, size)) };
}

function benchSize(plan: Plan, size: number): readonly Figure[] {
  const update = plan.fixtures.chat(size, 'many');
  const prepare = (): Chat => openChat(loadDoc(update));
  const samples = pair(`list the threads of ${size} messages`, plan.reps(7), [
    timedOn('threads', prepare, (chat) => chat.threads()),
    timedOn('names', prepare, (chat) => chat.threads().map(({ thread_id }) => chat.config(thread_id).name)),
  ]);
  const chat = prepare();
  const { parses, characters } = count(() => chat.threads());
  return [
    judge('threads', size, spreadOf(samples['threads'])),
    judge('threads_parses', size, parses / chat.threads().length),
    figure('list the threads: characters a thread', size, characters / chat.threads().length, ''),
    figure('list the threads and their names', size, spreadOf(samples['names']), 'ms'),
  ];
}
