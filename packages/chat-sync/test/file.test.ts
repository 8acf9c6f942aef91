import { SCHEMA_VERSION } from '@chatdoc/schema';
import { expect, it } from 'vitest';
import * as Y from 'yjs';
import { type ChatFile, createChatFile, openChatFile, recoverChatFile } from '../src/file/index.js';
import { compactChat } from '../src/generation/generation.js';
import { encodeFrame } from '../src/update/frame.js';
import { Disk, FOLDER } from './fault-disk.js';
import {
  create,
  createChat,
  DOC_ID,
  diskWith,
  expectBytes,
  fileOf,
  find,
  NAME,
  open,
  PATH,
  say,
  startProcess,
  textsOf,
} from './fault-world.js';

it('[FI1] what is flushed is there when the file is opened again, and the snapshot comes first', async () => {
  const { disk, texts } = await diskWith(3);
  const file = await find(disk);
  expect(textsOf(file.chat)).toEqual(texts);
  expect(file.opened.frames).toBe(5);
  expect(file).toMatchObject({ doc_id: DOC_ID, generation: 0, readOnly: false });
  expect(await file.rewrite()).toEqual({ ok: true });
  await file.close();
  expect((await find(disk)).opened.frames).toBe(1);
});

it('[FI1] a document that a provider syncs already is written into the file, also what comes while it is made', async () => {
  const disk = new Disk();
  const { doc, chat } = createChat('provider');
  say(chat, 'before');
  const process = startProcess(disk, 'one', {
    hook: {
      before: ({ op }) => {
        if (op === 'link') say(chat, 'meanwhile');
        return undefined;
      },
    },
  });
  const file = fileOf(await createChatFile(PATH, { ...process.options, doc, doc_id: DOC_ID }));
  expect(await file.flush()).toEqual({ ok: true });
  expect(textsOf((await find(disk)).chat)).toEqual(['before', 'meanwhile']);
  const other = createChat('other');
  say(other.chat, 'theirs');
  const joined = fileOf(await openChatFile(PATH, { ...startProcess(disk, 'two').options, doc: other.doc }));
  expect(await joined.flush()).toEqual({ ok: true });
  expect(textsOf((await find(disk)).chat).sort()).toEqual(['before', 'meanwhile', 'theirs']);
});

it('[FI2] what is torn is kept once, however often the write behind it fails', async () => {
  const { disk } = await diskWith(3);
  const bytes = disk.read(NAME) as Uint8Array;
  const torn = Disk.holding({ [NAME]: bytes.subarray(0, -5) });
  let isFull = true;
  const process = startProcess(torn, 'full', {
    hook: { before: ({ op }) => (isFull && op === 'rename' ? { errno: 'EIO' } : undefined) },
  });
  const file = await open(process);
  say(file.chat, 'mine');
  for (let attempt = 0; attempt < 3; attempt += 1) expect((await file.flush()).ok).toBe(false);
  isFull = false;
  expect(await file.flush()).toEqual({ ok: true });
  expect(torn.list()).toEqual([NAME, `${NAME}.torn-1`]);
  expect(file.aside).toEqual([`${PATH}.torn-1`]);
});

it('[FI7] a flush without anything to save shows what others wrote', async () => {
  const { disk } = await diskWith(1);
  const a = await open(startProcess(disk, 'a'));
  const b = await open(startProcess(disk, 'b'));
  say(a.chat, 'theirs');
  await a.flush();
  expect(await b.flush()).toEqual({ ok: true });
  expect(textsOf(b.chat)).toContain('theirs');
  expect(await a.rewrite()).toEqual({ ok: true });
  say(a.chat, 'behind a rewrite');
  await a.flush();
  expect(await b.flush()).toEqual({ ok: true });
  expect(textsOf(b.chat)).toEqual(textsOf(a.chat));
});

it('[FI7] what a process has read and its writer never stored again is saved by the one that has read it', async () => {
  const { disk } = await diskWith(1);
  const running = new Set<number>();
  // A is replacing the file: its seal stands there, its rename does not happen yet.
  let go = (): void => {};
  const gate = new Promise<void>((resolve) => {
    go = resolve;
  });
  let isAtRename = false;
  const a = await open(
    startProcess(disk, 'a', {
      running,
      hook: {
        before: async ({ op }) => {
          if (op !== 'rename') return undefined;
          isAtRename = true;
          await gate;
          return undefined;
        },
      },
    }),
  );
  const rewriting = a.rewrite();
  for (let look = 0; look < 500 && !isAtRename; look += 1) await Promise.resolve();
  // B appends behind the seal, and is killed before it is confirmed.
  let isKilled = false;
  const b = await open(
    startProcess(disk, 'b', {
      running,
      hook: { before: ({ op }) => (op === 'fstat' && isKilled ? new Promise<never>(() => {}) : undefined) },
    }),
  );
  say(b.chat, 'unconfirmed');
  isKilled = true;
  void b.flush();
  for (let look = 0; look < 500; look += 1) await Promise.resolve();
  // C reads it, and deletes text of it.
  const c = await open(startProcess(disk, 'c', { running }));
  expect(textsOf(c.chat)).toContain('unconfirmed');
  const [thread] = c.chat.threads();
  const message = c.chat.messages(thread?.thread_id ?? '').find(({ content }) => content === 'unconfirmed');
  c.chat.redact({ message_id: message?.message_id ?? '', by: 'ada' });
  say(c.chat, 'mine');
  go();
  expect(await rewriting).toEqual({ ok: true });
  expect(await c.flush()).toEqual({ ok: true });
  const found = await find(disk);
  expect(found.readOnly).toBe(false);
  expect(found.opened.gaps).toBe(0);
  expect(textsOf(found.chat)).toContain('mine');
});

it('[FI7] a frame of which a part was there when the file was opened is not lost by a rewrite', async () => {
  const { disk } = await diskWith(1);
  let finish = (): void => {};
  const gate = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const hook = { before: ({ op }: { op: string }) => (op === 'write' ? { seen: () => gate } : undefined) };
  const a = await open(startProcess(disk, 'a', { hook }));
  say(a.chat, 'slowly');
  const flushing = a.flush();
  for (let look = 0; look < 50; look += 1) await Promise.resolve();
  const b = await open(startProcess(disk, 'b'));
  expect(b.opened.torn_bytes).toBeGreaterThan(0);
  finish();
  expect(await flushing).toEqual({ ok: true });
  say(b.chat, 'mine');
  expect(await b.flush()).toEqual({ ok: true });
  expect(textsOf((await find(disk)).chat)).toEqual(['base 0', 'slowly', 'mine']);
});

it('[FI7] a process with nothing to save sees behind a torn frame what is finished, and what was put in its place', async () => {
  const { disk } = await diskWith(1);
  const gate: { open?: () => void } = {};
  const opened = new Promise<void>((resolve) => {
    gate.open = resolve;
  });
  const hook = { before: ({ op }: { op: string }) => (op === 'write' ? { seen: () => opened } : undefined) };
  const a = await open(startProcess(disk, 'a', { hook }));
  say(a.chat, 'slowly');
  const flushing = a.flush();
  for (let look = 0; look < 50; look += 1) await Promise.resolve();
  const reader = await open(startProcess(disk, 'reader'));
  expect(reader.opened.torn_bytes).toBeGreaterThan(0);
  expect(await reader.flush()).toEqual({ ok: true });
  expect(textsOf(reader.chat)).toEqual(['base 0']);
  gate.open?.();
  expect(await flushing).toEqual({ ok: true });
  expect(await reader.flush()).toEqual({ ok: true });
  expect(textsOf(reader.chat)).toEqual(['base 0', 'slowly']);
  const c = await open(startProcess(disk, 'c'));
  say(c.chat, 'more');
  expect(await c.rewrite()).toEqual({ ok: true });
  for (const text of ['late', 'later']) {
    say(c.chat, text);
    expect(await c.flush()).toEqual({ ok: true });
    expect(await reader.flush()).toEqual({ ok: true });
    expect(textsOf(reader.chat)).toEqual(textsOf(c.chat));
  }
});

it('[FI6] what is written into a file that somebody cuts in place under it is saved with all the rest', async () => {
  const { disk, texts } = await diskWith(3);
  const file = await open(startProcess(disk, 'one'));
  const inode = disk.names.get(NAME);
  if (inode !== undefined) inode.bytes = inode.bytes.slice(0, 300);
  say(file.chat, 'mine');
  expect(await file.flush()).toEqual({ ok: true });
  expect(textsOf((await find(disk)).chat)).toEqual([...texts, 'mine']);
});

it('[FI7] what another wrote and this process has not seen is in what it rewrites and compacts', async () => {
  for (const what of ['rewrite', 'compact'] as const) {
    const { disk, texts } = await diskWith(1);
    const a = await open(startProcess(disk, 'a'));
    const b = await open(startProcess(disk, 'b'));
    say(a.chat, 'theirs');
    expect(await a.flush()).toEqual({ ok: true });
    expect((await b[what]()).ok).toBe(true);
    expect(textsOf((await find(disk)).chat)).toEqual([...texts, 'theirs']);
  }
});

it('[FI9] [FI8] who holds the file while another compacts it moves on, and keeps what was not saved', async () => {
  const { disk, texts } = await diskWith(2);
  const a = await open(startProcess(disk, 'a'));
  const b = await open(startProcess(disk, 'b'));
  const compacted = await a.compact();
  if (!compacted.ok) throw new Error(compacted.code);
  expect(compacted.file.generation).toBe(1);
  expect(compacted.bytes.before).toBeGreaterThan(0);
  expect(await a.flush()).toEqual({ ok: false, code: 'closed' });
  say(b.chat, 'late');
  expect(await b.flush()).toEqual({ ok: false, code: 'other_generation', generation: 1 });
  expect(b.state()).toMatchObject({ unsaved: 1, fault: { code: 'other_generation' } });
  const moved = fileOf(await b.moveOn());
  expect(await moved.flush()).toEqual({ ok: true });
  expect(textsOf((await find(disk)).chat)).toEqual([...texts, 'late']);
});

it('[FI9] what is written while the next generation is made is in it', async () => {
  const { disk, texts } = await diskWith(1);
  let file: ChatFile | undefined;
  const process = startProcess(disk, 'one', {
    hook: {
      before: ({ op }) => {
        if (op === 'rename' && file !== undefined) say(file.chat, 'meanwhile');
        return undefined;
      },
    },
  });
  file = await open(process);
  const compacting = file.compact();
  const flushed = file.flush();
  const compacted = await compacting;
  if (!compacted.ok) throw new Error(compacted.code);
  expect(await flushed).toEqual({ ok: false, code: 'closed' });
  expect(textsOf(compacted.file.chat)).toEqual([...texts, 'meanwhile']);
  await compacted.file.flush();
  expect(textsOf((await find(disk)).chat)).toEqual([...texts, 'meanwhile']);
});

it('[FI10] a file is never replaced by a new one, with and without hard links', async () => {
  for (const hasLinks of [true, false]) {
    const disk = new Disk();
    disk.hasLinks = hasLinks;
    const file = await create(startProcess(disk, 'one'));
    say(file.chat, 'mine');
    await file.close();
    const bytes = disk.read(NAME);
    const again = await createChatFile(PATH, startProcess(disk, 'two').options);
    expect(again).toMatchObject({ ok: false, code: 'exists' });
    expectBytes(disk.read(NAME), bytes);
    expect(disk.list()).toEqual([NAME]);
    const opened = fileOf(await openChatFile(PATH, { ...startProcess(disk, 'three').options, create: true }));
    expect(textsOf(opened.chat)).toEqual(['mine']);
  }
});

it('[FI10] what a killed process with our own number left, as in a container, is removed and stops nobody', async () => {
  const { disk } = await diskWith(1);
  const running = new Set<number>();
  let isKilled = false;
  const first = startProcess(disk, 'first', {
    running,
    hook: { before: ({ op }) => (isKilled && op === 'rename' ? new Promise<never>(() => {}) : undefined) },
  });
  const file = await open(first);
  isKilled = true;
  void file.rewrite();
  for (let look = 0; look < 500; look += 1) await Promise.resolve();
  const left = disk.list().filter((name) => name.endsWith('.tmp'));
  expect(left).toHaveLength(1);
  // Renamed by hand: this process does not know of a token of its own by that name.
  const [name = ''] = left;
  const other = name.replace(/-[0-9a-f]{16}/, '-0123456789abcdef');
  await disk.fileSystem().rename(`${FOLDER}/${name}`, `${FOLDER}/${other}`);
  const again = await open(first);
  expect(disk.list().filter((each) => each.endsWith('.tmp'))).toEqual([]);
  say(again.chat, 'goes on');
  isKilled = false;
  expect(await again.flush()).toEqual({ ok: true });
});

it('[FI11] a file of which any frame asks for a later reader is for reading only, and not one byte is written', async () => {
  const { disk, texts } = await diskWith(2);
  const { doc } = createChat('later');
  const payload = Y.encodeStateAsUpdate(doc);
  const later = encodeFrame({
    kind: 'update',
    doc_id: DOC_ID,
    generation: 0,
    min_reader: SCHEMA_VERSION + 1,
    payload,
  });
  const bytes = Buffer.concat([disk.read(NAME) as Uint8Array, later]);
  const held = Disk.holding({ [NAME]: bytes });
  const file = await find(held);
  expect(file.readOnly).toBe(true);
  expect(textsOf(file.chat)).toEqual(texts);
  expect((await file.compact()).ok).toBe(false);
  expect((await file.rewrite()).ok).toBe(false);
  await file.close();
  expect(await recoverChatFile(PATH, startProcess(held, 'recover').options)).toMatchObject({
    ok: false,
    code: 'later_version',
  });
  expectBytes(held.read(NAME), bytes);
  expect(held.list()).toEqual([NAME]);
  // Who has it open when it comes writes no more.
  const early = await open(startProcess(disk, 'early'));
  const handle = await disk.fileSystem().open(PATH, 'r');
  await handle.write(later, 0, later.length, null);
  say(early.chat, 'with it');
  expect(await early.flush()).toEqual({ ok: true });
  const after = disk.read(NAME) as Uint8Array;
  say(early.chat, 'after it');
  expect(await early.flush()).toMatchObject({ ok: false, code: 'later_version' });
  expect(await early.rewrite()).toMatchObject({ ok: false, code: 'later_version' });
  expectBytes(disk.read(NAME), after);
});

it('[FI3] who follows into a file that is damaged, or of a later version, writes nothing into it', async () => {
  for (const what of ['damaged', 'later_version'] as const) {
    const { disk } = await diskWith(3);
    const file = await open(startProcess(disk, 'held'));
    const bytes = (disk.read(NAME) as Uint8Array).slice();
    if (what === 'damaged') (bytes[Buffer.from(bytes).indexOf('base 1')] as number) ^= 1;
    const { doc } = createChat('later');
    const payload = Y.encodeStateAsUpdate(doc);
    const frame = { kind: 'update', doc_id: DOC_ID, generation: 0, min_reader: SCHEMA_VERSION + 1 } as const;
    const placed = what === 'damaged' ? bytes : Buffer.concat([bytes, encodeFrame({ ...frame, payload })]);
    disk.put(NAME, placed);
    say(file.chat, 'mine');
    expect(await file.flush()).toMatchObject({ ok: false, code: what });
    expectBytes(disk.read(NAME), placed);
    expect(file.state().unsaved).toBe(1);
  }
});

it('[FI12] faults of opening are values', async () => {
  const disk = new Disk();
  const { options } = startProcess(disk, 'one');
  expect(await openChatFile(PATH, options)).toMatchObject({ ok: false, code: 'not_found' });
  disk.put(NAME, new TextEncoder().encode('hello'));
  expect(await openChatFile(PATH, options)).toMatchObject({ ok: false, code: 'not_a_document' });
  const { disk: other } = await diskWith(0);
  const bytes = (other.read(NAME) as Uint8Array).slice();
  (bytes[41] as number) ^= 1;
  disk.put(NAME, bytes);
  expect(await openChatFile(PATH, options)).toMatchObject({ ok: false, code: 'damaged' });
  expect(await openChatFile(FOLDER, { ...options, readOnly: true })).toMatchObject({
    ok: false,
    code: 'directory',
  });
});

it('[FI12] a file that was removed is not found, and one that is for reading takes nothing', async () => {
  const { disk } = await diskWith(1);
  const file = await open(startProcess(disk, 'one'));
  const reader = fileOf(await openChatFile(PATH, { ...startProcess(disk, 'two').options, readOnly: true }));
  expect(reader.readOnly).toBe(true);
  expect(await reader.rewrite()).toEqual({ ok: false, code: 'read_only' });
  expect(await reader.flush()).toEqual({ ok: true });
  disk.names.delete(NAME);
  say(file.chat, 'mine');
  expect(await file.flush()).toMatchObject({ ok: false, code: 'not_found' });
  expect(file.state()).toMatchObject({ unsaved: 1, fault: { code: 'not_found' } });
});

it('[FI13] the policy says when, and who listens is told of failures and of what is not saved', async () => {
  const { disk } = await diskWith(1);
  let isBroken = true;
  const { options } = startProcess(disk, 'one', {
    hook: { before: ({ op }) => (isBroken && op === 'write' ? { errno: 'ENOSPC' } : undefined) },
  });
  const timers: { callback: () => void; ms: number }[] = [];
  const fileEnvironment = {
    ...(options.fileEnvironment as NonNullable<typeof options.fileEnvironment>),
    setTimer: (callback: () => void, ms: number) => timers.push({ callback, ms }),
    clearTimer: () => timers.splice(0),
  };
  for (const [flush, ms] of [
    ['at_once', 0],
    [{ after_ms: 40 }, 40],
    [undefined, 250],
  ] as const) {
    const { flush: _, ...rest } = options;
    const file = fileOf(
      await openChatFile(PATH, { ...rest, fileEnvironment, ...(flush !== undefined && { flush }) }),
    );
    const told: unknown[] = [];
    const stop = file.subscribe((state) => told.push(state));
    isBroken = true;
    say(file.chat, 'one');
    say(file.chat, 'two');
    expect(timers).toHaveLength(1);
    expect(timers[0]?.ms).toBe(ms);
    timers.splice(0)[0]?.callback();
    const failed = await file.flush();
    expect(failed).toMatchObject({ ok: false, code: 'disk_full' });
    expect(told).toHaveLength(2);
    expect(told[0]).toMatchObject({ unsaved: 2, fault: { code: 'disk_full' } });
    isBroken = false;
    expect(await file.flush()).toEqual({ ok: true });
    expect(told[2]).toEqual({ unsaved: 0 });
    stop();
    await file.close();
    expect(told).toHaveLength(3);
  }
});

it('[FI15] what waits for others in a document is in no snapshot', async () => {
  const disk = new Disk();
  const { doc, chat } = createChat('writer');
  const updates: Uint8Array[] = [];
  doc.on('update', (update: Uint8Array) => updates.push(update));
  say(chat, 'first');
  say(chat, 'second');
  const file = await create(startProcess(disk, 'one'));
  say(file.chat, 'mine');
  Y.applyUpdate(file.doc, updates.at(-1) as Uint8Array);
  expect(file.doc.store.pendingStructs).not.toBeNull();
  expect(await file.rewrite()).toEqual({ ok: true });
  await file.close();
  const found = await find(disk);
  expect(found.doc.store.pendingStructs).toBeNull();
  expect(textsOf(found.chat)).toEqual(['mine']);
});

it('[GN7] a document with content in other roots is not compacted', async () => {
  const { disk } = await diskWith(1);
  const file = await open(startProcess(disk, 'one'));
  file.doc.getMap('notes').set('a', 1);
  expect(await file.compact()).toEqual({ ok: false, code: 'other_content' });
  expect(await file.flush()).toEqual({ ok: true });
  expect((await find(disk)).doc.getMap('notes').get('a')).toBe(1);
});

it('[GN2] of a user the read mark that stands last stays, whatever its id', () => {
  const { chat } = createChat('marks');
  const ids = ['one', 'two', 'three'].map((text) => say(chat, text));
  const thread_id = chat.threads()[0]?.thread_id ?? '';
  for (const index of [0, 2, 1]) {
    chat.annotate({ thread_id, user_id: 'ada', key: 'read', value: ids[index] as string });
  }
  expect(chat.readMark(thread_id, 'ada')).toBe(ids[2]);
  const compacted = compactChat(chat, { generation: 1 });
  expect(compacted.dropped).toBe(1);
  expect(compacted.chat.readMark(thread_id, 'ada')).toBe(ids[2]);
  expect(compacted.chat.foldDigest()).toBe(chat.foldDigest());
});

it('[FI4] of a file that ends within its only frame the whole lines are recovered, and nothing if there is none', async () => {
  const { disk, texts } = await diskWith(12);
  const file = await find(disk);
  expect(await file.rewrite()).toEqual({ ok: true });
  await file.close();
  const bytes = disk.read(NAME) as Uint8Array;
  const cut = Disk.holding({ [NAME]: bytes.subarray(0, -400) });
  const options = startProcess(cut, 'recover').options;
  expect(await openChatFile(PATH, options)).toMatchObject({ code: 'damaged' });
  const recovered = await recoverChatFile(PATH, options);
  expect(recovered).toMatchObject({ ok: true, found: { frames: 0 } });
  const whole = await find(cut);
  const found = textsOf(whole.chat);
  expect(found.length).toBeGreaterThan(5);
  expect(found).toEqual(texts.slice(0, found.length));
  const nothing = Disk.holding({ [NAME]: bytes.subarray(0, 90) });
  expect(await recoverChatFile(PATH, startProcess(nothing, 'nothing').options)).toMatchObject({
    code: 'unreadable',
  });
  expect(nothing.list()).toEqual([NAME]);
});

it('[FI9] who would move on into a damaged file stays, and keeps what was not saved', async () => {
  const { disk } = await diskWith(3);
  const file = await open(startProcess(disk, 'holder'));
  const other = await find(disk);
  const compacted = await other.compact();
  if (!compacted.ok) throw new Error(compacted.code);
  say(compacted.file.chat, 'later');
  await compacted.file.flush();
  say(compacted.file.chat, 'last');
  await compacted.file.flush();
  await compacted.file.close();
  const bytes = disk.read(NAME) as Uint8Array;
  const damaged = Uint8Array.from(bytes);
  damaged[60] = (damaged[60] ?? 0) ^ 1;
  disk.put(NAME, damaged);
  say(file.chat, 'mine');
  const unsaved = file.state().unsaved;
  expect(await file.moveOn()).toEqual({ ok: false, code: 'damaged' });
  expect(file.state().unsaved).toBe(unsaved);
  expect(textsOf(file.chat)).toContain('mine');
});

it('[FI14] an append writes its own frames, whatever the file holds, and a log opens in one transaction', async () => {
  const { disk } = await diskWith(3);
  const file = await open(startProcess(disk, 'writer'));
  const grow = async (): Promise<number> => {
    const before = disk.read(NAME)?.length ?? 0;
    say(file.chat, 'the same words');
    expect(await file.flush()).toEqual({ ok: true });
    return (disk.read(NAME)?.length ?? 0) - before;
  };
  await grow();
  const first = await grow();
  for (let n = 0; n < 200; n += 1) await grow();
  expect(Math.abs((await grow()) - first)).toBeLessThan(20);
  await file.close();
  const doc = new Y.Doc();
  let transactions = 0;
  doc.on('afterTransaction', () => {
    transactions += 1;
  });
  const again = fileOf(await openChatFile(PATH, { ...startProcess(disk, 'reader').options, doc }));
  expect(again.opened.frames).toBeGreaterThan(200);
  expect(transactions).toBe(1);
});
