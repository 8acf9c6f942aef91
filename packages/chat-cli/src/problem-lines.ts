import type { Problem } from '@chatdoc/migrate';
import { countNoun } from './nouns.js';
import { neutralise } from './plain-text.js';

const SHOWN_LINES = 5;

/** What was odd in an old file: one line for each kind, with the lines of the file that show it. */
export function describeProblems(problems: readonly Problem[]): readonly string[] {
  const groups = new Map<string, { readonly message: string; readonly lines: Set<number> }>();
  for (const { code, message, line } of problems) {
    const known = groups.get(`${code} ${message}`);
    if (known === undefined) groups.set(`${code} ${message}`, { message, lines: new Set([line]) });
    else known.lines.add(line);
  }
  return [...groups.values()].map(
    ({ message, lines }) => `${listLines([...lines].sort((a, b) => a - b))}: ${neutralise(message)}`,
  );
}

function listLines(lines: readonly number[]): string {
  if (lines.length === 1) return `line ${lines[0]}`;
  const shown = lines.slice(0, SHOWN_LINES).join(', ');
  const more = lines.length - SHOWN_LINES;
  return `lines ${shown}${more > 0 ? ` and ${countNoun(more, 'more', 'more')}` : ''}`;
}
