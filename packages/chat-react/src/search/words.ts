/** One character of a script without blanks is a word of its own; anything else is letters and digits in a row. */
const WORD =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]|(?:(?![\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}])[\p{L}\p{N}_])+/gu;
const MARKS = /\p{M}/gu;

/** The words of a text as they are compared: without case, accents and punctuation. */
export function listWords(text: string): string[] {
  return text.normalize('NFKD').replace(MARKS, '').toLowerCase().match(WORD) ?? [];
}
