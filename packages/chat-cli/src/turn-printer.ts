import type { Message, Part } from '@chatdoc/schema';
import { TOOL_ENDS } from '@chatdoc/turns';
import { type Colors, colorsFor, type Io, type OutputStream, writeTo } from './io.js';
import { describePart } from './message-text.js';
import { neutralise } from './plain-text.js';

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
  /** The part that was printed last, and where its line has not ended. */
  #current: { readonly n: number; readonly stream: OutputStream } | undefined;
  #isMidLine = false;
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
    this.#endLine();
    this.#current = undefined;
    this.#write(this.#io.stderr, `${this.#colors.dim(text)}\n`);
  }

  /** Resolves when all is written. */
  async end(): Promise<void> {
    this.#endLine();
    await this.#written;
  }

  #stream({ n, text = '', open }: Part, stream: OutputStream): void {
    const before = this.#printed.get(n);
    const start = typeof before === 'number' ? before : 0;
    // A newline of two characters may come in two pieces.
    const end = open && text.endsWith('\r') ? text.length - 1 : text.length;
    if (end <= start) return;
    if (this.#current?.n !== n) this.#endLine();
    const isReasoning = stream === this.#io.stderr;
    const said = neutralise(`${start === 0 && isReasoning ? 'thinking: ' : ''}${text.slice(start, end)}`);
    this.#write(stream, isReasoning ? this.#colors.dim(said) : said);
    this.#printed.set(n, end);
    this.#current = { n, stream };
    this.#isMidLine = !said.endsWith('\n');
  }

  /** Once when it comes, and once when it has ended otherwise. */
  #tell(part: Part): void {
    const { n, state = '' } = part;
    const before = this.#printed.get(n);
    if (before === state || (before !== undefined && !TOOL_ENDS.has(state))) return;
    this.#printed.set(n, state);
    this.note(describePart(part));
  }

  #endLine(): void {
    if (this.#isMidLine && this.#current !== undefined) this.#write(this.#current.stream, '\n');
    this.#isMidLine = false;
  }

  #write(stream: OutputStream, text: string): void {
    this.#written = Promise.all([this.#written, writeTo(stream, text)]);
  }
}
