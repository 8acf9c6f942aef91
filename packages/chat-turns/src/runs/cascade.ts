import {
  type Chat,
  ChatDocError,
  deriveAnswerId,
  deriveMessageId,
  type Json,
  type JsonObject,
  type Message,
} from '@chatdoc/schema';
import { assertString } from '@chatdoc/schema/internal';
import { stopTurn } from '../requests.js';
import type { RunScopes } from './resolve.js';
import { listFailedStarts, startRun } from './runs.js';

/** One run of a cascade. */
export interface CascadeStep {
  /** Unique in the cascade. Later steps have the answer of this one as the variable of this name. */
  readonly name: string;
  /** A run thread; its template is executed. */
  readonly thread_id: string;
  /** Names of earlier steps that must be complete. Their answers are values of the call. Defaults to the step before. */
  readonly needs?: readonly string[];
  readonly scopes?: RunScopes;
  readonly call?: Readonly<Record<string, Json>>;
}

export interface NewCascade {
  readonly sender_id: string;
  /** With `date` the key of the cascade: started again, it is the same, and goes on. */
  readonly client_message_id: string;
  readonly date: string;
  /** In an order in which each comes after those that it needs. */
  readonly steps: readonly CascadeStep[];
}

export type CascadeStepState =
  /** For those that it needs. */
  | 'waiting'
  /** Asked, and not answered yet; also while it is interrupted, and waits for a person. */
  | 'running'
  | 'complete'
  | 'failed'
  | 'stopped';

export interface CascadeStepStatus {
  readonly name: string;
  readonly thread_id: string;
  readonly state: CascadeStepState;
  readonly prompt_id?: string;
  readonly answer?: Message;
  /** Why it failed: of its start or of its turn. */
  readonly code?: string;
}

export interface CascadeStatus {
  readonly client_message_id: string;
  /** `running` while any step can still begin or end by itself. */
  readonly state: 'running' | 'complete' | 'failed' | 'stopped';
  readonly steps: readonly CascadeStepStatus[];
}

/** A cascade that this process drives: it starts each step once those that it needs are complete. */
export interface Cascade {
  status(): CascadeStatus;
  /** Stops what runs, and begins nothing more; written in the document, for any process that drives it. */
  stop(by: string): void;
  /** Drives it no more. What runs goes on; `resumeCascades` drives it again, in any process. */
  close(): void;
  /** Resolves when no step can begin or end by itself any more, or at `close`. */
  readonly done: Promise<CascadeStatus>;
}

/** Key of the annotation that holds a cascade, on the thread of its first step. */
const CASCADE_KEY = 'turn:cascade:';
const STOP_KEY = 'turn:cascade-stop:';

/**
 * Runs prompts whose answers feed later ones. The cascade is in the document before this returns, and each step is a
 * run with a record of its own, whose key is made of the cascade's: after a crash nothing is run again. A step that
 * fails or is stopped holds those that need it, until a person has it tried again. Throws `invalid_argument`.
 */
export function startCascade(chat: Chat, given: NewCascade): Cascade {
  assertSteps(given);
  const cascade = { ...given, steps: given.steps.map(withNeeds) };
  const { sender_id, client_message_id, date, steps } = cascade;
  const [first] = steps;
  if (chat.thread(first?.thread_id ?? '') === undefined) {
    throw new ChatDocError('not_found', 'steps', 'expected threads of this document');
  }
  const target = { thread_id: first?.thread_id ?? '' };
  const key = `${CASCADE_KEY}${client_message_id}`;
  const known = chat.annotations(target).some((each) => each.user_id === sender_id && each.key === key);
  if (!known) {
    const value = { date, steps: steps.map((step) => ({ ...step })) } as unknown as JsonObject;
    chat.annotate({ ...target, user_id: sender_id, key, value });
  }
  return new CascadeDriver(chat, cascade);
}

function withNeeds(step: CascadeStep, at: number, steps: readonly CascadeStep[]): CascadeStep {
  const before = steps[at - 1];
  return { ...step, needs: step.needs ?? (before === undefined ? [] : [before.name]) };
}

/** Drives all cascades again whose first step is in this thread, and that are not over. */
export function resumeCascades(chat: Chat, threadId: string): readonly Cascade[] {
  return readCascades(chat, threadId)
    .filter((cascade) => readStatus(chat, cascade).state === 'running')
    .map((cascade) => new CascadeDriver(chat, cascade));
}

/** The cascades whose first step is in this thread, oldest first. */
export function listCascades(chat: Chat, threadId: string): readonly CascadeStatus[] {
  return readCascades(chat, threadId).map((cascade) => readStatus(chat, cascade));
}

class CascadeDriver implements Cascade {
  readonly done: Promise<CascadeStatus>;
  readonly #chat: Chat;
  readonly #cascade: NewCascade;
  readonly #unsubscribe: () => void;
  readonly #threads: ReadonlySet<string>;
  #resolve: (status: CascadeStatus) => void = () => undefined;
  #isScheduled = false;
  #isClosed = false;

  constructor(chat: Chat, cascade: NewCascade) {
    this.#chat = chat;
    this.#cascade = cascade;
    this.#threads = new Set(cascade.steps.map(({ thread_id }) => thread_id));
    this.done = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    this.#unsubscribe = chat.subscribe(({ threads }) => {
      if (threads.some((id) => this.#threads.has(id))) this.#schedule();
    });
    this.#drive();
  }

  status(): CascadeStatus {
    return readStatus(this.#chat, this.#cascade);
  }

  stop(by: string): void {
    const { steps, client_message_id } = this.#cascade;
    const thread_id = steps[0]?.thread_id ?? '';
    this.#chat.annotate({ thread_id, user_id: by, key: `${STOP_KEY}${client_message_id}`, value: true });
    for (const { state, prompt_id } of this.status().steps) {
      if (state === 'running' && prompt_id !== undefined) stopTurn(this.#chat, { message_id: prompt_id, by });
    }
    this.#schedule();
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#unsubscribe();
    this.#resolve(this.status());
  }

  /** Soon and once: never within the transaction that brought the news. */
  #schedule(): void {
    if (this.#isScheduled || this.#isClosed) return;
    this.#isScheduled = true;
    Promise.resolve().then(() => {
      this.#isScheduled = false;
      if (!this.#isClosed) this.#drive();
    });
  }

  #drive(): void {
    let status: CascadeStatus;
    try {
      status = this.status();
      for (const step of findReady(this.#cascade, status)) {
        startRun(this.#chat, {
          ...step,
          ...keyOf(this.#cascade, step),
          call: { ...step.call, ...outputsOf(step, status) },
        });
        status = this.status();
      }
    } catch (error) {
      // The document is closed to us: a process that has it open drives it.
      this.close();
      throw error;
    }
    if (status.state !== 'running') this.close();
  }
}

/** Steps that can begin now. None of a cascade that was stopped. */
function findReady(cascade: NewCascade, status: CascadeStatus): readonly CascadeStep[] {
  if (status.state !== 'running') return [];
  const states = new Map(status.steps.map((step) => [step.name, step.state]));
  return cascade.steps.filter((step) => {
    return (
      states.get(step.name) === 'waiting' && step.needs?.every((name) => states.get(name) === 'complete')
    );
  });
}

function outputsOf({ needs = [] }: CascadeStep, { steps }: CascadeStatus): Readonly<Record<string, string>> {
  const named = needs.map((name) => [name, steps.find((each) => each.name === name)?.answer?.content ?? '']);
  return Object.fromEntries(named) as Record<string, string>;
}

function readStatus(chat: Chat, cascade: NewCascade): CascadeStatus {
  const { client_message_id, steps: all } = cascade;
  const thread_id = all[0]?.thread_id ?? '';
  const isStopped = chat
    .annotations({ thread_id })
    .some(({ key, value }) => key === `${STOP_KEY}${client_message_id}` && value === true);
  const steps = all.map((step) => readStep(chat, cascade, step));
  const states = new Map(steps.map(({ name, state }) => [name, state]));
  /** Whether it is, or may yet become, one that its followers can use. */
  const canEnd = (name: string): boolean => {
    const state = states.get(name);
    if (state !== 'waiting') return state === 'running' || state === 'complete';
    return !isStopped && (all.find((step) => step.name === name)?.needs ?? []).every(canEnd);
  };
  const isOpen = steps.some(
    ({ name, state }) => state === 'running' || (state === 'waiting' && canEnd(name)),
  );
  const isComplete = steps.every(({ state }) => state === 'complete');
  const ended = steps.some(({ state }) => state === 'failed') ? 'failed' : 'stopped';
  return { client_message_id, state: isComplete ? 'complete' : isOpen ? 'running' : ended, steps };
}

function readStep(chat: Chat, cascade: NewCascade, { name, thread_id }: CascadeStep): CascadeStepStatus {
  const key = keyOf(cascade, { name });
  const base = { name, thread_id };
  const prompt_id = deriveMessageId(key.date, thread_id, key.sender_id, key.client_message_id);
  if (chat.message(prompt_id) === undefined) {
    const failed = listFailedStarts(chat, thread_id)
      .filter(({ parts, sender_id }) => {
        const data = parts[0]?.data as JsonObject | undefined;
        return sender_id === key.sender_id && data?.['client_message_id'] === key.client_message_id;
      })
      .at(-1);
    if (failed === undefined) return { ...base, state: 'waiting' };
    const data = failed.parts[0]?.data as JsonObject | undefined;
    return { ...base, state: 'failed', code: String(data?.['failed']) };
  }
  const answer = chat.message(deriveAnswerId(prompt_id));
  const started = { ...base, prompt_id };
  if (chat.isQueued(prompt_id)) return { ...started, state: 'running', ...(answer && { answer }) };
  if (answer?.attempt === undefined) return { ...started, state: 'stopped' };
  const { state, error, finish_reason } = answer.attempt;
  const code = error === undefined ? {} : { code: String(error['code'] ?? 'error') };
  if (state !== 'settled') return { ...started, state: 'running', answer };
  if (error !== undefined) return { ...started, state: 'failed', answer, ...code };
  return { ...started, state: finish_reason === 'stopped' ? 'stopped' : 'complete', answer };
}

/** Of a step the key of its run. */
function keyOf(
  { sender_id, client_message_id, date }: NewCascade,
  { name }: Pick<CascadeStep, 'name'>,
): Pick<NewCascade, 'sender_id' | 'client_message_id' | 'date'> {
  return { sender_id, date, client_message_id: `${client_message_id}/${name}` };
}

function readCascades(chat: Chat, thread_id: string): readonly NewCascade[] {
  const cascades: NewCascade[] = [];
  for (const { key, user_id, value } of chat.annotations({ thread_id })) {
    if (!key.startsWith(CASCADE_KEY)) continue;
    const { date, steps } = value as unknown as NewCascade;
    const cascade = { sender_id: user_id, client_message_id: key.slice(CASCADE_KEY.length), date, steps };
    // Somebody may have written anything under our key.
    try {
      assertSteps(cascade);
    } catch {
      continue;
    }
    cascades.push(cascade);
  }
  return cascades.sort((a, b) => (a.date < b.date ? -1 : a.date > b.date ? 1 : 0));
}

function assertSteps(cascade: NewCascade): void {
  const { sender_id, client_message_id, date, steps } = cascade;
  assertString(sender_id, 'sender_id');
  assertString(client_message_id, 'client_message_id');
  assertString(date, 'date');
  if (!Array.isArray(steps) || steps.length === 0) {
    throw new ChatDocError('invalid_argument', 'steps', 'expected at least one step');
  }
  const names = new Set<string>();
  for (const { name, thread_id, needs = [] } of steps as readonly CascadeStep[]) {
    assertString(name, 'steps.name');
    assertString(thread_id, 'steps.thread_id');
    if (names.has(name)) throw new ChatDocError('invalid_argument', 'steps.name', 'expected unique names');
    if (!Array.isArray(needs) || !(needs as readonly string[]).every((need) => names.has(need))) {
      throw new ChatDocError('invalid_argument', 'steps.needs', 'expected names of earlier steps');
    }
    names.add(name);
  }
}
