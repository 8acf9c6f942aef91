import { chmodSync, existsSync, linkSync, mkdirSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { openChat } from '@chatdoc/schema';
import { describe, expect, it } from 'vitest';
import * as Y from 'yjs';
import { COCALC, JUPYTER } from './chats.js';
import { createFolder, readFolder, runProgram, spawnProgram } from './program.js';

const TEAM = { 'team.chat': COCALC };
const DOCUMENT = 'team.chatdoc.jsonl';

describe('migrate', () => {
  it('[CL10] [CL14] writes a document beside the chat, says what became of the rows, and ends with 0', async () => {
    const cwd = createFolder(TEAM);
    const { code, stdout, stderr } = await spawnProgram(['migrate', 'team.chat'], { cwd });
    expect(stdout).toMatchInlineSnapshot(`
      "team.chat -> team.chatdoc.jsonl
        CoCalc chat: 3 messages in 2 threads
        5 rows, none lost: 3 became part of the chat; kept aside: 1 unsent draft, 1
          damaged line
        line 5: the line is not JSON: it is kept as text
      "
    `);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const files = readFolder(cwd);
    expect(Object.keys(files).sort()).toEqual(['team.chat', DOCUMENT]);
    expect(files['team.chat']).toBe(COCALC);
    const chat = openChat(new Y.Doc());
    expect(chat.importJSONL(files[DOCUMENT] as string).ok).toBe(true);
    expect(chat.toJSONL()).toBe(files[DOCUMENT]);
  });

  it('[CL10] shows a document as it shows the chat that it came from', async () => {
    const cwd = createFolder({ ...TEAM, 'room.chat': JUPYTER });
    await runProgram(['migrate', 'team.chat', 'room.chat'], { cwd });
    for (const name of ['team', 'room']) {
      const before = await runProgram(['show', `${name}.chat`], { cwd });
      const after = await runProgram(['show', `${name}.chatdoc.jsonl`], { cwd });
      expect(after.stdout).toBe(before.stdout);
    }
  });

  it('[CL11] takes --out as a file, as a folder that is there, and as one that is not', async () => {
    const cwd = createFolder({ ...TEAM, 'room.chat': JUPYTER });
    mkdirSync(join(cwd, 'there'));
    const outputs: [string[], string[]][] = [
      [['team.chat', '--out', 'x.jsonl'], ['x.jsonl']],
      [['team.chat', '--out', 'there'], [`there/${DOCUMENT}`]],
      [['team.chat', '--out', 'new/folder/'], [`new/folder/${DOCUMENT}`]],
      [
        ['team.chat', 'room.chat', '--out', 'both'],
        [`both/${DOCUMENT}`, 'both/room.chatdoc.jsonl'],
      ],
    ];
    for (const [argv, files] of outputs) {
      const { code, stdout } = await runProgram(['migrate', ...argv], { cwd });
      expect(code).toBe(0);
      for (const file of files) {
        expect(stdout).toContain(`-> ${file}\n`);
        expect(existsSync(join(cwd, file))).toBe(true);
      }
    }
  });

  it('[CL11] refuses a place that cannot be: a file for two chats, a folder that is missing', async () => {
    const cwd = createFolder({ ...TEAM, 'room.chat': JUPYTER });
    const two = await runProgram(['migrate', 'team.chat', 'room.chat', '--out', 'room.chat'], { cwd });
    expect(two).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringMatching(/is a file, and the chats need a folder/),
    });
    const missing = await runProgram(['migrate', 'team.chat', '--out', 'no/where.jsonl'], { cwd });
    expect(missing).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringMatching(/no such folder; create it/),
    });
    expect(Object.keys(readFolder(cwd))).toEqual(['room.chat', 'team.chat']);
  });

  it('[CL12] leaves a file that exists as it is, unless --force replaces it', async () => {
    const cwd = createFolder({ ...TEAM, [DOCUMENT]: 'precious' });
    const kept = await spawnProgram(['migrate', 'team.chat'], { cwd });
    expect(kept).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringMatching(/exists and was left as it is; --force replaces it/),
    });
    expect(readFolder(cwd)[DOCUMENT]).toBe('precious');
    const forced = await runProgram(['migrate', 'team.chat', '--force'], { cwd });
    expect(forced.code).toBe(0);
    expect(readFolder(cwd)[DOCUMENT]).toMatch(/^\{"type":"lane"/);
  });

  it('[CL12] never writes over a chat, by any of its names, also with --force', async () => {
    const cwd = createFolder({ ...TEAM, 'room.chat': JUPYTER });
    linkSync(join(cwd, 'team.chat'), join(cwd, 'hard'));
    symlinkSync('team.chat', join(cwd, 'soft'));
    for (const out of ['team.chat', './team.chat', 'hard', 'soft']) {
      for (const option of ['--out', '--report']) {
        const { code, stderr } = await runProgram(['migrate', 'team.chat', option, out, '--force'], { cwd });
        expect(code).toBe(2);
        expect(stderr).toMatch(/is one of the chats/);
      }
    }
    expect(readFolder(cwd)).toMatchObject({ 'team.chat': COCALC, hard: COCALC });
  });

  it('[CL12] never writes in a folder of the same name', async () => {
    const cwd = createFolder(TEAM);
    mkdirSync(join(cwd, DOCUMENT));
    const { code, stderr } = await runProgram(['migrate', 'team.chat', '--force'], { cwd });
    expect(code).toBe(2);
    expect(stderr).toMatch(/is a folder/);
  });

  it('[CL13] leaves nothing behind where it fails, and takes over nothing that a crash left', async () => {
    const cwd = createFolder({ ...TEAM, [`.${DOCUMENT}.1.tmp`]: 'left by a crash' });
    await runProgram(['migrate', 'team.chat'], { cwd });
    expect(Object.keys(readFolder(cwd)).sort()).toEqual([`.${DOCUMENT}.1.tmp`, 'team.chat', DOCUMENT]);
    expect(readFolder(cwd)[`.${DOCUMENT}.1.tmp`]).toBe('left by a crash');
  });

  it.skipIf(process.getuid?.() === 0)('[CL13] says so where it may not write', async () => {
    const cwd = createFolder(TEAM);
    chmodSync(cwd, 0o500);
    const { code, stderr } = await runProgram(['migrate', 'team.chat'], { cwd });
    chmodSync(cwd, 0o700);
    expect(code).toBe(2);
    expect(stderr).toMatch(/you may not write there; use --out/);
  });

  it('[CL15] run again changes nothing and ends with 0', async () => {
    const cwd = createFolder(TEAM);
    await runProgram(['migrate', 'team.chat'], { cwd });
    const before = statSync(join(cwd, DOCUMENT));
    const { code, stdout, stderr } = await runProgram(['migrate', 'team.chat'], { cwd });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain('(already there, with this content)');
    expect(statSync(join(cwd, DOCUMENT)).ino).toBe(before.ino);
  });

  it('[CL15] says that a document is one already', async () => {
    const cwd = createFolder(TEAM);
    await runProgram(['migrate', 'team.chat'], { cwd });
    const { code, stdout, stderr } = await runProgram(['migrate', DOCUMENT], { cwd });
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(
      /a chatdoc document already: there is nothing to migrate; read it with chatdoc show/,
    );
  });

  it('[CL16] writes nothing in a dry run but the report', async () => {
    const cwd = createFolder(TEAM);
    const dry = await spawnProgram(['migrate', 'team.chat', '--dry-run', '--out', 'new/'], { cwd });
    expect(dry.code).toBe(0);
    expect(dry.stdout).toContain(`team.chat -> new/${DOCUMENT} (not written: dry run)`);
    expect(readFolder(cwd)).toEqual(TEAM);
    expect(existsSync(join(cwd, 'new'))).toBe(false);
    await runProgram(['migrate', 'team.chat', '--dry-run', '--report', 'rows.json'], { cwd });
    expect(Object.keys(readFolder(cwd)).sort()).toEqual(['rows.json', 'team.chat']);
  });

  it('[CL17] accounts for every row in the report, and for every file', async () => {
    const cwd = createFolder({ ...TEAM, 'bad.chat': 'x' });
    const { code } = await runProgram(['migrate', 'team.chat', 'bad.chat', '--report', 'rows.json'], { cwd });
    expect(code).toBe(1);
    const { files } = JSON.parse(readFileSync(join(cwd, 'rows.json'), 'utf8'));
    expect(files[0]).toMatchObject({
      file: 'team.chat',
      ok: true,
      output: DOCUMENT,
      outcome: 'written',
      summary: { rows: 5 },
    });
    expect(
      files[0].ledger.rows.map(({ row, outcome }: { row: number; outcome: string }) => [row, outcome]),
    ).toEqual([
      [1, 'became'],
      [2, 'became'],
      [3, 'became'],
      [4, 'set_aside'],
      [5, 'set_aside'],
    ]);
    expect(files[0].problems).toMatchObject([{ line: 5, code: 'not_json' }]);
    expect(files[1]).toMatchObject({ file: 'bad.chat', ok: false, code: 'unknown_format' });
  });

  it('[CL17] refuses a report over a file that exists, before it does anything', async () => {
    const cwd = createFolder({ ...TEAM, 'rows.json': 'mine' });
    const { code, stderr } = await runProgram(['migrate', 'team.chat', '--report', 'rows.json'], { cwd });
    expect(code).toBe(2);
    expect(stderr).toMatch(/rows\.json exists and was left as it is/);
    expect(readFolder(cwd)).toEqual({ ...TEAM, 'rows.json': 'mine' });
  });

  it('[CL2] [CL18] goes on where one of several files fails, and ends with 1', async () => {
    const cwd = createFolder({ 'a.chat': 'x', ...TEAM });
    const { code, stdout, stderr } = await spawnProgram(['migrate', 'a.chat', 'nope.chat', 'team.chat'], {
      cwd,
    });
    expect(code).toBe(1);
    expect(stdout).toContain(`team.chat -> ${DOCUMENT}`);
    expect(stderr.match(/^chatdoc: (?:a|nope)\.chat: /gm)).toHaveLength(2);
    expect(existsSync(join(cwd, DOCUMENT))).toBe(true);
  });

  it('[CL18] refuses two chats that would get one name, before it writes anything', async () => {
    const cwd = createFolder({ ...TEAM, 'team.sage-chat': JUPYTER });
    const { code, stdout, stderr } = await runProgram(['migrate', 'team.chat', 'team.sage-chat'], { cwd });
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/would both become team\.chatdoc\.jsonl; migrate them one by one/);
    expect(Object.keys(readFolder(cwd))).toHaveLength(2);
  });

  it('[CL10] migrates an empty file to an empty chat', async () => {
    const cwd = createFolder({ 'empty.sage-chat': '' });
    const { code, stdout } = await runProgram(['migrate', 'empty.sage-chat'], { cwd });
    expect(code).toBe(0);
    expect(stdout).toContain('a chat in which nobody has written');
    expect((await runProgram(['show', 'empty.chatdoc.jsonl'], { cwd })).stdout).toBe('No messages.\n');
  });
});
