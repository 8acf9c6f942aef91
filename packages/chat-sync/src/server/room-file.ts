import type { Chat } from '@chatdoc/schema';
import type * as Y from 'yjs';
import type { ChatFile, OpenedChatFile } from '../file/chat-file.js';
import type { FileEnvironment } from '../file/fs.js';
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
}

/** How long to wait before a failed write is tried again. */
const RETRY_MS = 1000;

/**
 * Keeps the document of one room in its file. A new document gets its file with its first update: a name that
 * somebody has only asked for leaves nothing.
 */
export class RoomFile {
  readonly #options: RoomFileOptions;
  #file: ChatFile | undefined;
  #creating: Promise<OpenedChatFile> | undefined;
  #hasMoved = false;

  private constructor(options: RoomFileOptions, file: ChatFile | undefined) {
    this.#options = options;
    this.#file = file;
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
    return { ok: true, roomFile: new RoomFile(options, opened.file) };
  }

  /** Undefined for a new document without an update. */
  get chat(): Chat | undefined {
    return this.#file?.chat;
  }

  /** Whether the file can be written: a damaged one is served for reading. */
  get readOnly(): boolean {
    return this.#file?.readOnly === true;
  }

  /** All that the document holds now is on the disk. False: it is not, and a later try may bring it there. */
  async flush(): Promise<boolean> {
    const { doc } = this.#options;
    // Of a document without an update there is nothing to save.
    if (this.#hasMoved || (this.#file === undefined && doc.store.clients.size === 0)) return true;
    const file = this.#file ?? (await this.#create());
    if (file === undefined) return false;
    if (file.readOnly) return file.state().unsaved === 0;
    const result = await file.flush();
    if (result.ok) return true;
    return result.code === 'other_generation' ? this.#moveOn(file) : false;
  }

  /** As `flush`, and does not give up. Resolves early, with false, once `isOver`. */
  async flushUntilSaved(isOver: () => boolean): Promise<boolean> {
    for (;;) {
      if (await this.flush()) return true;
      if (isOver()) return false;
      await this.#options.environment.sleep(RETRY_MS);
    }
  }

  async close(): Promise<void> {
    await this.#creating;
    await this.#file?.close();
  }

  async #create(): Promise<ChatFile | undefined> {
    const { folder, room, doc, environment } = this.#options;
    const options = { doc, doc_id: room.doc_id, flush: 'manual', fileEnvironment: environment } as const;
    this.#creating ??= createChatFile(folder.pathOf(room.doc_id), options);
    const created = await this.#creating;
    this.#creating = undefined;
    if (created.ok) this.#file ??= created.file;
    return this.#file;
  }

  /** Somebody compacted the file: what it does not have of ours goes there as entries. */
  async #moveOn(file: ChatFile): Promise<boolean> {
    const moved = await file.moveOn();
    if (!moved.ok) return false;
    const { doc_id, generation } = moved.file;
    const closed = await moved.file.close();
    if (!closed.ok) return false;
    if (!this.#hasMoved) {
      this.#hasMoved = true;
      this.#options.onMoved(roomName(doc_id, generation));
    }
    return true;
  }
}
