import { type ChatReader, deriveAnswerId, type Message } from '@chatdoc/schema';
import { isOrdinaryEnd } from '../say/message.js';
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

function describeFailedTurn({ code, detail }: { readonly code: string; readonly detail: string }): Failure {
  switch (code) {
    case 'acp_spawn':
      return fail(code, 'the agent could not be started; check --agent, and ask again with --retry');
    case 'acp_closed':
      return fail(
        code,
        'the agent ended before its answer did; run its command by itself to see why. --continue goes on with what was said',
      );
    case 'acp_failed': {
      const [number = 'an error'] = /-?\d+/.exec(detail) ?? [];
      return fail(
        code,
        `the agent answered with ${number}; it may have to be set up or logged in first. --retry asks it again`,
      );
    }
    case 'timeout':
      return fail(code, 'the agent said nothing for too long; --continue goes on with what was said');
    case 'max_tokens':
    case 'max_turn_requests':
    case 'length':
      return fail(code, 'the answer is cut off where the agent allows no more; --continue goes on with it');
    case 'refusal':
      return fail(code, 'the agent refuses to answer this');
    default:
      return fail('failed', `the turn failed (${code}); --retry asks it again`);
  }
}
