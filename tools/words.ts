import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { NAMES, PHRASES } from './glossary.js';
import { type Hit, runRatchet } from './ratchet.js';
import { groupOf, ROOT, readFiles, readSources, type SourceFile } from './workspace.js';

/**
 * Finds phrases and names that an English engineer would not write. `tools/ratchets/words.json` allows those that are
 * still there. Run with `pnpm words`; `--list chat-sync` prints every one of a package.
 */

/** Sources that make faults on purpose. */
const HARNESS = /\/testing\/|^packages\/chat-testkit\//;

const DECLARED =
  /^export (?:declare )?(?:abstract )?(?:async )?(function|class|const|let|interface|type|enum)\*? +(\w+)/gm;

export function findPhrases({ path, text }: SourceFile): Hit[] {
  return PHRASES.flatMap(({ phrase, pattern, say }) =>
    [...text.matchAll(acrossLines(pattern))].map(({ index, 0: found }) => ({
      group: groupOf(path),
      key: phrase,
      text: `${path}:${lineAt(text, index)} "${found.replace(/\s+/g, ' ')}": write "${say}"`,
    })),
  );
}

/** A space also matches the end of a line, with the star of a comment. */
function acrossLines({ source, flags }: RegExp): RegExp {
  return new RegExp(source.replaceAll(' ', '[\\s*]+'), flags);
}

/** Exported names in which a word of the glossary means something else, and public types of one name. */
export function findNames(sources: readonly SourceFile[]): Hit[] {
  const exported = sources.flatMap(findExported);
  const listed = new Set(
    sources.flatMap(({ path, text }) => listNames(text).map((name) => `${groupOf(path)} ${name}`)),
  );
  const types = exported.filter(({ path, name, isType }) => isType && listed.has(`${groupOf(path)} ${name}`));
  const misused = exported.flatMap(({ path, at, name, isType }) =>
    NAMES.filter(({ pattern, home = [], outcomes = false }) => {
      const isMeant = outcomes ? isType && !HARNESS.test(path) : !home.includes(groupOf(path));
      return isMeant && pattern.test(name);
    }).map(({ word, say }) => ({
      group: groupOf(path),
      key: `name ${name}`,
      text: `${at} ${name}: "${word}" has another meaning, write "${say}"`,
    })),
  );
  const twice = types.filter(({ name, at }) => types.some((other) => other.name === name && other.at !== at));
  return [
    ...misused,
    ...twice.map(({ path, at, name }) => ({
      group: groupOf(path),
      key: `twice ${name}`,
      text: `${at} ${name}: another public type has this name`,
    })),
  ];
}

/** Names in lists of exports: those of `index.ts`. */
function listNames(text: string): readonly string[] {
  const lists = [...text.matchAll(/^export (?:type )?\{([^}]*)\} from/gm)];
  return lists.flatMap(([, list = '']) => list.match(/\w+(?= *(?:,|\s*$))/g) ?? []);
}

interface Exported {
  readonly path: string;
  /** Path and line. */
  readonly at: string;
  readonly name: string;
  readonly isType: boolean;
}

function findExported({ path, text }: SourceFile): Exported[] {
  return [...text.matchAll(DECLARED)].map(({ index, 1: kind = '', 2: name = '' }) => ({
    path,
    at: `${path}:${lineAt(text, index)}`,
    name,
    isType: /interface|type|class|enum/.test(kind),
  }));
}

function lineAt(text: string, index: number): number {
  return text.slice(0, index).split('\n').length;
}

export function findHits(root: string): readonly Hit[] {
  const sources = readSources(root);
  const pages = readFiles(root, '.', (path) =>
    /(?:^|\/)(?:README|SPEC|CONTRIBUTING)\.md$|^docs\/.*\.md$/.test(path),
  );
  return [...[...sources, ...pages].flatMap(findPhrases), ...findNames(sources)];
}

/** Returns the exit code. */
export function main(
  root: string,
  args: readonly string[],
  out: (line: string) => void,
  err: (line: string) => void,
): number {
  return runRatchet({
    name: 'words',
    file: join(root, 'tools/ratchets/words.json'),
    hits: findHits(root),
    args,
    out,
    err,
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  process.exitCode = main(ROOT, process.argv.slice(2), console.log, console.error);
}
