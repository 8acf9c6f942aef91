import { systemTimers, type Timers } from '@chatdoc/schema';
import type { Agent, Turn, TurnEvent } from './agent.js';

/** What a scripted agent does, one step after the other. */
export type ScriptStep =
  | TurnEvent
  | { readonly type: 'wait'; readonly ms: number }
  | { readonly type: 'fail'; readonly error: unknown }
  /** Nothing more, ever. */
  | { readonly type: 'hang' };

export interface Script {
  readonly steps: readonly ScriptStep[];
  /** What still comes after the signal, in place of the rest; `ignore` goes on as if there were none. */
  readonly after_stop?: readonly ScriptStep[] | 'ignore';
}

/** An agent for tests: the same script, the same events, at times that the timers decide. */
export function scriptedAgent(
  script: Script | ((turn: Turn) => Script),
  timers: Timers = systemTimers,
): Agent {
  return (turn, signal) => play(typeof script === 'function' ? script(turn) : script, signal, timers);
}

async function* play(
  { steps, after_stop: afterStop = [] }: Script,
  signal: AbortSignal,
  timers: Timers,
): AsyncGenerator<TurnEvent, void, undefined> {
  const heeds = afterStop !== 'ignore';
  for (const step of steps) {
    if (heeds && signal.aborted) break;
    yield* perform(step, timers, heeds ? signal : undefined);
  }
  if (!heeds || !signal.aborted) return;
  for (const step of afterStop) yield* perform(step, timers, undefined);
}

async function* perform(
  step: ScriptStep,
  timers: Timers,
  signal: AbortSignal | undefined,
): AsyncGenerator<TurnEvent, void, undefined> {
  if (step.type === 'fail') throw step.error;
  if (step.type === 'wait') await wait(step.ms, timers, signal);
  else if (step.type === 'hang') await wait(undefined, timers, signal);
  else yield step;
}

/** Until the time has passed or the signal aborts; without a time until the signal. */
function wait(ms: number | undefined, timers: Timers, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const end = (): void => {
      timers.clearTimer(timer);
      // One listener for each wait would stay until the turn ends.
      signal?.removeEventListener('abort', end);
      resolve();
    };
    const timer = ms === undefined ? undefined : timers.setTimer(end, ms);
    signal?.addEventListener('abort', end);
  });
}
