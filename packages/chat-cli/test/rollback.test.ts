import { existsSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs';
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
