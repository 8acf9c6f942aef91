import { createHash } from 'node:crypto';
import type { SourceFile } from '../../workspace.js';
import { EQUIVALENTS, type Equivalent } from './equivalents.js';
import { findMutations, type Mutation } from './operators.js';

/** A mutation where it is: the lines that it touches, before and after. */
export interface Place {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  readonly operator: string;
  readonly before: string;
  readonly after: string;
  /** Once in the module. */
  readonly find: string;
  readonly replace: string;
}

export interface Drawn {
  readonly places: readonly Place[];
  /** Equivalents that were drawn, too, and left out. */
  readonly equivalents: readonly Place[];
  /** How many there are to draw from. */
  readonly total: number;
}

/**
 * Draws `count` mutations from the sources. The order follows from the seed and from each mutation alone, so that a
 * change of one file leaves the rest of a draw as it is.
 */
export function draw(sources: readonly SourceFile[], count: number, seed: string): Drawn {
  const all = sources.flatMap(({ path, text }) =>
    findMutations(path, text).map((mutation) => ({
      path,
      text,
      mutation,
      key: keyOf(path, text, mutation, seed),
    })),
  );
  all.sort((a, b) => (a.key < b.key ? -1 : 1));
  const [places, equivalents]: [Place[], Place[]] = [[], []];
  for (const { path, text, mutation } of all) {
    if (places.length === count) break;
    const place = locate(path, text, mutation);
    if (findEquivalent(place) === undefined) places.push(place);
    else equivalents.push(place);
  }
  return { places, equivalents, total: all.length };
}

function keyOf(path: string, source: string, { start, end, text }: Mutation, seed: string): string {
  const line = source.slice(source.lastIndexOf('\n', start) + 1, start);
  const count = source.slice(0, start).split(`${line}${source.slice(start, end)}`).length;
  const parts = [seed, path, line, source.slice(start, end), text, count];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}

export function findEquivalent({ file, before, after }: Place): Equivalent | undefined {
  return EQUIVALENTS.find((one) => one.file === file && one.before === before && one.after === after);
}

export function locate(file: string, source: string, { operator, start, end, text }: Mutation): Place {
  let from = source.lastIndexOf('\n', start - 1) + 1;
  let to = findLineEnd(source, end);
  const mutate = (): string => source.slice(from, start) + text + source.slice(end, to);
  const [before, after] = [source.slice(from, to).trim(), mutate().trim()];
  const line = source.slice(0, start).split('\n').length;
  // Lines around it, until the text stands once in the module.
  while (source.split(source.slice(from, to)).length > 2) {
    from = source.lastIndexOf('\n', from - 2) + 1;
    to = findLineEnd(source, Math.min(source.length, to + 1));
  }
  return { file, line, operator, before, after, find: source.slice(from, to), replace: mutate() };
}

function findLineEnd(source: string, at: number): number {
  const end = source.indexOf('\n', at);
  return end < 0 ? source.length : end;
}
