import { basename, join } from 'node:path';
import { createFile, readFile, replaceFile } from '../file/atomic.js';
import { type FileEnvironment, type FileStat, isSameFile, nodeFileEnvironment } from '../file/fs.js';
import { readDocument } from '../file/read-document.js';
import { FRAME_HEADER_LENGTH, type FrameHead, readDamagedFrame } from '../update/frame.js';

/** A document file of the folder. */
export interface FolderFile {
  readonly path: string;
  readonly doc_id: string;
  readonly generation: number;
}

/** Files of one document: copies that people or sync programs made. */
export interface FolderCopies {
  readonly doc_id: string;
  /** The file that is served. */
  readonly served: string;
  /** Paths of the others. Nothing is written into them, and nothing in them is shown. */
  readonly others: readonly string[];
}

const ENDING = '.ychat';
/** What a rollback leaves: the document of a generation that counts no more. */
const ROLLED_BACK = /\.ychat\.rolled-back-\d+$/;
/** Names by document id the file that was served last, where its own name does not. */
const RECORD = '.chatdoc-served.json';
/** Heads that are read at once. */
const BATCH = 64;

interface KnownFile extends FolderFile {
  readonly name: string;
  readonly isRolledBack: boolean;
  readonly stat: FileStat;
}

/**
 * The document files of one folder, by the document that their first frame names. An index of it is kept until the
 * folder changes: a look-up then costs one `stat`, and the head of the file that is found.
 */
export class DocumentFolder {
  readonly directory: string;
  readonly #environment: FileEnvironment;
  /** By name; null for what is no document. */
  #files: ReadonlyMap<string, KnownFile | FileStat> = new Map();
  #byDocument: ReadonlyMap<string, readonly KnownFile[]> = new Map();
  /** Of the folder when it was read last; undefined: it has to be read. */
  #stat: FileStat | undefined;
  /** Counts what is known to have changed. */
  #changes = 0;
  #reading: Promise<void> | undefined;
  /** Names by document of what is, or was, served. */
  #served: Map<string, string> | undefined;
  #recording: Promise<unknown> = Promise.resolve();
  readonly #chosen = new Map<string, Promise<KnownFile>>();

  constructor(directory: string, environment: FileEnvironment = nodeFileEnvironment) {
    this.directory = directory;
    this.#environment = environment;
  }

  /** The folder, or a file in it, has changed: the next look-up reads it again. */
  invalidate(): void {
    this.#stat = undefined;
    this.#changes += 1;
  }

  /** One file for each document. */
  async list(): Promise<readonly FolderFile[]> {
    await this.#refresh();
    const found: FolderFile[] = [];
    for (const docId of this.#byDocument.keys()) {
      const file = await this.find(docId);
      if (file !== undefined) found.push(file);
    }
    return found;
  }

  /**
   * The file of a document. Of several: the one that was served last; else the one that holds most, the later generation,
   * the shorter name.
   */
  async find(docId: string): Promise<FolderFile | undefined> {
    await this.#refresh();
    const found = await this.#choose(docId);
    if (found === undefined) return undefined;
    const head = await this.#readHead(found.path);
    if (head?.doc_id === docId && head.generation === found.generation) return describe(found);
    // Written over in its place, which does not show in the folder.
    this.invalidate();
    await this.#refresh();
    const again = await this.#choose(docId);
    return again === undefined ? undefined : describe(again);
  }

  /** Every document file, also several of one document, by name. */
  async listAll(): Promise<readonly FolderFile[]> {
    await this.#refresh();
    return [...this.#byDocument.values()]
      .flat()
      .filter(({ isRolledBack }) => !isRolledBack)
      .sort((a, b) => (a.name < b.name ? -1 : 1))
      .map(describe);
  }

  /** Documents of which there are several files. */
  async copies(): Promise<readonly FolderCopies[]> {
    await this.#refresh();
    const copies: FolderCopies[] = [];
    for (const [doc_id, files] of this.#byDocument) {
      const there = files.filter(({ isRolledBack }) => !isRolledBack);
      const served = there.length > 1 ? await this.#choose(doc_id) : undefined;
      if (served === undefined) continue;
      const others = there.filter((file) => file !== served).map(({ path }) => path);
      copies.push({ doc_id, served: served.path, others });
    }
    return copies;
  }

  /**
   * The generation that a document has now; of one that was rolled back that of the next, so that no peer of the old
   * one can bring it back. Undefined for a document of which the folder knows nothing.
   */
  async generationOf(docId: string): Promise<number | undefined> {
    const found = await this.find(docId);
    if (found !== undefined) return found.generation;
    const old = this.#byDocument.get(docId) ?? [];
    return old.length === 0 ? undefined : Math.max(...old.map(({ generation }) => generation)) + 1;
  }

  /** Where the file `stat` has gone that had another name before; else any other file of the document. */
  async findMoved(docId: string, stat: FileStat | undefined): Promise<FolderFile | undefined> {
    await this.#refresh();
    const same = (this.#byDocument.get(docId) ?? []).find(
      (file) => !file.isRolledBack && stat !== undefined && isSameFile(file.stat, stat),
    );
    return same === undefined ? this.find(docId) : describe(same);
  }

  /** Remembers, also for the next process, which file of a document is served. */
  async recordServed(docId: string, path: string): Promise<void> {
    const name = basename(path);
    const served = await this.#loadServed();
    const before = served.get(docId);
    if (before === name) return;
    served.set(docId, name);
    // Its name says it.
    if (before === undefined && name === basename(this.pathOf(docId))) return;
    this.#recording = this.#recording.then(() => this.#writeServed(served));
    await this.#recording;
  }

  /** Where a new document goes. The id is a ULID, so it names no other folder. */
  pathOf(docId: string): string {
    return join(this.directory, `${docId}${ENDING}`);
  }

  async #refresh(): Promise<void> {
    // It may have begun before what the caller knows of.
    await this.#reading;
    const { fileSystem } = this.#environment;
    const now = await fileSystem.stat(this.directory).catch(() => undefined);
    const before = this.#stat;
    const isKnown =
      now !== undefined &&
      before !== undefined &&
      isSameFile(now, before) &&
      now.mtimeMs !== undefined &&
      now.mtimeMs === before.mtimeMs;
    if (isKnown) return;
    this.#reading ??= this.#read(now).finally(() => {
      this.#reading = undefined;
    });
    await this.#reading;
  }

  async #read(stat: FileStat | undefined): Promise<void> {
    const changes = this.#changes;
    const names = (await this.#environment.fileSystem.readdir(this.directory))
      .filter((name) => name.endsWith(ENDING) || ROLLED_BACK.test(name))
      .sort();
    const files = new Map<string, KnownFile | FileStat>();
    for (let at = 0; at < names.length; at += BATCH) {
      const batch = names.slice(at, at + BATCH);
      const read = await Promise.all(batch.map((name) => this.#readFile(name)));
      for (const [index, file] of read.entries()) {
        if (file !== undefined) files.set(batch[index] as string, file);
      }
    }
    const byDocument = new Map<string, KnownFile[]>();
    for (const file of files.values()) {
      if (!isDocument(file)) continue;
      const known = byDocument.get(file.doc_id);
      if (known === undefined) byDocument.set(file.doc_id, [file]);
      else known.push(file);
    }
    this.#files = files;
    this.#byDocument = byDocument;
    this.#chosen.clear();
    if (changes === this.#changes) this.#stat = stat;
  }

  /** As known, unless it has changed. */
  async #readFile(name: string): Promise<KnownFile | FileStat | undefined> {
    const path = join(this.directory, name);
    const stat = await this.#environment.fileSystem.stat(path).catch(() => undefined);
    if (stat === undefined) return undefined;
    const known = this.#files.get(name);
    const before = known !== undefined && isDocument(known) ? known.stat : known;
    const isSame =
      before !== undefined &&
      isSameFile(before, stat) &&
      before.size === stat.size &&
      before.mtimeMs === stat.mtimeMs;
    if (isSame) return known;
    const head = await this.#readHead(path);
    if (head === undefined) return stat;
    const { doc_id, generation } = head;
    return { name, path, doc_id, generation, stat, isRolledBack: ROLLED_BACK.test(name) };
  }

  async #choose(docId: string): Promise<KnownFile | undefined> {
    const files = (this.#byDocument.get(docId) ?? []).filter(({ isRolledBack }) => !isRolledBack);
    const [first] = files;
    if (files.length < 2 || first === undefined) return first;
    const served = (await this.#loadServed()).get(docId) ?? basename(this.pathOf(docId));
    const recorded = files.find(({ name }) => name === served);
    if (recorded !== undefined) return recorded;
    let chosen = this.#chosen.get(docId);
    if (chosen === undefined) {
      chosen = chooseByContent(files, this.#environment);
      this.#chosen.set(docId, chosen);
    }
    return chosen;
  }

  async #loadServed(): Promise<Map<string, string>> {
    if (this.#served !== undefined) return this.#served;
    const read = await readFile(join(this.directory, RECORD), this.#environment);
    this.#served ??= read.ok ? parseRecord(read.bytes) : new Map();
    return this.#served;
  }

  /** A folder that cannot be written is served all the same. */
  async #writeServed(served: ReadonlyMap<string, string>): Promise<void> {
    const path = join(this.directory, RECORD);
    const bytes = new TextEncoder().encode(`${JSON.stringify(Object.fromEntries(served))}\n`);
    const replaced = await replaceFile(path, bytes, () => true, this.#environment);
    if (!replaced.ok && replaced.code === 'not_found') await createFile(path, bytes, this.#environment);
  }

  async #readHead(path: string): Promise<FrameHead | undefined> {
    try {
      const handle = await this.#environment.fileSystem.open(path, 'r');
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

function isDocument(file: KnownFile | FileStat): file is KnownFile {
  return 'doc_id' in file;
}

function describe({ path, doc_id, generation }: KnownFile): FolderFile {
  return { path, doc_id, generation };
}

function parseRecord(bytes: Uint8Array): Map<string, string> {
  try {
    const record = JSON.parse(new TextDecoder().decode(bytes)) as Readonly<Record<string, unknown>>;
    return new Map(
      Object.entries(record).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
    );
  } catch {
    // Somebody has edited it: as if there were none.
    return new Map();
  }
}

/** Reads all of them: O(their bytes), once for a set of copies. */
async function chooseByContent(
  files: readonly KnownFile[],
  environment: FileEnvironment,
): Promise<KnownFile> {
  const read = await Promise.all(
    files.map(async (file) => ({ file, lines: await countLines(file.path, environment) })),
  );
  read.sort(
    (a, b) =>
      b.lines - a.lines ||
      b.file.generation - a.file.generation ||
      a.file.name.length - b.file.name.length ||
      (a.file.name < b.file.name ? -1 : 1),
  );
  return (read[0] as (typeof read)[number]).file;
}

/** What a compaction leaves out does not count. */
const SUPERSEDABLE = /^\{"type":"(?:annotation|thread_state|lane)"/;

async function countLines(path: string, environment: FileEnvironment): Promise<number> {
  const read = await readFile(path, environment);
  const document = read.ok ? readDocument(read.bytes) : undefined;
  if (document?.ok !== true) return 0;
  const lines = document.chat.toJSONL().split('\n');
  document.chat.close();
  return lines.filter((line) => line !== '' && !SUPERSEDABLE.test(line)).length;
}
