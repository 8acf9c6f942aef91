import type { Attempt, AttemptWriter, Json, JsonObject, NewPart, Timers } from '@chatdoc/schema';
import { definedOnly } from '@chatdoc/schema/internal';
import { TOOL_ENDS, type TurnEvent } from '../agents/agent.js';
import { pickIds, type SessionIds } from '../sessions.js';
import { PartStream } from './part-stream.js';
import { toName, toStorable, toStorableObject } from './storable.js';

export interface TurnEnd {
  readonly finish_reason: string;
  readonly error?: { readonly code: string; readonly message?: string };
}

/** The state of the provider's conversation that may be saved. */
export interface SessionState {
  readonly ids: SessionIds;
  /** Whether the provider knows all of the answer; else only what it was asked. */
  readonly knowsAnswer: boolean;
}

/** `bad`: nothing of the event can be stored. `unknown`: its kind is not known here, an agent may be newer. */
export type Applied = 'written' | 'unknown' | 'bad';

/** Code units as written; together they fit in one line. */
const MAX_INPUT = 1024 * 1024;
const MAX_OUTPUT = 1536 * 1024;
const MAX_DATA = 1024 * 1024;
const MAX_TITLE = 16 * 1024;

/** Writes the events of an agent as the parts of one attempt. */
export class TurnWriter {
  readonly #writer: AttemptWriter;
  readonly #timers: Timers;
  readonly #onError: (error: unknown) => void;
  /** Tool calls that are not over. */
  readonly #openTools = new Set<string>();
  /** By tool call, the fields of its `data` so far: an update of a part replaces `data` as a whole. */
  readonly #toolData = new Map<string, JsonObject>();
  readonly #noticed = new Set<string>();
  #stream: PartStream | undefined;
  #usage: JsonObject | undefined;
  #session: SessionIds | undefined;
  #confirmed: SessionState | undefined;
  #cuts = 0;

  constructor(writer: AttemptWriter, timers: Timers, onError: (error: unknown) => void) {
    this.#writer = writer;
    this.#timers = timers;
    this.#onError = onError;
  }

  /** Values that were cut to fit. */
  get cuts(): number {
    return this.#cuts;
  }

  /** The session to save after a turn that completed, or one that did not. Undefined if there is none. */
  sessionAfter(isComplete: boolean): SessionState | undefined {
    if (!isComplete) return this.#confirmed;
    return this.#session && { ids: this.#session, knowsAnswer: true };
  }

  apply(event: TurnEvent): Applied {
    switch (event.type) {
      case 'text':
        return this.#append('text', event.text);
      case 'reasoning':
        return this.#addReasoning(event.text, event.data);
      case 'tool_call':
        return this.#addTool(event);
      case 'plan':
        return this.#add({ kind: 'plan', data: this.#store(event.data, MAX_DATA) ?? null });
      case 'file': {
        const { title, data } = event;
        const fields = { title: this.#title(title), data: this.#store(data, MAX_DATA) ?? null };
        return this.#add({ kind: 'file', ...definedOnly(fields) });
      }
      case 'notice':
        this.addNotice(event);
        return 'written';
      case 'session':
        return this.#keepSession(event.session, event.confirmed === true);
      case 'usage':
        if (typeof event.usage !== 'object' || event.usage === null) return 'bad';
        this.#usage = { ...this.#usage, ...toStorableObject(event.usage) };
        return 'written';
      default:
        return 'unknown';
    }
  }

  /** Each code and message once: a broken agent may repeat itself. */
  addNotice({ code, message }: { readonly code: string; readonly message?: string }): void {
    const title = this.#title(message) ?? code;
    const key = `${code} ${title}`;
    if (this.#noticed.has(key)) return;
    this.#noticed.add(key);
    this.#closeStream();
    this.#writer.addPart({ kind: 'notice', title, data: { code } });
  }

  /** Goes on in a new part, which voids an interrupt: the runner is alive. */
  resume(): void {
    this.#closeStream();
    this.#writer.addPart({ kind: 'text', text: '' });
  }

  /** Begins with what another attempt showed. Tool calls that it left open are over: nobody runs them. */
  carry({ parts }: Attempt): void {
    for (const { n: _, open: __, ...part } of parts) {
      const isOpen = part.kind === 'tool_call' && !TOOL_ENDS.has(part.state ?? '');
      if (part.text !== undefined && part.text.length > 0) this.#writer.openPart(part).close();
      else this.#writer.addPart(isOpen ? { ...part, state: 'cancelled' } : part);
    }
  }

  /** Settles the attempt: what is not flushed is written, and no tool call stays open. */
  finish({ finish_reason, error }: TurnEnd): void {
    this.#end();
    this.#writer.finish({
      finish_reason: toName(finish_reason) ?? 'stop',
      ...(this.#usage !== undefined && { acp_usage: this.#usage }),
      ...(this.#session?.acp_session_id !== undefined && { acp_thread_id: this.#session.acp_session_id }),
      ...(error !== undefined && { error: { ...error } }),
    });
  }

  /** Settles it without any more of the text, and without usage. */
  drop({ finish_reason, error }: TurnEnd): void {
    this.#stream?.drop();
    this.#stream = undefined;
    this.#writer.finish({ finish_reason, ...(error !== undefined && { error: { ...error } }) });
  }

  /** Leaves the attempt open, with all its text, for others to find that nobody runs it. */
  leave(): void {
    this.#end();
    this.#writer.abandon();
  }

  #append(kind: string, text: string): Applied {
    if (typeof text !== 'string') return 'bad';
    if (text === '') return 'written';
    this.#forgetWhole();
    if (this.#stream?.kind !== kind) {
      this.#closeStream();
      this.#stream = new PartStream(this.#writer, kind, this.#timers, this.#onError);
    }
    this.#stream.append(text);
    return 'written';
  }

  #addReasoning(text: string, data: unknown): Applied {
    const applied = this.#append('reasoning', text);
    if (applied === 'bad' || data === undefined) return applied;
    // It follows what it belongs to: the signature of a thought is known at its end.
    return this.#add({ kind: 'reasoning', data: this.#store(data, MAX_DATA) ?? null });
  }

  #addTool(event: Extract<TurnEvent, { readonly type: 'tool_call' }>): Applied {
    const part_id = toName(event.part_id);
    if (part_id === undefined) return 'bad';
    const state = toName(event.state);
    const fields = {
      state,
      title: this.#title(event.title),
      input: this.#store(event.input, MAX_INPUT),
      output: this.#store(event.output, MAX_OUTPUT),
      data: this.#mergeData(part_id, event.data),
    };
    this.#add({ kind: 'tool_call', part_id, ...definedOnly(fields) });
    // A call without a state has begun.
    if (state !== undefined && TOOL_ENDS.has(state)) this.#openTools.delete(part_id);
    else this.#openTools.add(part_id);
    return 'written';
  }

  #mergeData(partId: string, data: unknown): JsonObject | undefined {
    if (typeof data !== 'object' || data === null) return undefined;
    const stored = this.#store({ ...this.#toolData.get(partId), ...data }, MAX_DATA) as JsonObject;
    this.#toolData.set(partId, stored);
    return stored;
  }

  #keepSession(session: unknown, isConfirmed: boolean): Applied {
    if (typeof session !== 'object' || session === null) return 'bad';
    this.#session = { ...this.#session, ...pickIds(session as SessionIds) };
    if (isConfirmed) this.#confirmed = { ids: this.#session, knowsAnswer: true };
    return 'written';
  }

  /** Events after a confirmation are not known to be in the provider's conversation. */
  #forgetWhole(): void {
    if (this.#confirmed?.knowsAnswer) this.#confirmed = { ...this.#confirmed, knowsAnswer: false };
  }

  #store(value: unknown, budget: number): Json | undefined {
    if (value === undefined) return undefined;
    const { value: stored, cuts } = toStorable(value, budget);
    this.#cuts += cuts;
    return stored;
  }

  #title(title: unknown): string | undefined {
    return typeof title === 'string' ? (this.#store(title, MAX_TITLE) as string) : undefined;
  }

  #add(part: NewPart & { readonly kind: string }): Applied {
    this.#forgetWhole();
    this.#closeStream();
    this.#writer.addPart(part);
    return 'written';
  }

  #end(): void {
    this.#closeStream();
    for (const part_id of this.#openTools) {
      this.#writer.addPart({ kind: 'tool_call', part_id, state: 'cancelled' });
    }
    this.#openTools.clear();
  }

  #closeStream(): void {
    this.#stream?.close();
    this.#stream = undefined;
  }
}
