import { ChatDocError, isUlid, openChat, SCHEMA_VERSION, systemEnvironment } from '@chatdoc/schema';
import { formatUlid } from '@chatdoc/schema/internal';
import * as Y from 'yjs';
import type { FrameHead } from '../update/frame.js';
import { encodeIntegrated } from '../update/inspect.js';
import type { Progress } from './atomic.js';
import { ChatFile, type ChatFileOptions, type ChatFileParts, type OpenedChatFile } from './chat-file.js';
import { type FileEnvironment, nodeFileEnvironment } from './fs.js';
import { createLog, type FrameLog, type LogOptions, openLog } from './log.js';
import { isWritable, loadUpdates, type OpenReport, WHOLE } from './read-document.js';

export interface OpenChatFileOptions extends ChatFileOptions {
  /** The document to load into, such as one that a provider syncs already; a new one unless given. */
  readonly doc?: Y.Doc;
  /** Makes the file if it is not there. */
  readonly create?: boolean;
  readonly readOnly?: boolean;
  readonly fileEnvironment?: FileEnvironment;
  /**
   * How long to wait for another process that is replacing the file, before it is stopped; 5,000 ms unless given.
   */
  readonly patience_ms?: number;
}

export interface CreateChatFileOptions extends OpenChatFileOptions {
  /** Of the new document: that of the chat in `doc`, or a new one, unless given. */
  readonly doc_id?: string;
  /** 0 unless given. */
  readonly generation?: number;
}

const PATIENCE_MS = 5000;

/**
 * Opens a document file and the chat in it. What a write that did not finish has left is read past, and put aside
 * before the next write. A file that is damaged opens for reading only, with all that could be read: see
 * `recoverChatFile`. So does one whose frames ask for a later reader.
 */
export async function openChatFile(path: string, options: OpenChatFileOptions = {}): Promise<OpenedChatFile> {
  const logOptions = logOptionsOf(options);
  const opened = await openLog(path, options.readOnly === true, logOptions, progressOf(options, 'read'));
  if (!opened.ok) {
    const mayCreate = opened.code === 'not_found' && options.create === true && options.readOnly !== true;
    return mayCreate ? createChatFile(path, options) : opened;
  }
  const { head, read } = opened;
  const doc = options.doc ?? new Y.Doc();
  const unsaved = isEmpty(doc) ? [] : [encodeIntegrated(doc)];
  const report = loadUpdates(doc, head, read, progressOf(options, 'load'));
  let { log } = opened;
  if (!isWritable(read, report)) {
    await log?.close();
    log = undefined;
  }
  const parts = { path, head, doc, log, opened: report, unsaved, snapshotSize: read.updates[0]?.end ?? 0 };
  return { ok: true, file: bind(parts, options, logOptions) };
}

/** Makes a new document file. One that is there stays as it is: `exists`. */
export async function createChatFile(
  path: string,
  options: CreateChatFileOptions = {},
): Promise<OpenedChatFile> {
  const doc = options.doc ?? new Y.Doc();
  const { environment = systemEnvironment, generation = 0 } = options;
  const doc_id = options.doc_id ?? readDocId(doc) ?? formatUlid(environment.now(), environment.random(10));
  if (!isUlid(doc_id)) throw new ChatDocError('invalid_argument', 'doc_id', 'expected a canonical ULID');
  const head = { doc_id, generation, min_reader: SCHEMA_VERSION };
  const logOptions = logOptionsOf(options);
  // What comes while the file is made is not in it.
  const unsaved: Uint8Array[] = [];
  const collect = (update: Uint8Array): number => unsaved.push(update);
  const snapshot = encodeIntegrated(doc);
  doc.on('update', collect);
  const created = await createLog(path, head, snapshot, logOptions);
  doc.off('update', collect);
  if (!created.ok) return created;
  const { log } = created;
  const parts = { path, head: log.head, doc, log, opened: WHOLE, unsaved, snapshotSize: log.size };
  return { ok: true, file: bind(parts, options, logOptions) };
}

function readDocId(doc: Y.Doc): string | null {
  const chat = openChat(doc, { readOnly: true });
  chat.close();
  return chat.docId();
}

interface Bound {
  readonly path: string;
  readonly head: FrameHead;
  readonly doc: Y.Doc;
  readonly log: FrameLog | undefined;
  readonly opened: OpenReport;
  readonly unsaved: readonly Uint8Array[];
  readonly snapshotSize: number;
}

function bind({ head, ...parts }: Bound, options: OpenChatFileOptions, logOptions: LogOptions): ChatFile {
  const { doc: _, create: __, ...again } = options;
  return new ChatFile({
    ...parts,
    ...logOptions,
    doc_id: head.doc_id,
    generation: head.generation,
    options,
    reopen: () => openChatFile(parts.path, again),
  } satisfies ChatFileParts);
}

export function logOptionsOf({ fileEnvironment, patience_ms }: OpenChatFileOptions): LogOptions {
  return { environment: fileEnvironment ?? nodeFileEnvironment, patience: patience_ms ?? PATIENCE_MS };
}

export function progressOf(
  { onProgress }: ChatFileOptions,
  phase: 'read' | 'load' | 'write',
): Progress | undefined {
  return onProgress === undefined ? undefined : (done, total) => onProgress(phase, done, total);
}

function isEmpty(doc: Y.Doc): boolean {
  return doc.store.clients.size === 0;
}
