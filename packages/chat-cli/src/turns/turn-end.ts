import { type ChatReader, deriveAnswerId, type Message } from '@chatdoc/schema';
import { isOrdinaryEnd } from '../say/message.js';
import { flatten } from '../say/plain-text.js';
import { type Failure, fail } from '../sources/read-source.js';

/** How a turn ended, by what the document says. */
export type TurnEnd =
  | { readonly kind: 'complete' }
  | { readonly kind: 'stopped' | 'interrupted' | 'cancelled' | 'redacted' }
  | { readonly kind: 'failed'; readonly code: string; readonly detail: string };

export type TurnProgress =
  | { readonly state: 'waiting' }
  | { readonly state: 'running'; readonly answer: Message }
  | { readonly state: 'ended'; readonly end: TurnEnd; readonly answer?: Message };

/** Where the answer to a prompt stands. `before`: the attempt that showed when it was asked for, which is no answer. */
export function readTurn(
  chat: ChatReader,
  { thread_id, prompt_id, before }: { thread_id: string; prompt_id: string; before: string | undefined },
): TurnProgress {
  if (chat.queue(thread_id).includes(prompt_id)) return { state: 'waiting' };
  const answer = chat.message(deriveAnswerId(prompt_id));
  const attempt = answer?.attempt;
  if (answer === undefined || attempt === undefined || attempt.attempt === before) {
    return { state: 'ended', end: { kind: 'cancelled' } };
  }
  if (attempt.state === 'open') return { state: 'running', answer };
  return { state: 'ended', end: readEnd(answer), answer };
}

function readEnd({ redacted, attempt }: Message): TurnEnd {
  const { state, finish_reason = '', error } = attempt ?? {};
  if (redacted || finish_reason === 'redacted') return { kind: 'redacted' };
  if (state === 'interrupted') return { kind: 'interrupted' };
  if (finish_reason === 'stopped') return { kind: 'stopped' };
  if (isOrdinaryEnd(finish_reason) && error === undefined) return { kind: 'complete' };
  const code = error?.['code'];
  const message = error?.['message'];
  return {
    kind: 'failed',
    code: typeof code === 'string' ? code : finish_reason,
    detail: typeof message === 'string' ? message : '',
  };
}

/** For a person, with what to do; undefined for a whole answer. */
export function describeTurnEnd(end: TurnEnd): Failure | undefined {
  switch (end.kind) {
    case 'complete':
      return undefined;
    case 'stopped':
      return fail('stopped', 'stopped; what was said is kept, and --continue goes on with it');
    case 'interrupted':
      return fail('interrupted', 'interrupted; what was said is kept, and --continue goes on with it');
    case 'cancelled':
      return fail(
        'cancelled',
        'stopped before it was answered; the prompt is kept, and --retry asks it again',
      );
    case 'redacted':
      return fail('redacted', 'somebody has redacted the prompt or its answer meanwhile');
    case 'failed':
      return describeFailedTurn(end);
  }
}

/** Longer words of an agent are cut here; the record has them whole. */
const MAX_DETAIL = 500;

function describeFailedTurn({ code, detail }: { readonly code: string; readonly detail: string }): Failure {
  const advice = ADVICE.get(code);
  const words = flatten(detail.slice(0, MAX_DETAIL));
  const because = words === '' ? '' : ` (${words})`;
  if (advice !== undefined) return fail(code, `${advice}${because}`);
  return fail('failed', `the turn failed (${code}); --retry asks it again${because}`);
}

const CUT_OFF = 'the answer is cut off where the agent allows no more; --continue goes on with it';

/** By the code in the record. */
const ADVICE: ReadonlyMap<string, string> = new Map([
  ['acp_spawn', 'the agent could not be started; check --agent, and ask again with --retry'],
  [
    'acp_closed',
    'the agent ended before its answer did; run its command by itself to see why. --continue goes on with what was said',
  ],
  [
    'acp_failed',
    'the agent answered with an error; it may have to be set up or logged in first. --retry asks it again',
  ],
  ['acp_auth', 'the agent has to be logged in first, by its own command; then --retry asks it again'],
  [
    'acp_version',
    'the agent and chatdoc speak different versions of ACP; update the older one, then --retry asks it again',
  ],
  ['openai_auth', 'the provider refuses the key; check it, then --retry asks it again'],
  ['openai_rate', 'the provider allows no more requests for now; --retry asks it again later'],
  ['openai_failed', 'the provider failed; --continue goes on with what was said, --retry asks it again'],
  ['timeout', 'the agent said nothing for too long; --continue goes on with what was said'],
  ['max_tokens', CUT_OFF],
  ['max_turn_requests', CUT_OFF],
  ['length', CUT_OFF],
  ['refusal', 'the agent refuses to answer this'],
]);
