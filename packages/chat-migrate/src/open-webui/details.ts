/** A block that Open WebUI shows folded: reasoning, or calls of tools. */
interface DetailsBlock {
  readonly type: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly summary: string;
  readonly body: string;
}

export interface SplitContent {
  readonly details: readonly DetailsBlock[];
  readonly text: string;
}

const OPEN = /^\s*<details type="(reasoning|tool_calls|code_interpreter)"([^>]*)>/;
const CLOSE = '</details>';
const SUMMARY = /^\s*<summary>([\s\S]*?)<\/summary>\n?/;
const ATTRIBUTE = /([a-z_-]+)="([^"]*)"/g;

/** Blocks at the start of a content; what is further down is text. O(length). */
export function splitDetails(content: string): SplitContent {
  const details: DetailsBlock[] = [];
  let text = content;
  for (;;) {
    const open = OPEN.exec(text);
    const end = open === null ? -1 : text.indexOf(CLOSE, open[0].length);
    if (open === null || end < 0) break;
    const inner = text.slice(open[0].length, end);
    const summary = SUMMARY.exec(inner);
    const attributes: Record<string, string> = {};
    for (const [, name = '', value = ''] of (open[2] ?? '').matchAll(ATTRIBUTE))
      attributes[name] = decodeEntities(value);
    const body = decodeEntities(inner.slice(summary?.[0].length ?? 0))
      .replace(/^> ?/gm, '')
      .trim();
    details.push({ type: open[1] ?? '', attributes, summary: decodeEntities(summary?.[1] ?? ''), body });
    text = text.slice(end + CLOSE.length);
  }
  return { details, text: details.length === 0 ? text : text.replace(/^\n+/, '') };
}

const ENTITIES: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  '#39': "'",
  '#x27': "'",
};

function decodeEntities(text: string): string {
  return text.replace(/&(amp|lt|gt|quot|#39|#x27);/g, (whole, name: string) => ENTITIES[name] ?? whole);
}
