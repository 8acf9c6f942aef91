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
import { createDecoder, readVarString, readVarUint } from 'lib0/decoding';
import { type FileEnvironment, nodeFileEnvironment } from '../file/fs.js';
import { parseRoom } from '../generation/room.js';
import { DocumentFolder } from './document-folder.js';
import { type FolderWatch, watchFolder } from './folder-watch.js';
import { RoomFile, type UnsavedRoom } from './room-file.js';

/** Number of Hocuspocus's message that an update was taken. */
const SYNC_STATUS = 8;
/** Of a message of Yjs's sync protocol, and of the one in it that tells a state vector alone. */
const SYNC = 0;
const STEP_1 = 0;

/** Between two looks at the files of open rooms: not every file system tells of changes. */
const FOLLOW_MS = 250;
const PATIENCE_MS = 5000;

export interface FileExtensionOptions {
  readonly directory: string;
  readonly environment?: FileEnvironment;
  /** Calls `onChange` for each change in a folder, with the name of the file. Defaults to that of `node:fs`. */
  readonly watch?: FolderWatch;
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
  readonly #guarded = new WeakSet<Connection>();

  constructor(options: FileExtensionOptions) {
    const { directory, environment = nodeFileEnvironment, onMoved = () => {}, watch = watchFolder } = options;
    this.folder = new DocumentFolder(directory, environment);
    this.#environment = environment;
    this.#onMoved = onMoved;
    this.#watch = watch;
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
  async beforeHandleMessage({ connection, documentName }: beforeHandleMessagePayload): Promise<void> {
    if (this.#guarded.has(connection)) return;
    this.#guarded.add(connection);
    if (this.#rooms.get(documentName)?.readOnly === true) connection.readOnly = true;
    const send = connection.send.bind(connection);
    connection.send = (message: Uint8Array) => {
      const roomFile = this.#rooms.get(documentName);
      const kind = kindOf(message);
      if (kind === 'other') send(message);
      // The server is ending: what comes now is in no file.
      else if (roomFile === undefined) return;
      else if (kind === 'saved') void this.#sendWhenSaved(roomFile, connection, send, message);
      else void this.#sendAfterFlush(roomFile, send, message);
    };
  }

  async #sendWhenSaved(
    roomFile: RoomFile,
    connection: Connection,
    send: (message: Uint8Array) => void,
    message: Uint8Array,
  ): Promise<void> {
    if ((await roomFile.untilSaved()) && connection.document.hasConnection(connection)) send(message);
  }

  /**
   * What one client has written goes to the others when it is on the disk, too: after a crash they would bring it
   * back before its author does, and the gate would take it for theirs. A disk that fails holds nobody up.
   */
  async #sendAfterFlush(
    roomFile: RoomFile,
    send: (message: Uint8Array) => void,
    message: Uint8Array,
  ): Promise<void> {
    await roomFile.flush();
    send(message);
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

/** `document`: holds what is in the document. */
function kindOf(message: Uint8Array): 'saved' | 'document' | 'other' {
  try {
    const decoder = createDecoder(message);
    readVarString(decoder);
    const type = readVarUint(decoder);
    if (type === SYNC_STATUS) return readVarUint(decoder) === 1 ? 'saved' : 'other';
    return type === SYNC && readVarUint(decoder) !== STEP_1 ? 'document' : 'other';
  } catch {
    return 'other';
  }
}

/** As Hocuspocus passes it on to the client. No `message`: that one it would print. */
function refusal(reason: string): { readonly code: number; readonly reason: string } {
  return { code: 4403, reason };
}
