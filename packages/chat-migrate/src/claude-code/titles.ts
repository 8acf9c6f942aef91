import type { JsonObject } from '@chatdoc/schema';
import { readName } from '../source/json-value.js';

/** Kinds of titles, the one that counts most first. */
const KINDS = [
  ['custom-title', 'customTitle'],
  ['agent-name', 'agentName'],
  ['ai-title', 'aiTitle'],
  ['summary', 'summary'],
] as const;

/** The title of a session: of each kind the last line counts. */
export class LogTitle {
  readonly #titles = new Map<string, string>();

  add(type: string, line: JsonObject): void {
    const kind = KINDS.find(([name]) => name === type);
    const title = kind && readName(line[kind[1]]);
    if (title !== undefined) this.#titles.set(type, title);
  }

  read(): string | undefined {
    for (const [kind] of KINDS) {
      const title = this.#titles.get(kind);
      if (title !== undefined) return title;
    }
    return undefined;
  }
}

export function isTitle(type: string): boolean {
  return KINDS.some(([name]) => name === type);
}
