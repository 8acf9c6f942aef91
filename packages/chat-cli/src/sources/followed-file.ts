import type { Stats } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Chat } from '@chatdoc/schema';
import { Door, NO_LIMITS, readDocument, readFrame } from '@chatdoc/sync';
import type { Io } from '../io.js';
import { nameFile } from '../say/failure.js';
import type { FollowedChat, FollowListener } from './followed-chat.js';
import { describeOther } from './open-document.js';
import { describeDocumentFault, describeReport } from './open-source.js';
import { describeReadError, type Failure, findFile } from './read-source.js';

/** Between two looks at the file, ms. */
const LOOK_MS = 250;

interface Known {
  readonly chat: Chat;
  readonly doc_id: string;
  readonly generation: number;
  readonly door: Door;
}

/**
 * A document file, as other processes write it. It is only read: what is appended costs what was appended; a file that
 * was replaced, or in which something else stands, is read again from its start.
 */
export class FollowedFile implements FollowedChat {
  readonly name: string;
  readonly #file: string;
  readonly #io: Io;
  #listener: FollowListener | undefined;
  #known: Known | undefined;
  /** What was read last. */
  #seen: Stats | undefined;
  /** Bytes of it that were read. */
  #end = 0;
  #timer: unknown;

  constructor(file: string, io: Io) {
    this.#file = file;
    this.#io = io;
    this.name = nameFile(file);
  }

  open(listener: FollowListener): void {
    this.#listener = listener;
    void this.#look();
  }

  close(): void {
    this.#listener = undefined;
    this.#io.timers.clearTimer(this.#timer);
    this.#known?.chat.close();
  }

  async #look(): Promise<void> {
    const failure = await this.#read();
    const listener = this.#listener;
    if (listener === undefined) return;
    if (failure !== undefined && this.#known === undefined) {
      listener.onEnd(failure);
      return;
    }
    // It may come back, as after a restore from a backup.
    if (failure !== undefined) {
      this.#seen = undefined;
      listener.onState(`${failure.message}; what is shown is what it was`);
    }
    this.#timer = this.#io.timers.setTimer(() => void this.#look(), LOOK_MS);
  }

  async #read(): Promise<Failure | undefined> {
    const path = resolve(this.#io.cwd, this.#file);
    try {
      const found = await stat(path);
      const seen = this.#seen;
      const isSame = seen !== undefined && seen.ino === found.ino && seen.dev === found.dev;
      if (isSame && seen.size === found.size && seen.mtimeMs === found.mtimeMs) return undefined;
      if (!isSame || !(await this.#readMore(path, found.size > seen.size))) {
        const checked = await findFile(this.#file, this.#io);
        if (!checked.ok) return checked;
        const failure = this.#readAll(await readFrom(path, 0));
        if (failure !== undefined) return failure;
      }
      this.#seen = found;
      return undefined;
    } catch (error) {
      return describeReadError(error);
    }
  }

  /** False where what was appended is not frames of this document alone. `hasGrown`: since we looked at it. */
  async #readMore(path: string, hasGrown: boolean): Promise<boolean> {
    const start = this.#end;
    const known = this.#known;
    if (known === undefined) return false;
    const bytes = await readFrom(path, start);
    if (this.#listener === undefined) return true;
    let at = 0;
    while (at < bytes.length) {
      const read = readFrame(bytes, at);
      if (!read.ok) return false;
      const { frame, end } = read;
      if (frame.doc_id !== known.doc_id || frame.generation !== known.generation) return false;
      if (frame.kind !== 'seal' && !known.door.receiveUpdate(frame.payload).ok) return false;
      at = end;
    }
    this.#end = start + at;
    // What came between a look and a read was read then.
    return at > 0 || hasGrown;
  }

  #readAll(bytes: Uint8Array): Failure | undefined {
    const read = readDocument(bytes);
    if (!read.ok)
      return read.code === 'not_a_document' ? describeOther(bytes) : describeDocumentFault(read.code);
    const { doc, chat, doc_id, generation, report } = read;
    this.#end = bytes.length;
    this.#known?.chat.close();
    const door = new Door(doc, { doc_id, generation, others: 'any', limits: NO_LIMITS });
    this.#known = { chat, doc_id, generation, door };
    // What is torn is a write that may be going on.
    const notes = describeReport({ ...report, torn_bytes: 0 });
    this.#listener?.onChat(chat);
    this.#listener?.onState(notes.length === 0 ? null : notes.join('; '));
    return undefined;
  }
}

async function readFrom(path: string, start: number): Promise<Uint8Array> {
  const handle = await open(path);
  try {
    const { size } = await handle.stat();
    const bytes = new Uint8Array(Math.max(0, size - start));
    const { bytesRead } = await handle.read(bytes, 0, bytes.length, start);
    return bytes.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}
