import stringWidth from 'string-width';
import wrapAnsi from 'wrap-ansi';

/** Lines of at most `width` columns. What is indented, or an item of a list, goes on as far in as it began. */
export function wrapText(text: string, width: number): readonly string[] {
  return text.split('\n').flatMap((line) => {
    const start = BEGINNING.exec(line)?.[0] ?? '';
    const begin = start.length * 2 > width ? '' : start;
    const wrapped = wrapAnsi(line.slice(begin.length), width - begin.length, { hard: true }).split('\n');
    const more = ' '.repeat(begin.length);
    return wrapped.map((part, i) => `${i === 0 ? begin : more}${part}`.trimEnd());
  });
}

/** Spaces, and the mark of a list item. */
const BEGINNING = /^ *(?:(?:[-*+]|\d{1,3}[.)]) +)?/;

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });

/** At most `width` columns, with an ellipsis where something was left out. */
export function cutText(text: string, width: number): string {
  if (stringWidth(text) <= width) return text;
  let cut = '';
  let used = 1;
  for (const { segment } of graphemes.segment(text)) {
    used += stringWidth(segment);
    if (used > width) break;
    cut += segment;
  }
  return `${cut.trimEnd()}…`;
}
