import { type Chat, type Message, openChat } from '@chatdoc/schema';
import { loadDoc } from '../chat/layouts.js';
import { count } from '../measure/counts.js';
import { pair, ratioOf, spreadOf, timedOn } from '../measure/pair.js';
import type { Plan } from '../plan.js';
import { figure, judge, type Measured, ratio } from '../report/figure.js';

const SIZE = 50_000;
const LIMIT = 50;

/** The last page of one long thread, half of it answers, of which nothing was read. */
export function benchPage(plan: Plan): Measured {
  const size = plan.amount(SIZE);
  const update = plan.fixtures.thread(size);
  const prepare = (): Chat => openChat(loadDoc(update));
  const threadId = checkPage(prepare(), size);
  const samples = pair(`last ${LIMIT} of one thread of ${size}`, plan.reps(7), [
    timedOn('page', prepare, (chat) => readPage(chat, threadId)),
    timedOn('all', prepare, (chat) => chat.messages(threadId)),
  ]);
  const chat = prepare();
  const { parses, checks, characters } = count(() => readPage(chat, threadId));
  return {
    figures: [
      judge('page', size, spreadOf(samples['page'])),
      ratio('last 50 of one thread / all of it', size, ratioOf(samples['page'], samples['all'])),
      figure('last 50 of one thread: parses', size, parses, ''),
      figure('last 50 of one thread: checks', size, checks, ''),
      figure('last 50 of one thread: characters / the document', size, characters / update.length, 'x'),
    ],
  };
}

function readPage(chat: Chat, threadId: string): readonly Message[] {
  return chat.messages(threadId, { limit: LIMIT });
}

/** The id of the only thread. A page that is not the end of the thread would be fast. */
function checkPage(chat: Chat, size: number): string {
  const threadId = chat.threads()[0]?.thread_id ?? '';
  const page = readPage(chat, threadId).map(({ message_id }) => message_id);
  const all = chat.messageIds(threadId);
  if (all.length !== size) throw new Error(`the thread of ${size} messages shows ${all.length}`);
  if (page.join() !== all.slice(-LIMIT).join()) throw new Error('the page is not the end of the thread');
  return threadId;
}
