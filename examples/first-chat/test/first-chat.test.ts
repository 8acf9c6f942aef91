import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as schema from '@chatdoc/schema';
import * as anchors from '@chatdoc/schema/anchors';
import { describe, expect, it } from 'vitest';
import * as Y from 'yjs';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const EXAMPLE = resolve(ROOT, 'examples/first-chat/src/main.ts');
const PAGES = ['README.md', 'CONTRIBUTING.md', 'packages/chat-schema/README.md'];

const readPage = (path: string): string => readFileSync(resolve(ROOT, path), 'utf8');

/** The fenced blocks of a language, in order. */
function readBlocks(page: string, language: string): readonly string[] {
  return [...page.matchAll(new RegExp(`^\`\`\`${language}\n([\\s\\S]*?)^\`\`\`$`, 'gm'))].map(
    ([, block = '']) => block,
  );
}

describe('the README', () => {
  it('shows the example byte for byte', () => {
    expect(readBlocks(readPage('README.md'), 'ts')[0]).toBe(readFileSync(EXAMPLE, 'utf8'));
  });

  it('shows what the example prints, which is the same in every run', () => {
    const shown = readBlocks(readPage('README.md'), 'text')[0];
    for (let run = 0; run < 2; run += 1) {
      const argv = ['--conditions=@chatdoc/source', '--import', 'tsx', EXAMPLE];
      expect(execFileSync(process.execPath, argv, { cwd: ROOT, encoding: 'utf8' })).toBe(shown);
    }
  });

  it('names only commands that the workspace has', () => {
    const scriptsOf = (folder: string): string[] =>
      Object.keys((JSON.parse(readPage(`${folder}package.json`)) as { scripts: object }).scripts);
    const named = /npx -y pnpm@10 (?:--filter (?:@chatdoc\/(\w+)|([\w-]+)) )?([\w:-]+)/g;
    const commands = PAGES.flatMap((page) => [...readPage(page).matchAll(named)]);
    expect(commands.length).toBeGreaterThan(0);
    for (const [, name, example, script = ''] of commands) {
      const folder = name === undefined ? `examples/${example}/` : `packages/chat-${name}/`;
      const scripts = scriptsOf((name ?? example) === undefined ? '' : folder);
      expect([...scripts, 'install']).toContain(script);
    }
  });

  it('names for each guarantee a file that cites its rules', () => {
    const rows = readPage('README.md')
      .split('\n')
      .map((line) => /^\|[^|]+\|((?: [A-Z]{2}\d+,?)+) *\|(.+)\|$/.exec(line))
      .filter((row) => row !== null);
    expect(rows.length).toBeGreaterThan(5);
    for (const [, rules = '', files = ''] of rows) {
      const text = [...files.matchAll(/\]\(([^)]+)\)/g)].map(([, path = '']) => readPage(path)).join('\n');
      for (const rule of rules.trim().split(', ')) expect(text).toContain(`[${rule}]`);
    }
  });
});

it('the README of the schema package names only what the package exports', () => {
  const chat = schema.openChat(new Y.Doc());
  const { thread_id } = chat.createThread({ created_by: 'ada' });
  const writer = chat.openMessage({ thread_id, sender_id: 'ada' });
  const text = new Y.Doc().getText('text');
  text.insert(0, 'some text');
  const anchor = anchors.anchorOf(text, 0, 4);
  const range = anchors.resolveAnchor(text.doc as Y.Doc, anchor) as object;
  const error = new schema.ChatDocError('not_found', 'thread_id', 'none');
  const known = [schema, chat, writer, error, anchors, anchor, range, { undefined }].flatMap((value) =>
    listNames(value),
  );
  const names = [...readPage('packages/chat-schema/README.md').matchAll(/`([a-z][A-Za-z]+)(?:`|\()/g)];
  expect(names.length).toBeGreaterThan(40);
  expect(names.map(([, name = '']) => name).filter((name) => !known.includes(name))).toEqual([]);
});

/** Names of an object and of its prototypes. */
function listNames(value: object): readonly string[] {
  const names: string[] = [];
  for (let one: object | null = value; one !== null; one = Object.getPrototypeOf(one)) {
    names.push(...Object.getOwnPropertyNames(one));
  }
  return names;
}

describe.each(PAGES)('%s', (page) => {
  it('links only to files that are there', () => {
    const links = [...readPage(page).matchAll(/\]\((?!https?:)([^)#]+)/g)].map(([, target = '']) => target);
    const missing = links.filter((target) => !existsSync(resolve(ROOT, dirname(page), target)));
    expect(missing).toEqual([]);
  });

  it('cites only rules that a SPEC has', () => {
    const specs = ['schema', 'sync', 'migrate', 'integrity', 'turns'].map(
      (name) => `packages/chat-${name}/SPEC.md`,
    );
    const rules = specs
      .filter((path) => existsSync(resolve(ROOT, path)))
      .flatMap((path) => [...readPage(path).matchAll(/^- \[([A-Z]{2}\d+)\]/gm)].map(([, rule]) => rule));
    const cited = [...readPage(page).matchAll(/\b([A-Z]{2}\d{1,2})\b/g)].map(([, rule]) => rule);
    expect(cited.filter((rule) => !rules.includes(rule))).toEqual([]);
  });
});
