import { existsSync, mkdirSync, readFileSync, truncateSync, unlinkSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { openChat } from '@chatdoc/schema';
import { createChatFile, nodeFileEnvironment, openChatFile } from '@chatdoc/sync/file';
import { describe, expect, it } from 'vitest';
import * as Y from 'yjs';
import { commitMigration, defaultOutput, readRecord } from '../src/commit/index.js';
import { openLegacy, planMigration } from '../src/index.js';
import {
  CHAT,
  commit,
  createFolder,
  LATER,
  OTHER,
  open,
  readFolder,
  textsIn,
  textsOf,
} from './file-chats.js';
import { toBytes } from './helpers/plans.js';

const BACKUP = /^team\.chat\.[0-9a-f]{16}\.backup$/;

describe('a migration', () => {
  it('[CM1] writes the document beside the chat, which it only reads', async () => {
    const folder = createFolder({ 'team.chat': CHAT });
    const result = await commit(join(folder, 'team.chat'));
    expect(result).toMatchObject({ outcome: 'written', generation: 0, output: join(folder, 'team.ychat') });
    expect(result.lines).toBe(result.plan.entries.length);
    const files = readFolder(folder);
    expect(files['team.chat']).toBe(CHAT);
    const file = await open(result.output);
    const imported = openChat(new Y.Doc());
    imported.importJSONL(result.plan.jsonl);
    expect(file.chat.digest()).toBe(imported.digest());
    expect(file.doc_id).toBe(imported.docId());
    expect(file.doc_id).toBe(result.doc_id);
    await file.close();
  });

  it('[CM1] names documents by what they come from, whatever its ending', () => {
    const names = {
      'a/b.chat': 'a/b.ychat',
      'x.sage-chat': 'x.ychat',
      'T.CSV': 'T.ychat',
      chat: 'chat.ychat',
    };
    for (const [source, output] of Object.entries({ ...names, '/d/.chat': '/d/.chat.ychat' }))
      expect(defaultOutput(source)).toBe(output);
  });

  it('[CM2] keeps a verified copy, and says from what the document was made', async () => {
    const folder = createFolder({ 'team.chat': CHAT });
    const { backup, doc_id, output } = await commit(join(folder, 'team.chat'));
    expect(backup).toMatch(BACKUP);
    expect(readFolder(folder)[backup]).toBe(CHAT);
    const known = await readRecord(output, nodeFileEnvironment);
    expect(known).toMatchObject({
      ok: true,
      record: {
        source: 'team.chat',
        source_bytes: CHAT.length,
        format: 'cocalc',
        backup,
        doc_id,
        generation: 0,
      },
    });
  });

  it('[CM2] does not trust a copy that is not one', async () => {
    const folder = createFolder({ 'team.chat': CHAT });
    const { backup, output } = await commit(join(folder, 'team.chat'));
    writeFileSync(join(folder, backup), `${CHAT} `);
    const before = readFolder(folder);
    expect(await commitMigration(join(folder, 'team.chat'))).toMatchObject({ code: 'backup_damaged' });
    unlinkSync(output);
    const { 'team.ychat': _, ...rest } = before;
    expect(await commitMigration(join(folder, 'team.chat'))).toMatchObject({ code: 'backup_damaged' });
    expect(readFolder(folder)).toEqual(rest);
  });

  it('[CM3] writes not a byte where the document has it all', async () => {
    const folder = createFolder({ 'team.chat': CHAT });
    const first = await commit(join(folder, 'team.chat'));
    const before = readFolder(folder);
    const again = await commit(join(folder, 'team.chat'));
    expect(again).toMatchObject({ outcome: 'same', lines: 0, doc_id: first.doc_id });
    expect(readFolder(folder)).toEqual(before);
  });

  it('[CM3] adds what the chat has more, and keeps what people did in the document', async () => {
    const folder = createFolder({ 'team.chat': CHAT });
    const { output } = await commit(join(folder, 'team.chat'));
    const file = await open(output);
    const [thread] = file.chat.threads();
    const { thread_id = '' } = thread ?? {};
    file.chat.send({ thread_id, sender_id: 'dan', content: 'Written here.' });
    const secret = file.chat.threads().flatMap((one) => file.chat.messages(one.thread_id));
    const { message_id = '' } = secret.find(({ content }) => content === 'Yes.') ?? {};
    file.chat.redact({ message_id, by: 'bob' });
    await file.close();
    writeFileSync(join(folder, 'team.chat'), LATER);
    const result = await commit(join(folder, 'team.chat'));
    expect(result.outcome).toBe('updated');
    // The document entry, the thread and the message of the new row, and the one that was redacted, blank.
    expect(result.lines).toBe(4);
    const texts = textsIn(readFileSync(output)) ?? [];
    expect(texts).toEqual(expect.arrayContaining(['Shall we ship?', 'Written here.', 'Noon.']));
    expect(texts).not.toContain('Yes.');
    expect((await commit(join(folder, 'team.chat'))).outcome).toBe('same');
  });

  it('[CM3] adds only what is new, however often', async () => {
    const folder = createFolder({ 'team.chat': CHAT });
    const source = join(folder, 'team.chat');
    await commit(source);
    const row = (n: number): string =>
      `{"event":"chat","sender_id":"ada","date":"2024-11-22T10:00:0${n}.000Z","history":[{"content":"more ${n}","date":"2024-11-22T10:00:0${n}.000Z","author_id":"ada"}]}\n`;
    for (let n = 0; n < 5; n += 1) {
      writeFileSync(source, `${readFileSync(source, 'utf8')}${row(n)}`);
      expect(await commit(source)).toMatchObject({ outcome: 'updated', lines: 3 });
    }
    const file = await open(join(folder, 'team.ychat'));
    const lines = file.chat.toJSONL().split('\n');
    expect(new Set(lines).size).toBe(lines.length);
    expect(textsOf(file.chat)).toHaveLength(8);
    await file.close();
  });

  it('[CM3] [CM11] goes on in a document that was compacted', async () => {
    const folder = createFolder({ 'team.chat': CHAT });
    const { output } = await commit(join(folder, 'team.chat'));
    const compacted = await (await open(output)).compact();
    if (!compacted.ok) throw new Error(compacted.code);
    await compacted.file.close();
    writeFileSync(join(folder, 'team.chat'), LATER);
    expect(await commit(join(folder, 'team.chat'))).toMatchObject({ outcome: 'updated', generation: 1 });
    expect(textsIn(readFileSync(output))).toContain('Noon.');
  });

  it('[CM4] refuses what it cannot do, and writes nothing', async () => {
    const doc = new Y.Doc();
    openChat(doc).createThread({ created_by: 'eve' });
    const folder = createFolder({
      'team.chat': CHAT,
      'binary.chat': Uint8Array.from({ length: 900 }, (_, i) => (i * 73) % 256),
      'text.ychat': 'precious',
      'mine.jsonl': openChat(doc).toJSONL(),
      'torn.ychat': '',
      'bad.ychat.migration.json': '{}',
    });
    mkdirSync(join(folder, 'folder.ychat'));
    const other = await createChatFile(join(folder, 'other.ychat'), { doc });
    if (other.ok) await other.file.close();
    const files = (): object => ({ ...readFiles(folder) });
    const before = files();
    const refuse = async (source: string, output: string, code: string): Promise<void> => {
      for (const dryRun of [true, false]) {
        const options = { output: join(folder, output), dryRun };
        const result = await commitMigration(join(folder, source), options);
        expect(result, `${source} ${output} ${dryRun}`).toMatchObject({ ok: false, code });
        expect(files()).toEqual(before);
      }
    };
    await refuse('nope.chat', 'x.ychat', 'not_found');
    await refuse('folder.ychat', 'x.ychat', 'directory');
    await refuse('binary.chat', 'x.ychat', 'unknown_format');
    await refuse('mine.jsonl', 'x.ychat', 'already_chatdoc');
    await refuse('team.chat', 'text.ychat', 'not_a_document');
    await refuse('team.chat', 'team.chat', 'not_a_document');
    await refuse('team.chat', 'other.ychat', 'other_document');
    await refuse('team.chat', 'folder.ychat', 'directory');
    await refuse('team.chat', 'bad.ychat', 'bad_record');
  });

  it('[CM4] refuses a document of another chat, by its record too', async () => {
    const folder = createFolder({ 'team.chat': CHAT, 'eve.chat': OTHER });
    const { output } = await commit(join(folder, 'team.chat'));
    const before = readFolder(folder);
    for (const dryRun of [true, false]) {
      const result = await commitMigration(join(folder, 'eve.chat'), { output, dryRun });
      expect(result).toMatchObject({ ok: false, code: 'other_document' });
    }
    expect(readFolder(folder)).toEqual(before);
  });

  it('[CM4] refuses a damaged document', async () => {
    const folder = createFolder({ 'team.chat': CHAT });
    const { output } = await commit(join(folder, 'team.chat'));
    const file = await open(output);
    file.chat.createThread({ created_by: 'dan' });
    await file.close();
    const bytes = readFileSync(output);
    bytes[200] = (bytes[200] ?? 0) ^ 1;
    writeFileSync(output, bytes);
    writeFileSync(join(folder, 'team.chat'), LATER);
    const before = readFolder(folder);
    for (const dryRun of [true, false])
      expect(await commitMigration(join(folder, 'team.chat'), { dryRun })).toMatchObject({ code: 'damaged' });
    expect(readFolder(folder)).toEqual(before);
  });

  it('[CM4] refuses two gigabytes without reading them', async () => {
    const folder = createFolder({ 'huge.chat': '' });
    truncateSync(join(folder, 'huge.chat'), 2 * 1024 ** 3);
    const result = await commitMigration(join(folder, 'huge.chat'));
    expect(result).toMatchObject({ ok: false, code: 'too_large' });
    expect(process.memoryUsage().rss).toBeLessThan(2 * 1024 ** 3);
  });

  it('[CM8] says what it would do, and does not', async () => {
    const folder = createFolder({ 'team.chat': CHAT });
    const source = join(folder, 'team.chat');
    const dry = async (): Promise<object> => {
      const before = readFolder(folder);
      const { plan: _, ...result } = await commit(source, { dryRun: true });
      expect(readFolder(folder)).toEqual(before);
      return result;
    };
    const real = async (): Promise<object> => {
      const { plan: _, ...result } = await commit(source);
      return result;
    };
    for (const content of [CHAT, CHAT, LATER]) {
      writeFileSync(source, content);
      const expected = await dry();
      expect(await real()).toEqual(expected);
    }
  });

  it('[CM9] reads the chat as what it is told', async () => {
    const odd = `${JSON.stringify({ event: 'chat', mesg: { content: 'x' } })}\n${JSON.stringify({ a: 1 })}\n`;
    const folder = createFolder({ 'odd.chat': odd, 'team.chat': CHAT, 'empty.chat': '' });
    const path = join(folder, 'team.chat');
    expect(planMigration(toBytes(CHAT), { format: 'jupyter' })).toMatchObject({ code: 'unknown_format' });
    expect(await commitMigration(path, { format: 'jupyter' })).toMatchObject({ code: 'unknown_format' });
    expect(Object.keys(readFolder(folder))).toHaveLength(3);
    expect((await commit(path, { format: 'cocalc' })).outcome).toBe('written');
    const table = createFolder({ 'rows.json': JSON.stringify([{ task: 't', sender: 'ada' }, { x: 1 }]) });
    const rows = join(table, 'rows.json');
    expect(await commitMigration(rows)).toMatchObject({ code: 'unknown_format' });
    expect((await commit(join(folder, 'empty.chat'), { format: 'tasks' })).plan.format).toBe('empty');
  });

  it('[CM10] does not take two chats in which nobody has written for one', async () => {
    const folder = createFolder({ 'a.chat': '', 'b.chat': '\n' });
    const [a, b] = [await commit(join(folder, 'a.chat')), await commit(join(folder, 'b.chat'))];
    expect(a.doc_id).not.toBe(b.doc_id);
    expect(await commit(join(folder, 'a.chat'))).toMatchObject({ outcome: 'same', doc_id: a.doc_id });
    writeFileSync(join(folder, 'a.chat'), CHAT);
    expect(await commit(join(folder, 'a.chat'))).toMatchObject({ outcome: 'updated', doc_id: a.doc_id });
  });

  it('[CM11] by two processes at once makes one document that has it all', async () => {
    const outcomes = new Set<string>();
    for (let round = 0; round < 10; round += 1) {
      const folder = createFolder({ 'team.chat': CHAT });
      const path = join(folder, 'team.chat');
      const results = await Promise.all([1, 2, 3].map(() => commitMigration(path)));
      for (const result of results) outcomes.add(result.ok ? result.outcome : result.code);
      expect(results.some(({ ok }) => ok)).toBe(true);
      expect((await commit(path)).outcome).toBe('same');
      expect(textsIn(readFileSync(join(folder, 'team.ychat')))).toEqual(textsOfChat());
      expect(Object.keys(readFolder(folder))).toHaveLength(4);
    }
    for (const outcome of outcomes) expect(['written', 'same', 'exists', 'conflict']).toContain(outcome);
    expect(outcomes).toContain('written');
  });

  it('[CM1] opens under the name that people gave its folder', async () => {
    const folder = createFolder({ 'Füße ☃.chat': CHAT });
    mkdirSync(join(folder, 'out'));
    const output = join(folder, 'out', 'x.ychat');
    const { backup } = await commit(join(folder, 'Füße ☃.chat'), { output });
    expect(existsSync(join(folder, 'out', backup))).toBe(true);
    expect(await readRecord(output, nodeFileEnvironment)).toMatchObject({
      record: { source: join('..', 'Füße ☃.chat') },
    });
    expect((await openChatFile(output, { readOnly: true })).ok).toBe(true);
    expect(basename(backup).startsWith('Füße ☃.chat.')).toBe(true);
  });
});

function textsOfChat(): string[] {
  const opened = openLegacy(toBytes(CHAT));
  return opened.ok ? textsOf(opened.chat) : [];
}

function readFiles(folder: string): Record<string, string> {
  const names = ['team.chat', 'binary.chat', 'text.ychat', 'mine.jsonl', 'torn.ychat', 'other.ychat'];
  const all = names.map((name) => [name, readFileSync(join(folder, name), 'latin1')]);
  return { ...Object.fromEntries(all), x: String(existsSync(join(folder, 'x.ychat'))) };
}
