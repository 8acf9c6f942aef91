import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * Checks that SPEC.md and the tests of each package cite each other: every rule has a test in its own package,
 * every test of a package with a SPEC names a rule of it. A name with `[${…}]` cites each rule that stands as a
 * string of its own, `'AB1'`, in the tests of the package or beside them. Run with `node --import tsx tools/spec-citations.ts`.
 */

export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

export interface PackageFiles {
  readonly name: string;
  /** Undefined for a package without a SPEC.md: its tests may be named as they like. */
  readonly spec: SourceFile | undefined;
  readonly tests: readonly SourceFile[];
  /** Other files beside the tests: tables from which tests are made. */
  readonly helpers: readonly SourceFile[];
}

export interface Citations {
  readonly rules: number;
  readonly tests: number;
  /** What is wrong, one line each. */
  readonly problems: readonly string[];
}

export interface Title {
  readonly kind: 'describe' | 'test';
  readonly line: number;
  readonly text: string;
}

const RULE = /^- \[([A-Z]{2}\d+)\]/;
const CITATION = /\[([A-Z]{2}\d+)\]/g;
/** A name that cites the rules of a table. */
const TABLE = /\[\$\{/;
/** A call of it, test or describe, up to its bracket. */
const CALL = /(?<![\w.$])(it|test|describe)(?:\.\w+)*\s*\(/g;
const QUOTES = `'"\``;

/** Names of the tests and groups in a test file. Calls whose name is no literal have none. */
export function findTitles(text: string): Title[] {
  const code = maskComments(text);
  const titles: Title[] = [];
  for (const match of code.matchAll(CALL)) {
    let open = skipSpace(code, match.index + match[0].length);
    // `it.each(…)('name', …)`: the name stands behind the table.
    if (!QUOTES.includes(code.charAt(open))) {
      const after = skipSpace(code, findClose(code, open) + 1);
      open = code[after] === '(' ? skipSpace(code, after + 1) : code.length;
    }
    if (open >= code.length || !QUOTES.includes(code.charAt(open))) continue;
    const line = code.slice(0, match.index).split('\n').length;
    const kind = match[1] === 'describe' ? 'describe' : 'test';
    titles.push({ kind, line, text: code.slice(open + 1, findQuote(code, open)) });
  }
  return titles;
}

function skipSpace(code: string, at: number): number {
  let next = at;
  while (/\s/.test(code.charAt(next))) next += 1;
  return next;
}

/** Where the string that opens at `start` ends. */
function findQuote(code: string, start: number): number {
  let at = start + 1;
  while (at < code.length && code[at] !== code[start]) at += code[at] === '\\' ? 2 : 1;
  return at;
}

/** Where the bracket closes that stands open at `start`. */
function findClose(code: string, start: number): number {
  let depth = 1;
  for (let at = start; at < code.length; at += 1) {
    const unit = code.charAt(at);
    if (QUOTES.includes(unit)) at = findQuote(code, at);
    else if (unit === '(') depth += 1;
    else if (unit === ')') depth -= 1;
    if (depth === 0) return at;
  }
  return code.length;
}

/** Comments as spaces, so that offsets and lines stay; what stands in strings is left. */
function maskComments(text: string): string {
  const token = /(?<!:)\/\/[^\n]*|\/\*[\s\S]*?\*\/|'(?:[^'\\\n]|\\[\s\S])*'|"(?:[^"\\\n]|\\[\s\S])*"/g;
  return text.replace(token, (found) => (found.startsWith('/') ? found.replace(/[^\n]/g, ' ') : found));
}

/** The rules of a SPEC, in order; a number that stands twice is there twice. */
export function findRules(spec: string): { readonly id: string; readonly line: number }[] {
  return spec.split('\n').flatMap((text, i) => {
    const id = RULE.exec(text)?.[1];
    return id === undefined ? [] : [{ id, line: i + 1 }];
  });
}

export function checkPackage({ name, spec, tests, helpers }: PackageFiles): Citations {
  if (spec === undefined) return { rules: 0, tests: 0, problems: [] };
  const problems: string[] = [];
  const rules = new Map<string, number>();
  for (const { id, line } of findRules(spec.text)) {
    const first = rules.get(id);
    if (first === undefined) rules.set(id, line);
    else problems.push(`${spec.path}:${line} [${id}] is used twice, first in line ${first}`);
  }
  const cited = new Set<string>();
  const inTables = [...tests, ...helpers].map(({ text }) => text).join('\n');
  let count = 0;
  for (const { path, text } of tests) {
    for (const { kind, line, text: title } of findTitles(text)) {
      const ids = [...title.matchAll(CITATION)].map((match) => match[1] as string);
      if (kind === 'test') count += 1;
      if (TABLE.test(title)) {
        for (const id of rules.keys()) if (inTables.includes(`'${id}'`)) cited.add(id);
      } else if (kind === 'test' && ids.length === 0)
        problems.push(`${path}:${line} cites no rule: ${title}`);
      for (const id of ids) {
        cited.add(id);
        if (!rules.has(id)) problems.push(`${path}:${line} cites [${id}], which ${spec.path} does not have`);
      }
    }
  }
  for (const [id, line] of rules) {
    if (!cited.has(id)) problems.push(`${spec.path}:${line} [${id}] has no test in ${name}`);
  }
  return { rules: rules.size, tests: count, problems };
}

/** Every package of the workspace at `root`, with its SPEC.md and its tests. */
export function readPackages(root: string): PackageFiles[] {
  const folder = join(root, 'packages');
  const read = (path: string): SourceFile => ({
    path: relative(root, path),
    text: readFileSync(path, 'utf8'),
  });
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => {
      const spec = join(folder, name, 'SPEC.md');
      const files = listFiles(join(folder, name, 'test')).sort();
      const sources = files.filter((path) => path.endsWith('.ts')).map(read);
      return {
        name,
        spec: existsSync(spec) ? read(spec) : undefined,
        tests: sources.filter(({ path }) => path.endsWith('.test.ts')),
        helpers: sources.filter(({ path }) => !path.endsWith('.test.ts')),
      };
    });
}

function listFiles(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? listFiles(path) : [path];
  });
}

/** Gives the exit code. */
export function main(root: string, out: (line: string) => void, err: (line: string) => void): number {
  const packages = readPackages(root);
  const results = packages.map(checkPackage);
  const problems = results.flatMap((result) => result.problems);
  for (const problem of problems) err(problem);
  const sum = (read: (result: Citations) => number): number =>
    results.reduce((all, result) => all + read(result), 0);
  const specs = packages.filter(({ spec }) => spec !== undefined).length;
  const counted = `${sum(({ rules }) => rules)} rules in ${specs} specs, ${sum(({ tests }) => tests)} tests`;
  out(`spec citations: ${counted}, ${problems.length} problems`);
  return problems.length === 0 ? 0 : 1;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const root = fileURLToPath(new URL('..', import.meta.url));
  process.exitCode = main(root, console.log, console.error);
}
