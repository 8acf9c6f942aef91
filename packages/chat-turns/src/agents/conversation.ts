import type { Attempt, Json, Message } from '@chatdoc/schema';
import { sameValue } from '@chatdoc/schema/internal';
import type { PromptMessage } from '../runs/template.js';
import { TOOL_ENDS, type Turn } from './agent.js';

/** One item of a conversation as a model is told it, in a form that every provider's own can be made of. */
export type ToldItem =
  | { readonly role: 'system'; readonly text: string }
  | {
      readonly role: 'user';
      readonly text: string;
      /** The `data` of file parts, as whoever wrote them has it. */
      readonly files: readonly Json[];
      /** Several people, or people and agents, are told apart by it where a provider has no roles. */
      readonly sender_id?: string;
    }
  | { readonly role: 'assistant'; readonly steps: readonly ToldStep[]; readonly sender_id?: string };

export type ToldStep =
  | { readonly type: 'text'; readonly text: string }
  /** `data` is what the provider wants back, such as a signature; without it most take no reasoning. */
  | { readonly type: 'reasoning'; readonly text: string; readonly data?: Json }
  | ToldCall;

export interface ToldCall {
  readonly type: 'tool_call';
  /** Unique in the conversation: agents repeat theirs from turn to turn. */
  readonly id: string;
  readonly name: string;
  readonly input: Json;
  /** The result; of a call that failed or has not ended a sentence. */
  readonly output: Json;
  readonly isError: boolean;
  readonly data?: Json;
}

/** Asks for the rest of an answer. */
export const GO_ON = 'Your answer was cut off. Go on exactly where it ends, without repeating any of it';
export const GO_ON_TOOLS = 'Tools that have a result above are done: do not call them again for it.';
const DISCARDED =
  'The answer above was discarded, but what its tools did stays done. Answer again from the start, and do not do it twice.';

/**
 * The conversation up to where the agent is to go on: with the calls of tools and their results, reasoning with what
 * its provider wants back, and a sentence wherever an answer did not come to its end. A retry is told what earlier
 * attempts did with tools. With `knowsSession` only what the provider does not know.
 */
export function tellConversation(turn: Turn, knowsSession = false): readonly ToldItem[] {
  const told = new Telling(turn, knowsSession && turn.session !== undefined);
  return told.items();
}

/** Whether the provider knows the answer that this turn goes on: then it is not told again. */
function knowsAnswer({ session, fresh, prompt }: Turn): boolean {
  return session !== undefined && fresh.length === 0 && session.last_message_id !== prompt.message_id;
}

class Telling {
  readonly #turn: Turn;
  readonly #knowsSession: boolean;
  readonly #items: ToldItem[] = [];
  readonly #ids = new Set<string>();
  /** For the next that a person says. */
  #note: string | undefined;

  constructor(turn: Turn, knowsSession: boolean) {
    this.#turn = turn;
    this.#knowsSession = knowsSession;
  }

  items(): readonly ToldItem[] {
    const { run, follows, messages, fresh, earlier = [], continues } = this.#turn;
    if (run !== undefined) this.#addAll(run.messages);
    else {
      if (!this.#knowsSession) this.#addAll(follows?.system ?? []);
      for (const message of this.#knowsSession ? fresh : messages) this.#addMessage(message);
    }
    const others = [...earlier, ...(continues === undefined ? [] : [continues])];
    for (const attempt of this.#knowsSession ? [] : earlier) {
      const isCarried = others.some((other) => other.attempt > attempt.attempt && beginsWith(other, attempt));
      if (!isCarried) this.#addDiscarded(attempt);
    }
    if (continues !== undefined) this.#addContinued(continues);
    return this.#items;
  }

  #addAll(messages: readonly PromptMessage[], senderId?: string): void {
    for (const { role, content } of messages) {
      if (role === 'system') this.#items.push({ role, text: content });
      else if (role === 'user') this.#say(content, [], senderId);
      else this.#items.push({ role, steps: [{ type: 'text', text: content }] });
    }
  }

  #addMessage(message: Message): void {
    const { attempt, sender_id, content, parts, message_id } = message;
    const run = this.#turn.follows?.runs[message_id];
    if (run !== undefined) {
      this.#addAll(run, sender_id);
      return;
    }
    if (attempt === undefined) {
      const files = parts.flatMap(({ kind, data }) => (kind === 'file' && data !== undefined ? [data] : []));
      if (content !== '' || files.length > 0) this.#say(content, files, sender_id);
      return;
    }
    const steps = this.#readSteps(attempt);
    // A person has put other words in its place: what its tools did is as it was.
    const said: readonly ToldStep[] =
      content === attempt.content
        ? steps
        : [...steps.filter(({ type }) => type === 'tool_call'), { type: 'text', text: content }];
    if (said.length > 0) this.#items.push({ role: 'assistant', steps: said, sender_id });
    this.#note = describeCut(attempt, said.length > 0) ?? this.#note;
  }

  #addDiscarded(attempt: Attempt): void {
    const calls = this.#readSteps(attempt).filter(({ type }) => type === 'tool_call');
    if (calls.length === 0) return;
    this.#items.push({ role: 'assistant', steps: calls });
    this.#say(DISCARDED, []);
  }

  #addContinued(attempt: Attempt): void {
    const isKnown = this.#knowsSession && knowsAnswer(this.#turn);
    const steps = isKnown ? [] : this.#readSteps(attempt);
    if (steps.length > 0) this.#items.push({ role: 'assistant', steps });
    const { session, message_id, prompt } = this.#turn;
    const isOlder = isKnown && session?.last_message_id !== message_id;
    const which = isOlder ? `This is about your answer to: ${prompt.content}\n\n` : '';
    const hasTools = steps.some(({ type }) => type === 'tool_call');
    const where = isOlder ? `. It ends with: ${attempt.content.slice(-QUOTE)}` : '.';
    this.#say(`${which}${GO_ON}${where}${hasTools ? ` ${GO_ON_TOOLS}` : ''}`, []);
  }

  #say(text: string, files: readonly Json[], senderId?: string): void {
    const noted = this.#note === undefined ? text : `(${this.#note})\n\n${text}`;
    this.#note = undefined;
    this.#items.push({
      role: 'user',
      text: noted,
      files,
      ...(senderId !== undefined && { sender_id: senderId }),
    });
  }

  #readSteps({ parts }: Attempt): readonly ToldStep[] {
    const steps: ToldStep[] = [];
    for (const { kind, text = '', data, title, part_id, state, input, output } of parts) {
      const last = steps.at(-1);
      if (kind === 'text' && text !== '') {
        if (last?.type === 'text') steps[steps.length - 1] = { type: 'text', text: last.text + text };
        else steps.push({ type: 'text', text });
      } else if (kind === 'reasoning') {
        const isOpen = last?.type === 'reasoning' && last.data === undefined;
        const whole = isOpen ? last.text + text : text;
        if (isOpen) steps.pop();
        steps.push({ type: 'reasoning', text: whole, ...(data !== undefined && { data }) });
      } else if (kind === 'tool_call') {
        const isError = state !== 'completed' && output === undefined;
        steps.push({
          type: 'tool_call',
          id: this.#uniqueId(part_id ?? 'call'),
          name: title ?? 'tool',
          input: input ?? {},
          output: isError ? describeCall(state) : (output ?? null),
          isError: isError || state === 'failed',
          ...(data !== undefined && { data }),
        });
      }
    }
    return steps;
  }

  #uniqueId(id: string): string {
    let unique = id;
    for (let n = 2; this.#ids.has(unique); n += 1) unique = `${id}_${n}`;
    this.#ids.add(unique);
    return unique;
  }
}

/** Whether an attempt begins with all parts of another: it went on from that one, and tells all of it. */
function beginsWith({ parts }: Attempt, { parts: carried }: Attempt): boolean {
  return (
    parts.length >= carried.length &&
    carried.every(({ kind, part_id, text, input, output }, at) => {
      const part = parts[at];
      if (part?.kind !== kind || part.part_id !== part_id || part.text !== text) return false;
      return sameValue(part.input, input) && sameValue(part.output, output);
    })
  );
}

/** Of an answer's end, to find the place. */
const QUOTE = 200;

function describeCall(state = ''): string {
  if (state === 'failed') return 'The call failed.';
  const how = TOOL_ENDS.has(state) ? 'The call was cancelled' : 'The call had not ended';
  return `${how} when the turn ended; it may have had an effect.`;
}

const LENGTH_ENDS: ReadonlySet<string> = new Set([
  'length',
  'max_tokens',
  'max_output_tokens',
  'max_turn_requests',
]);

/** Why an answer did not come to its end; undefined where it did. */
function describeCut(attempt: Attempt, hasBegun: boolean): string | undefined {
  const { state, finish_reason = '', error } = attempt;
  const which = hasBegun ? 'Your answer above' : 'Your answer to this';
  const when = hasBegun ? 'before its end' : 'before it began';
  if (state === 'interrupted') return `${which} was cut off ${when}: the program that ran it ended`;
  if (state !== 'settled') return undefined;
  if (finish_reason === 'stopped' || finish_reason === 'cancelled')
    return `${which} was stopped by a person ${when}`;
  if (error !== undefined)
    return `${which} was cut off ${when} by an error: ${String(error['code'] ?? 'unknown')}`;
  if (LENGTH_ENDS.has(finish_reason)) return `${which} was cut off at its limit of length`;
  return undefined;
}
