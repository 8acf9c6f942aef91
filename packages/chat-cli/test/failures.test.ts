import { chmodSync, mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { describeReadError } from '../src/sources/read-source.js';
import { describeWriteError } from '../src/sources/write-file.js';
import { JUPYTER } from './chats.js';
import { createFolder, readFolder, runProgram, spawnProgram } from './program.js';

const ULID = '01ARZ3NDEKTSV4RRFFQ69G5FAV';

function createBadFiles(): string {
  const folder = createFolder({
    'binary.chat': Uint8Array.from({ length: 900 }, (_, i) => (i * 73) % 256),
    'torn.chat': JUPYTER.slice(0, 200),
    'text.chat': 'Dear diary,\n',
    'other.json': '{"cells":[]}',
    'headless.chatdoc.jsonl': `{"type":"thread","thread_id":"${ULID}","created_at":"2026-01-01T00:00:00.000Z"}\n`,
  });
  mkdirSync(join(folder, 'folder'));
  symlinkSync('loop', join(folder, 'loop'));
  return folder;
}

const MESSAGES: readonly (readonly [string, RegExp])[] = [
  ['nope.chat', /there is no such file; check the name/],
  ['', /the name of the file is empty/],
  ['torn.chat/x', /there is no such file/],
  ['folder', /this is a folder; name the chat files in it|there is no chat in this folder/],
  ['loop', /this link leads back to itself/],
  ['binary.chat', /this is a binary file, and no chat; chatdoc reads/],
  ['torn.chat', /damaged or cut off: restore a whole copy/],
  ['text.chat', /neither JSON nor lines of JSON/],
  ['other.json', /known are CoCalc chats/],
  [
    'headless.chatdoc.jsonl',
    /without any of its lane lines: it is damaged; restore|a chatdoc document already/,
  ],
  ['/dev/zero', /neither a file nor a pipe/],
];

describe('a file that cannot be read', () => {
  for (const command of ['show', 'verify', 'migrate']) {
    it(`[CL3] [CL9] is one line on standard error that says what to do: ${command}`, async () => {
      const cwd = createBadFiles();
      const before = readFolder(cwd);
      for (const [file, message] of MESSAGES) {
        const { code, stdout, stderr } = await runProgram([command, file], { cwd });
        expect(stderr).toMatch(message);
        expect(stderr.startsWith(`chatdoc: ${file === '' ? "''" : file}: `)).toBe(true);
        expect(stderr.split('\n')).toHaveLength(2);
        expect(stdout).toBe('');
        expect(code).toBe(2);
      }
      expect(readFolder(cwd)).toEqual(before);
    });
  }

  it('[CL2] [CL9] says the same in a process of its own', async () => {
    const cwd = createBadFiles();
    for (const file of ['nope.chat', 'folder', 'binary.chat']) {
      const { code, stdout, stderr } = await spawnProgram(['show', file], { cwd });
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
      expect(stderr).toMatch(MESSAGES.find(([name]) => name === file)?.[1] as RegExp);
    }
  });

  it('[CL9] is said of a file that one may not read, and of a disk that fails', () => {
    const error = (code: string): Error => Object.assign(new Error(code), { code });
    expect(describeReadError(error('EACCES')).message).toMatch(/you may not read this file; ask its owner/);
    expect(describeReadError(error('EIO')).message).toMatch(/cannot be read \(EIO\); check the disk/);
    expect(describeWriteError(error('ENOSPC'), 'x').message).toMatch(/the disk is full; nothing was changed/);
    expect(describeWriteError(error('EROFS'), 'x').message).toMatch(/you may not write there; use --out/);
    expect(describeWriteError(error('ENOENT'), 'x').message).toMatch(/no such folder; create it/);
  });

  // The superuser may read everything.
  it.skipIf(process.getuid?.() === 0)('[CL9] is said of a file without permission', async () => {
    const cwd = createFolder({ 'mine.chat': JUPYTER });
    chmodSync(join(cwd, 'mine.chat'), 0o000);
    const { code, stderr } = await runProgram(['show', 'mine.chat'], { cwd });
    expect(code).toBe(2);
    expect(stderr).toMatch(/you may not read this file/);
  });
});
