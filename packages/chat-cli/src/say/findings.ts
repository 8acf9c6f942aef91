import type { Severity } from '@chatdoc/integrity';
import type { Problem } from '@chatdoc/migrate';
import type { Colors } from '../io.js';
import { listSome } from './nouns.js';
import { flatten } from './plain-text.js';
import { wrapText } from './wrap-text.js';

const LABELS: Readonly<Record<Severity, string>> = { error: 'error', warning: 'warning', info: 'note' };
const LABEL_WIDTH = 'warning'.length;

/** Something that is wrong, with how bad it is in front, wrapped. */
export function describeLine(
  severity: Severity,
  text: string,
  colors: Colors,
  width: number,
): readonly string[] {
  const label = LABELS[severity].padEnd(LABEL_WIDTH);
  const paint = severity === 'error' ? colors.red : severity === 'warning' ? colors.yellow : colors.dim;
  const wrapped = wrapText(text, width - LABEL_WIDTH - 4);
  return wrapped.map((line, i) => `  ${i === 0 ? paint(label) : ' '.repeat(LABEL_WIDTH)}  ${line}`);
}

/** What was odd in an old file: one line for each kind, with the places in the file that show it. */
export function describeProblems(problems: readonly Problem[]): readonly string[] {
  const groups = new Map<string, { readonly message: string; readonly places: Set<string> }>();
  for (const { code, message, line, path } of problems) {
    // A JSON document may be one line: there the path says where.
    const isPath = path !== undefined;
    const key = `${isPath ? 'path' : 'line'} ${code} ${message}`;
    const place = isPath ? flatten(path) : String(line);
    const known = groups.get(key);
    if (known === undefined) groups.set(key, { message, places: new Set([place]) });
    else known.places.add(place);
  }
  return [...groups].map(([key, { message, places }]) => {
    const word = key.startsWith('path') ? 'at' : places.size === 1 ? 'line' : 'lines';
    return `${word} ${listSome([...places])}: ${flatten(message)}`;
  });
}
