import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { readDocument } from '@chatdoc/sync';
import { describe, expect, it } from 'vitest';
import { createAgentChat } from './agent-chat.js';
import { COCALC, JUPYTER } from './chats.js';
import { stripColors } from './controls.js';
import { createDocument, createFolder, readFolder, runProgram, spawnProgram } from './program.js';

/** To the first column, and the line away. */
const CLEARED = '\u001b[1G\u001b[2K';
const TEAM = { 'team.chat': COCALC };
const DOCUMENT = 'team.ychat';
const BACKUP = 'team.chat.a9e47794412ad160.backup';
const RECORD = 'team.ychat.migration.json';
const WRITTEN = [DOCUMENT, BACKUP, RECORD, 'team.chat'].sort();

/** The bytes of a document that is not of these chats. */
async function createOther(): Promise<Uint8Array> {
  const cwd = createFolder();
  await createDocument(join(cwd, 'x.ychat'), createAgentChat().chat);
  return readFileSync(join(cwd, 'x.ychat'));
}

describe('migrate', () => {
  it('[CL10] [CL14] [CL2] writes a document beside the chat, says what became of the rows, and ends with 1 for those kept aside', async () => {
    const cwd = createFolder(TEAM);
    const { code, stdout, stderr } = await spawnProgram(['migrate', 'team.chat'], { cwd });
    expect(stdout).toMatchInlineSnapshot(`
      "team.chat -> team.ychat
        CoCalc chat: 3 messages in 2 threads
        5 rows, none lost: 3 became part of the chat; kept aside: 1 unsent draft, 1
          damaged line
        line 5: the line is not JSON: it is kept as text
        a copy of the chat is kept in team.chat.a9e47794412ad160.backup
      "
    `);
    expect({ code, stderr }).toEqual({ code: 1, stderr: '' });
    const files = readFolder(cwd);
    expect(Object.keys(files).sort()).toEqual(WRITTEN);
    expect(files['team.chat']).toBe(COCALC);
    expect(files[BACKUP]).toBe(COCALC);
    const read = readDocument(readFileSync(join(cwd, DOCUMENT)));
    expect(read.ok && read.chat.threads()).toHaveLength(2);
  });

  it('[CL2] [CL10] ends with 0 where every row is part of the chat', async () => {
    const cwd = createFolder({ 'team.chat': COCALC.split('\n').slice(0, 3).join('\n') });
    for (const argv of [['--dry-run'], [], []])
      expect(await runProgram(['migrate', 'team.chat', ...argv], { cwd })).toMatchObject({ code: 0 });
  });

  it('[CL10] shows a document as it shows the chat that it came from', async () => {
    const cwd = createFolder({ ...TEAM, 'room.chat': JUPYTER });
    await runProgram(['migrate', 'team.chat', 'room.chat'], { cwd });
    for (const name of ['team', 'room']) {
      const before = await runProgram(['show', `${name}.chat`], { cwd });
      const after = await runProgram(['show', `${name}.ychat`], { cwd });
      expect(after.stdout).toBe(before.stdout);
      expect(after.stderr).toBe('');
    }
  });

  it('[CL11] takes --out as a file, as a folder that is there, and as one that is not', async () => {
    const cwd = createFolder({ ...TEAM, 'room.chat': JUPYTER });
    mkdirSync(join(cwd, 'there'));
    const outputs: [string[], string[]][] = [
      [['team.chat', '--out', 'x.doc'], ['x.doc']],
      [['team.chat', '--out', 'there'], [`there/${DOCUMENT}`]],
      [['team.chat', '--out', 'new/folder/'], [`new/folder/${DOCUMENT}`]],
      [
        ['team.chat', 'room.chat', '--out', 'both'],
        [`both/${DOCUMENT}`, 'both/room.ychat'],
      ],
    ];
    for (const [argv, files] of outputs) {
      const { code, stdout, stderr } = await runProgram(['migrate', ...argv], { cwd });
      expect({ code, stderr }).toEqual({ code: 1, stderr: '' });
      for (const file of files) {
        if (files.length === 1) expect(stdout).toContain(`-> ${file}\n`);
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
    const missing = await runProgram(['migrate', 'team.chat', '--out', 'no/where.ychat'], { cwd });
    expect(missing).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringMatching(/no such folder; create it/),
    });
    expect(Object.keys(readFolder(cwd))).toEqual(['room.chat', 'team.chat']);
  });

  it('[CL12] leaves what has the name of the document as it is', async () => {
    for (const [content, message] of [
      ['precious', /team\.ychat is there, and is no chatdoc document; it was left as it is: name another/],
      [await createOther(), /team\.ychat is a document of another chat; name another place with --out/],
    ] as const) {
      const cwd = createFolder({ ...TEAM, [DOCUMENT]: content });
      const before = readFolder(cwd);
      for (const more of [[], ['--force'], ['--dry-run']]) {
        const kept = await runProgram(['migrate', 'team.chat', ...more], { cwd });
        expect(kept).toMatchObject({ code: 2, stdout: '', stderr: expect.stringMatching(message) });
        expect(readFolder(cwd)).toEqual(before);
      }
    }
  });

  it('[CL12] never writes over a chat, by any of its names, also with --force', async () => {
    const cwd = createFolder({ ...TEAM, 'room.chat': JUPYTER });
    linkSync(join(cwd, 'team.chat'), join(cwd, 'hard'));
    symlinkSync('team.chat', join(cwd, 'soft'));
    for (const out of ['team.chat', './team.chat', 'hard', 'soft']) {
      for (const option of ['--out', '--report']) {
        const { code, stderr } = await runProgram(['migrate', 'team.chat', option, out, '--force'], { cwd });
        expect(code).toBe(2);
        expect(stderr).toMatch(/is one of the chats|is the chat itself/);
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

  it('[CL13] leaves nothing behind where it fails, removes what a killed run left, and nothing else', async () => {
    const gone = spawnSync(process.execPath, ['--version']).pid;
    const left = `.${DOCUMENT}.${gone}-0123456789abcdef.tmp`;
    const cwd = createFolder({ ...TEAM, 'bad.chat': 'x', [left]: 'half', '.team.tmp': 'mine' });
    await runProgram(['migrate', 'bad.chat', '--out', 'new/folder/'], { cwd });
    expect(existsSync(join(cwd, 'new'))).toBe(false);
    await runProgram(['migrate', 'team.chat'], { cwd });
    expect(Object.keys(readFolder(cwd)).sort()).toEqual([...WRITTEN, '.team.tmp', 'bad.chat'].sort());
  });

  it.skipIf(process.getuid?.() === 0)('[CL13] says so where it may not write', async () => {
    const cwd = createFolder(TEAM);
    chmodSync(cwd, 0o500);
    const { code, stderr } = await runProgram(['migrate', 'team.chat'], { cwd });
    chmodSync(cwd, 0o700);
    expect(code).toBe(2);
    expect(stderr).toMatch(/you may not write there; use --out/);
  });

  it('[CL15] run again writes nothing, and adds what the chat has more since', async () => {
    const cwd = createFolder({ 'team.chat': COCALC.split('\n').slice(0, 2).join('\n') });
    await runProgram(['migrate', 'team.chat'], { cwd });
    const before = readFolder(cwd);
    const same = await runProgram(['migrate', 'team.chat'], { cwd });
    expect(same).toMatchObject({ code: 0, stderr: '' });
    expect(same.stdout).toContain('team.chat -> team.ychat (already there, with all of it)\n');
    expect(readFolder(cwd)).toEqual(before);
    writeFileSync(join(cwd, 'team.chat'), COCALC.split('\n').slice(0, 3).join('\n'));
    const dry = await runProgram(['migrate', 'team.chat', '-n'], { cwd });
    expect(dry.stdout).toContain('(not updated: dry run)');
    const more = await runProgram(['migrate', 'team.chat'], { cwd });
    expect(more).toMatchObject({ code: 0, stdout: expect.stringContaining('(updated: 3 new entries)') });
    expect((await runProgram(['show', DOCUMENT], { cwd })).stdout).toContain('Lunch?');
  });

  it('[CL15] says that a document is one already, in either form', async () => {
    const cwd = createFolder({ ...TEAM, 'x.jsonl': createAgentChat().chat.toJSONL() });
    await runProgram(['migrate', 'team.chat'], { cwd });
    const before = readFolder(cwd);
    for (const document of [DOCUMENT, 'x.jsonl']) {
      const { code, stdout, stderr } = await runProgram(['migrate', document], { cwd });
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
      expect(stderr).toMatch(
        /a chatdoc document already: there is nothing to migrate; read it with chatdoc show/,
      );
    }
    expect(readFolder(cwd)).toEqual(before);
  });

  it('[CL16] writes nothing in a dry run but the report', async () => {
    const cwd = createFolder(TEAM);
    const dry = await spawnProgram(['migrate', 'team.chat', '--dry-run', '--out', 'new/'], { cwd });
    expect(dry.code).toBe(1);
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

  it('[CL2] ends with 1 where something that a person wrote was set aside, not for rows of programs', async () => {
    const draft = JSON.stringify({ event: 'draft', sender_id: 'ada', date: 0, input: 'I am', active: 1 });
    const cwd = createFolder({ 'programs.chat': JUPYTER, 'draft.chat': `${draft}\n` });
    const programs = await runProgram(['migrate', 'programs.chat'], { cwd });
    expect(programs).toMatchObject({ code: 0, stdout: expect.stringContaining('kept aside') });
    const written = await runProgram(['migrate', 'draft.chat'], { cwd });
    expect(written).toMatchObject({ code: 1, stdout: expect.stringContaining('1 unsent draft') });
  });

  it('[CL2] [CL18] goes on where one of several files fails, and ends with 1', async () => {
    const cwd = createFolder({ 'a.chat': 'x', ...TEAM });
    const { code, stdout, stderr } = await spawnProgram(['migrate', 'a.chat', 'nope.chat', 'team.chat'], {
      cwd,
    });
    expect(code).toBe(1);
    expect(stdout).toMatch(/^team\.chat .* written$/m);
    expect(stderr.match(/^chatdoc: (?:a|nope)\.chat: /gm)).toHaveLength(2);
    expect(existsSync(join(cwd, DOCUMENT))).toBe(true);
  });

  it('[CL18] refuses two chats that would get one name, and does the others', async () => {
    const cwd = createFolder({ ...TEAM, 'team.sage-chat': JUPYTER, 'room.chat': JUPYTER });
    const { code, stdout, stderr } = await runProgram(['migrate', '.'], { cwd });
    expect(code).toBe(1);
    expect(stderr.match(/would both become team\.ychat; migrate them one by one/g)).toHaveLength(2);
    expect(stdout).toMatch(/3 chats: 1 written, 2 failed/);
    expect(Object.keys(readFolder(cwd))).toHaveLength(6);
    expect(existsSync(join(cwd, DOCUMENT))).toBe(false);
  });

  it('[CL19] takes the chats of a folder at any depth, and keeps the folders under --out', async () => {
    const cwd = createFolder({});
    for (const folder of ['chats/a/b', 'chats/.git/x', 'chats/node_modules', 'empty'])
      mkdirSync(join(cwd, folder), { recursive: true });
    const names = ['a/b/x.SAGE-CHAT', 'a/.y.ipynb.sage-chat', 'z.chat'];
    for (const name of [...names, '.git/x/no.chat', 'node_modules/no.chat', 'a/notes.md'])
      writeFileSync(join(cwd, 'chats', name), JUPYTER);
    const { code, stdout } = await runProgram(['migrate', 'chats', '--out', 'new'], { cwd });
    // Profiles of users are no rows that a person wrote.
    expect(code).toBe(0);
    expect(stdout.match(/ {2}written$/gm)).toHaveLength(3);
    for (const name of ['a/b/x.ychat', 'a/.y.ipynb.ychat', 'z.ychat'])
      expect(existsSync(join(cwd, 'new', name))).toBe(true);
    expect(readdirSync(join(cwd, 'chats', 'a')).sort()).toEqual(['.y.ipynb.sage-chat', 'b', 'notes.md']);
    const beside = await runProgram(['migrate', 'chats/', 'chats/z.chat', './chats/z.chat'], { cwd });
    expect(beside.stdout.match(/ {2}written$/gm)).toHaveLength(3);
    expect(existsSync(join(cwd, 'chats/a/b/x.ychat'))).toBe(true);
    expect(await runProgram(['migrate', 'empty'], { cwd })).toMatchObject({
      code: 2,
      stdout: '',
      stderr: 'chatdoc: empty: there is no chat in this folder; name the files\n',
    });
  });

  it('[CL19] takes patterns, for shells that do not', async () => {
    const cwd = createFolder({ 'a.chat': JUPYTER, 'b.chat': COCALC, '[c].chat': COCALC, 'd.txt': 'x' });
    mkdirSync(join(cwd, 'in'));
    writeFileSync(join(cwd, 'in', 'e.chat'), JUPYTER);
    const found = async (pattern: string): Promise<number | undefined> => {
      const { stdout } = await runProgram(['migrate', pattern, '-n'], { cwd });
      return stdout.match(/not written/g)?.length;
    };
    expect(await found('*.chat')).toBe(3);
    expect(await found('**/*.chat')).toBe(4);
    expect(await found('{a,b}.chat')).toBe(2);
    expect(await found('[c].chat')).toBe(1);
    expect(await found(`${cwd}/**/e.chat`)).toBe(1);
    expect(await runProgram(['migrate', 'x*.chat'], { cwd })).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/no file has such a name; check the folder/),
    });
  });

  it('[CL19] ends several chats with one table, that fits in the terminal', async () => {
    const long = `${'a very long name '.repeat(6)}.chat`;
    const cwd = createFolder({ ...TEAM, [long]: JUPYTER, 'bad.chat': 'x' });
    const { stdout } = await runProgram(['migrate', '.', '-n'], { cwd });
    expect(stdout).toMatchInlineSnapshot(`
      "FILE                                                                                                         MESSAGES  THREADS  ROWS  ASIDE  RESULT
      a very long name a very long name a very long name a very long name a very long name a very long name .chat         2        1     5      3  not written
      bad.chat                                                                                                                                     failed
      team.chat                                                                                                           3        2     5      2  not written

      3 chats: 2 would be written, 1 failed
      10 rows, none lost: 5 became part of the chat; kept aside: 1 metadata record, 2
      user profiles, 1 unsent draft, 1 damaged line
      1 oddity in the rows; --report FILE lists them
      "
    `);
    for (const columns of [80, 50, 40]) {
      const narrow = await runProgram(['migrate', '.', '-n'], {
        cwd,
        columns,
        terminal: true,
        env: { NO_COLOR: '1' },
      });
      for (const line of narrow.stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(columns);
    }
    const narrow = await runProgram(['migrate', '.', '-n'], {
      cwd,
      columns: 50,
      terminal: true,
      env: { NO_COLOR: '1' },
    });
    expect(narrow.stdout).toMatchInlineSnapshot(`
      "FILE                  MESSAGES  ASIDE  RESULT
      a very long name a…          2      3  not written
      bad.chat                               failed
      team.chat                    3      2  not written

      3 chats: 2 would be written, 1 failed
      10 rows, none lost: 5 became part of the chat;
      kept aside: 1 metadata record, 2 user profiles, 1
      unsent draft, 1 damaged line
      1 oddity in the rows; --report FILE lists them
      "
    `);
  });

  it('[CL33] shows how far it is on a terminal, and nothing of it elsewhere', async () => {
    const cwd = createFolder({ ...TEAM, 'room.chat': JUPYTER });
    const shown = await runProgram(['migrate', 'team.chat', 'room.chat', '-n'], { cwd, terminal: true });
    expect(shown.stderr).toContain('█ 100% 2/2');
    // Taken away at the end.
    expect(shown.stderr.endsWith(CLEARED)).toBe(true);
    const plain = await runProgram(['migrate', 'team.chat', 'room.chat', '-n'], { cwd });
    expect(plain.stderr).toBe('');
    expect(stripColors(shown.stdout)).toBe(plain.stdout);
    const dumb = { cwd, terminal: true, env: { TERM: 'dumb' } };
    expect((await runProgram(['migrate', 'team.chat', '-n'], dumb)).stderr).toBe('');
  });

  it('[CL34] reads chats as what --from says', async () => {
    const cwd = createFolder(TEAM);
    const wrong = await runProgram(['migrate', 'team.chat', '--from', 'jupyter'], { cwd });
    expect(wrong).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringMatching(/no row of it reads as jupyter: name another format/),
    });
    expect(readFolder(cwd)).toEqual(TEAM);
    const right = await runProgram(['migrate', 'team.chat', '--from', 'cocalc'], { cwd });
    expect(right.stdout).toContain('CoCalc chat: 3 messages in 2 threads');
    const unknown = await runProgram(['migrate', 'team.chat', '--from', 'slack'], { cwd });
    expect(unknown.code).toBe(2);
    expect(unknown.stderr).toMatch(/Allowed choices are cocalc, jupyter, relational, tasks/);
  });

  it('[CL10] migrates an empty file to an empty chat', async () => {
    const cwd = createFolder({ 'empty.sage-chat': '' });
    const { code, stdout } = await runProgram(['migrate', 'empty.sage-chat'], { cwd });
    expect(code).toBe(0);
    expect(stdout).toContain('a chat in which nobody has written');
    expect((await runProgram(['show', 'empty.ychat'], { cwd })).stdout).toBe('No messages.\n');
  });
});
