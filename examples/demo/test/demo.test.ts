import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type MigrationPlan, planMigration } from '@chatdoc/migrate';
import { openChat } from '@chatdoc/schema';
import { readDocument } from '@chatdoc/sync';
import { openChatPage } from 'offline-chat/server';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as Y from 'yjs';
import { type Bundle, bundle } from '../../../tools/bundle.js';
import { runDemo } from '../src/demo.js';
import { type LegacyFile, readLegacyFile } from '../src/legacy-file.js';
import { renderReport } from '../src/report.js';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const FIXTURE = 'examples/demo/fixtures/mixed-generations.chat';
const CORPUS = resolve(ROOT, '../shared/corpus');

let program: Bundle;

function run(argv: readonly string[], env: Record<string, string> = {}) {
  const { NO_COLOR: _, COLUMNS: __, ...rest } = process.env;
  const { status, stdout, stderr } = spawnSync(process.execPath, [program.file, ...argv], {
    cwd: ROOT,
    encoding: 'utf8',
    env: { ...rest, ...env },
  });
  return { status, stdout, stderr };
}

function plan(bytes: Uint8Array): MigrationPlan {
  const result = planMigration(bytes);
  if (!result.ok) throw new Error(result.message);
  return result.plan;
}

function readGiven(path: string): LegacyFile {
  return readLegacyFile(resolve(ROOT, path));
}

const widest = (text: string): number => Math.max(...text.split('\n').map((line) => line.length));

describe('the demo as a process', () => {
  beforeAll(async () => {
    program = await bundle(new URL('../src/main.ts', import.meta.url));
  });

  afterAll(() => program.remove());

  it('prints the same in every run, with and without --once, and nothing on stderr', () => {
    const first = run([]);
    expect(first).toMatchObject({ status: 0, stderr: '' });
    expect(first.stdout).toMatch(/^\d+ claims hold$/m);
    expect(first.stdout).not.toContain('✗');
    expect(run(['--once'])).toEqual(first);
  });

  it('does so with the chat that it ships', () => {
    const first = run(['--once', FIXTURE]);
    expect(first).toMatchObject({ status: 0, stderr: '' });
    expect(first.stdout).toContain('14 became records, 1 merged, 3 set aside');
    expect(run(['--', FIXTURE])).toEqual(first);
  });

  it('keeps to the width that it is given, without colours off a terminal', () => {
    for (const width of [60, 80, 120]) {
      const { stdout } = run([FIXTURE], { COLUMNS: String(width) });
      // The transcript is the command line's, which has tests of its own.
      const ours = stdout.replace(/^\d {2}What a reader sees now$[\s\S]*?(?=^\d {2}In numbers$)/m, '');
      expect(ours.length).toBeLessThan(stdout.length);
      expect(widest(ours)).toBeLessThanOrEqual(width);
      expect(stdout).not.toContain('\u001b');
    }
  });

  it('says what is wrong with its arguments, and exits with 2', () => {
    expect(run(['--twice'])).toMatchObject({ status: 2, stdout: '' });
    expect(run(['a', 'b'])).toMatchObject({ status: 2, stdout: '' });
    expect(run(['no-such-file.chat']).stderr).toContain('no-such-file.chat');
    const unknown = run(['LICENSE']);
    expect(unknown).toMatchObject({ status: 2, stdout: '' });
    expect(unknown.stderr).toContain('unknown_format');
    expect(run(['--help'])).toMatchObject({ status: 0, stderr: '' });
  });
});

describe('the page after the demo', () => {
  it('serves the migrated chat under its own id, with every message', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'demo-page-'));
    writeFileSync(join(folder, 'index.html'), '<!doctype html><title>page</title>');
    const { jsonl } = plan(readFileSync(resolve(ROOT, FIXTURE)));
    const expected = openChat(new Y.Doc());
    expected.importJSONL(jsonl);
    const page = await openChatPage({ directory: join(folder, 'data'), pages: folder, port: 0, jsonl });
    try {
      expect(await (await fetch(page.url)).text()).toContain('page');
      const config = (await (await fetch(`${page.url}config.json`)).json()) as { doc_id: string };
      expect(config.doc_id).toBe(expected.docId());
      const read = readDocument(readFileSync(join(folder, 'data', 'team.ychat')));
      if (!read.ok) throw new Error(read.code);
      for (const { thread_id } of expected.threads()) {
        expect(read.chat.messageIds(thread_id)).toEqual(expected.messageIds(thread_id));
      }
      expect((await fetch(`${page.url}../../etc/passwd`)).status).toBe(404);
    } finally {
      await page.close();
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

describe('what the demo claims', () => {
  it('holds for the shipped chat, which has the damage that it was written for', () => {
    const file = readGiven(FIXTURE);
    const migration = plan(file.bytes);
    const dates = migration.entries.flatMap((entry) => (entry.type === 'message' ? [entry.date] : []));
    expect(new Set(dates).size).toBe(dates.length - 1);
    expect(migration.problems.map(({ code }) => code).sort()).toEqual(['not_json', 'orphan_reply']);
    const demo = runDemo(file, migration);
    expect(demo.claims.filter(({ holds }) => !holds)).toEqual([]);
    expect(demo.claims.length).toBeGreaterThan(20);
    expect(demo).toMatchObject({ kept: 11, conflicts: { found: 1, left: 0 }, digestsEqual: true });
  });

  it('is found out where the migration lost a message', () => {
    const file = readGiven(FIXTURE);
    const whole = plan(file.bytes);
    const jsonl = whole.jsonl.replace(/^\{"type":"message".*\n/m, '');
    const failed = runDemo(file, { ...whole, jsonl }).claims.filter(({ holds }) => !holds);
    expect(failed.map(({ text }) => text)).toContain('all 11 migrated messages are readable on both');
  });

  it('is found out where a row is not accounted for', () => {
    const file = readGiven(FIXTURE);
    const whole = plan(file.bytes);
    const ledger = { ...whole.ledger, set_aside: whole.ledger.set_aside - 1 };
    const failed = runDemo(file, { ...whole, ledger }).claims.filter(({ holds }) => !holds);
    expect(failed.map(({ text }) => text)).toContainEqual(expect.stringContaining('every row is accounted'));
  });

  it('holds for an empty file', () => {
    const file: LegacyFile = { path: 'empty.chat', origin: 'given', bytes: new Uint8Array() };
    expect(runDemo(file, plan(file.bytes)).claims.filter(({ holds }) => !holds)).toEqual([]);
  });

  it('is painted on a terminal, and says which claims do not hold', () => {
    const file = readGiven(FIXTURE);
    const demo = runDemo(file, plan(file.bytes));
    const look = { color: true, width: 80 };
    expect(renderReport(demo, look)).toContain('\u001b[32m✓\u001b[39m');
    const claims = [...demo.claims, { kind: 'claim', text: 'the Moon is a cheese', holds: false } as const];
    expect(renderReport({ ...demo, claims }, { ...look, color: false })).toContain(
      `${claims.length} claims were made, and 1 of them does not hold`,
    );
  });
});

describe.skipIf(!existsSync(CORPUS))(
  'what the demo claims of real chats (skipped without ../shared/corpus)',
  () => {
    const files = existsSync(CORPUS)
      ? // Under `imports` are samples of other formats, which the demo does not take.
        (readdirSync(CORPUS, { recursive: true }) as string[])
          .filter((name) => /chat$/.test(name) && !name.startsWith('imports'))
          .sort()
      : [];

    it.each(files)('%s', (name) => {
      const file = readLegacyFile(resolve(CORPUS, name));
      const demo = runDemo(file, plan(file.bytes));
      expect(demo.claims.filter(({ holds }) => !holds)).toEqual([]);
      expect(readFileSync(resolve(CORPUS, name)).equals(file.bytes)).toBe(true);
    });
  },
);
