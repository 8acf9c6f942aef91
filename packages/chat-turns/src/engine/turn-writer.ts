import {
  type Attempt,
  type AttemptWriter,
  ChatDocError,
  type JsonObject,
  type NewPart,
  type Timers,
} from '@chatdoc/schema';
import { TOOL_ENDS, type TurnEvent } from '../agents/agent.js';
import { pickIds, type SessionIds } from '../sessions.js';
import { PartStream } from './part-stream.js';

export interface TurnEnd {
  readonly finish_reason: string;
  readonly error?: { readonly code: string; readonly message?: string };
}

/** Writes what an agent does as the parts of one attempt. */
export class TurnWriter {
  readonly #writer: AttemptWriter;
  readonly #timers: Timers;
  readonly #onError: (error: unknown) => void;
  /** Tool calls that are not over. */
  readonly #openTools = new Set<string>();
  #stream: PartStream | undefined;
  #usage: JsonObject | undefined;
  #session: SessionIds | undefined;

  constructor(writer: AttemptWriter, timers: Timers, onError: (error: unknown) => void) {
    this.#writer = writer;
    this.#timers = timers;
    this.#onError = onError;
  }

  /** Ids that the agent gave for its conversation; undefined if it gave none. */
  get session(): SessionIds | undefined {
    return this.#session;
  }

  /** False for a kind of event that is not known here: an agent may be newer. */
  apply(event: TurnEvent): boolean {
    assertEvent(event);
    switch (event.type) {
      case 'text':
      case 'reasoning':
        this.#append(event.type, event.text);
        return true;
      case 'tool_call': {
        const { type: kind, part_id, state, title, input, output } = event;
        this.#add({ kind, part_id, ...defined({ state, title, input, output }) });
        // A call without a state has begun.
        if (state !== undefined && TOOL_ENDS.has(state)) this.#openTools.delete(part_id);
        else this.#openTools.add(part_id);
        return true;
      }
      case 'plan':
        this.#add({ kind: 'plan', data: event.data });
        return true;
      case 'file':
        this.#add({ kind: 'file', data: event.data, ...defined({ title: event.title }) });
        return true;
      case 'session':
        this.#session = { ...this.#session, ...pickIds(event.session) };
        return true;
      case 'usage':
        this.#usage = { ...this.#usage, ...event.usage };
        return true;
      default:
        return false;
    }
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
      finish_reason,
      ...(this.#usage !== undefined && { acp_usage: this.#usage }),
      ...(this.#session?.acp_session_id !== undefined && { acp_thread_id: this.#session.acp_session_id }),
      ...(error !== undefined && { error: { ...error } }),
    });
  }

  /** Settles it without any more of the text, and without what the agent said of its end. */
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

  #append(kind: string, text: string): void {
    if (text === '') return;
    if (this.#stream?.kind !== kind) {
      this.#closeStream();
      this.#stream = new PartStream(this.#writer, kind, this.#timers, this.#onError);
    }
    this.#stream.append(text);
  }

  #add(part: NewPart & { readonly kind: string }): void {
    this.#closeStream();
    this.#writer.addPart(part);
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

/** What an agent gives has no type at run time. The rest is checked where it is encoded. */
function assertEvent(event: TurnEvent): void {
  if (event.type === 'text' || event.type === 'reasoning') assertString(event.text, 'text');
  else if (event.type === 'tool_call') assertString(event.part_id, 'part_id');
  else if (event.type === 'session') assertObject(event.session, 'session');
  else if (event.type === 'usage') assertObject(event.usage, 'usage');
}

function assertString(value: unknown, path: string): void {
  if (typeof value !== 'string') throw new ChatDocError('invalid_argument', path, 'expected a string');
}

function assertObject(value: unknown, path: string): void {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return;
  throw new ChatDocError('invalid_argument', path, 'expected an object');
}

function defined<T extends object>(fields: T): { [K in keyof T]: NonNullable<T[K]> } {
  const entries = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]: NonNullable<T[K]> };
}
