import { join } from 'node:path';
import { type FileSystem, nodeFileSystem } from '../file/fs.js';
import { FRAME_HEADER_LENGTH, type FrameHead, readDamagedFrame } from '../update/frame.js';

/** A document file of the folder. */
export interface FolderFile {
  readonly path: string;
  readonly doc_id: string;
  readonly generation: number;
}

const ENDING = '.ychat';
/** What a rollback leaves: the document of a generation that counts no more. */
const ROLLED_BACK = /\.ychat\.rolled-back-\d+$/;

/** The document files of one folder, by the document that their first frame names. Names of files mean nothing. */
export class DocumentFolder {
  readonly directory: string;
  readonly #fileSystem: FileSystem;

  constructor(directory: string, fileSystem: FileSystem = nodeFileSystem) {
    this.directory = directory;
    this.#fileSystem = fileSystem;
  }

  /** All of them. Of two files of one document the one of the greater generation, then of the smaller name. */
  async list(): Promise<readonly FolderFile[]> {
    const found = new Map<string, FolderFile>();
    const names = await this.#fileSystem.readdir(this.directory);
    for (const name of names.filter((entry) => entry.endsWith(ENDING)).sort()) {
      const path = join(this.directory, name);
      const head = await this.#readHead(path);
      if (head === undefined) continue;
      const { doc_id, generation } = head;
      const known = found.get(doc_id);
      if (known === undefined || known.generation < generation)
        found.set(doc_id, { path, doc_id, generation });
    }
    return [...found.values()];
  }

  /** Reads the folder anew: files come and go. O(files). */
  async find(docId: string): Promise<FolderFile | undefined> {
    return (await this.list()).find(({ doc_id }) => doc_id === docId);
  }

  /**
   * The generation that a document has now; of one that was rolled back that of the next, so that no peer of the old
   * one can bring it back. Undefined for a document of which the folder knows nothing.
   */
  async generationOf(docId: string): Promise<number | undefined> {
    const found = await this.find(docId);
    if (found !== undefined) return found.generation;
    let next: number | undefined;
    for (const name of await this.#fileSystem.readdir(this.directory)) {
      const head = ROLLED_BACK.test(name) ? await this.#readHead(join(this.directory, name)) : undefined;
      if (head?.doc_id === docId) next = Math.max(next ?? 0, head.generation + 1);
    }
    return next;
  }

  /** Where a new document goes. The id is a ULID, so it names no other folder. */
  pathOf(docId: string): string {
    return join(this.directory, `${docId}${ENDING}`);
  }

  async #readHead(path: string): Promise<FrameHead | undefined> {
    try {
      const handle = await this.#fileSystem.open(path, 'r');
      try {
        const bytes = new Uint8Array(FRAME_HEADER_LENGTH);
        const { bytesRead } = await handle.read(bytes, 0, bytes.length, 0);
        return readDamagedFrame(bytes.subarray(0, bytesRead));
      } finally {
        await handle.close();
      }
    } catch {
      // Gone meanwhile, a folder, or not for us to read: nothing to serve.
      return undefined;
    }
  }
}
