import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createAgentChat } from './agent-chat.js';
import { COCALC, JUPYTER } from './chats.js';
import { createDocument, createFolder, readFolder, runProgram, spawnProgram } from './program.js';

/** A healthy document, and the same with a message that replies to itself and a line that is none. */
function createDocuments(): { readonly healthy: string; readonly damaged: string } {
  const { chat, thread_id } = createAgentChat();
  const healthy = chat.toJSONL();
  const id = '01JD7Y0000ABCDEFGHJKMNPQRS';
  const reply = {
    type: 'message',
    message_id: id,
    thread_id,
    reply_to_message_id: id,
    sender_id: 'ada',
    date: '2024-11-21T11:00:00.000Z',
    content: 'my secret',
  };
  return { healthy, damaged: `${healthy}${JSON.stringify(reply)}\n{"type":"message","secret\n` };
}

describe('verify', () => {
  it('[CL30] ends with 0 where nothing is wrong', async () => {
    const cwd = createFolder({ 'room.chat': JUPYTER });
    const { code, stdout, stderr } = await spawnProgram(['verify', 'room.chat'], { cwd });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toBe('room.chat: jupyter-chat document, 2 messages in 1 thread\n  all well\n');
  });

  it('[CL2] [CL30] [CL31] ends with 1 on errors, with rule, reason and ids, and none of the content', async () => {
    const { damaged } = createDocuments();
    const cwd = createFolder({ 'a.jsonl': damaged });
    const { code, stdout, stderr } = await spawnProgram(['verify', 'a.jsonl'], { cwd });
    expect({ code, stderr }).toEqual({ code: 1, stderr: '' });
    expect(stdout).toMatch(
      /^ {2}error {4}IN6 reply_cycle: this message replies to itself\n {11}\(01JD7Y0000ABCDEFGHJKMNPQRS\)$/m,
    );
    expect(stdout).toMatch(
      /^ {2}error {4}IN(?:20 quarantined_line: 1 line cannot be read|29 missing_identity: 1 line has no valid type)/m,
    );
    expect(stdout).toMatch(/2 errors\n$/);
    expect(stdout).not.toContain('secret');
    expect(readFolder(cwd)['a.jsonl']).toBe(damaged);
  });

  it('[CL30] ends with 0 on warnings: rows of an old chat that were odd, a file that was cut', async () => {
    const { healthy } = createDocuments();
    const cwd = createFolder({
      'team.chat': COCALC,
      'cut.jsonl': healthy.slice(0, healthy.indexOf('And then') + 4),
    });
    const { code, stdout } = await runProgram(['verify', 'team.chat', 'cut.jsonl'], { cwd });
    expect(code).toBe(0);
    expect(stdout).toMatch(/^ {2}warning {2}line 5: the line is not JSON: it is kept as text$/m);
    expect(stdout).toMatch(/^ {2}warning {2}the file ends in the middle of a line/m);
    expect(stdout).toMatch(/no errors, 1 warning$/m);
  });

  it('[CL32] prints findings as JSON, also of files that fail', async () => {
    const { damaged } = createDocuments();
    const cwd = createFolder({ 'a.jsonl': damaged, 'team.chat': COCALC });
    const { code, stdout, stderr } = await runProgram(['verify', 'a.jsonl', 'team.chat', 'nope', '--json'], {
      cwd,
    });
    expect(code).toBe(1);
    expect(stderr).toMatch(/^chatdoc: nope: /);
    const { files } = JSON.parse(stdout);
    expect(files[0]).toMatchObject({
      file: 'a.jsonl',
      ok: true,
      format: 'chatdoc',
      threads: 1,
      problems: [],
      notes: [],
    });
    expect(files[0].findings).toContainEqual(
      expect.objectContaining({
        rule: 'IN6',
        name: 'reply_cycle',
        severity: 'error',
        ids: ['01JD7Y0000ABCDEFGHJKMNPQRS'],
        message: 'this message replies to itself',
      }),
    );
    expect(files[1]).toMatchObject({
      ok: true,
      format: 'cocalc',
      findings: [],
      problems: [{ line: 5, code: 'not_json' }],
    });
    expect(files[2]).toMatchObject({ file: 'nope', ok: false, code: 'missing' });
    expect(stdout).not.toContain('secret');
  });

  it('[CL50] takes folders, for the documents and old chats in them, and patterns, each file once', async () => {
    const cwd = createFolder();
    for (const folder of ['chats/deep', 'chats/.hidden', 'empty'])
      mkdirSync(join(cwd, folder), { recursive: true });
    await createDocument(join(cwd, 'chats/deep/talk.ychat'), createAgentChat().chat);
    const { healthy } = createDocuments();
    writeFileSync(join(cwd, 'chats/talk.chatdoc.jsonl'), healthy);
    for (const name of ['chats/team.chat', 'chats/.hidden/old.chat']) writeFileSync(join(cwd, name), JUPYTER);
    writeFileSync(join(cwd, 'chats/notes.txt'), 'no chat');
    const paths = ['chats', 'chats/*.chat', 'chats/team.chat', '--json'];
    const { code, stdout } = await runProgram(['verify', ...paths], { cwd });
    expect(code).toBe(0);
    expect(JSON.parse(stdout).files.map(({ file }: { file: string }) => file)).toEqual([
      'chats/deep/talk.ychat',
      'chats/talk.chatdoc.jsonl',
      'chats/team.chat',
    ]);
    expect(await runProgram(['verify', 'empty', '*.nope'], { cwd })).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(
        /empty: there is no chat in this folder.*\n.*\*\.nope: no file has such a name/,
      ),
    });
  });

  it('[CL2] ends with 1 where some files failed and with 2 where all did', async () => {
    const cwd = createFolder({ 'room.chat': JUPYTER });
    expect((await runProgram(['verify', 'room.chat', 'nope'], { cwd })).code).toBe(1);
    expect((await runProgram(['verify', 'nope', 'nope2'], { cwd })).code).toBe(2);
  });
});
