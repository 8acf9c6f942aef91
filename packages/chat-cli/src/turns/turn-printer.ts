import type { Message, Part } from '@chatdoc/schema';
import { TOOL_ENDS } from '@chatdoc/turns';
import { type Colors, colorsFor, type Io, type OutputStream, writeTo } from '../io.js';
import { describePart } from '../say/message.js';
import { neutralise } from '../say/plain-text.js';

/**
 * Prints an answer while it is written, as the document has it: its text on standard output, what the agent thinks and
 * does on standard error.
 */
export class TurnPrinter {
  readonly #io: Io;
  readonly #colors: Colors;
  /** By part number: characters of a text that are printed, or the state of anything else. */
  readonly #printed = new Map<number, number | string>();
  #attempt: string | undefined;
  /** Where the line has not ended. */
  readonly #midLine = new Set<OutputStream>();
  #written: Promise<unknown> = Promise.resolve();

  constructor(io: Io) {
    this.#io = io;
    this.#colors = colorsFor(io.stderr, io.env);
  }

  /** Prints what the answer has more than when it was given last. */
  show({ attempt }: Message): void {
    if (attempt === undefined) return;
    if (this.#attempt !== undefined && attempt.attempt !== this.#attempt) {
      this.note('another answer to this prompt shows now');
      this.#printed.clear();
    }
    this.#attempt = attempt.attempt;
    for (const part of attempt.parts) {
      if (part.kind === 'text') this.#stream(part, this.#io.stdout);
      else if (part.kind === 'reasoning') this.#stream(part, this.#io.stderr);
      else this.#tell(part);
    }
  }

  /** A line of its own on standard error. */
  note(text: string): void {
    this.#begin(this.#io.stderr, true);
    this.#write(this.#io.stderr, `${this.#colors.dim(text)}\n`);
  }

  /** Resolves when all is written. */
  async end(): Promise<void> {
    for (const stream of [...this.#midLine]) this.#endLine(stream);
    await this.#written;
  }

  #stream({ n, text = '', open }: Part, stream: OutputStream): void {
    const before = this.#printed.get(n);
    const start = typeof before === 'number' ? before : 0;
    // A newline of two characters may come in two pieces.
    const end = open && text.endsWith('\r') ? text.length - 1 : text.length;
    if (end <= start) return;
    this.#begin(stream, start === 0);
    const isReasoning = stream === this.#io.stderr;
    const said = neutralise(`${start === 0 && isReasoning ? 'thinking: ' : ''}${text.slice(start, end)}`);
    this.#write(stream, isReasoning ? this.#colors.dim(said) : said);
    this.#printed.set(n, end);
    if (said.endsWith('\n')) this.#midLine.delete(stream);
    else this.#midLine.add(stream);
  }

  /** Once when it comes, and once when it has ended otherwise. */
  #tell(part: Part): void {
    const { n, state = '' } = part;
    const before = this.#printed.get(n);
    if (before === state || (before !== undefined && !TOOL_ENDS.has(state))) return;
    this.#printed.set(n, state);
    this.note(describePart(part));
  }

  /** What stands on a terminal must not run into each other; what is read from a pipe stays as it was said. */
  #begin(stream: OutputStream, isNewLine: boolean): void {
    for (const other of [...this.#midLine]) {
      const isInWay = other === stream ? isNewLine : other !== this.#io.stdout || other.isTTY === true;
      if (isInWay) this.#endLine(other);
    }
  }

  #endLine(stream: OutputStream): void {
    this.#write(stream, '\n');
    this.#midLine.delete(stream);
  }

  #write(stream: OutputStream, text: string): void {
    this.#written = Promise.all([this.#written, writeTo(stream, text)]);
  }
}
