/**
 * Text of a chat as it may stand in a terminal: no control character of it does anything. Newlines stay; a tab is
 * four spaces; the rest shows as what it is (`␛[31m`).
 */
export function neutralise(text: string): string {
  return text
    .replaceAll('\r\n', '\n')
    .replaceAll('\t', '    ')
    .replace(DANGEROUS, showCharacter)
    .replace(LONE_SURROGATE, '\ufffd');
}

/** The same, on one line. */
export function flatten(text: string): string {
  return neutralise(text.replace(/\s+/g, ' ')).trim();
}

/** For JSON: what `JSON.stringify` leaves as it is and a terminal does not. */
export function escapeJson(json: string): string {
  return json.replace(DANGEROUS, (character) =>
    character === '\n' ? character : `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

// Controls but the newline; line separators; marks that turn the reading direction of what follows.
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what it looks for
const DANGEROUS = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;
const LONE_SURROGATE = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;
const CONTROL_PICTURES = 0x2400;

function showCharacter(character: string): string {
  const code = character.charCodeAt(0);
  if (code < 0x20) return String.fromCharCode(CONTROL_PICTURES + code);
  if (code === 0x7f) return '\u2421';
  return `<U+${code.toString(16).toUpperCase().padStart(4, '0')}>`;
}
