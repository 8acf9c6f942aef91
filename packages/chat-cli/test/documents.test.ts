import { readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openChat } from '@chatdoc/schema';
import { openChatFile } from '@chatdoc/sync/file';
import { describe, expect, it } from 'vitest';
import * as Y from 'yjs';
import { isDocumentFile } from '../src/sources/open-source.js';
import { createAgentChat } from './agent-chat.js';
import { createDocument, createFolder, readFolder, runProgram, spawnProgram } from './program.js';

const NAME = 'talk.ychat';

/** A document file of some frames. */
async function createTalk(): Promise<string> {
  const cwd = createFolder();
  await createDocument(join(cwd, NAME), createAgentChat().chat);
  for (const content of ['One.', 'Two.', 'Three.']) {
    const opened = await openChatFile(join(cwd, NAME), { flush: 'manual' });
    if (!opened.ok) throw new Error(opened.code);
    const { thread_id = '' } = opened.file.chat.threads()[0] ?? {};
    opened.file.chat.send({ thread_id, sender_id: 'ada', content });
    await opened.file.close();
  }
  return cwd;
}

const bytesIn = (cwd: string): Buffer => readFileSync(join(cwd, NAME));

/** Flips a bit of the last frame but one. */
async function damage(cwd: string): Promise<void> {
  const bytes = bytesIn(cwd);
  const magic = bytes.subarray(0, 4);
  const at = bytes.lastIndexOf(magic, bytes.lastIndexOf(magic) - 1) + 60;
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  writeFileSync(join(cwd, NAME), bytes);
}

describe('a document file', () => {
  it('[CL8] [CL20] is shown and verified, whatever it is called, also from a pipe', async () => {
    const cwd = await createTalk();
    const before = readFolder(cwd);
    writeFileSync(join(cwd, 'photo.jpg'), bytesIn(cwd));
    const { code, stdout, stderr } = await spawnProgram(['show', NAME], { cwd });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/# Release[\s\S]*Three\.\n$/);
    expect((await runProgram(['show', 'photo.jpg'], { cwd })).stdout).toBe(stdout);
    const verified = await runProgram(['verify', NAME], { cwd });
    expect(verified.stdout).toMatch(/^talk\.ychat: chatdoc document, \d+ messages in 1 thread\n/);
    const { 'photo.jpg': _, ...after } = readFolder(cwd);
    expect(after).toEqual(before);
  });

  it('[CL28] that was cut off, or is damaged, is read as far as it goes, with a note', async () => {
    const cwd = await createTalk();
    truncateSync(join(cwd, NAME), bytesIn(cwd).length - 5);
    const torn = await runProgram(['show', NAME], { cwd });
    expect(torn.stderr).toMatch(/\d+ bytes at the end are a write that did not finish; the rest is whole/);
    expect(torn.stdout).toMatch(/Two\.\n$/);
    const hurt = await createTalk();
    await damage(hurt);
    const shown = await runProgram(['show', NAME], { cwd: hurt });
    expect(shown.stderr).toMatch(/\d+ bytes are damaged; chatdoc recover brings back what can be read/);
    expect(shown.stdout).toContain('One.');
    expect(shown.code).toBe(0);
    const verified = await runProgram(['verify', NAME], { cwd: hurt });
    expect(verified.stdout).toMatch(/warning {2}\d+ bytes are damaged/);
  });

  it('[CL8] is not taken for one by bytes that a text may hold', async () => {
    const row = JSON.stringify({ event: 'chat', sender_id: 'ada', date: 1_700_000_000_000, history: [] });
    const chat = `${row.replace('[]', '[{"content":"ÉYCT","date":"2024-01-01T00:00:00.000Z"}]')}\n`;
    const cwd = createFolder({ 'team.chat': chat });
    expect(isDocumentFile(Buffer.from(chat))).toBe(false);
    expect((await runProgram(['show', 'team.chat'], { cwd })).stdout).toContain('ÉYCT');
  });
});

describe('compact', () => {
  it('[CL42] writes the next generation, which reads the same, and says how small it is', async () => {
    const cwd = await createTalk();
    const shown = await runProgram(['show', NAME], { cwd });
    const { code, stdout, stderr } = await spawnProgram(['compact', NAME], { cwd });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(
      /^talk\.ychat: [\d.]+ KB before, [\d.]+ KB now\n {2}\d+ writers made one, generation 1\n/,
    );
    expect((await runProgram(['show', NAME], { cwd })).stdout).toBe(shown.stdout);
    expect((await runProgram(['compact', NAME], { cwd })).stdout).toContain('generation 2');
    expect(Object.keys(readFolder(cwd))).toEqual([NAME]);
  });

  it('[CL42] takes redacted text out of the file', async () => {
    const cwd = await createTalk();
    expect(bytesIn(cwd).includes('password')).toBe(false);
    const opened = await openChatFile(join(cwd, NAME), { flush: 'manual' });
    if (!opened.ok) throw new Error(opened.code);
    const { chat } = opened.file;
    const messages = chat.messages(chat.threads()[0]?.thread_id ?? '');
    chat.redact({
      message_id: messages.find(({ content }) => content === 'Two.')?.message_id ?? '',
      by: 'ada',
    });
    await opened.file.close();
    expect(bytesIn(cwd).includes('Two.')).toBe(true);
    await runProgram(['compact', NAME], { cwd });
    expect(bytesIn(cwd).includes('Two.')).toBe(false);
  });

  it('[CL2] [CL43] refuses what is no whole document, and leaves it as it is', async () => {
    const cwd = await createTalk();
    await damage(cwd);
    writeFileSync(join(cwd, 'x.chat'), 'x');
    writeFileSync(join(cwd, 'x.jsonl'), createAgentChat().chat.toJSONL());
    const before = readFolder(cwd);
    const cases: readonly (readonly [string, RegExp])[] = [
      ['nope.ychat', /there is no such file; check the name/],
      ['.', /this is a folder; name the document in it/],
      ['x.chat', /this is no chatdoc document/],
      ['x.jsonl', /this is no chatdoc document/],
      [NAME, /damaged or of a later version; run chatdoc recover first/],
    ];
    for (const [file, message] of cases) {
      const { code, stdout, stderr } = await runProgram(['compact', file], { cwd });
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
      expect(stderr).toMatch(message);
    }
    expect(readFolder(cwd)).toEqual(before);
  });
});

describe('recover', () => {
  it('[CL44] brings back what can be read, and keeps the damaged file', async () => {
    const cwd = await createTalk();
    await damage(cwd);
    const damaged = bytesIn(cwd);
    const { code, stdout, stderr } = await spawnProgram(['recover', NAME], { cwd });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^talk\.ychat: recovered \d+ frames?\n {2}\d+ bytes damaged\n/);
    expect(stdout).toContain('  the damaged file is kept as talk.ychat.damaged-1\n');
    expect(readFileSync(join(cwd, `${NAME}.damaged-1`)).equals(damaged)).toBe(true);
    const shown = await runProgram(['show', NAME], { cwd });
    expect(shown).toMatchObject({ code: 0, stderr: '', stdout: expect.stringContaining('One.') });
    const again = await runProgram(['recover', NAME], { cwd });
    expect(again).toMatchObject({ code: 0, stdout: 'talk.ychat: whole, left as it is\n' });
  });

  it('[CL43] [CL44] says so where nothing can be read, and leaves it as it is', async () => {
    const cwd = createFolder({ 'x.ychat': 'no document' });
    const before = readFolder(cwd);
    const cases: readonly (readonly [string, RegExp])[] = [
      ['x.ychat', /this is no chatdoc document/],
      ['nope.ychat', /there is no such file/],
    ];
    for (const [file, message] of cases) {
      const { code, stdout, stderr } = await runProgram(['recover', file], { cwd });
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
      expect(stderr).toMatch(message);
    }
    expect(readFolder(cwd)).toEqual(before);
  });
});

describe('export', () => {
  it('[CL45] writes the text form, which is the same document', async () => {
    const cwd = await createTalk();
    const { code, stdout, stderr } = await spawnProgram(['export', NAME, '--format', 'jsonl'], { cwd });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const chat = openChat(new Y.Doc());
    expect(chat.importJSONL(stdout).ok).toBe(true);
    expect(chat.toJSONL()).toBe(stdout);
    const shown = await runProgram(['show', NAME], { cwd });
    expect(await runProgram(['show', '-'], { cwd, input: stdout })).toEqual(shown);
  });

  it('[CL45] writes each format, and counts what it has no place for', async () => {
    const cwd = await createTalk();
    for (const format of ['cocalc', 'jupyter', 'markdown']) {
      const { code, stdout, stderr } = await runProgram(['export', NAME, '--format', format], { cwd });
      expect(code).toBe(0);
      expect(stdout).toContain('Three.');
      expect(stderr).toMatch(new RegExp(`^chatdoc: talk\\.ychat: ${format} has no place for \\d+ `));
      expect(stderr.split('\n')).toHaveLength(2);
      const written = await runProgram(['export', NAME, '--format', format, '--out', `x.${format}`], { cwd });
      expect(written).toMatchObject({ code: 0, stdout: '' });
      expect(readFileSync(join(cwd, `x.${format}`), 'utf8')).toBe(stdout);
      if (format === 'markdown') continue;
      const again = await runProgram(['show', `x.${format}`], { cwd });
      expect(again).toMatchObject({ code: 0, stdout: expect.stringContaining('Three.') });
    }
  });

  it('[CL45] leaves a file that exists as it is, unless --force replaces it', async () => {
    const cwd = await createTalk();
    writeFileSync(join(cwd, 'x'), 'mine');
    const argv = ['export', NAME, '--format', 'jsonl', '--out', 'x'];
    const kept = await runProgram(argv, { cwd });
    expect(kept).toMatchObject({ code: 2, stdout: '', stderr: expect.stringMatching(/exists and was left/) });
    expect(readFolder(cwd)['x']).toBe('mine');
    expect((await runProgram([...argv, '--force'], { cwd })).code).toBe(0);
    expect(readFolder(cwd)['x']).toMatch(/^\{"type":"lane"/);
  });

  it('[CL6] [CL45] prints no control character on a terminal', async () => {
    const { chat } = createAgentChat();
    const { thread_id } = chat.createThread({ created_by: 'eve' });
    chat.send({ thread_id, sender_id: 'eve', content: 'a\u001b[2Jb\u202ec' });
    const cwd = createFolder();
    await createDocument(join(cwd, NAME), chat);
    for (const format of ['jsonl', 'cocalc', 'jupyter', 'markdown']) {
      const options = { cwd, terminal: true, env: { NO_COLOR: '1' } };
      const { stdout } = await runProgram(['export', NAME, '--format', format], options);
      for (const control of ['\u001b', '\u202e']) expect(stdout.includes(control)).toBe(false);
    }
  });
});
