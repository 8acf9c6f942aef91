import { copyFileSync, readFileSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { type Chat, openChat } from '@chatdoc/schema';
import { readDocument } from '@chatdoc/sync';
import { openChatFile } from '@chatdoc/sync/file';
import { HocuspocusProvider, HocuspocusProviderWebsocket } from '@hocuspocus/provider';
import { afterEach, describe, expect, it } from 'vitest';
import WebSocket from 'ws';
import * as Y from 'yjs';
import { createDocument, createFolder, openProgram, runProgram } from './program.js';

const closers: (() => void)[] = [];

afterEach(() => {
  for (const close of closers.splice(0).reverse()) close();
});

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 5));
}

function read(path: string) {
  const document = readDocument(readFileSync(path));
  if (!document.ok) throw new Error(document.code);
  return document;
}

function textsOf(chat: Chat): string[] {
  return chat
    .threads()
    .flatMap(({ thread_id }) => chat.messages(thread_id).map(({ content }) => content ?? ''))
    .sort();
}

/** A folder with `team.ychat` and a copy of it, both written in since. */
async function createCopies(): Promise<string> {
  const cwd = createFolder({});
  const chat = openChat(new Y.Doc());
  const { thread_id } = chat.createThread({ created_by: 'ada' });
  chat.send({ thread_id, sender_id: 'ada', content: 'before' });
  await createDocument(join(cwd, 'team.ychat'), chat);
  copyFileSync(join(cwd, 'team.ychat'), join(cwd, 'team copy.ychat'));
  for (const [name, words] of [
    ['team.ychat', ['there', 'and there']],
    ['team copy.ychat', ['in the copy']],
  ] as const) {
    const opened = await openChatFile(join(cwd, name), { flush: 'manual' });
    if (!opened.ok) throw new Error(opened.code);
    for (const content of words) opened.file.chat.send({ thread_id, sender_id: 'ada', content });
    await opened.file.close();
  }
  return cwd;
}

describe('two files of one document', () => {
  it('[CL70] are an error of verify, by name, and the second alone', async () => {
    const cwd = await createCopies();
    const { code, stdout } = await runProgram(['verify', '.'], { cwd });
    expect(code).toBe(1);
    expect(stdout).toMatch(
      /^team copy\.ychat: [\s\S]*all well\nteam\.ychat: [\s\S]*error +FILES same_document/,
    );
    expect(stdout.replace(/\s+/g, ' ')).toContain('this is the same document as team copy.ychat');
    const json = JSON.parse((await runProgram(['verify', '--json', '.'], { cwd })).stdout);
    const [first, second] = json.files.map(({ findings }: { findings: { rule: string }[] }) =>
      findings.filter(({ rule }) => rule === 'FILES'),
    );
    expect(first).toEqual([]);
    expect(second).toMatchObject([{ severity: 'error', ids: [read(join(cwd, 'team.ychat')).doc_id] }]);
    expect((await runProgram(['verify', 'team.ychat'], { cwd })).code).toBe(0);
  });

  it('[CL70] of which one was detached are two documents, and merge brings back what it has', async () => {
    const cwd = await createCopies();
    const detached = await runProgram(['detach', 'team copy.ychat'], { cwd });
    const { doc_id } = read(join(cwd, 'team copy.ychat'));
    expect(detached).toMatchObject({
      code: 0,
      stdout: `team copy.ychat: a document of its own, ${doc_id}\n`,
    });
    expect((await runProgram(['verify', '.'], { cwd })).code).toBe(0);
    expect(textsOf(read(join(cwd, 'team copy.ychat')).chat)).toEqual(['before', 'in the copy']);
    const merged = await runProgram(['merge', 'team.ychat', 'team copy.ychat'], { cwd });
    expect(merged).toMatchObject({ code: 0, stderr: '' });
    expect(textsOf(read(join(cwd, 'team.ychat')).chat)).toEqual([
      'and there',
      'before',
      'in the copy',
      'there',
    ]);
    const bytes = readFileSync(join(cwd, 'team.ychat'));
    const again = await runProgram(['merge', 'team.ychat', 'team copy.ychat'], { cwd });
    expect(again).toMatchObject({ code: 0, stdout: 'team.ychat: has all of team copy.ychat\n' });
    expect(readFileSync(join(cwd, 'team.ychat'))).toEqual(bytes);
  });

  it('[CL71] merge takes a copy as it is, an older generation too, and refuses what is no copy', async () => {
    const cwd = await createCopies();
    const other = openChat(new Y.Doc());
    other.createThread({ created_by: 'bob' });
    await createDocument(join(cwd, 'other.ychat'), other);
    expect((await runProgram(['compact', 'team.ychat'], { cwd })).code).toBe(0);
    const merged = await runProgram(['merge', 'team.ychat', 'team copy.ychat', 'other.ychat'], { cwd });
    expect(merged.code).toBe(1);
    expect(merged.stderr).toContain('other.ychat: this is another document, and no copy');
    expect(textsOf(read(join(cwd, 'team.ychat')).chat)).toContain('in the copy');
    const back = await runProgram(['merge', 'team copy.ychat', 'team.ychat'], { cwd });
    expect(back.code).toBe(2);
    expect(back.stderr).toContain('this copy was compacted');
  });

  it('[CL70] that migrations of one chat and its duplicate made are told', async () => {
    const row = (content: string) =>
      `${JSON.stringify({ event: 'chat', sender_id: 'ada', date: '2024-09-13T14:37:00.000Z', history: [{ author_id: 'ada', content, date: '2024-09-13T14:37:00.000Z' }] })}\n`;
    const cwd = createFolder({ 'a.chat': row('Ship it'), 'b.chat': row('Ship it') });
    const { code, stderr } = await runProgram(['migrate', 'a.chat', 'b.chat'], { cwd });
    expect(code).toBe(0);
    expect(stderr).toContain('b.ychat: this is the same document as a.ychat');
  });
});

describe('serve', () => {
  it('[CL72] names copies at its start, and says at its end what is not saved, and where it is kept', async () => {
    const cwd = await createCopies();
    const { doc_id } = read(join(cwd, 'team.ychat'));
    const program = openProgram(['serve', '.', '--port', '0'], { cwd });
    await program.shows(/team copy\.ychat: this is a copy of team\.ychat, which is served/);
    const url = /ws:\S+/.exec(program.texts.stdout)?.[0] ?? '';
    const websocketProvider = new HocuspocusProviderWebsocket({ url, WebSocketPolyfill: WebSocket });
    const document = new Y.Doc();
    const provider = new HocuspocusProvider({ websocketProvider, name: `${doc_id}.0`, document });
    provider.attach();
    closers.push(() => {
      provider.destroy();
      websocketProvider.destroy();
    });
    const chat = openChat(document);
    await until(() => chat.threads().length === 1);
    expect(textsOf(chat)).toEqual(['and there', 'before', 'there']);
    unlinkSync(join(cwd, 'team copy.ychat'));
    unlinkSync(join(cwd, 'team.ychat'));
    program.stop();
    const { code, stdout, stderr } = await program.result;
    expect(code).toBe(1);
    expect(stdout).toMatch(/stopped; 1 chat and 1 connection were open, and 1 chat not saved\n$/);
    expect(stdout).not.toContain('everything');
    expect(stderr).toContain('team.ychat: this chat is not saved: it was deleted; all of it is kept in ');
    const kept = /kept in (\S+),/.exec(stderr)?.[1] ?? '';
    expect(textsOf(read(join(cwd, kept)).chat)).toEqual(['and there', 'before', 'there']);
  });
});
