/** Length of a ULID. */
const LENGTH = 26;
const QUOTE = 0x22;

/**
 * The floor of an index: one pass over JSON Lines that puts every id at the front of a line into a map, but those
 * that only say in which thread it is. About 1.7 ids a line.
 */
export function scanIds(text: string): { readonly ids: ReadonlyMap<string, number>; readonly found: number } {
  const ids = new Map<string, number>();
  let line = 0;
  let found = 0;
  for (let start = 0; start < text.length; line += 1) {
    const next = text.indexOf('\n', start);
    const end = next < 0 ? text.length : next;
    // Behind `{"type":"…"`, as long as keys with an id follow.
    let at = text.indexOf('"', start + 9) + 1;
    while (at + LENGTH < end) {
      const value = text.indexOf('"', at + 2) + 3;
      if (text.charCodeAt(value - 1) !== QUOTE || text.charCodeAt(value + LENGTH) !== QUOTE) break;
      if (!isThreadOf(text, start, at, value)) {
        ids.set(text.slice(value, value + LENGTH), line);
        found += 1;
      }
      at = value + LENGTH + 1;
    }
    start = end + 1;
  }
  return { ids, found };
}

/** Whether the key is `thread_id`, in a line that is not about a thread. */
function isThreadOf(text: string, start: number, at: number, value: number): boolean {
  const isThread = value - at === ',"thread_id":"'.length && text.startsWith('thread_id', at + 2);
  return isThread && !text.startsWith('thread', start + 9);
}
