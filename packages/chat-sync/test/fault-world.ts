import { createHash } from 'node:crypto';
import { type Chat, type Environment, openChat } from '@chatdoc/schema';
import { deriveUlid } from '@chatdoc/schema/internal';
import { expect } from 'vitest';
import * as Y from 'yjs';
import { createCounter } from '../../../tools/counter.js';
import {
  type ChatFile,
  createChatFile,
  type FileEnvironment,
  type FileSystem,
  type OpenChatFileOptions,
  type OpenedChatFile,
  openChatFile,
} from '../src/file/index.js';
import { Disk, FOLDER, type Hook } from './fault-disk.js';

/** Document files for tests of faults: on a disk in memory, with everything seeded. */

const START: number = Date.UTC(2026, 10, 21, 12);
export const DOC_ID: string = deriveUlid(START, 'file');
export const NAME = 'talk.ychat';
export const PATH = `${FOLDER}/${NAME}`;
export { isDue, isMore, isQuick, runs, SEED, scale, thin } from '../../../tools/amounts.js';

function createRandom(seed: string): (bytes: number) => Uint8Array {
  let count = 0;
  return (bytes) => {
    count += 1;
    return new Uint8Array(createHash('sha256').update(`${seed} ${count}`).digest().subarray(0, bytes));
  };
}

/** The same for the same seed and calls. */
export function createEnvironment(seed: string): Environment {
  const random = createRandom(seed);
  let count = 0;
  return {
    now: () => {
      count += 1;
      return START + count;
    },
    random,
  };
}

/** Numbers below `below`. */
export function createPicker(seed: number): (below: number) => number {
  let state = seed | 0;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

/** Numbers of processes that are there. */
export type Running = Set<number>;

export interface Process {
  readonly number: number;
  readonly options: OpenChatFileOptions;
}

const nextProcess = createCounter(1000);

/** A process of its own, that flushes by hand. */
export function startProcess(
  disk: Disk,
  seed: string,
  { hook = {}, running = new Set() }: { readonly hook?: Hook; readonly running?: Running } = {},
): Process {
  const number = nextProcess();
  running.add(number);
  const options = {
    flush: 'manual',
    environment: createEnvironment(seed),
    fileEnvironment: createFileEnvironment(disk.fileSystem(hook), number, running, seed),
    patience_ms: 60,
  } as const;
  return { number, options };
}

export function createFileEnvironment(
  fileSystem: FileSystem,
  process_id: number,
  running: Running,
  seed: string,
): FileEnvironment {
  return {
    fileSystem,
    process_id,
    isRunning: (number) => running.has(number),
    random: createRandom(`${seed} ${process_id}`),
    sleep: () => Promise.resolve(),
    setTimer: () => undefined,
    clearTimer: () => undefined,
  };
}

export function fileOf(opened: OpenedChatFile): ChatFile {
  if (!opened.ok) throw new Error(`not opened: ${opened.code}`);
  return opened.file;
}

export async function create(process: Process): Promise<ChatFile> {
  return fileOf(await createChatFile(PATH, { doc_id: DOC_ID, ...process.options }));
}

export async function open(process: Process): Promise<ChatFile> {
  return fileOf(await openChatFile(PATH, process.options));
}

/** In the first thread, or a new one. */
export function say(chat: Chat, content: string, sender_id = 'ada'): string {
  const [thread] = chat.threads();
  const thread_id = thread?.thread_id ?? chat.createThread({ created_by: 'ada' }).thread_id;
  return chat.send({ thread_id, sender_id, content }).message_id;
}

/** Contents of all messages, in order. */
export function textsOf(chat: Chat): string[] {
  return chat.threads().flatMap(({ thread_id }) => chat.messages(thread_id).map(({ content }) => content));
}

/** What a process that has never seen the file finds in it. */
export async function find(disk: Disk, seed = 'finder'): Promise<ChatFile> {
  return open(startProcess(disk, seed));
}

/** A disk with a document of some messages, each in a frame of its own, and what they say. */
export async function diskWith(count: number, seed = 'base'): Promise<{ disk: Disk; texts: string[] }> {
  const disk = new Disk();
  const file = await create(startProcess(disk, seed));
  const texts: string[] = [];
  for (let n = 0; n < count; n += 1) {
    texts.push(`${seed} ${n}`);
    say(file.chat, `${seed} ${n}`);
    const flushed = await file.flush();
    if (!flushed.ok) throw new Error(flushed.code);
  }
  await file.close();
  return { disk: Disk.holding(disk.files()), texts };
}

/** A chat in a document of its own, without a file. */
export function createChat(seed: string, generation = 0): { doc: Y.Doc; chat: Chat } {
  const doc = new Y.Doc();
  return { doc, chat: openChat(doc, { environment: createEnvironment(seed), generation }) };
}

/** `toEqual` takes milliseconds for kilobytes. */
export function expectBytes(found: Uint8Array | undefined, expected: Uint8Array | undefined): void {
  expect(found === undefined).toBe(expected === undefined);
  if (found !== undefined && expected !== undefined) expect(Buffer.compare(found, expected)).toBe(0);
}
