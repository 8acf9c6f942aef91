import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { COCALC } from './chats.js';
import { createFolder, readFolder, runProgram, spawnProgram } from './program.js';

/** A small disk of its own; undefined where that is not allowed. */
function mountDisk(kilobytes: number): { readonly folder: string; unmount(): void } | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'chatdoc-disk-'));
  const unmount = (): void => {
    spawnSync('umount', [folder]);
    rmSync(folder, { recursive: true, force: true });
  };
  const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${kilobytes}k`, 'tmpfs', folder]);
  if (status === 0) return { folder, unmount };
  unmount();
  return undefined;
}

const probe = mountDisk(16);
probe?.unmount();

describe('a disk that fills up', () => {
  // Mounting one takes the superuser.
  it.skipIf(probe === undefined)(
    '[CL13] [CL35] leaves the chat, says so, and the next run goes on',
    async () => {
      const disk = mountDisk(64);
      if (disk === undefined) throw new Error('it could be mounted before');
      const cwd = disk.folder;
      try {
        const chat = `${COCALC}${'\n'.repeat(2000)}`;
        writeFileSync(join(cwd, 'team.chat'), chat);
        const outcomes = new Set<string>();
        for (let free = 4; free <= 36; free += 4) {
          const left = 64 - 4 - Math.ceil(chat.length / 4096) * 4 - free;
          writeFileSync(join(cwd, 'ballast'), Buffer.alloc(Math.max(0, left) * 1024, 1));
          const { code, stderr } = await runProgram(['migrate', 'team.chat'], { cwd });
          expect(readFileSync(join(cwd, 'team.chat'), 'utf8')).toBe(chat);
          outcomes.add(`${code}`);
          if (code === 2) {
            expect(stderr).toMatch(
              /team\.ychat cannot be written: the disk is full; make room and run it again/,
            );
            expect(readdirSync(cwd)).not.toContain('team.ychat');
          } else expect((await runProgram(['show', 'team.ychat'], { cwd })).stdout).toContain('Lunch?');
          expect(readdirSync(cwd).filter((name) => name.endsWith('.tmp'))).toEqual([]);
        }
        expect([...outcomes].sort()).toEqual(['1', '2']);
      } finally {
        disk.unmount();
      }
    },
  );
});

describe('bad input', () => {
  it('[CL9] [CL35] of two gigabytes of zeros is refused at once, and none of it is read', async () => {
    const cwd = createFolder({ 'huge.chat': '' });
    truncateSync(join(cwd, 'huge.chat'), 2 * 1024 ** 3);
    for (const command of ['migrate', 'show', 'verify']) {
      const before = process.memoryUsage().rss;
      const { code, stdout, stderr } = await runProgram([command, 'huge.chat'], { cwd });
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
      expect(stderr).toMatch(/this file has 2048 MB, and chatdoc reads files of up to 448 MB/);
      expect(process.memoryUsage().rss - before).toBeLessThan(1024 ** 3);
    }
    truncateSync(join(cwd, 'huge.chat'), 300 * 1024 ** 2);
    const large = await runProgram(['migrate', 'huge.chat'], { cwd });
    expect(large).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/this file is too large to migrate: the most is 192 MB; split it/),
    });
    expect(readdirSync(cwd)).toEqual(['huge.chat']);
  });

  it('[CL9] [CL35] of a pipe, a device or standard input is no chat to migrate', async () => {
    const cwd = createFolder();
    spawnSync('mkfifo', [join(cwd, 'pipe')]);
    mkdirSync(join(cwd, 'empty'));
    const cases: readonly (readonly [string, RegExp])[] = [
      ['pipe', /this is a pipe, and migrate reads files only; save it in a file/],
      ['/dev/zero', /neither a file nor a pipe/],
      ['-', /migrate reads files only; name the file/],
      ['empty', /there is no chat in this folder; name the files/],
    ];
    for (const [file, message] of cases) {
      const { code, stdout, stderr } = await runProgram(['migrate', file], { cwd });
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
      expect(stderr).toMatch(message);
    }
    expect(readdirSync(cwd).sort()).toEqual(['empty', 'pipe']);
  });

  // The superuser may read everything, so this is somebody else.
  it.skipIf(process.getuid?.() !== 0)(
    '[CL9] [CL13] [CL35] that one may not read, or where one may not write',
    async () => {
      const cwd = createFolder({ 'mine.chat': COCALC, 'ours.chat': COCALC });
      chmodSync(cwd, 0o755);
      chmodSync(join(cwd, 'mine.chat'), 0o600);
      const before = readFolder(cwd);
      // What the program reads of itself may stand where only the superuser gets.
      await runProgram(['--version'], { cwd });
      process.setegid?.(65534);
      process.seteuid?.(65534);
      try {
        for (const command of ['migrate', 'show', 'verify', 'compact', 'recover']) {
          const { code, stdout, stderr } = await runProgram([command, 'mine.chat'], { cwd });
          expect({ code, stdout }, command).toEqual({ code: 2, stdout: '' });
          expect(stderr).toMatch(/you may not read/);
        }
        const unwritable = await runProgram(['migrate', 'ours.chat'], { cwd });
        expect(unwritable).toMatchObject({
          code: 2,
          stdout: '',
          stderr: expect.stringMatching(/ours\.ychat cannot be written: you may not write there; use --out/),
        });
      } finally {
        process.seteuid?.(0);
        process.setegid?.(0);
      }
      expect(readFolder(cwd)).toEqual(before);
    },
  );

  it('[CL2] [CL35] of two copies of the program at once makes one document', async () => {
    const cwd = createFolder({ 'team.chat': COCALC });
    const results = await Promise.all([1, 2].map(() => spawnProgram(['migrate', 'team.chat'], { cwd })));
    for (const { code, stderr } of results) {
      if (code === 2) expect(stderr).toMatch(/another program is writing team\.ychat; run it again/);
      else expect(code).toBe(1);
    }
    expect(results.some(({ code }) => code === 1)).toBe(true);
    const shown = await runProgram(['show', 'team.ychat'], { cwd });
    expect(shown).toMatchObject({ code: 0, stdout: expect.stringContaining('Lunch?') });
  });
});
