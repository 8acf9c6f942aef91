import { createReadStream } from 'node:fs';
import { open, readdir, readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Readable } from 'node:stream';
import { detectDocument } from '../conversations/formats.js';
import { isJsonObject, parseJson, readName } from '../source/json-value.js';
import { decodeBytes } from '../source/rows.js';
import { isConvexRows, joinTables, storedFile, tableOf } from './convex-tables.js';
import { ElementSplitter, joinLines } from './element-splitter.js';
import { createFamily, groupFamilies, type LogFamily, type LogFile, readLogFile } from './families.js';
import { openZip, ZipRefused } from './zip-files.js';

/** One chat of a folder or an archive: what becomes one document. */
export type GatheredChat =
  | {
      readonly ok: true;
      /** Relative path without ending: stable when it is gathered again. */
      readonly name: string;
      /** `.json` or `.jsonl`. */
      readonly ending: string;
      readonly bytes: Uint8Array;
      /** Files or members that it comes from. */
      readonly from: readonly string[];
      /** How much of the whole is gathered with it, 0 … 1. */
      readonly done: number;
    }
  | { readonly ok: false; readonly name: string; readonly code: GatherRefusal; readonly message: string };

export type GatherRefusal =
  /** A cut or damaged list of conversations: what was before the cut is gathered. */
  | 'cut_off'
  /** An element of a list that is not a conversation. */
  | 'not_a_conversation'
  /** A ZIP archive that is damaged, leaves its folder, or is a bomb. */
  | 'zip_refused';

export interface GatherOptions {
  /** One document for each session or conversation, or one for each folder of a folder. Defaults to `chat`. */
  readonly per?: 'chat' | 'folder';
}

/** A file on the disk, or a member of an archive. */
interface GatheredFile {
  readonly path: string;
  readonly size: number;
  stream(): Promise<Readable>;
  head(): Promise<Uint8Array>;
  bytes(): Promise<Uint8Array>;
}

const HEAD_BYTES = 64 * 1024;

/**
 * Whether a path is something that `gatherChats` splits: a ZIP archive, a list of conversations, or a folder with
 * logs of agents, such lists or such archives.
 */
export async function isGatherable(path: string): Promise<boolean> {
  const found = await stat(path);
  if (!found.isDirectory()) {
    // A pipe would wait for somebody who writes to it.
    if (!found.isFile()) return false;
    const file = fromDisk(path, basename(path), found.size);
    return (await isZip(file)) || (await isList(file));
  }
  for (const file of await listFolder(path)) {
    if (await isAccepted(file)) return true;
  }
  return false;
}

async function isAccepted(file: GatheredFile): Promise<boolean> {
  if (await isConvexTable(file)) return true;
  if (/\.jsonl$/i.test(file.path)) return readLogFile(file.path, await file.head()) !== undefined;
  return /\.json$/i.test(file.path) && (await isList(file));
}

/**
 * The chats of a folder, a ZIP archive or a list of conversations, one after the other. Sessions of an agent come with
 * their forks, resumed sessions and runs; of a list, no more than one conversation is in memory. Other files
 * (accounts, memories, settings) are not read beyond their beginning. Nothing is written.
 */
export async function* gatherChats(path: string, options: GatherOptions = {}): AsyncGenerator<GatheredChat> {
  const found = await stat(path);
  if (found.isDirectory()) {
    yield* gatherFiles(await listFolder(path), options);
    return;
  }
  const file = fromDisk(path, basename(path), found.size);
  if (!(await isZip(file))) {
    yield* gatherFiles([file], options);
    return;
  }
  try {
    const zip = await openZip(path);
    try {
      const members = zip.members.map((member) => fromStream(member.path, member.size, () => member.read()));
      yield* gatherFiles(members, options);
    } finally {
      zip.close();
    }
  } catch (error) {
    if (!(error instanceof ZipRefused)) throw error;
    yield { ok: false, name: basename(path), code: 'zip_refused', message: error.message };
  }
}

async function isConvexTable(file: GatheredFile): Promise<boolean> {
  if (tableOf(file.path) === undefined || !/[\\/]/.test(file.path)) return false;
  return isConvexRows(decodeBytes(await file.head()));
}

/** Tables of an export of Convex, one chat. Files that are not of it remain. */
async function gatherTables(
  files: readonly GatheredFile[],
): Promise<{ readonly chat: GatheredChat | undefined; readonly others: readonly GatheredFile[] }> {
  const tables = new Map<string, string[]>();
  const from: string[] = [];
  const others: GatheredFile[] = [];
  for (const file of files) {
    const table = tableOf(file.path);
    if (table === undefined || !(await isConvexTable(file))) {
      others.push(file);
      continue;
    }
    from.push(file.path);
    const text = decodeBytes(await file.bytes());
    tables.set(table, [...(tables.get(table) ?? []), text]);
  }
  if (tables.size === 0) return { chat: undefined, others };
  const stored = files.flatMap(({ path }) => storedFile(path) ?? []);
  const bytes = joinTables(tables, stored);
  return { chat: { ok: true, name: 'convex', ending: '.json', bytes, from, done: 1 }, others };
}

async function* gatherFiles(
  files: readonly GatheredFile[],
  { per = 'chat' }: GatherOptions,
): AsyncGenerator<GatheredChat> {
  const { chat, others } = await gatherTables(files);
  if (chat !== undefined) yield chat;
  const logs = new Map<LogFile, GatheredFile>();
  const lists: GatheredFile[] = [];
  for (const file of others) {
    const log = /\.jsonl$/i.test(file.path) ? readLogFile(file.path, await file.head()) : undefined;
    if (log !== undefined) logs.set(log, file);
    else if (/\.json$/i.test(file.path) && (await isList(file))) lists.push(file);
  }
  const total = [...logs.values(), ...lists].reduce((sum, { size }) => sum + size, 0);
  let before = 0;
  for (const family of groupLogs([...logs.keys()], per)) {
    const members = family.files.map((log) => logs.get(log) as GatheredFile);
    const bytes = joinLines(await Promise.all(members.map((member) => member.bytes())));
    before += bytes.length;
    const name = per === 'folder' ? folderOf(family.main.path) : family.main.path.replace(/\.jsonl$/i, '');
    yield {
      ok: true,
      name,
      ending: '.jsonl',
      bytes,
      from: members.map(({ path }) => path),
      done: before / total,
    };
  }
  for (const list of lists) {
    if (per === 'folder') {
      before += list.size;
      const name = list.path.replace(/\.json$/i, '');
      yield {
        ok: true,
        name,
        ending: '.json',
        bytes: await list.bytes(),
        from: [list.path],
        done: before / total,
      };
    } else {
      yield* splitList(list, before, total);
      before += list.size;
    }
  }
}

function groupLogs(logs: readonly LogFile[], per: 'chat' | 'folder'): readonly LogFamily[] {
  if (per === 'chat') return groupFamilies(logs);
  const folders = new Map<string, LogFile[]>();
  for (const log of logs) {
    const folder = `${log.format} ${folderOf(log.path)}`;
    const same = folders.get(folder);
    if (same === undefined) folders.set(folder, [log]);
    else same.push(log);
  }
  return [...folders.values()].map(createFamily);
}

/** The first folder in a path: a project. */
function folderOf(path: string): string {
  const [first = '', ...rest] = path.split(/[\\/]/);
  return rest.length === 0 ? 'chats' : first;
}

async function* splitList(file: GatheredFile, before: number, total: number): AsyncGenerator<GatheredChat> {
  const splitter = new ElementSplitter();
  let read = 0;
  let count = 0;
  for await (const chunk of await file.stream()) {
    const bytes = chunk as Uint8Array;
    read += bytes.length;
    for (const element of splitter.push(bytes)) {
      count += 1;
      yield nameElement(file, element, count, (before + read) / total);
    }
  }
  if (splitter.isWhole) return;
  const message = 'the list is cut off or damaged: what is before the cut was read; fetch a whole copy';
  yield { ok: false, name: file.path, code: 'cut_off', message };
}

function nameElement(file: GatheredFile, element: Uint8Array, count: number, done: number): GatheredChat {
  const value = parseJson(decodeBytes(element))?.value;
  const found = value === undefined ? undefined : detectDocument(value);
  if (found === undefined || !isJsonObject(value)) {
    const message = `element ${count} of the list is not a conversation`;
    return { ok: false, name: file.path, code: 'not_a_conversation', message };
  }
  const { conversation_id, id, uuid, conversationId } = value;
  const given = [conversation_id, id, uuid, conversationId].map(readName).find((name) => name !== undefined);
  const name = given === undefined ? `conversation-${count}` : toFileName(given);
  return { ok: true, name, ending: '.json', bytes: element, from: [file.path], done };
}

/** An id as the name of a file. */
function toFileName(id: string): string {
  const name = id.replace(/[^A-Za-z0-9._-]/g, '_').slice(0, 120);
  return /^\.+$/.test(name) ? name.replace(/\./g, '_') : name;
}

async function isZip(file: GatheredFile): Promise<boolean> {
  const head = await file.head();
  return head[0] === 0x50 && head[1] === 0x4b && head[2] === 3 && head[3] === 4;
}

/** Whether a file is a list whose first element is a conversation, or is too long to tell. */
async function isList(file: GatheredFile): Promise<boolean> {
  const head = await file.head();
  const text = decodeBytes(head).trimStart();
  if (!text.startsWith('[')) return false;
  const [first] = new ElementSplitter().push(head);
  if (first === undefined) return /"(?:mapping|chat_messages|history)"\s*:/.test(text);
  const value = parseJson(decodeBytes(first))?.value;
  return value !== undefined && detectDocument(value) !== undefined;
}

async function listFolder(root: string): Promise<readonly GatheredFile[]> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => /\.jsonl?$/i.test(path) || storedFile(path) !== undefined);
  const files: GatheredFile[] = [];
  for (const path of paths.sort()) {
    const { size } = await stat(path);
    files.push(fromDisk(path, path.slice(root.length).replace(/^[\\/]+/, ''), size));
  }
  return files;
}

function fromDisk(path: string, name: string, size: number): GatheredFile {
  return {
    path: name,
    size,
    stream: () => Promise.resolve(createReadStream(path, { highWaterMark: 1024 * 1024 })),
    head: async () => {
      const handle = await open(path);
      try {
        const { buffer, bytesRead } = await handle.read(new Uint8Array(HEAD_BYTES), 0, HEAD_BYTES, 0);
        return buffer.subarray(0, bytesRead);
      } finally {
        await handle.close();
      }
    },
    bytes: async () => new Uint8Array(await readFile(path)),
  };
}

function fromStream(path: string, size: number, stream: () => Promise<Readable>): GatheredFile {
  return {
    path,
    size,
    stream,
    head: async () => readUpTo(await stream(), HEAD_BYTES),
    bytes: async () => readUpTo(await stream(), Number.POSITIVE_INFINITY),
  };
}

async function readUpTo(stream: Readable, limit: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of stream) {
    chunks.push(chunk as Uint8Array);
    length += (chunk as Uint8Array).length;
    if (length >= limit) break;
  }
  stream.destroy();
  return new Uint8Array(Buffer.concat(chunks)).subarray(
    0,
    limit === Number.POSITIVE_INFINITY ? length : limit,
  );
}
