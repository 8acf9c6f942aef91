import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { Chat } from '@chatdoc/schema';
import type * as Y from 'yjs';
import { keepAside } from '../file/atomic.js';
import { type ChatFile, type OpenedChatFile, snapshotFrame } from '../file/chat-file.js';
import { describeFault, type FileEnvironment, type FileStat, isSameFile } from '../file/fs.js';
import { createChatFile, openChatFile } from '../file/open-chat-file.js';
import { type Room, roomName } from '../generation/room.js';
import type { DocumentFolder } from './document-folder.js';

export interface RoomFileOptions {
  readonly folder: DocumentFolder;
  readonly room: Room;
  readonly doc: Y.Doc;
  readonly environment: FileEnvironment;
  /** Called once if the file turns out to be of another generation: its clients have to go there. */
  readonly onMoved: (room: string) => void;
  /** Called when something is saved that could not be saved before. */
  readonly onSaved: () => void;
}

export type Saved = { readonly ok: true } | { readonly ok: false; readonly code: string };

/** A document of which the file does not hold everything. */
export interface UnsavedRoom {
  readonly room: string;
  /** The file that it should be in. */
  readonly path: string;
  /** Why it is not, as `FileFault` and `FlushResult` name it; `timeout` if the disk did not answer. */
  readonly code: string;
  /** A document file with all of it; undefined if it could not be kept anywhere. */
  readonly kept?: string;
}

/** How long to wait before a failed write is tried again. */
const RETRY_MS = 1000;
const SAVED: Saved = { ok: true };

/**
 * Keeps the document of one room in its file. A new document gets its file with its first update: a name that
 * somebody has only asked for leaves nothing. Each update is brought to the disk, whether or not anybody waits for
 * it, and tried again until it is there.
 */
export class RoomFile {
  readonly #options: RoomFileOptions;
  #file: ChatFile | undefined;
  /** Of the file when it was last looked at. */
  #seen: FileStat | undefined;
  #hasMoved = false;
  #isClosed = false;
  #running: Promise<unknown> = Promise.resolve();
  /** The next flush, which has not begun. */
  #next: Promise<Saved> | undefined;
  #pause: Promise<void> | undefined;
  #trying: Promise<void> | undefined;

  private constructor(options: RoomFileOptions, file: ChatFile | undefined) {
    this.#options = options;
    this.#file = file;
    options.doc.on('update', this.#onUpdate);
  }

  /** Loads the file of the room into `doc`, if there is one. */
  static async load(
    options: RoomFileOptions,
  ): Promise<
    { readonly ok: true; readonly roomFile: RoomFile } | { readonly ok: false; readonly code: string }
  > {
    const { folder, room, doc, environment } = options;
    const found = await folder.find(room.doc_id);
    if (found === undefined) {
      const generation = (await folder.generationOf(room.doc_id)) ?? 0;
      return room.generation === 0 && generation === 0
        ? { ok: true, roomFile: new RoomFile(options, undefined) }
        : { ok: false, code: 'other_generation' };
    }
    if (found.generation !== room.generation) return { ok: false, code: 'other_generation' };
    const opened = await openChatFile(found.path, { doc, flush: 'manual', fileEnvironment: environment });
    if (!opened.ok) return opened;
    const roomFile = new RoomFile(options, opened.file);
    await folder.recordServed(room.doc_id, found.path);
    return { ok: true, roomFile };
  }

  /** Undefined for a new document without an update. */
  get chat(): Chat | undefined {
    return this.#file?.chat;
  }

  /** Whether the file can be written: a damaged one is served for reading. */
  get readOnly(): boolean {
    return this.#file?.readOnly === true;
  }

  /** Where the document is, or will be. */
  get path(): string {
    return this.#file?.path ?? this.#options.folder.pathOf(this.#options.room.doc_id);
  }

  /**
   * Brings all that the document holds now to the disk. Calls that come while one is under way share the next. What
   * fails is tried again by itself.
   */
  flush(): Promise<Saved> {
    this.#next ??= this.#running.then(() => {
      this.#next = undefined;
      const saving = this.#flush();
      this.#running = saving;
      return saving;
    });
    return this.#next;
  }

  /** Resolves once all that the document holds now is on the disk; with false if the room is closed before. */
  async untilSaved(): Promise<boolean> {
    while (!this.#isClosed) {
      if ((await this.flush()).ok) return true;
      this.#pause ??= this.#options.environment.sleep(RETRY_MS).then(() => {
        this.#pause = undefined;
      });
      await this.#pause;
    }
    return false;
  }

  /**
   * Takes in what other processes have written into the file, and goes on in it under another name if it has got one.
   * Costs one `stat` where nothing has changed.
   */
  async follow(): Promise<void> {
    const file = this.#file;
    if (file === undefined || this.#isClosed || this.#hasMoved) return;
    const stat = await this.#options.environment.fileSystem.stat(file.path).catch(() => undefined);
    const seen = this.#seen;
    if (stat !== undefined && seen !== undefined && isSameFile(stat, seen) && stat.size === seen.size) return;
    if (stat !== undefined) this.#seen = stat;
    const saved = stat === undefined ? undefined : await this.flush();
    if (saved?.ok === true) return;
    // Renamed, perhaps with another in its place.
    await this.#followName(file, seen);
    await this.flush();
  }

  /**
   * Lets go of the file. What is not saved within `patience` milliseconds is kept beside it, or in the system's folder
   * for temporary files, and reported.
   */
  async close(patience: number): Promise<UnsavedRoom | undefined> {
    const { doc, environment, room } = this.#options;
    const saved = await inTime(this.flush(), patience, environment);
    this.#isClosed = true;
    doc.off('update', this.#onUpdate);
    const { path } = this;
    let unsaved: UnsavedRoom | undefined;
    if (!saved.ok) {
      const kept = await this.#keepAside(patience);
      unsaved = {
        room: roomName(room.doc_id, room.generation),
        path,
        code: saved.code,
        ...(kept !== undefined && { kept }),
      };
    }
    await inTime(this.#file?.close() ?? Promise.resolve(SAVED), patience, environment);
    return unsaved;
  }

  readonly #onUpdate = (_: Uint8Array, origin: unknown): void => {
    if (origin !== this.#file) void this.flush();
  };

  async #flush(): Promise<Saved> {
    const saved = await this.#save();
    if (!saved.ok && !this.#isClosed) this.#keepTrying();
    return saved;
  }

  async #save(): Promise<Saved> {
    const { doc } = this.#options;
    // Of a document without an update there is nothing to save.
    if (this.#hasMoved || (this.#file === undefined && doc.store.clients.size === 0)) return SAVED;
    if (this.#file === undefined) {
      const created = await this.#create();
      if (!created.ok) return created;
      this.#file = created.file;
    }
    const file = this.#file;
    if (file.readOnly) return file.state().unsaved === 0 ? SAVED : { ok: false, code: 'read_only' };
    const result = await file.flush();
    if (result.ok) return result;
    return result.code === 'other_generation' ? this.#moveOn(file) : result;
  }

  #keepTrying(): void {
    this.#trying ??= this.untilSaved().then((isSaved) => {
      this.#trying = undefined;
      if (isSaved) this.#options.onSaved();
    });
  }

  async #create(): Promise<OpenedChatFile> {
    const { folder, room, doc, environment } = this.#options;
    const options = { doc, doc_id: room.doc_id, flush: 'manual', fileEnvironment: environment } as const;
    const created = await createChatFile(folder.pathOf(room.doc_id), options);
    if (created.ok || created.code !== 'exists') return created;
    // Another process was first.
    const opened = await openChatFile(folder.pathOf(room.doc_id), options);
    if (!opened.ok || isOf(opened.file, room)) return opened;
    await opened.file.close();
    return { ok: false, code: 'conflict' };
  }

  /** The file `seen` has no longer the name that it had. */
  async #followName(file: ChatFile, seen: FileStat | undefined): Promise<void> {
    const { folder, room, doc, environment } = this.#options;
    const moved = await folder.findMoved(room.doc_id, seen).catch(() => undefined);
    if (moved === undefined || moved.path === file.path || moved.generation !== room.generation) return;
    await this.#running;
    const opened = await openChatFile(moved.path, { doc, flush: 'manual', fileEnvironment: environment });
    if (!opened.ok) return;
    if (!isOf(opened.file, room) || opened.file.readOnly || this.#isClosed) {
      await opened.file.close();
      return;
    }
    this.#file = opened.file;
    this.#seen = undefined;
    await file.close();
    // It got all of the document once more.
    await opened.file.rewrite();
    await folder.recordServed(room.doc_id, moved.path);
  }

  async #keepAside(patience: number): Promise<string | undefined> {
    const { doc, room, environment } = this.#options;
    const { bytes } = snapshotFrame(doc, room);
    for (const path of [this.path, join(tmpdir(), basename(this.path))]) {
      const keeping = keepAside(environment, path, 'unsaved', bytes).then(
        (kept) => ({ ok: true, kept }) as const,
        describeFault,
      );
      const result = await inTime(keeping, patience, environment);
      if (result.ok) return result.kept;
    }
    return undefined;
  }

  /** Somebody compacted the file: what it does not have of ours goes there as entries. */
  async #moveOn(file: ChatFile): Promise<Saved> {
    const moved = await file.moveOn();
    if (!moved.ok) return moved;
    const { doc_id, generation } = moved.file;
    const closed = await moved.file.close();
    if (!closed.ok) return closed;
    if (!this.#hasMoved) {
      this.#hasMoved = true;
      this.#options.onMoved(roomName(doc_id, generation));
    }
    return SAVED;
  }
}

function isOf(file: ChatFile, { doc_id, generation }: Room): boolean {
  return file.doc_id === doc_id && file.generation === generation;
}

/** `timeout` after `patience` milliseconds: a disk that is gone may never answer. */
async function inTime<T extends { readonly ok: boolean }>(
  work: Promise<T>,
  patience: number,
  { setTimer, clearTimer }: FileEnvironment,
): Promise<T | { readonly ok: false; readonly code: 'timeout' }> {
  let timer: unknown;
  const late = new Promise<{ ok: false; code: 'timeout' }>((resolve) => {
    timer = setTimer(() => resolve({ ok: false, code: 'timeout' }), patience);
  });
  const result = await Promise.race([work, late]);
  clearTimer(timer);
  return result;
}
