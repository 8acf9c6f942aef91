import { openChat } from '@chatdoc/schema';
import { ScriptedEnvironment } from '../chat/chat-document.js';
import { AGENT, USER } from '../chat/generator.js';
import { loadDoc } from '../chat/layouts.js';
import { count } from '../measure/counts.js';
import { collectGarbage, spreadOf } from '../measure/pair.js';
import { progress } from '../measure/progress.js';
import type { Plan } from '../plan.js';
import { type Figure, figure, judge, type Measured } from '../report/figure.js';

const SIZES = [1_000, 10_000, 50_000];
const TOKENS = 300;
const WARM_UP = 100;

/** A thread that is shown while an answer in it is streamed: the list is read again after each token. */
export function benchToken(plan: Plan): Measured {
  return { figures: SIZES.flatMap((size) => benchSize(plan, plan.amount(size))) };
}

function benchSize({ fixtures }: Plan, size: number): readonly Figure[] {
  const environment = new ScriptedEnvironment(8);
  const chat = openChat(loadDoc(fixtures.thread(size)), { environment, user_id: AGENT });
  progress(`token: ${TOKENS} tokens in a thread of ${size}`);
  const threadId = chat.threads()[0]?.thread_id ?? '';
  environment.time += 365 * 24 * 3_600_000;
  const prompt = chat.send({ thread_id: threadId, sender_id: USER, content: 'Go on.', expects: 'answer' });
  const attempt = chat.openAttempt({ prompt_id: prompt.message_id, sender_id: AGENT, runner_id: 'runner-1' });
  const part = attempt.openPart();
  chat.subscribe(() => undefined);
  let text = '';
  const append = (): void => {
    part.append('word ');
    text += 'word ';
  };
  append();
  chat.messages(threadId);
  collectGarbage();
  const [appends, reads]: [number[], number[]] = [[], []];
  for (let token = -WARM_UP; token < TOKENS; token += 1) {
    const start = performance.now();
    append();
    const appended = performance.now();
    const messages = chat.messages(threadId);
    const read = performance.now();
    if (messages.at(-1)?.content !== text) throw new Error('a token is missing');
    if (token < 0) continue;
    appends.push((appended - start) * 1_000);
    reads.push((read - appended) * 1_000);
  }
  append();
  const { parses, lookups } = count(() => chat.messages(threadId));
  return [
    judge('token', size, spreadOf(reads)),
    judge('token_lookups', size, lookups),
    figure('`messages(thread)` after a token: parses', size, parses, ''),
    figure('a token appended, subscribed, in a thread of', size, spreadOf(appends), 'µs'),
  ];
}
