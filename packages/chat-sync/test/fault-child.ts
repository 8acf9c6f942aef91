import { writeSync } from 'node:fs';
import { openChat } from '@chatdoc/schema';
import * as Y from 'yjs';
import { snapshotFrame } from '../src/file/chat-file.js';
import {
  type ChatFile,
  createChatFile,
  type FileEnvironment,
  type FileHandle,
  type FileSystem,
  nodeFileEnvironment,
  nodeFileSystem,
  type OpenedChatFile,
  openChatFile,
  recoverChatFile,
} from '../src/file/index.js';
import { openLog } from '../src/file/log.js';
import { rollBackChat } from '../src/generation/generation.js';

/** A process that works on a document file, and kills itself before or after a call of the file system. */

export interface Job {
  readonly path: string;
  readonly task: keyof typeof TASKS;
  /** Names its messages. */
  readonly name: string;
  /** Absent: it lives. */
  readonly kill?: { readonly at: number; readonly when: 'before' | 'after'; readonly op?: string };
  readonly ops?: readonly ('say' | 'rewrite' | 'compact')[];
}

/** What it tells, a line each, as soon as it is so. */
export type Told =
  | { readonly confirmed: string }
  | { readonly lost: string }
  | { readonly compacted: number }
  | { readonly calls: number };

let calls = 0;

function tell(told: Told): void {
  writeSync(1, `${JSON.stringify(told)}\n`);
}

const job = JSON.parse(process.argv[2] as string) as Job;

async function call<T>(op: string, run: () => Promise<T>): Promise<T> {
  const { kill } = job;
  const counts = kill?.op === undefined || kill.op === op;
  const isHere = kill !== undefined && counts && calls === kill.at;
  if (counts) calls += 1;
  if (isHere && kill.when === 'before') process.kill(process.pid, 'SIGKILL');
  const result = await run();
  if (isHere && kill.when === 'after') process.kill(process.pid, 'SIGKILL');
  return result;
}

function wrapHandle(handle: FileHandle): FileHandle {
  return {
    read: (...parts) => call('read', () => handle.read(...parts)),
    write: (...parts) => call('write', () => handle.write(...parts)),
    sync: () => call('sync', () => handle.sync()),
    stat: () => call('fstat', () => handle.stat()),
    close: () => call('close', () => handle.close()),
  };
}

const fileSystem: FileSystem = {
  open: (path, flags) =>
    call('open', async () => wrapHandle((await nodeFileSystem.open(path, flags)) as FileHandle)),
  rename: (from, to) => call('rename', () => nodeFileSystem.rename(from, to)),
  link: (from, to) => call('link', () => nodeFileSystem.link(from, to)),
  unlink: (path) => call('unlink', () => nodeFileSystem.unlink(path)),
  stat: (path) => call('stat', () => nodeFileSystem.stat(path)),
  readdir: (path) => call('readdir', () => nodeFileSystem.readdir(path)),
};

const fileEnvironment: FileEnvironment = { ...nodeFileEnvironment, fileSystem };
const options = { flush: 'manual', fileEnvironment, patience_ms: 2000 } as const;

function fileOf(opened: OpenedChatFile): ChatFile {
  if (!opened.ok) throw new Error(opened.code);
  return opened.file;
}

function say(file: ChatFile, content: string): void {
  const [thread] = file.chat.threads();
  const thread_id = thread?.thread_id ?? file.chat.createThread({ created_by: 'ada' }).thread_id;
  file.chat.send({ thread_id, sender_id: job.name, content });
}

/** Flushes until it is confirmed, in whatever file is there then. */
async function save(file: ChatFile, texts: string[]): Promise<ChatFile> {
  let current = file;
  for (let attempt = 0; attempt < 50; attempt += 1) {
    const flushed = await current.flush();
    if (flushed.ok) {
      for (const confirmed of texts.splice(0)) tell({ confirmed });
      return current;
    }
    tell({ lost: flushed.code });
    if (flushed.code === 'other_generation') current = fileOf(await current.moveOn());
    else if (flushed.code !== 'conflict') throw new Error(flushed.code);
  }
  throw new Error('never saved');
}

const open = async (): Promise<ChatFile> => fileOf(await openChatFile(job.path, options));

const TASKS = {
  async create() {
    const file = fileOf(await createChatFile(job.path, options));
    tell({ confirmed: '' });
    say(file, `${job.name} 1`);
    await (await save(file, [`${job.name} 1`])).close();
  },
  async flush() {
    const file = await open();
    for (const n of [1, 2]) {
      say(file, `${job.name} ${n}`);
      await save(file, [`${job.name} ${n}`]);
    }
    await file.close();
  },
  async rewrite() {
    const file = await open();
    say(file, `${job.name} 1`);
    const rewritten = await file.rewrite();
    if (rewritten.ok) tell({ confirmed: `${job.name} 1` });
    await file.close();
  },
  async compact() {
    const file = await open();
    say(file, `${job.name} 1`);
    const compacted = await file.compact();
    if (!compacted.ok) throw new Error(compacted.code);
    tell({ confirmed: `${job.name} 1` });
    await compacted.file.close();
  },
  async recover() {
    const recovered = await recoverChatFile(job.path, options);
    if (!recovered.ok) throw new Error(recovered.code);
  },
  async moveOn() {
    const file = await open();
    const other = fileOf(await openChatFile(job.path, { ...options, fileEnvironment: nodeFileEnvironment }));
    const compacted = await other.compact();
    if (compacted.ok) await compacted.file.close();
    say(file, `${job.name} 1`);
    await (await save(file, [`${job.name} 1`])).close();
  },
  /** As a rollback replaces a file: by the chat of a backup, in the next generation. */
  async rollBack() {
    const log = await openLog(job.path, false, { environment: fileEnvironment, patience: 2000 });
    if (!log.ok || log.log === undefined) throw new Error('no log');
    const { doc_id, generation } = log.head;
    const backup = new Y.Doc();
    for (const { payload } of log.read.updates) Y.applyUpdate(backup, payload);
    const next = { doc_id, from: generation, to: generation, generation: generation + 1 };
    const { doc } = rollBackChat(openChat(backup), next);
    const replaced = await log.log.replace(async () =>
      snapshotFrame(doc, { doc_id, generation: generation + 1 }),
    );
    if (!replaced.ok) throw new Error(replaced.code);
    tell({ confirmed: '' });
    await replaced.log.close();
  },
  async race() {
    let file = await open();
    const texts: string[] = [];
    for (const [index, op] of (job.ops ?? []).entries()) {
      if (op === 'say') {
        texts.push(`${job.name} ${index}`);
        say(file, `${job.name} ${index}`);
        file = await save(file, texts);
      } else if (op === 'rewrite') {
        const result = await file.rewrite();
        if (!result.ok) tell({ lost: result.code });
      } else {
        const result = await file.compact();
        if (!result.ok) tell({ lost: result.code });
        else {
          tell({ compacted: file.generation });
          file = result.file;
        }
      }
    }
    file = await save(file, texts);
    await file.close();
  },
} as const;

await TASKS[job.task]();
tell({ calls });
