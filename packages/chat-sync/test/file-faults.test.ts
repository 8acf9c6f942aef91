import { expect, it } from 'vitest';
import { type ChatFile, createChatFile, openChatFile, recoverChatFile } from '../src/file/index.js';
import { type Call, Disk, type Fate } from './fault-disk.js';
import {
  DOC_ID,
  diskWith,
  find,
  NAME,
  PATH,
  type Process,
  say,
  startProcess,
  textsOf,
  thin,
} from './fault-world.js';

/** F5: each call of each operation fails in each way, once or from then on. */

const ERRNOS = ['ENOSPC', 'EIO', 'EPERM', 'EACCES', 'EMFILE', 'EXDEV'] as const;
const CODES = ['disk_full', 'io', 'forbidden', 'too_many_files', 'conflict', 'not_as_written', 'exists'];
const TAKES = ['one byte', 'half', 'nothing'] as const;

interface Fault {
  readonly at: number;
  readonly kind: (typeof ERRNOS)[number] | (typeof TAKES)[number];
  /** All calls from there on, until it is over. */
  readonly stays: boolean;
}

/** What an operation has come to: the file that is open afterwards, and what must be in it now, or later. */
interface Ended {
  readonly result: { readonly ok: true } | { readonly ok: false; readonly code: string };
  readonly file: ChatFile | undefined;
  readonly said: readonly string[];
}

interface Operation {
  readonly name: string;
  prepare(): Promise<{ disk: Disk; texts: readonly string[] }>;
  /** Before any fault. */
  open(process: Process): Promise<ChatFile | undefined>;
  run(file: ChatFile | undefined, process: Process): Promise<Ended>;
}

const openFile = async (process: Process): Promise<ChatFile> => {
  const opened = await openChatFile(PATH, process.options);
  if (!opened.ok) throw new Error(opened.code);
  return opened.file;
};

const prepareTorn = async (): Promise<{ disk: Disk; texts: string[] }> => {
  const { disk, texts } = await diskWith(3);
  const bytes = disk.read(NAME) as Uint8Array;
  return { disk: Disk.holding({ [NAME]: bytes.subarray(0, bytes.length - 9) }), texts: texts.slice(0, 2) };
};

const prepareDamaged = async (): Promise<{ disk: Disk; texts: string[] }> => {
  const { disk } = await diskWith(4);
  const bytes = (disk.read(NAME) as Uint8Array).slice();
  const at = Buffer.from(bytes).indexOf('base 1');
  (bytes[at + 5] as number) ^= 8;
  return { disk: Disk.holding({ [NAME]: bytes }), texts: ['base 0'] };
};

const flushing = async (file: ChatFile, texts: readonly string[]): Promise<Ended> => {
  for (const text of texts) say(file.chat, text);
  return { result: await file.flush(), file, said: texts };
};

const OPERATIONS: readonly Operation[] = [
  {
    name: 'create',
    prepare: async () => ({ disk: new Disk(), texts: [] }),
    open: async () => undefined,
    run: async (_, { options }) => {
      const created = await createChatFile(PATH, { doc_id: DOC_ID, ...options });
      return { result: created, file: created.ok ? created.file : undefined, said: [] };
    },
  },
  {
    name: 'open',
    prepare: () => diskWith(2),
    open: async () => undefined,
    run: async (_, { options }) => {
      const opened = await openChatFile(PATH, options);
      return { result: opened, file: opened.ok ? opened.file : undefined, said: [] };
    },
  },
  {
    name: 'append',
    prepare: () => diskWith(2),
    open: openFile,
    run: (file) => flushing(file as ChatFile, ['one', 'two']),
  },
  {
    name: 'append to a torn file',
    prepare: prepareTorn,
    open: openFile,
    run: (file) => flushing(file as ChatFile, ['one']),
  },
  {
    name: 'rewrite',
    prepare: () => diskWith(2),
    open: openFile,
    run: async (file) => {
      say((file as ChatFile).chat, 'one');
      return { result: await (file as ChatFile).rewrite(), file, said: ['one'] };
    },
  },
  {
    name: 'compact',
    prepare: () => diskWith(2),
    open: openFile,
    run: async (file) => {
      say((file as ChatFile).chat, 'one');
      const result = await (file as ChatFile).compact();
      return { result, file: result.ok ? result.file : file, said: ['one'] };
    },
  },
  {
    name: 'recover',
    prepare: prepareDamaged,
    open: async () => undefined,
    run: async (_, { options }) => {
      const result = await recoverChatFile(PATH, options);
      return { result, file: undefined, said: [] };
    },
  },
  {
    name: 'close',
    prepare: () => diskWith(2),
    open: openFile,
    run: async (file) => {
      say((file as ChatFile).chat, 'one');
      const result = await (file as ChatFile).close();
      return { result, file: undefined, said: result.ok ? ['one'] : [] };
    },
  },
  {
    name: 'append after another has rewritten',
    prepare: () => diskWith(2),
    open: async (process) => {
      const file = await openFile(process);
      return file;
    },
    run: (file) => flushing(file as ChatFile, ['one']),
  },
];

for (const operation of OPERATIONS) {
  it(`[FI6] [FI12] F5: ${operation.name}: any call may fail, and nothing is lost or taken for saved`, async () => {
    let count = 0;
    await runWith(operation, undefined, (calls) => {
      count = calls;
    });
    expect(count).toBeGreaterThan(2);
    let failures = 0;
    let tried = 0;
    const faults = Array.from({ length: count }, (_, at) =>
      [false, true].flatMap((stays) => [...ERRNOS, ...TAKES].map((kind): Fault => ({ at, kind, stays }))),
    );
    const due = thin(faults.flat());
    for (const fault of due) {
      await runWith(operation, fault, (_, ended) => {
        tried += 1;
        if (!ended.result.ok) {
          failures += 1;
          expect(CODES, `${fault.kind} at ${fault.at}`).toContain(ended.result.code);
        }
      });
    }
    expect(tried).toBe(due.length);
    expect(failures).toBeGreaterThan(0);
  });
}

async function runWith(
  operation: Operation,
  fault: Fault | undefined,
  judge: (calls: number, ended: Ended) => void,
): Promise<boolean> {
  const { disk, texts } = await operation.prepare();
  const label = `${operation.name}: ${fault?.kind} at call ${fault?.at}${fault?.stays ? ' and later' : ''}`;
  let calls = 0;
  let isArmed = false;
  const before = ({ op, length }: Call): Fate => {
    if (!isArmed) return undefined;
    const index = calls;
    calls += 1;
    if (fault === undefined || (fault.stays ? index < fault.at : index !== fault.at)) return undefined;
    switch (fault.kind) {
      case 'one byte':
        return op === 'write' ? { take: 1 } : undefined;
      case 'half':
        return op === 'write' ? { take: Math.ceil(length / 2) } : undefined;
      case 'nothing':
        return op === 'write' ? { take: 0 } : undefined;
      default:
        return { errno: fault.kind };
    }
  };
  const process = startProcess(disk, 'faulty', { hook: { before } });
  const opened = await operation.open(process);
  if (operation.name === 'append after another has rewritten') {
    const other = await find(disk, 'other');
    say(other.chat, 'theirs');
    expect(await other.rewrite()).toEqual({ ok: true });
    await other.close();
  }
  isArmed = true;
  const ended = await operation.run(opened, process);
  isArmed = false;
  judge(calls, ended);
  const { result, said } = ended;
  const saved = result.ok ? said : [];

  // What was there is there, for anybody who opens it now.
  if (operation.name !== 'create' || result.ok) {
    const file = await find(disk, 'judge');
    const found = textsOf(file.chat);
    for (const text of [...texts, ...saved]) expect(found, label).toContain(text);
    if (operation.name !== 'recover') expect(file.readOnly, label).toBe(false);
    await file.close();
  }
  // Once the fault is over, all of it is saved.
  let file = ended.file;
  if (file === undefined && operation.name !== 'close') {
    if (operation.name === 'recover' && !result.ok) {
      const recovered = await recoverChatFile(PATH, process.options);
      expect(recovered.ok, label).toBe(true);
    }
    const again = await openChatFile(PATH, { doc_id: DOC_ID, create: true, ...process.options } as never);
    if (!again.ok) throw new Error(`${label}: ${again.code}`);
    file = again.file;
  }
  if (file !== undefined) {
    let flushed = await file.flush();
    if (!flushed.ok && flushed.code === 'other_generation') {
      const moved = await file.moveOn();
      if (!moved.ok) throw new Error(`${label}: ${moved.code}`);
      file = moved.file;
      flushed = await file.flush();
    }
    expect(flushed, label).toEqual({ ok: true });
    expect(file.state(), label).toEqual({ unsaved: 0 });
    await file.close();
    // A loss of power now: also of what the system had failed to write.
    for (const crashed of disk.crashes()) {
      const found = await find(crashed, 'power');
      expect(found.readOnly, label).toBe(false);
      for (const text of [...texts, ...said]) expect(textsOf(found.chat), label).toContain(text);
      await found.close();
    }
  }
  expect(disk.open, label).toBe(0);
  const last = await find(disk, 'last');
  await last.close();
  expect(
    disk.list().filter((name) => name.endsWith('.tmp')),
    label,
  ).toEqual([]);
  return calls > (fault?.at ?? 0);
}
