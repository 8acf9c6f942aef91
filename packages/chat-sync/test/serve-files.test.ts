import {
  copyFileSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Chat } from '@chatdoc/schema';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FileEnvironment, nodeFileEnvironment } from '../src/file/fs.js';
import { type ChatFile, createChatFile, openChatFile } from '../src/file/index.js';
import { readDocument } from '../src/file/read-document.js';
import { roomName } from '../src/generation/room.js';
import { type ChatServer, DocumentFolder, type ServeOptions, serveFolder } from '../src/server/index.js';
import { type Client, closeAll, connect } from './hostile-server.js';
import { DOC_ID } from './hostile-world.js';

const ROOM = roomName(DOC_ID, 0);

/** As long as the test may take: what is waited for has no deadline of its own. */
async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 5));
}

/** A disk that can be told to fail, and counts. */
class FaultyDisk {
  fault: string | undefined;
  opens = 0;
  readonly environment: FileEnvironment;

  constructor() {
    const { fileSystem } = nodeFileEnvironment;
    const fail = (): Promise<never> => Promise.reject(Object.assign(new Error('disk'), { code: this.fault }));
    this.environment = {
      ...nodeFileEnvironment,
      // What is tried again is tried again at once.
      sleep: () => new Promise((resolve) => setTimeout(resolve, 1)),
      fileSystem: {
        ...fileSystem,
        open: async (name, flags) => {
          this.opens += 1;
          const handle = await fileSystem.open(name, flags);
          const write = handle.write.bind(handle);
          handle.write = (...bytes) => (this.fault === undefined ? write(...bytes) : fail());
          return handle;
        },
      },
    };
  }
}

let folder: string;
let server: ChatServer | undefined;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'chat-sync-files-'));
});

afterEach(async () => {
  await closeAll();
  await server?.close();
  server = undefined;
  await rm(folder, { recursive: true });
});

const path = (name: string): string => join(folder, name);

async function serve(options: Partial<ServeOptions> = {}): Promise<string> {
  const served = await serveFolder({ directory: folder, port: 0, ...options });
  if (!served.ok) throw new Error(served.code);
  server = served.server;
  return `ws://${served.server.host}:${served.server.port}`;
}

async function enter(url: string, seed: string, room = ROOM, generation = 0): Promise<Client> {
  const client = connect({ url }, '', { room, generation, seed });
  await until(() => client.provider.isSynced);
  return client;
}

async function make(name: string, word: string): Promise<string> {
  const created = await createChatFile(path(name), { doc_id: DOC_ID, flush: 'manual' });
  if (!created.ok) throw new Error(created.code);
  const { thread_id } = created.file.chat.createThread({ created_by: 'ada' });
  created.file.chat.send({ thread_id, sender_id: 'ada', content: word });
  await created.file.close();
  return thread_id;
}

async function open(name: string): Promise<ChatFile> {
  const opened = await openChatFile(path(name), { flush: 'manual' });
  if (!opened.ok) throw new Error(opened.code);
  return opened.file;
}

async function append(name: string, thread_id: string, content: string): Promise<void> {
  const file = await open(name);
  file.chat.send({ thread_id, sender_id: 'eve', content });
  expect(await file.close()).toEqual({ ok: true });
}

function textsOf(chat: Chat): string[] {
  return chat
    .threads()
    .flatMap(({ thread_id }) => chat.messages(thread_id).map(({ content }) => content ?? ''))
    .sort();
}

function textsIn(file: string): string[] {
  const read = readDocument(readFileSync(file));
  if (!read.ok) throw new Error(read.code);
  return textsOf(read.chat);
}

function write(client: Client, content: string): void {
  const thread_id =
    client.chat.threads()[0]?.thread_id ?? client.chat.createThread({ created_by: 'x' }).thread_id;
  client.chat.send({ thread_id, sender_id: 'x', content });
}

describe('the last word of a server', () => {
  it('[SV10] is that all is saved, where it is', async () => {
    const ada = await enter(await serve(), 'a');
    write(ada, 'kept');
    await until(() => !ada.provider.hasUnsyncedChanges);
    expect(await server?.close()).toEqual({ ok: true });
    expect(textsIn(path(`${DOC_ID}.ychat`))).toEqual(['kept']);
  });

  const spoil: Readonly<Record<string, (disk: FaultyDisk) => void>> = {
    'the disk is full': (disk) => {
      disk.fault = 'ENOSPC';
    },
    'the disk fails': (disk) => {
      disk.fault = 'EIO';
    },
    'the file is deleted': () => unlinkSync(path('team.ychat')),
    'the file is another document': () => {
      rmSync(path('team.ychat'));
      copyFileSync(path('other.backup'), path('team.ychat'));
    },
    'the file is damaged': () => {
      const bytes = readFileSync(path('team.ychat'));
      bytes.fill(0, 60, 90);
      rmSync(path('team.ychat'));
      writeFileSync(path('team.ychat'), bytes);
    },
  };
  for (const [what, break_] of Object.entries(spoil)) {
    it(`[SV10] is what is not saved, why, and where it is kept: ${what}`, async () => {
      await make('team.ychat', 'before');
      const other = await createChatFile(path('other.backup'), { flush: 'manual' });
      if (other.ok) await other.file.close();
      const disk = new FaultyDisk();
      const url = await serve({ environment: disk.environment });
      const ada = await enter(url, 'a');
      break_(disk);
      write(ada, 'not saved');
      const bob = await enter(url, 'b');
      await until(() => textsOf(bob.chat).includes('not saved'));
      expect(ada.provider.hasUnsyncedChanges).toBe(true);
      // Room for what is kept aside, where it was only the file that could not be written.
      const closing = server?.close();
      const closed = await closing;
      expect(closed).toMatchObject({ ok: false, unsaved: [{ room: ROOM, path: path('team.ychat') }] });
      const [unsaved] = closed?.ok === false ? closed.unsaved : [];
      if (disk.fault === undefined) expect(textsIn(unsaved?.kept ?? '')).toEqual(['before', 'not saved']);
      else expect(unsaved?.kept).toBeUndefined();
      expect(await server?.close()).toBe(closed);
    });
  }

  it('[SV10] comes in bounded time from a disk that does not answer', async () => {
    const disk = new FaultyDisk();
    const url = await serve({ environment: disk.environment, patience_ms: 1 });
    const ada = await enter(url, 'a');
    write(ada, 'first');
    await until(() => !ada.provider.hasUnsyncedChanges);
    const { fileSystem } = disk.environment;
    Object.assign(fileSystem, { open: () => new Promise(() => {}), stat: () => new Promise(() => {}) });
    expect(await server?.close()).toMatchObject({ ok: false, unsaved: [{ code: 'timeout' }] });
  });

  it('[SV10] nothing is said to be saved after it', async () => {
    const url = await serve();
    const ada = await enter(url, 'a');
    write(ada, 'first');
    await until(() => !ada.provider.hasUnsyncedChanges);
    const closing = server?.close();
    write(ada, 'too late?');
    await closing;
    await until(() => ada.closes.length > 0 || !ada.provider.isSynced);
    const saved = textsIn(path(`${DOC_ID}.ychat`));
    if (!ada.provider.hasUnsyncedChanges) expect(saved).toEqual(['first', 'too late?']);
  });
});

describe('saving', () => {
  it('[SV11] is tried until it works, also when the client has gone, and the room is closed then', async () => {
    const disk = new FaultyDisk();
    const url = await serve({ environment: disk.environment });
    const ada = await enter(url, 'a');
    write(ada, 'before');
    await until(() => !ada.provider.hasUnsyncedChanges);
    disk.fault = 'ENOSPC';
    write(ada, 'on a full disk');
    const bob = await enter(url, 'b');
    await until(() => textsOf(bob.chat).includes('on a full disk'));
    ada.disconnect();
    bob.disconnect();
    await until(() => server?.count().connections === 0);
    expect(server?.count().documents).toBe(1);
    disk.fault = undefined;
    await until(() => server?.count().documents === 0);
    expect(textsIn(path(`${DOC_ID}.ychat`))).toEqual(['before', 'on a full disk']);
    expect(await server?.close()).toEqual({ ok: true });
  });

  it('[SV11] an update that nobody waits for is saved, and many cost few writes', async () => {
    const disk = new FaultyDisk();
    let writes = 0;
    const { fileSystem } = disk.environment;
    const inner = fileSystem.open;
    let release = (): void => {};
    let gate: Promise<void> = Promise.resolve();
    fileSystem.open = async (name, flags) => {
      const handle = await inner(name, flags);
      const writeNow = handle.write.bind(handle);
      handle.write = async (...bytes) => {
        if (bytes[2] > 0) writes += 1;
        await gate;
        return writeNow(...bytes);
      };
      return handle;
    };
    const url = await serve({ environment: disk.environment });
    const ada = await enter(url, 'a');
    write(ada, 'first');
    await until(() => !ada.provider.hasUnsyncedChanges);
    const before = writes;
    gate = new Promise((resolve) => (release = resolve));
    for (let n = 0; n < 50; n += 1) {
      write(ada, `n${n}`);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await until(() => writes > before);
    // A slow disk has one write under way, and the rest in one more.
    const all = server?.count();
    expect(all).toMatchObject({ documents: 1, connections: 1 });
    release();
    gate = Promise.resolve();
    await until(() => !ada.provider.hasUnsyncedChanges);
    expect(textsIn(path(`${DOC_ID}.ychat`)).length).toBe(51);
  });
});

describe('a file that others write', () => {
  // With the events of the system, and where there are none.
  for (const watch of [undefined, () => () => {}] as const) {
    const how = watch === undefined ? 'by events' : 'by looking';
    it(`[SV12] is followed ${how}: silent clients see what another process appends, and a new generation`, async () => {
      const thread_id = await make('team.ychat', 'before');
      const ada = await enter(await serve({ ...(watch !== undefined && { watch }) }), 'a');
      await append('team.ychat', thread_id, 'appended');
      await until(() => textsOf(ada.chat).includes('appended'));
      const file = await open('team.ychat');
      expect(await file.rewrite()).toEqual({ ok: true });
      file.chat.send({ thread_id, sender_id: 'eve', content: 'in a new file' });
      await file.close();
      await until(() => textsOf(ada.chat).includes('in a new file'));
      const last = await open('team.ychat');
      const compacted = await last.compact();
      expect(compacted.ok).toBe(true);
      if (compacted.ok) await compacted.file.close();
      await until(() => ada.refusals.length > 0);
      expect(ada.refusals[0]).toMatchObject({ code: 'moved', room: roomName(DOC_ID, 1) });
    });

    it(`[SV12] is followed ${how} under another name, with what is written in the meantime`, async () => {
      const thread_id = await make('team.ychat', 'before');
      const ada = await enter(await serve({ ...(watch !== undefined && { watch }) }), 'a');
      renameSync(path('team.ychat'), path('renamed.ychat'));
      write(ada, 'after');
      await until(() => !ada.provider.hasUnsyncedChanges);
      expect(textsIn(path('renamed.ychat'))).toEqual(['after', 'before']);
      await append('renamed.ychat', thread_id, 'there');
      await until(() => textsOf(ada.chat).includes('there'));
      expect(await server?.close()).toEqual({ ok: true });
      expect(readdirSync(folder).filter((name) => name.endsWith('.ychat'))).toEqual(['renamed.ychat']);
    });
  }

  it('[SV12] a file that another process makes first of a new document is gone on with', async () => {
    const url = await serve();
    const ada = await enter(url, 'a');
    const thread_id = await make(`${DOC_ID}.ychat`, 'by another');
    write(ada, 'by ada');
    await until(() => !ada.provider.hasUnsyncedChanges);
    expect(textsIn(path(`${DOC_ID}.ychat`))).toEqual(['by ada', 'by another']);
    await append(`${DOC_ID}.ychat`, thread_id, 'more');
    await until(() => textsOf(ada.chat).length === 3);
  });
});

describe('copies of a document', () => {
  const NAMES = [
    'team copy.ychat',
    'team (1).ychat',
    'team (conflicted copy).ychat',
    'team-backup.ychat',
    'Kopie von team.ychat',
    'a.ychat',
    'team.sync-conflict-20260901-101010-ABCDEFG.ychat',
    'zz.ychat',
  ];

  for (const name of NAMES) {
    it(`[SV13] ${name} does not take the place of what people went on in`, async () => {
      const thread_id = await make('team.ychat', 'before');
      copyFileSync(path('team.ychat'), path(name));
      await append('team.ychat', thread_id, 'after');
      const ada = await enter(await serve(), 'a');
      await until(() => textsOf(ada.chat).length === 2);
      write(ada, 'by ada');
      await until(() => !ada.provider.hasUnsyncedChanges);
      expect(textsIn(path('team.ychat'))).toEqual(['after', 'before', 'by ada']);
      expect(textsIn(path(name))).toEqual(['before']);
      expect(await server?.copies()).toEqual([
        { doc_id: DOC_ID, served: path('team.ychat'), others: [path(name)] },
      ]);
    });
  }

  it('[SV13] one that was written since, or compacted, does not take the place of the file that was served', async () => {
    const thread_id = await make('team.ychat', 'before');
    const url = await serve();
    const ada = await enter(url, 'a');
    await until(() => textsOf(ada.chat).length === 1);
    await server?.close();
    copyFileSync(path('team.ychat'), path('a.ychat'));
    await append('a.ychat', thread_id, 'in the copy');
    const copy = await open('a.ychat');
    const compacted = await copy.compact();
    if (compacted.ok) await compacted.file.close();
    const bob = await enter(await serve(), 'b');
    await until(() => bob.chat.threads().length === 1);
    expect(textsOf(bob.chat)).toEqual(['before']);
    expect(bob.refusals).toEqual([]);
    expect(await server?.copies()).toMatchObject([{ served: path('team.ychat') }]);
  });

  it('[SV13] a copy that appears while the file is served changes nothing, and goes on when the file is gone', async () => {
    const thread_id = await make('team.ychat', 'before');
    const ada = await enter(await serve(), 'a');
    await until(() => textsOf(ada.chat).length === 1);
    copyFileSync(path('team.ychat'), path('a.ychat'));
    const bob = await enter(`ws://127.0.0.1:${server?.port}`, 'b');
    await append('a.ychat', thread_id, 'in the copy');
    write(bob, 'by bob');
    await until(() => !bob.provider.hasUnsyncedChanges && textsOf(ada.chat).includes('by bob'));
    expect(textsIn(path('team.ychat'))).toEqual(['before', 'by bob']);
    unlinkSync(path('team.ychat'));
    write(bob, 'later');
    await until(() => !bob.provider.hasUnsyncedChanges);
    expect(textsIn(path('a.ychat'))).toEqual(['before', 'by bob', 'in the copy', 'later']);
  });
});

describe('a look-up', () => {
  it('[SV14] reads one head, however many files there are, until the folder changes', async () => {
    await make('team.ychat', 'before');
    const other = await createChatFile(path('other.ychat'), { flush: 'manual' });
    if (other.ok) await other.file.close();
    for (let n = 0; n < 200; n += 1) copyFileSync(path('other.ychat'), path(`copy ${n}.ychat`));
    const disk = new FaultyDisk();
    const looked = new DocumentFolder(folder, disk.environment);
    expect(await looked.generationOf(DOC_ID)).toBe(0);
    disk.opens = 0;
    for (let n = 0; n < 10; n += 1) expect((await looked.find(DOC_ID))?.path).toBe(path('team.ychat'));
    expect(disk.opens).toBe(10);
    renameSync(path('team.ychat'), path('renamed.ychat'));
    disk.opens = 0;
    expect((await looked.find(DOC_ID))?.path).toBe(path('renamed.ychat'));
    expect(disk.opens).toBe(2);
  });

  it('[SV14] finds the file, also while another look-up reads the folder, or it changes', async () => {
    await make('team.ychat', 'before');
    const looked = new DocumentFolder(folder);
    const found = await Promise.all(
      Array.from({ length: 20 }, (_, n) => {
        if (n % 5 === 0) looked.invalidate();
        return looked.find(DOC_ID);
      }),
    );
    expect(found.map((file) => file?.path)).toEqual(Array(20).fill(path('team.ychat')));
    const url = await serve();
    const clients = await Promise.all(Array.from({ length: 6 }, (_, n) => enter(url, `c${n}`)));
    for (const { chat } of clients) await until(() => textsOf(chat).includes('before'));
  });

  it('[SV14] finds what was written over in its place', async () => {
    await make('team.ychat', 'before');
    const other = await createChatFile(path('other.ychat'), { flush: 'manual' });
    if (!other.ok) throw new Error(other.code);
    await other.file.close();
    const looked = new DocumentFolder(folder);
    expect(await looked.find(DOC_ID)).toMatchObject({ path: path('team.ychat') });
    writeFileSync(path('team.ychat'), readFileSync(path('other.ychat')));
    expect(await looked.find(DOC_ID)).toBeUndefined();
    expect((await looked.list()).map(({ doc_id }) => doc_id)).toEqual([other.file.doc_id]);
  });
});
