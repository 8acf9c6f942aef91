import { expect, it } from 'vitest';
import { createParts } from '../../../tools/parts.js';
import { type ChatFile, createChatFile, openChatFile, recoverChatFile } from '../src/file/index.js';
import { Disk } from './fault-disk.js';
import {
  DOC_ID,
  diskWith,
  fileOf,
  find,
  isDue,
  NAME,
  open,
  PATH,
  type Process,
  say,
  scale,
  startProcess,
  textsOf,
} from './fault-world.js';

const { test, all } = createParts();
/**
 * F4: the power goes after each call of each protocol. Every state that the disk may be in then opens, can be
 * written, and holds what was confirmed; and so it is if whoever opens it is killed at each of its own calls.
 */

interface Protocol {
  readonly name: string;
  prepare(): Promise<{ disk: Disk; texts: readonly string[] }>;
  run(process: Process, confirm: (text: string) => void, disk: Disk): Promise<void>;
}

const flushAll = async (file: ChatFile, texts: readonly string[], confirm: (text: string) => void) => {
  for (const text of texts) say(file.chat, text);
  expect(await file.flush()).toEqual({ ok: true });
  for (const text of texts) confirm(text);
};

const tornDisk = async (): Promise<{ disk: Disk; texts: readonly string[] }> => {
  const { disk, texts } = await diskWith(2);
  const bytes = (disk.read(NAME) as Uint8Array).slice();
  bytes.fill(0, bytes.length - 30);
  return { disk: Disk.holding({ [NAME]: bytes }), texts: texts.slice(0, 1) };
};

const PROTOCOLS: readonly Protocol[] = [
  {
    name: 'create',
    prepare: async () => ({ disk: new Disk(), texts: [] }),
    run: async ({ options }, confirm) => {
      const file = fileOf(await createChatFile(PATH, { doc_id: DOC_ID, ...options }));
      confirm('');
      await flushAll(file, ['one'], confirm);
      await file.close();
    },
  },
  {
    name: 'append',
    prepare: () => diskWith(1),
    run: async (process, confirm) => {
      const file = await open(process);
      await flushAll(file, ['one', 'two'], confirm);
      await flushAll(file, ['three'], confirm);
      await file.close();
    },
  },
  {
    name: 'rewrite',
    prepare: () => diskWith(1),
    run: async (process, confirm) => {
      const file = await open(process);
      say(file.chat, 'one');
      expect(await file.rewrite()).toEqual({ ok: true });
      confirm('one');
      await flushAll(file, ['two'], confirm);
      await file.close();
    },
  },
  {
    name: 'compact',
    prepare: () => diskWith(1),
    run: async (process, confirm) => {
      const file = await open(process);
      await flushAll(file, ['one'], confirm);
      const compacted = await file.compact();
      if (!compacted.ok) throw new Error(compacted.code);
      await flushAll(compacted.file, ['two'], confirm);
      await compacted.file.close();
    },
  },
  {
    name: 'append to a torn file',
    prepare: tornDisk,
    run: async (process, confirm) => {
      const file = await open(process);
      await flushAll(file, ['one'], confirm);
      await file.close();
    },
  },
  {
    name: 'recover',
    prepare: tornDisk,
    run: async ({ options }, confirm) => {
      expect((await recoverChatFile(PATH, options)).ok).toBe(true);
      confirm('');
    },
  },
  {
    name: 'rewrite, stopped behind its rename, and an append by another',
    prepare: () => diskWith(1),
    run: async (process, confirm, disk) => {
      // Its rename is done and never brought to the disk by it.
      const hook = {
        before: ({ op, name }: { op: string; name: string }) =>
          op === 'open' && name === '' && isRenamed ? new Promise<never>(() => {}) : undefined,
        after: ({ op }: { op: string }): void => {
          if (op === 'rename') isRenamed = true;
        },
      };
      let isRenamed = false;
      const file = await open(process);
      const stopped = await open(startProcess(disk, 'stopped', { hook }));
      void stopped.rewrite();
      for (let look = 0; look < 500 && !isRenamed; look += 1) await Promise.resolve();
      expect(isRenamed).toBe(true);
      await flushAll(file, ['one'], confirm);
      await file.close();
      const late = await open(process);
      await flushAll(late, ['two'], confirm);
      await late.close();
    },
  },
];

let states = 0;
let points = 0;

for (const protocol of PROTOCOLS) {
  test(`[FI5] F4: after a loss of power at any call of ${protocol.name} nothing confirmed is missing, and the file can be written`, async () => {
    const { disk, texts } = await protocol.prepare();
    const confirmed = [...texts];
    let isThere = disk.read(NAME) !== undefined;
    const after = async (): Promise<void> => {
      points += 1;
      if (!isDue(points)) return;
      for (const crashed of disk.crashes()) {
        states += 1;
        await judge(crashed, confirmed, isThere);
      }
    };
    const process = startProcess(disk, 'writer', { hook: { after } });
    await protocol.run(
      process,
      (text) => {
        isThere = true;
        if (text !== '') confirmed.push(text);
      },
      disk,
    );
    await after();
  });
}

async function judge(disk: Disk, confirmed: readonly string[], isThere: boolean): Promise<void> {
  const before = disk.files();
  const process = startProcess(disk, 'next');
  const opened = await openChatFile(PATH, process.options);
  if (!opened.ok) {
    expect(opened.code).toBe('not_found');
    expect(isThere).toBe(false);
    return;
  }
  const { file } = opened;
  expect(file.readOnly).toBe(false);
  expect(file.opened).toMatchObject({ damaged_bytes: 0, gaps: 0, strangers: 0 });
  const found = textsOf(file.chat);
  for (const text of confirmed) expect(found).toContain(text);
  const isTorn = file.opened.torn_bytes > 0;
  say(file.chat, 'goes on');
  expect(await file.flush()).toEqual({ ok: true });
  await file.close();
  const again = await find(disk, 'again');
  expect(textsOf(again.chat)).toEqual([...found, 'goes on']);
  expect(disk.list().filter((name) => name.endsWith('.tmp'))).toEqual([]);
  await again.close();
  if (isTorn) await judgeKills(before, confirmed);
}

/** Who opens a torn file is killed at each of its calls in turn. */
async function judgeKills(files: Record<string, Uint8Array>, confirmed: readonly string[]): Promise<void> {
  for (let at = 0, isOver = false; !isOver; at += 3) {
    const disk = Disk.holding(files);
    let calls = 0;
    const running = new Set<number>();
    isOver = await new Promise<boolean>((resolve, reject) => {
      const after = (): Promise<void> | undefined => {
        calls += 1;
        if (calls <= at) return undefined;
        running.clear();
        resolve(false);
        return new Promise(() => {});
      };
      const process = startProcess(disk, 'killed', { hook: { after }, running });
      openChatFile(PATH, process.options)
        .then(async (opened) => {
          const file = fileOf(opened);
          say(file.chat, 'killed');
          await file.flush();
          resolve(true);
        })
        .catch(reject);
    });
    states += 1;
    const file = fileOf(await openChatFile(PATH, startProcess(disk, 'after', { running }).options));
    expect(file.readOnly).toBe(false);
    for (const text of confirmed) expect(textsOf(file.chat)).toContain(text);
    say(file.chat, 'goes on');
    expect(await file.flush()).toEqual({ ok: true });
    await file.close();
  }
}

it('[FI5] F4: all protocols were tried, at all calls, in all states', async () => {
  await all();
  expect(points).toBeGreaterThan(100);
  expect(states).toBeGreaterThan(scale(1000));
});
