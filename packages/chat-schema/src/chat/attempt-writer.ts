import type * as Y from 'yjs';
import type { FinishEntry } from '../entry/finish.js';
import type { Json, JsonObject } from '../entry/json.js';
import { Escaper, encodeOpenLine } from '../entry/line.js';
import type { PartEntry } from '../entry/part.js';
import { assertKeys, assertObject, assertString, ChatDocError } from '../host/errors.js';
import type { LanePool, OwnLane } from '../lane/pool.js';

/** One open line is closed and continued in a new part beyond this, far below what quarantines a line. */
const LONGEST_PART = 256 * 1024;
/** Text is written in pieces of at most this: escaped, each character may take six. */
const LONGEST_CHUNK = 64 * 1024;

export interface NewPart {
  readonly kind?: string;
  readonly part_id?: string;
  readonly state?: string;
  readonly title?: string;
  readonly input?: Json;
  readonly output?: Json;
  readonly data?: Json;
  readonly text?: string;
}

export interface NewFinish {
  readonly finish_reason: string;
  readonly acp_usage?: JsonObject;
  readonly acp_thread_id?: string;
  readonly error?: JsonObject;
}

const PART: { readonly [K in keyof Required<NewPart>]: true } = {
  kind: true,
  part_id: true,
  state: true,
  title: true,
  input: true,
  output: true,
  data: true,
  text: true,
};
const FINISH: { readonly [K in keyof Required<NewFinish>]: true } = {
  finish_reason: true,
  acp_usage: true,
  acp_thread_id: true,
  error: true,
};

/** The parts of a chat that an attempt writer needs. */
export interface PartHost {
  readonly lanes: LanePool;
  /** Runs `write` in a transaction of its own, after checking that the document may be written. */
  transact(call: string, write: (transaction: Y.Transaction) => readonly number[]): void;
  nextStamp(): string;
  /** The line of an entry; throws `invalid_argument` for one that a reader would quarantine. */
  encode(entry: PartEntry | FinishEntry): string;
}

/**
 * Writes one attempt: its parts in order, in a lane of its own, then its end. Each call is one transaction; how often a
 * stream is flushed is the caller's choice. Every call but `abandon` throws `not_open` once the attempt is finished.
 */
export interface AttemptWriter {
  readonly message_id: string;
  readonly attempt: string;
  readonly finished: boolean;
  /** Opens a streamed part. Only one is open at a time: the one before is closed. */
  openPart(part?: NewPart): PartWriter;
  /** Writes one whole part. A tool call is updated by another part with its `part_id`. */
  addPart(part: NewPart & { readonly kind: string }): void;
  /** Settles the attempt, and closes an open part in the same transaction. */
  finish(finish: NewFinish): void;
  /** Abandons the lane without an end, as a crash would: the attempt stays open, its text readable. */
  abandon(): void;
}

/** Streams the text of one part. Nothing is written before its first text. */
export interface PartWriter {
  append(text: string): void;
  /** Ends the part. The last text and the end are one transaction. */
  close(text?: string): void;
}

/** Writes an attempt into a lane that it holds; its message line is there already. Methods work unbound. */
export class LaneAttemptWriter implements AttemptWriter {
  readonly message_id: string;
  readonly attempt: string;
  readonly #host: PartHost;
  #lane: OwnLane;
  #n = 0;
  #open: LanePartWriter | undefined;
  #finished = false;

  constructor(host: PartHost, messageId: string, attempt: string, lane: OwnLane) {
    this.#host = host;
    this.message_id = messageId;
    this.attempt = attempt;
    this.#lane = lane;
  }

  get finished(): boolean {
    return this.#finished;
  }

  readonly openPart = (part: NewPart = {}): PartWriter => {
    this.#assertOpen('openPart');
    assertObject(part, 'openPart');
    assertKeys(part, PART, '');
    if (part.text !== undefined) assertString(part.text, 'text');
    const entry = this.#entry(part);
    this.#host.encode(entry);
    this.#open?.close();
    const writer = new LanePartWriter(this, entry);
    this.#open = writer;
    if (part.text !== undefined) writer.append(part.text);
    return writer;
  };

  readonly addPart = (part: NewPart & { readonly kind: string }): void => {
    this.#assertOpen('addPart');
    assertObject(part, 'addPart');
    assertKeys(part, PART, '');
    const entry = { ...this.#entry(part), text: part.text };
    this.#host.encode(entry);
    this.#open?.close();
    this.#n += 1;
    const line = this.#host.encode({ ...entry, n: this.#n });
    this.#host.transact('addPart', (transaction) => this.#write(transaction, `${line}\n`, 1));
  };

  readonly finish = (finish: NewFinish): void => {
    this.#assertOpen('finish');
    assertObject(finish, 'finish');
    assertKeys(finish, FINISH, '');
    assertString(finish.finish_reason, 'finish_reason');
    const id = this.#host.nextStamp();
    const line = `${this.#host.encode({ ...finish, type: 'finish', id, attempt: this.attempt })}\n`;
    const end = this.#open?.end() ?? '';
    this.#open = undefined;
    this.#host.transact('finish', (transaction) => {
      // The end of an open line goes where the line is; the rest may have to go to a new lane.
      if (end === '') return this.#write(transaction, line, 1);
      if (!this.#host.lanes.isIntact(this.#lane)) return this.#write(transaction, line, 1);
      this.#host.lanes.append(transaction, this.#lane, `${end}${line}`, 1, false);
      return [this.#lane.client];
    });
    this.#finished = true;
    this.#host.lanes.release(this.#lane);
  };

  readonly abandon = (): void => {
    this.#finished = true;
    this.#open = undefined;
    // A lane with an open line is never written again.
    this.#lane.damaged = this.#lane.held;
    this.#host.lanes.release(this.#lane);
  };

  appendText(part: LanePartWriter, open: PartEntry, escaper: Escaper, text: string, state: PartState): void {
    this.#assertOpen('append');
    if (this.#open !== part) throw new ChatDocError('not_open', 'append', 'the part is closed');
    this.#host.transact('append', (transaction) => {
      const lost = state.n > 0 && !this.#host.lanes.isIntact(this.#lane);
      const full = state.length > LONGEST_PART;
      let chunk = '';
      if (full && !lost) chunk = '"}\n';
      if (state.n === 0 || lost || full) {
        this.#n += 1;
        const entry = { ...open, n: this.#n, ...(state.n > 0 && { continues: state.n }) };
        if (lost) this.#renewLane();
        state.n = this.#n;
        state.length = 0;
        chunk += encodeOpenLine(entry);
        chunk += escaper.escapeText(text);
        state.length += text.length;
        return this.#write(transaction, chunk, 1, chunk.startsWith('{'));
      }
      state.length += text.length;
      return this.#write(transaction, escaper.escapeText(text), 0, false);
    });
  }

  /** The last text and the end of its line, in one transaction. */
  closePart(part: LanePartWriter, open: PartEntry, escaper: Escaper, text: string, state: PartState): void {
    if (this.#open !== part) return;
    this.#open = undefined;
    if (state.n === 0 && text === '') return;
    this.#host.transact('close', (transaction) => {
      const escaped = text === '' ? '' : escaper.escapeText(text);
      if (state.n > 0 && this.#host.lanes.isIntact(this.#lane)) {
        return this.#write(transaction, `${escaped}"}\n`, 0, false);
      }
      // Nothing is open, or what was open went with its lane and stays cut.
      if (text === '') return [];
      this.#n += 1;
      const entry = { ...open, n: this.#n, ...(state.n > 0 && { continues: state.n }) };
      return this.#write(transaction, `${encodeOpenLine(entry)}${escaped}"}\n`, 1);
    });
  }

  #entry(part: NewPart): PartEntry {
    const { kind, part_id, state, title, input, output, data } = part;
    const n = this.#n + 1;
    // A text is what a part without a kind is.
    const written = kind === 'text' ? undefined : kind;
    return {
      type: 'part',
      attempt: this.attempt,
      n,
      kind: written,
      part_id,
      state,
      title,
      input,
      output,
      data,
    };
  }

  #write(transaction: Y.Transaction, chunk: string, entries: number, mayRoll = true): readonly number[] {
    if (!this.#host.lanes.isIntact(this.#lane)) this.#renewLane();
    this.#host.lanes.append(transaction, this.#lane, chunk, entries, mayRoll);
    return [this.#lane.client];
  }

  #renewLane(): void {
    this.#host.lanes.release(this.#lane);
    this.#lane.damaged = true;
    this.#lane = this.#host.lanes.take();
    this.#lane.held = true;
  }

  #assertOpen(path: string): void {
    if (this.#finished) throw new ChatDocError('not_open', path, 'the attempt is finished');
  }
}

interface PartState {
  /** Number of the line that is open; 0 before the first text. */
  n: number;
  /** Code units in the open line. */
  length: number;
}

class LanePartWriter implements PartWriter {
  readonly #attempt: LaneAttemptWriter;
  readonly #entry: PartEntry;
  readonly #escaper = new Escaper();
  readonly #state: PartState = { n: 0, length: 0 };
  #closed = false;

  constructor(attempt: LaneAttemptWriter, entry: PartEntry) {
    this.#attempt = attempt;
    this.#entry = entry;
  }

  readonly append = (text: string): void => {
    assertString(text, 'text');
    if (this.#closed) throw new ChatDocError('not_open', 'append', 'the part is closed');
    for (let from = 0; from < text.length; from += LONGEST_CHUNK) {
      const piece = text.slice(from, from + LONGEST_CHUNK);
      this.#attempt.appendText(this, this.#entry, this.#escaper, piece, this.#state);
    }
  };

  readonly close = (text = ''): void => {
    assertString(text, 'text');
    if (this.#closed) return;
    // What does not fit in one line goes before; the rest and the end are one transaction.
    const last = Math.max(0, text.length - (text.length % LONGEST_CHUNK || LONGEST_CHUNK));
    this.append(text.slice(0, last));
    this.#attempt.closePart(this, this.#entry, this.#escaper, text.slice(last), this.#state);
    this.#closed = true;
  };

  /** Closes the part. Returns the end of its line, empty where none is open. */
  end(): string {
    this.#closed = true;
    return this.#state.n === 0 ? '' : '"}\n';
  }
}
