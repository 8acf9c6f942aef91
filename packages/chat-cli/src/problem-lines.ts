import type { Problem } from '@chatdoc/migrate';
import { listSome } from './nouns.js';
import { flatten } from './plain-text.js';

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
