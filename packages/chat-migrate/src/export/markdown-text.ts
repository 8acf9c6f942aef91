// Controls but the newline and the tab; marks that turn the reading direction of what follows; halves of a pair.
const DANGEROUS =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what it looks for
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

function neutralise(text: string): string {
  return text.replace(/\r\n?/g, '\n').replace(DANGEROUS, '\ufffd');
}

/** One line of plain words, none of which is markup. At most `length` code units of the text. */
export function writePlain(text: string, length: number): string {
  const line = neutralise(text.slice(0, length * 4))
    .replace(/\s+/g, ' ')
    .trim();
  const cut = line.length > length ? `${neutralise(line.slice(0, length - 1)).trim()}…` : line;
  return cut.replace(/[\\`*_{}[\]<>#|~&]/g, escapeCharacter);
}

// As entities: a backslash before them in the text would undo one of ours.
function escapeCharacter(character: string): string {
  return character === '<' ? '&lt;' : character === '&' ? '&amp;' : `\\${character}`;
}

/** A block of code at the margin. */
interface Fence {
  readonly mark: string;
  readonly info: string;
  readonly lines: string[];
}

/**
 * Markdown that somebody wrote, as a quote: its markup shows, but it has no HTML, no link that runs code, and no code
 * block without an end. Each block of code is in a fence of ours, longer than any inside.
 */
export function quoteMarkdown(text: string): string {
  const lines: string[] = [];
  let fence: Fence | undefined;
  for (const line of neutralise(replaceMentions(text)).trimEnd().split('\n')) {
    if (fence === undefined) {
      fence = openFence(line);
      if (fence === undefined) lines.push(writeLine(line));
    } else if (isClosing(line, fence.mark)) {
      lines.push(...writeFence(fence));
      fence = undefined;
    } else {
      fence.lines.push(line);
    }
  }
  if (fence !== undefined) lines.push(...writeFence(fence));
  if (lines.every((line) => line.trim() === '')) return '';
  return lines.map((line) => (line === '' ? '>' : `> ${line}`)).join('\n');
}

/** CoCalc writes a mention as an element. */
const MENTION = /<span\b[^<>]{0,200}\buser-mention\b[^<>]{0,200}>([^<]{0,200})<\/span>/g;

function replaceMentions(text: string): string {
  return text.replace(MENTION, '$1');
}

const OPENING = /^ {0,3}(`{3,}(?=[^`]*$)|~{3,})(.*)$/;

function openFence(line: string): Fence | undefined {
  const match = OPENING.exec(line);
  if (match === null) return undefined;
  const [, mark = '', rest = ''] = match;
  return { mark, info: /^[\w+#.-]{0,40}/.exec(rest.trim())?.[0] ?? '', lines: [] };
}

function isClosing(line: string, mark: string): boolean {
  const end = line.trim();
  return end.length >= mark.length && end === mark.charAt(0).repeat(end.length) && /^ {0,3}\S/.test(line);
}

/** Blank lines around it, so that it is not part of a list or a paragraph, of which it would share the end. */
function writeFence({ info, lines }: Fence): readonly string[] {
  const longest = lines.reduce((length, line) => Math.max(length, longestRun(line)), 2);
  const mark = '`'.repeat(longest + 1);
  return ['', `${mark}${info}`, ...lines, mark, ''];
}

function longestRun(line: string): number {
  return (line.match(/`+/g) ?? []).reduce((length, run) => Math.max(length, run.length), 0);
}

/** Nothing of it is HTML, an entity, the definition of a link for other messages, or an address that runs code. */
function writeLine(line: string): string {
  return line
    .replace(/&(?=#|[a-z][a-z0-9]*;)/gi, '&amp;')
    .replace(/<(?=[a-z/!?])/gi, '&lt;')
    .replaceAll(']:', ']\\:')
    .replace(/\b(javascript|vbscript)\\?:(?=\S)/gi, '$1%3A');
}
