import { basename } from 'node:path';
import type {
  afterUnloadDocumentPayload,
  beforeHandleMessagePayload,
  beforeUnloadDocumentPayload,
  Connection,
  Document,
  Extension,
  Hocuspocus,
  onLoadDocumentPayload,
} from '@hocuspocus/server';
import { type FileEnvironment, nodeFileEnvironment } from '../file/fs.js';
import { parseRoom } from '../generation/room.js';
import { INITIAL_LIMITS } from '../update/limits.js';
import { readClientMessage, readServerMessage, replaceWithAwareness } from './client-message.js';
import { DocumentFolder } from './document-folder.js';
import { type FolderWatch, watchFolder } from './folder-watch.js';
import { Outbox, Outflow } from './outbox.js';
import { RoomFile, type UnsavedRoom } from './room-file.js';

/** Between two looks at the files of open rooms: not every file system tells of changes. */
const FOLLOW_MS = 250;
const PATIENCE_MS = 5000;

export interface FileExtensionOptions {
  readonly directory: string;
  readonly environment?: FileEnvironment;
  /** Calls `onChange` for each change in a folder, with the name of the file. Defaults to that of `node:fs`. */
  readonly watch?: FolderWatch;
  /** Bytes that may wait for all clients together before they get more. Defaults to 128 MiB. */
  readonly maxPending?: number;
  /** Called when the clients of a document have to go to another room: somebody has compacted its file. */
  readonly onMoved?: (document: Document, room: string) => void;
}

/**
 * Keeps the documents of a Hocuspocus server as document files in a folder. A client is told that an update was
 * saved when it is on the disk, not when it was applied: Hocuspocus itself says so at once.
 */
export class FileExtension implements Extension {
  readonly extensionName = 'chatdoc-files';
  readonly folder: DocumentFolder;
  readonly #environment: FileEnvironment;
  readonly #onMoved: (document: Document, room: string) => void;
  readonly #watch: FolderWatch;
  #unwatch: (() => void) | undefined;
  #timer: unknown;
  #isClosed = false;
  readonly #rooms = new Map<string, RoomFile>();
  readonly #outboxes = new WeakMap<Connection, Outbox>();
  readonly #outflow: Outflow;

  constructor(options: FileExtensionOptions) {
    const { directory, environment = nodeFileEnvironment, onMoved = () => {}, watch = watchFolder } = options;
    this.folder = new DocumentFolder(directory, environment);
    this.#environment = environment;
    this.#onMoved = onMoved;
    this.#watch = watch;
    this.#outflow = new Outflow(options.maxPending);
  }

  /** Bytes that wait for clients. */
  get pending(): number {
    return this.#outflow.total;
  }

  /** The file of an open room. */
  roomFile(documentName: string): RoomFile | undefined {
    return this.#rooms.get(documentName);
  }

  async onLoadDocument({ documentName, document, instance }: onLoadDocumentPayload): Promise<void> {
    const room = parseRoom(documentName);
    if (this.#isClosed) throw refusal('closed');
    this.#startFollowing();
    if (room === undefined) throw refusal('unknown_room');
    const loaded = await RoomFile.load({
      folder: this.folder,
      room,
      doc: document,
      environment: this.#environment,
      onMoved: (to) => this.#onMoved(document, to),
      onSaved: () => void unloadIfLeft(instance, document),
    });
    if (!loaded.ok) throw refusal(loaded.code);
    this.#rooms.set(documentName, loaded.roomFile);
  }

  // The first message of a connection comes before the hook `connected`.
  async beforeHandleMessage(payload: beforeHandleMessagePayload): Promise<void> {
    const { connection, documentName, update: bytes } = payload;
    let outbox = this.#outboxes.get(connection);
    if (outbox === undefined) {
      outbox = this.#guard(connection, documentName);
      this.#outboxes.set(connection, outbox);
    }
    const message = readClientMessage(bytes, INITIAL_LIMITS.clients);
    if (message?.type === 'question' && outbox.putOffAnswer(message.vector))
      replaceWithAwareness(bytes, null);
  }

  #guard(connection: Connection, documentName: string): Outbox {
    if (this.#rooms.get(documentName)?.readOnly === true) connection.readOnly = true;
    const outbox = new Outbox(
      connection,
      this.#outflow,
      () => this.#rooms.get(documentName)?.flush() ?? Promise.resolve(),
    );
    connection.send = (message: Uint8Array) => {
      const read = readServerMessage(message);
      if (read.type === 'other') outbox.sendOther(message);
      else if (read.type === 'awareness') outbox.sendAwareness(message);
      else {
        const roomFile = this.#rooms.get(documentName);
        // The server is ending: what comes now is in no file.
        if (roomFile === undefined) return;
        if (read.type === 'document') outbox.sendDocument(message, read.update);
        else
          void roomFile.untilSaved().then((isSaved) => {
            if (isSaved && connection.document.hasConnection(connection)) outbox.sendSaved();
          });
      }
    };
    return outbox;
  }

  /** What could not be written stays in memory, with its document. */
  async beforeUnloadDocument({ documentName }: beforeUnloadDocumentPayload): Promise<void> {
    const roomFile = this.#rooms.get(documentName);
    if (roomFile === undefined) return;
    if (!(await roomFile.flush()).ok) throw refusal('not_saved');
  }

  async afterUnloadDocument({ documentName }: afterUnloadDocumentPayload): Promise<void> {
    const roomFile = this.#rooms.get(documentName);
    this.#rooms.delete(documentName);
    await roomFile?.close(PATIENCE_MS);
  }

  /**
   * Brings everything to the disk, and lets go. Returns the documents that could not be saved in time, which takes at
   * most four times `patience` milliseconds (5,000 by default).
   */
  async close(patience: number = PATIENCE_MS): Promise<readonly UnsavedRoom[]> {
    this.#isClosed = true;
    this.#environment.clearTimer(this.#timer);
    this.#unwatch?.();
    const rooms = [...this.#rooms.values()];
    this.#rooms.clear();
    const unsaved = await Promise.all(rooms.map((roomFile) => roomFile.close(patience)));
    return unsaved.filter((room) => room !== undefined);
  }

  async onDestroy(): Promise<void> {
    await this.close();
  }

  #startFollowing(): void {
    if (this.#unwatch !== undefined) return;
    this.#unwatch = this.#watch(this.folder.directory, (name) => {
      this.folder.invalidate();
      for (const roomFile of this.#rooms.values()) {
        if (name === undefined || name === basename(roomFile.path)) void roomFile.follow();
      }
    });
    this.#planFollowing();
  }

  #planFollowing(): void {
    if (this.#isClosed) return;
    this.#timer = this.#environment.setTimer(() => void this.#followAll(), FOLLOW_MS);
  }

  async #followAll(): Promise<void> {
    // A disk that hangs for one must not keep the others from being looked at.
    const all = [...this.#rooms.values()].map((roomFile) => roomFile.follow());
    await Promise.race([Promise.allSettled(all), this.#environment.sleep(FOLLOW_MS)]);
    this.#planFollowing();
  }
}

/** What could not be saved kept it in memory when its last client left. */
async function unloadIfLeft(instance: Hocuspocus, document: Document): Promise<void> {
  if (document.getConnectionsCount() === 0) await instance.unloadDocument(document);
}

/** As Hocuspocus passes it on to the client. No `message`: that one it would print. */
function refusal(reason: string): { readonly code: number; readonly reason: string } {
  return { code: 4403, reason };
}
