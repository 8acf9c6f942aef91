/** Where a value stands in a JSON text, and under which key or index of its parent. */
export interface JsonSpan {
  readonly key: string;
  readonly start: number;
  readonly end: number;
}

/**
 * The members of the object, or the elements of the array, that begins at `start` of a valid JSON text. Unlike
 * `JSON.parse` it also gives members whose key comes twice, and the text that each value came as.
 */
export function readSpans(text: string, start: number): readonly JsonSpan[] {
  const spans: JsonSpan[] = [];
  visitSpans(text, start, (span) => {
    spans.push(span);
  });
  return spans;
}

/**
 * As `readSpans`, one after the other; gives the offset after the whole. Where `enter` takes a value itself and
 * gives the offset after it, that value is not walked over again, nor visited.
 */
export function visitSpans(
  text: string,
  start: number,
  visit: (span: JsonSpan) => void,
  enter?: (key: string, start: number) => number | undefined,
): number {
  const isObject = text.charCodeAt(start) === BRACE;
  if (!isObject && text.charCodeAt(start) !== BRACKET) return start;
  let count = 0;
  let at = skipSpace(text, start + 1);
  while (at < text.length && !isClosing(text.charCodeAt(at))) {
    let key = '';
    if (isObject) {
      const keyEnd = skipString(text, at);
      key = JSON.parse(text.slice(at, keyEnd)) as string;
      at = skipSpace(text, skipSpace(text, keyEnd) + 1);
    } else {
      key = String(count);
    }
    count += 1;
    let end = enter?.(key, at);
    if (end === undefined) {
      end = skipValue(text, at);
      visit({ key, start: at, end });
    }
    at = skipSpace(text, end);
    if (text.charCodeAt(at) === COMMA) at = skipSpace(text, at + 1);
  }
  return at + 1;
}

const QUOTE = 34;
const COMMA = 44;
const BACKSLASH = 92;
const BRACE = 123;
const BRACKET = 91;

function isClosing(code: number): boolean {
  return code === 125 || code === 93;
}

function isSpace(code: number): boolean {
  return code === 32 || (code >= 9 && code <= 13);
}

function skipSpace(text: string, at: number): number {
  let next = at;
  while (isSpace(text.charCodeAt(next))) next += 1;
  return next;
}

/** The offset after the string whose opening quote stands at `at`. */
export function skipString(text: string, at: number): number {
  let end = text.indexOf('"', at + 1);
  while (end >= 0) {
    let slashes = 0;
    while (text.charCodeAt(end - 1 - slashes) === BACKSLASH) slashes += 1;
    if (slashes % 2 === 0) return end + 1;
    end = text.indexOf('"', end + 1);
  }
  return text.length;
}

function skipValue(text: string, at: number): number {
  const first = text.charCodeAt(at);
  if (first === QUOTE) return skipString(text, at);
  let next = at;
  if (first !== BRACE && first !== BRACKET) {
    while (next < text.length) {
      const code = text.charCodeAt(next);
      if (code === COMMA || isClosing(code) || isSpace(code)) break;
      next += 1;
    }
    return next;
  }
  let depth = 0;
  while (next < text.length) {
    const code = text.charCodeAt(next);
    if (code === QUOTE) {
      next = skipString(text, next);
      continue;
    }
    next += 1;
    if (code === BRACE || code === BRACKET) depth += 1;
    else if (isClosing(code)) {
      depth -= 1;
      if (depth === 0) return next;
    }
  }
  return next;
}
