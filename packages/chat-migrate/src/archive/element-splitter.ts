const [QUOTE, COMMA, BACKSLASH, BRACE, BRACKET, BRACE_END, BRACKET_END] = [
  34, 44, 92, 123, 91, 125, 93,
] as const;
const NEWLINE = 10;
const EMPTY = new Uint8Array(0);

/**
 * Splits the text of a JSON list into the bytes of its elements, chunk by chunk: no more than one element is held. Of
 * text that is not JSON it makes elements that are not JSON either.
 */
export class ElementSplitter {
  #pieces: Uint8Array[] = [];
  #depth = 0;
  #isInString = false;
  #isEscaped = false;
  #isStarted = false;
  /** Whether the list was closed, and nothing but white space came after. */
  isWhole = false;

  /** The elements that end in this chunk. */
  push(chunk: Uint8Array): readonly Uint8Array[] {
    const elements: Uint8Array[] = [];
    let start = 0;
    for (let at = 0; at < chunk.length; at += 1) {
      const byte = chunk[at] as number;
      if (this.#isInString) {
        if (this.#isEscaped) this.#isEscaped = false;
        else if (byte === BACKSLASH) this.#isEscaped = true;
        else if (byte === QUOTE) this.#isInString = false;
        continue;
      }
      if (!this.#isStarted) {
        if (byte !== BRACKET) continue;
        this.#isStarted = true;
        this.#depth = 1;
        start = at + 1;
        continue;
      }
      if (byte === QUOTE) this.#isInString = true;
      else if (byte === BRACE || byte === BRACKET) this.#depth += 1;
      else if (byte === BRACE_END || byte === BRACKET_END) this.#depth -= 1;
      const isEnd = this.#depth === 0;
      if (!isEnd && !(byte === COMMA && this.#depth === 1)) continue;
      this.#end(chunk.subarray(start, at), elements);
      start = at + 1;
      this.isWhole = isEnd;
      if (isEnd) return elements;
    }
    if (this.#isStarted && start < chunk.length) this.#pieces.push(chunk.slice(start));
    return elements;
  }

  /** The rest of a list that was cut off. */
  rest(): Uint8Array {
    const rest = join(this.#pieces);
    this.#pieces = [];
    return this.isWhole ? EMPTY : rest;
  }

  #end(last: Uint8Array, elements: Uint8Array[]): void {
    const element = join([...this.#pieces, last]);
    this.#pieces = [];
    if (element.some((byte) => byte > 32)) elements.push(element);
  }
}

function join(pieces: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

/** Files of lines one after the other. */
export function joinLines(files: readonly Uint8Array[]): Uint8Array {
  const newline = Uint8Array.of(NEWLINE);
  return join(
    files.flatMap((file) => (file.length === 0 || file.at(-1) === NEWLINE ? [file] : [file, newline])),
  );
}
