import { existsSync, mkdirSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { COCALC, JUPYTER } from './chats.js';
import { createFolder, readFolder, runProgram, spawnProgram } from './program.js';

async function migrate(files: Record<string, string>): Promise<string> {
  const cwd = createFolder(files);
  await runProgram(['migrate', ...Object.keys(files)], { cwd });
  return cwd;
}

describe('rollback', () => {
  it('[CL40] says what stands where, and the chat is there byte for byte', async () => {
    const cwd = await migrate({ 'team.chat': COCALC });
    const { code, stdout, stderr } = await spawnProgram(['rollback', 'team.ychat'], { cwd });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatchInlineSnapshot(`
      "team.ychat: rolled back
        team.chat is there, byte for byte as it was migrated
        team.ychat.rolled-back-0 is the document, with all that was written since
      "
    `);
    expect(readFolder(cwd)['team.chat']).toBe(COCALC);
    expect(existsSync(join(cwd, 'team.ychat'))).toBe(false);
    expect((await runProgram(['show', 'team.ychat.rolled-back-0'], { cwd })).stdout).toContain('Lunch?');
  });

  it('[CL40] restores a chat that is gone', async () => {
    const cwd = await migrate({ 'room.chat': JUPYTER });
    unlinkSync(join(cwd, 'room.chat'));
    const { code, stdout } = await runProgram(['rollback', 'room.ychat'], { cwd });
    expect(code).toBe(0);
    expect(stdout).toContain('room.chat is there again, byte for byte\n');
    expect(readFileSync(join(cwd, 'room.chat'), 'utf8')).toBe(JUPYTER);
  });

  it('[CL40] run again says so, and the chat can be migrated again', async () => {
    const cwd = await migrate({ 'team.chat': COCALC });
    await runProgram(['rollback', 'team.ychat'], { cwd });
    const before = readFolder(cwd);
    const again = await runProgram(['rollback', 'team.ychat'], { cwd });
    expect(again).toMatchObject({ code: 0, stdout: expect.stringContaining('was rolled back before') });
    expect(readFolder(cwd)).toEqual(before);
    await runProgram(['migrate', 'team.chat'], { cwd });
    const second = await runProgram(['rollback', 'team.ychat'], { cwd });
    expect(second.stdout).toContain('team.ychat.rolled-back-1 is the document');
  });

  it('[CL84] takes the documents of a folder at any depth, and patterns', async () => {
    const cwd = await migrate({ 'a.chat': COCALC, '[b].chat': JUPYTER });
    mkdirSync(join(cwd, 'in', 'deep'), { recursive: true });
    writeFileSync(join(cwd, 'in', 'deep', 'c.chat'), COCALC);
    writeFileSync(join(cwd, 'in', 'd.chat'), JUPYTER);
    await runProgram(['migrate', 'in'], { cwd });
    const inner = await runProgram(['rollback', 'in'], { cwd });
    expect(inner).toMatchObject({ code: 0, stderr: '' });
    expect(inner.stdout.match(/: rolled back/g)).toHaveLength(2);
    expect(existsSync(join(cwd, 'in', 'deep', 'c.ychat'))).toBe(false);
    expect((await runProgram(['rollback', '*.ychat'], { cwd })).stdout.match(/: rolled back/g)).toHaveLength(
      2,
    );
    // A name is a name first, also where its document is gone.
    expect((await runProgram(['rollback', '[b].ychat'], { cwd })).stdout).toContain('was rolled back before');
    expect((await runProgram(['rollback', '.'], { cwd })).stdout.match(/rolled back before/g)).toHaveLength(
      4,
    );
    mkdirSync(join(cwd, 'none'));
    expect(await runProgram(['rollback', 'none'], { cwd })).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/no document in this folder was migrated/),
    });
  });

  it('[CL84] of very many documents or chats prints their sum, and what failed', async () => {
    const names = Array.from({ length: 51 }, (_, index) => `chat-${index}.chat`);
    const files = names.map((name, index) => [name, index === 0 ? 'no chat' : '']);
    const cwd = createFolder(Object.fromEntries(files));
    const migrated = await runProgram(['migrate', '.'], { cwd });
    expect(migrated.code).toBe(1);
    expect(migrated.stdout.split('\n').slice(0, 4)).toEqual([
      expect.stringMatching(/^FILE/),
      expect.stringMatching(/^chat-0\.chat .*failed/),
      '',
      expect.stringMatching(/^51 chats: 50 written, 1 failed/),
    ]);
    const { code, stdout } = await runProgram(['rollback', '.'], { cwd });
    expect({ code, stdout }).toEqual({ code: 0, stdout: '50 documents: 50 rolled back\n' });
  });

  it('[CL2] [CL41] refuses what it cannot do, with what to do, and changes nothing', async () => {
    const cwd = await migrate({ 'team.chat': COCALC, 'a.chat': COCALC, 'b.chat': JUPYTER, 'c.chat': COCALC });
    writeFileSync(join(cwd, 'a.chat'), `${COCALC}${COCALC}`);
    writeFileSync(join(cwd, 'b.ychat.migration.json'), '{}');
    unlinkSync(join(cwd, 'c.ychat'));
    const before = readFolder(cwd);
    const cases: readonly (readonly [string, RegExp])[] = [
      ['team.chat', /no migration is known of this file; name the document \(\.ychat\)/],
      ['nope.ychat', /no migration is known of this file/],
      ['a.ychat', /somebody has written to a\.chat since it was migrated; migrate it again to keep that/],
      ['b.ychat', /b\.ychat\.migration\.json is damaged; restore it/],
      ['c.ychat', /the document is not there; restore it, or run chatdoc migrate again/],
    ];
    for (const [file, message] of cases) {
      const { code, stdout, stderr } = await runProgram(['rollback', file], { cwd });
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
      expect(stderr).toMatch(message);
      expect(stderr.split('\n')).toHaveLength(2);
    }
    expect(readFolder(cwd)).toEqual(before);
    const some = await runProgram(['rollback', 'a.ychat', 'team.ychat'], { cwd });
    expect(some).toMatchObject({ code: 1, stdout: expect.stringMatching(/^team\.ychat: rolled back/) });
  });
});
