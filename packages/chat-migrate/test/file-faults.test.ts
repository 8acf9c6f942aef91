import { readDocument } from '@chatdoc/sync';
import { describe, expect, it } from 'vitest';
import { thin } from '../../../tools/amounts.js';
import { type Call, Disk, FOLDER, type Hook } from '../../chat-sync/test/fault-disk.js';
import { createFileEnvironment } from '../../chat-sync/test/fault-world.js';
import { commitMigration, rollBackMigration } from '../src/commit/index.js';
import { CHAT, LATER, textsIn, textsOf } from './file-chats.js';
import { toBytes } from './helpers/plans.js';

/** Every error at every call, and every loss of power, on a disk in memory. */

const SOURCE = `${FOLDER}/team.chat`;
const DOCUMENT = `${FOLDER}/team.ychat`;
const FIRST = ['Shall we ship?', 'Yes.', 'Lunch?'];

let processes = 5000;

/** A process of its own; those before it are gone. */
function environmentOf(disk: Disk, hook: Hook = {}): ReturnType<typeof createFileEnvironment> {
  processes += 1;
  return createFileEnvironment(disk.fileSystem(hook), processes, new Set([processes]), 'migrate');
}

interface Job {
  start(): Promise<Disk>;
  run(disk: Disk, hook?: Hook): Promise<{ readonly ok: boolean; readonly code?: string }>;
  readonly chat: string;
  /** Of the document when it is done. */
  readonly texts: readonly string[] | undefined;
}

const migrate: Job['run'] = (disk, hook) =>
  commitMigration(SOURCE, { fileEnvironment: environmentOf(disk, hook) });
const rollBack: Job['run'] = (disk, hook) =>
  rollBackMigration(DOCUMENT, { fileEnvironment: environmentOf(disk, hook) });

async function migrated(): Promise<Disk> {
  const disk = Disk.holding({ 'team.chat': toBytes(CHAT) });
  expect(await migrate(disk)).toMatchObject({ ok: true });
  return Disk.holding(disk.files());
}

async function without(disk: Disk, name: string): Promise<Disk> {
  const { [name]: _, ...files } = disk.files();
  return Disk.holding(files);
}

const JOBS: Readonly<Record<string, Job>> = {
  'a first migration': {
    start: async () => Disk.holding({ 'team.chat': toBytes(CHAT) }),
    run: migrate,
    chat: CHAT,
    texts: FIRST,
  },
  'a migration of what is new': {
    start: async () => Disk.holding({ ...(await migrated()).files(), 'team.chat': toBytes(LATER) }),
    run: migrate,
    chat: LATER,
    texts: [...FIRST, 'Noon.'],
  },
  'a migration after a rollback': {
    start: async () => {
      const disk = await migrated();
      expect(await rollBack(disk)).toMatchObject({ ok: true });
      return Disk.holding(disk.files());
    },
    run: migrate,
    chat: CHAT,
    texts: FIRST,
  },
  'a rollback': { start: migrated, run: rollBack, chat: CHAT, texts: undefined },
  'a rollback of a chat that is gone': {
    start: async () => without(await migrated(), 'team.chat'),
    run: rollBack,
    chat: CHAT,
    texts: undefined,
  },
};

/** The chat byte for byte, or a document that opens whole and has all that it ever had. */
function expectNothingLost(disk: Disk, { chat }: Job, hint: string): void {
  const source = disk.read('team.chat');
  if (source !== undefined) expect(Buffer.from(source).toString(), hint).toBe(chat);
  else expect(textsIn(disk.read('team.ychat')), hint).toEqual(FIRST);
  const document = disk.read('team.ychat');
  // A write that did not finish may stand at its end.
  const read = document && readDocument(document);
  if (read?.ok === true) expect(textsOf(read.chat), hint).toEqual(expect.arrayContaining(FIRST));
  else expect(read, hint).toBeUndefined();
}

async function expectGoesOn(disk: Disk, job: Job, hint: string): Promise<void> {
  expect(await job.run(disk), hint).toMatchObject({ ok: true });
  expectNothingLost(disk, job, hint);
  expect(Buffer.from(disk.read('team.chat') ?? []).toString(), hint).toBe(job.chat);
  expect(textsIn(disk.read('team.ychat')), hint).toEqual(job.texts);
  expect(
    disk.list().filter((name) => name.endsWith('.tmp')),
    hint,
  ).toEqual([]);
}

/** Two names of one file, of which a crash has kept both, are one file still. */
function joinNames(crash: Disk): void {
  const document = crash.names.get('team.ychat');
  const moved = crash.names.get('team.ychat.rolled-back-0');
  if (document === undefined || moved === undefined) return;
  if (Buffer.compare(document.bytes, moved.bytes) === 0)
    crash.names.set('team.ychat.rolled-back-0', document);
}

const ERRNOS = ['ENOSPC', 'EIO', 'EACCES', 'EMFILE'] as const;
const WORDS: Readonly<Record<string, string>> = {
  ENOSPC: 'disk_full',
  EIO: 'io',
  EACCES: 'forbidden',
  EMFILE: 'too_many_files',
};

describe('a system that fails', () => {
  for (const [name, job] of Object.entries(JOBS)) {
    it(`[CM6] [RB6] at any call of ${name} gives a fault and loses nothing, and a new run goes on`, async () => {
      const calls: Call[] = [];
      await job.run(await job.start(), { before: (call) => void calls.push(call) });
      const seen = new Set<string>();
      const faults = calls.flatMap(({ op }, index) => {
        const fates = [
          ...ERRNOS.map((errno) => ({ errno })),
          ...(op === 'write' ? [{ take: 0 }, { take: 7 }] : []),
        ];
        return fates.map((fate) => ({ index, op, fate }));
      });
      for (const { index, op, fate } of thin(faults)) {
        const disk = await job.start();
        let at = -1;
        const result = await job.run(disk, {
          before: () => {
            at += 1;
            return at === index ? fate : undefined;
          },
        });
        const hint = `${op} ${index} ${JSON.stringify(fate)}`;
        expectNothingLost(disk, job, hint);
        if (!result.ok) {
          seen.add(result.code ?? '');
          if ('errno' in fate) expect([WORDS[fate.errno], 'conflict'], hint).toContain(result.code);
        }
        expect(disk.open, hint).toBe(0);
        await expectGoesOn(disk, job, hint);
      }
      expect([...seen]).toEqual(expect.arrayContaining(Object.values(WORDS)));
    });

    it(`[CM6] [RB6] a loss of power at any call of ${name} loses nothing, and a new run goes on`, async () => {
      const crashes = new Map<string, Disk>();
      const collect = (disk: Disk): void => {
        for (const crash of disk.crashes()) {
          joinNames(crash);
          const key = Object.entries(crash.files())
            .map(([file, bytes]) => `${file} ${Buffer.from(bytes).toString('base64')}`)
            .sort()
            .join('\n');
          crashes.set(key, crash);
        }
      };
      const disk = await job.start();
      expect(await job.run(disk, { after: () => collect(disk) })).toMatchObject({ ok: true });
      for (const crash of thin([...crashes.values()])) {
        const hint = crash.list().join(' ');
        expectNothingLost(crash, job, hint);
        await expectGoesOn(crash, job, hint);
      }
      expect(crashes.size).toBeGreaterThan(5);
      // What was said to be done stays done.
      for (const crash of disk.crashes()) {
        expect(textsIn(crash.read('team.ychat'))).toEqual(job.texts);
        expect(Buffer.from(crash.read('team.chat') ?? []).toString()).toBe(job.chat);
      }
    });
  }
});
