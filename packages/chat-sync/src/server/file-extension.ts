import type {
  afterUnloadDocumentPayload,
  beforeHandleMessagePayload,
  beforeUnloadDocumentPayload,
  Connection,
  Document,
  Extension,
  onLoadDocumentPayload,
} from '@hocuspocus/server';
import { createDecoder, readVarString, readVarUint } from 'lib0/decoding';
import { type FileEnvironment, nodeFileEnvironment } from '../file/fs.js';
import { parseRoom } from '../generation/room.js';
import { DocumentFolder } from './document-folder.js';
import { RoomFile } from './room-file.js';

/** Number of Hocuspocus's message that an update was taken. */
const SYNC_STATUS = 8;
/** Of a message of Yjs's sync protocol, and of the one in it that tells a state vector alone. */
const SYNC = 0;
const STEP_1 = 0;

export interface FileExtensionOptions {
  readonly directory: string;
  readonly environment?: FileEnvironment;
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
  readonly #rooms = new Map<string, RoomFile>();
  readonly #guarded = new WeakSet<Connection>();

  constructor({ directory, environment = nodeFileEnvironment, onMoved = () => {} }: FileExtensionOptions) {
    this.folder = new DocumentFolder(directory);
    this.#environment = environment;
    this.#onMoved = onMoved;
  }

  /** The file of an open room. */
  roomFile(documentName: string): RoomFile | undefined {
    return this.#rooms.get(documentName);
  }

  async onLoadDocument({ documentName, document }: onLoadDocumentPayload): Promise<void> {
    const room = parseRoom(documentName);
    if (room === undefined) throw refusal('unknown_room');
    const loaded = await RoomFile.load({
      folder: this.folder,
      room,
      doc: document,
      environment: this.#environment,
      onMoved: (to) => this.#onMoved(document, to),
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
      const kind = roomFile === undefined ? 'other' : kindOf(message);
      if (roomFile === undefined || kind === 'other') send(message);
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
    const isOver = (): boolean => !connection.document.hasConnection(connection);
    if (await roomFile.flushUntilSaved(isOver)) send(message);
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
    if (!(await roomFile.flush())) throw refusal('not_saved');
  }

  async afterUnloadDocument({ documentName }: afterUnloadDocumentPayload): Promise<void> {
    const roomFile = this.#rooms.get(documentName);
    this.#rooms.delete(documentName);
    await roomFile?.close();
  }

  async flushAll(): Promise<void> {
    for (const roomFile of this.#rooms.values()) await roomFile.flush();
  }

  /** Brings everything to the disk, and lets go. */
  async onDestroy(): Promise<void> {
    await this.flushAll();
    const rooms = [...this.#rooms.values()];
    this.#rooms.clear();
    for (const roomFile of rooms) await roomFile.close();
  }
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
