/** Characters that a terminal obeys, or that turn what stands behind them; a newline is none. As code points. */
export function listControls(text: string): readonly string[] {
  const found = [...text].filter((character) => {
    const code = character.codePointAt(0) ?? 0;
    if (code === 10) return false;
    const isControl = code < 32 || (code >= 0x7f && code <= 0x9f);
    const isTurning = (code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
    const isSurrogate = code >= 0xd800 && code <= 0xdfff;
    return isControl || isTurning || isSurrogate || code === 0x2028 || code === 0x2029;
  });
  return found.map((character) => `U+${(character.codePointAt(0) ?? 0).toString(16)}`);
}

/** Without the codes of colours. */
export function stripColors(text: string): string {
  return text
    .split('\u001b')
    .map((piece, i) => (i === 0 ? piece : piece.replace(/^\[\d+m/, '')))
    .join('');
}
