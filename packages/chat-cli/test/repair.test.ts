import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { check, repair } from '@chatdoc/integrity';
import { openChat } from '@chatdoc/schema';
import { encodeLine } from '@chatdoc/schema/internal';
import { readDocument } from '@chatdoc/sync';
import { createChatFile } from '@chatdoc/sync/file';
import { describe, expect, it } from 'vitest';
import * as Y from 'yjs';
import { createAgentChat, createChat } from './agent-chat.js';
import { COCALC } from './chats.js';
import { createDocument, createFolder, readChat, readFolder, runProgram, spawnProgram } from './program.js';

const THREAD = '01JD7Y0000ABCDEFGHJKMNPQRT';
const ORPHAN = '01JD7Y0000ABCDEFGHJKMNPQRV';
const CIRCLE = '01JD7Y0000ABCDEFGHJKMNPQRW';

const line = (message_id: string, fields: object): string =>
  encodeLine({
    type: 'message',
    message_id,
    thread_id: THREAD,
    ...fields,
    sender_id: 'ada',
    date: `2024-11-21T11:00:00.00${message_id === CIRCLE ? 1 : 0}Z`,
    content: 'my secret',
  } as never);

/** A message without its thread, and, if wanted, one that replies to itself. */
async function createBroken(cwd: string, name: string, hasCircle: boolean): Promise<void> {
  const chat = createChat();
  chat.createThread({ created_by: 'ada', name: 'Plan' });
  const lines = [line(ORPHAN, {}), ...(hasCircle ? [line(CIRCLE, { reply_to_message_id: CIRCLE })] : [])];
  const copy = openChat(new Y.Doc());
  copy.importJSONL(`${chat.toJSONL()}${lines.join('\n')}\n`);
  await createDocument(join(cwd, name), copy);
}

describe('repair', () => {
  it('[CL51] appends what can be mended, says how to take it back, and writes nothing when run again', async () => {
    const cwd = createFolder();
    await createBroken(cwd, 'talk.ychat', false);
    const before = readFileSync(join(cwd, 'talk.ychat'));
    const { code, stdout, stderr } = await spawnProgram(['repair', 'talk.ychat'], { cwd });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(
      new RegExp(`^talk\\.ychat: 1 line written\n {2}IN1 thread_absent: 1 line for ${THREAD}\n`),
    );
    expect(stdout).toMatch(/^ {4}Writes a line in place of the thread/m);
    expect(stdout).toMatch(/^ {4}To take it back: It gives way by itself/m);
    expect(stdout).toMatch(/^ {2}warning {2}IN24 cut_entry: 1 finding left/m);
    const after = readFileSync(join(cwd, 'talk.ychat'));
    expect(after.subarray(0, before.length).equals(before)).toBe(true);
    expect(check(readChat(join(cwd, 'talk.ychat'))).map(({ rule }) => rule)).toEqual(['IN24']);
    expect(readChat(join(cwd, 'talk.ychat')).messages(THREAD)).toHaveLength(1);
    const again = await runProgram(['repair', 'talk.ychat'], { cwd });
    expect(again.stdout).toMatch(/^talk\.ychat: nothing to repair\n {2}warning/);
    expect(readFileSync(join(cwd, 'talk.ychat')).equals(after)).toBe(true);
  });

  it('[CL2] [CL51] says why the rest is left, without what people wrote, and ends with 1 on errors', async () => {
    const cwd = createFolder();
    await createBroken(cwd, 'talk.ychat', true);
    const { code, stdout, stderr } = await runProgram(['repair', 'talk.ychat', 'nope.ychat'], { cwd });
    expect(code).toBe(1);
    expect(stdout.replace(/\n {11}/g, ' ')).toContain(
      `  error    IN6 reply_cycle: 1 finding left (${CIRCLE}). No message can be changed; `,
    );
    expect(stdout).not.toContain('secret');
    expect(stderr).toMatch(/^chatdoc: nope\.ychat: there is no such file/);
    expect((await runProgram(['repair', 'nope.ychat'], { cwd })).code).toBe(2);
  });

  it('[CL52] says with --dry-run what it would write, and only reads', async () => {
    const cwd = createFolder();
    await createBroken(cwd, 'talk.ychat', true);
    const before = readFolder(cwd);
    chmodSync(join(cwd, 'talk.ychat'), 0o444);
    const dry = await runProgram(['repair', 'talk.ychat', '--dry-run'], { cwd });
    expect(dry.code).toBe(1);
    expect(dry.stdout).toMatch(/^talk\.ychat: would write 1 line\n/);
    expect(readFolder(cwd)).toEqual(before);
    chmodSync(join(cwd, 'talk.ychat'), 0o644);
    const done = await runProgram(['repair', 'talk.ychat'], { cwd });
    expect(done.stdout.replace('1 line written', 'would write 1 line')).toBe(dry.stdout);
  });

  it('[CL52] runs the rules that it is given, by id or name, and refuses others', async () => {
    const cwd = createFolder();
    await createBroken(cwd, 'talk.ychat', true);
    const other = await runProgram(['repair', 'talk.ychat', '--rules', 'in11, reply_elsewhere'], { cwd });
    expect(other).toMatchObject({ code: 0, stdout: 'talk.ychat: nothing to repair\n  all well\n' });
    const one = await runProgram(['repair', 'talk.ychat', '--rules', 'THREAD_ABSENT'], { cwd });
    expect(one.code).toBe(0);
    expect(one.stdout).toMatch(/^talk\.ychat: 1 line written\n/);
    const none = await runProgram(['repair', 'talk.ychat', '--rules', 'IN1,IN99'], { cwd });
    expect(none).toMatchObject({ code: 2, stdout: '' });
    expect(none.stderr).toMatch(
      /^chatdoc: --rules: there is no rule IN99; those with a repair are IN1 thread_absent, /,
    );
  });

  it('[CL53] refuses what is no whole document with what to do, and leaves it as it is', async () => {
    const cwd = createFolder({
      'team.chat': COCALC,
      'talk.chatdoc.jsonl': createAgentChat().chat.toJSONL(),
      'text.ychat': 'Dear diary,\n',
      'empty.ychat': '',
    });
    await createBroken(cwd, 'hurt.ychat', false);
    const bytes = readFileSync(join(cwd, 'hurt.ychat'));
    await createBroken(cwd, 'more.ychat', true);
    const more = readFileSync(join(cwd, 'more.ychat'));
    const at = bytes.length - 20;
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    writeFileSync(join(cwd, 'hurt.ychat'), Buffer.concat([bytes, more]));
    const before = readFolder(cwd);
    const refusals: readonly (readonly [string, RegExp])[] = [
      ['team.chat', /this is an old chat \(CoCalc chat\); run chatdoc migrate first/],
      ['talk.chatdoc.jsonl', /this is the text form of a document; name the document \(\.ychat\)/],
      ['text.ychat', /neither JSON nor lines of JSON/],
      ['empty.ychat', /this file is empty; name a document/],
      ['hurt.ychat', /damaged[\s\S]*run chatdoc recover first|chatdoc recover brings back/],
      ['.', /this is a folder; name the document|name the chat files in it/],
      ['', /there is no such file|the name of the file is empty/],
    ];
    for (const command of [['repair'], ['repair', '--dry-run']]) {
      for (const [file, message] of refusals) {
        const { code, stdout, stderr } = await runProgram([...command, file], { cwd });
        expect({ code, stdout }, file).toEqual({ code: 2, stdout: '' });
        expect(stderr, file).toMatch(message);
        expect(stderr.split('\n')).toHaveLength(2);
      }
    }
    expect(readFolder(cwd)).toEqual(before);
  });

  it('[CL53] refuses a document of which somebody deletes every repair', async () => {
    const cwd = createFolder();
    await createBroken(cwd, 'talk.ychat', false);
    const read = readDocument(readFileSync(join(cwd, 'talk.ychat')));
    if (!read.ok) throw new Error(read.code);
    const { doc, doc_id } = read;
    for (let round = 0; round < 16; round += 1) {
      const chat = openChat(doc);
      expect(repair(chat).ok).toBe(true);
      chat.close();
      const map = doc.getMap('chat');
      for (const [key, text] of [...map]) if (String(text).includes('"cut":true')) map.delete(key);
    }
    const created = await createChatFile(join(cwd, 'lost.ychat'), { doc, doc_id, flush: 'manual' });
    if (!created.ok) throw new Error(created.code);
    await created.file.close();
    const { code, stdout, stderr } = await runProgram(['repair', 'lost.ychat'], { cwd });
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/lost\.ychat: somebody has deleted the repairs .*; serve it with chatdoc serve/);
  });
});
