import { type Chat, type ChatOptions, openChat, SCHEMA_VERSION } from '@chatdoc/schema';
import * as Y from 'yjs';
import { adoptStale, compactChat } from '../generation/generation.js';
import { encodeFrame, type FrameHead } from '../update/frame.js';
import { encodeIntegrated, listOtherRoots } from '../update/inspect.js';
import { keepAside, type Progress } from './atomic.js';
import type { FileEnvironment, FileFault } from './fs.js';
import { concatenate, type FrameLog, isHeadless, type LogOptions, openLog } from './log.js';
import {
  type HeadlessCode,
  isWritable,
  loadUpdates,
  type OpenReport,
  trustingDoor,
  WHOLE,
} from './read-document.js';

/** When what was written comes to the disk. */
export type FlushPolicy =
  /** As soon as it was written, each update for itself or several at once, as the disk allows. */
  | 'at_once'
  /** That many milliseconds after the first update that is not on the disk. */
  | { readonly after_ms: number }
  /** Only by `flush()` and `close()`. */
  | 'manual';

export interface ChatFileOptions extends Omit<ChatOptions, 'generation' | 'readOnly' | 'root'> {
  /** `{ after_ms: 250 }` unless given. */
  readonly flush?: FlushPolicy;
  /** Whether a flush ends with fsync: then what it says is stored survives a loss of power. True unless given. */
  readonly sync?: boolean;
  readonly onProgress?: (phase: 'read' | 'load' | 'write', done: number, total: number) => void;
}

export type FlushResult =
  | { readonly ok: true }
  | FileFault
  /** The file is of another generation now: see `moveOn`. */
  | { readonly ok: false; readonly code: 'other_generation'; readonly generation: number }
  /** What another process has put in its place is damaged. */
  | { readonly ok: false; readonly code: 'damaged' }
  /** Opened for reading, or closed. */
  | { readonly ok: false; readonly code: 'read_only' | 'closed' };

export interface ChatFileState {
  /** Updates that are not in the file yet. */
  readonly unsaved: number;
  /** Why the last flush failed; undefined once one has succeeded. */
  readonly fault?: Exclude<FlushResult, { ok: true }>;
}

/** The log grows to this many bytes, or twice its snapshot, before it is folded into a new snapshot. */
const LOG_BYTES = 1024 * 1024;

/**
 * A document file and the chat in it: each update of the document goes into the file, whoever made it, and what
 * other processes write into the file comes into the document.
 */
export class ChatFile {
  readonly path: string;
  readonly doc_id: string;
  readonly generation: number;
  readonly doc: Y.Doc;
  readonly chat: Chat;
  readonly opened: OpenReport;
  /** Paths of what was kept aside. */
  readonly aside: string[] = [];
  readonly #options: ChatFileOptions;
  readonly #environment: FileEnvironment;
  readonly #patience: number;
  readonly #reopen: () => Promise<OpenedChatFile>;
  #log: FrameLog | undefined;
  #snapshotSize: number;
  /** What the document holds and the file does not, as far as is known. */
  #pending: Uint8Array[] = [];
  /** What others wrote that the document could not take: it builds on what is lost. */
  #refused: readonly Uint8Array[] = [];
  #fault: Exclude<FlushResult, { ok: true }> | undefined;
  #timer: unknown;
  #running: Promise<FlushResult> = Promise.resolve({ ok: true });
  #isClosed = false;
  readonly #listeners = new Set<(state: ChatFileState) => void>();

  /** @internal */
  constructor(parts: ChatFileParts) {
    const { path, doc, log, options, environment, patience } = parts;
    this.path = path;
    this.doc = doc;
    this.doc_id = parts.doc_id;
    this.generation = parts.generation;
    this.opened = parts.opened;
    this.#log = log;
    this.#snapshotSize = parts.snapshotSize;
    this.#pending.push(...parts.unsaved);
    this.#options = options;
    this.#environment = environment;
    this.#patience = patience;
    this.#reopen = parts.reopen;
    const chatOptions = { ...options, generation: parts.generation, readOnly: log === undefined };
    this.chat = openChat(doc, chatOptions);
    doc.on('update', this.#onUpdate);
    if (this.#pending.length > 0) this.#schedule();
  }

  get readOnly(): boolean {
    return this.#log === undefined;
  }

  state(): ChatFileState {
    return { unsaved: this.#pending.length, ...(this.#fault !== undefined && { fault: this.#fault }) };
  }

  /** Calls `listener` after each flush that was not asked for by `flush()`, too. The result ends it. */
  subscribe(listener: (state: ChatFileState) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Brings all that was written before the call into the file, and what others wrote into the document. `ok` means: it is there, also after a crash, and
   * after a loss of power unless `sync` is off. After a failure everything stays pending, and goes with the next.
   */
  flush(): Promise<FlushResult> {
    this.#clearTimer();
    this.#running = this.#running.then(() => this.#flush());
    return this.#running;
  }

  /** Folds the frames of the file into one snapshot of the same generation. */
  rewrite(): Promise<FlushResult> {
    this.#running = this.#running.then(() => this.#rewrite());
    return this.#running;
  }

  /**
   * Writes the next generation (see `compactChat`) in place of this one. This file is closed by it; the result
   * holds the new one, with a new document.
   */
  compact(): Promise<CompactResult> {
    const compacted = this.#running.then(() => this.#compact());
    this.#running = compacted.then((result) => (result.ok ? { ok: true } : CLOSED));
    return compacted;
  }

  async #compact(): Promise<CompactResult> {
    if (this.#isClosed) return { ok: false, code: 'closed' };
    const log = this.#log;
    if (log === undefined) return { ok: false, code: 'read_only' };
    if (listOtherRoots(this.doc, 'chat').length > 0) return { ok: false, code: 'other_content' };
    const generation = this.generation + 1;
    let next: ReturnType<typeof compactChat> | undefined;
    let included = 0;
    const replaced = await log.replace(async ({ others, scraps }) => {
      this.#receive(others);
      await this.#keepAside(scraps);
      included = this.#pending.length;
      next = compactChat(this.chat, { ...this.#options, generation });
      return snapshotFrame(next.doc, { ...log.head, generation });
    }, this.#progressOf('write'));
    if (!replaced.ok) return withoutOthers(replaced);
    if (next === undefined) return { ok: false, code: 'conflict' };
    next.chat.close();
    const before = log.size;
    const isBehind = this.#pending.length > included;
    this.#log = undefined;
    await this.#stop();
    const file = new ChatFile({
      path: this.path,
      doc_id: this.doc_id,
      generation,
      doc: next.doc,
      log: replaced.log,
      options: this.#options,
      environment: this.#environment,
      patience: this.#patience,
      snapshotSize: replaced.log.size,
      opened: WHOLE,
      unsaved: [],
      reopen: this.#reopen,
    });
    file.aside.push(...this.aside);
    // What came while the new file was written.
    if (isBehind) adoptStale(file.chat, this.chat, this.generation);
    return { ok: true, file, dropped: next.dropped, bytes: { before, after: replaced.log.size } };
  }

  /**
   * After `other_generation`: opens the file as it is now, with a new document, and adds what this one had not
   * saved: its entries, never its structs. This one is closed by it.
   */
  async moveOn(): Promise<OpenedChatFile> {
    await this.#running;
    const opened = await this.#reopen();
    if (!opened.ok) return opened;
    const { file } = opened;
    if (file.readOnly) {
      // Nothing can be added to it: what is not saved stays here.
      await file.close();
      return { ok: false, code: 'damaged' };
    }
    await this.#stop();
    adoptStale(file.chat, this.chat, this.generation);
    return opened;
  }

  /** Flushes, and lets go of file and document. The document stays usable; its chat reads what was last seen. */
  async close(): Promise<FlushResult> {
    if (this.#isClosed) return { ok: true };
    this.#clearTimer();
    await this.#running;
    const isSaved = this.#pending.length === 0 && this.#fault === undefined;
    const result: FlushResult = isSaved || this.readOnly ? { ok: true } : await this.flush();
    await this.#stop();
    return result;
  }

  async #stop(): Promise<void> {
    this.#isClosed = true;
    this.#clearTimer();
    this.doc.off('update', this.#onUpdate);
    this.chat.close();
    const log = this.#log;
    this.#log = undefined;
    await log?.close().catch(() => undefined);
  }

  readonly #onUpdate = (update: Uint8Array, origin: unknown): void => {
    if (origin === this) return;
    this.#pending.push(update);
    this.#schedule();
  };

  #schedule(): void {
    const { flush = { after_ms: 250 } } = this.#options;
    if (flush === 'manual' || this.readOnly || this.#timer !== undefined) return;
    const delay = flush === 'at_once' ? 0 : flush.after_ms;
    this.#timer = this.#environment.setTimer(() => {
      this.#timer = undefined;
      void this.flush();
    }, delay);
  }

  #clearTimer(): void {
    if (this.#timer !== undefined) this.#environment.clearTimer(this.#timer);
    this.#timer = undefined;
  }

  async #flush(): Promise<FlushResult> {
    if (this.#isClosed) return CLOSED;
    const result = await this.#store();
    this.#fault = result.ok ? undefined : result;
    const state = this.state();
    for (const listener of [...this.#listeners]) listener(state);
    return result;
  }

  async #store(attempts = 8): Promise<FlushResult> {
    const batch = [...this.#pending];
    const log = this.#log;
    if (log === undefined) return batch.length === 0 ? { ok: true } : { ok: false, code: 'read_only' };
    const appended = await log.append(batch, this.#options.sync !== false);
    this.#receive(appended.others);
    if (appended.ok) {
      this.#pending.splice(0, batch.length);
      if (log.size - this.#snapshotSize > Math.max(LOG_BYTES, 2 * this.#snapshotSize)) await this.#rewrite();
      return { ok: true };
    }
    if (appended.code === 'torn') {
      if (batch.length === 0) return { ok: true };
      const rewritten = await this.#rewrite();
      if (rewritten.ok || rewritten.code !== 'conflict' || attempts === 0) return rewritten;
      return this.#store(attempts - 1);
    }
    if (appended.code !== 'replaced') return withoutOthers(appended);
    const followed = await this.#follow(log);
    return followed.ok ? this.#store() : followed;
  }

  /**
   * Goes on in the file that another process has put in place of ours. All that the document has more is to be saved:
   * also what a third process wrote too late for the new file, and may never write again.
   */
  async #follow(log: FrameLog): Promise<FlushResult> {
    const opened = await openLog(this.path, false, this.#logOptions());
    if (!opened.ok) return isHeadless(opened) ? { ok: false, code: 'conflict' } : opened;
    const { head, read } = opened;
    if (head.doc_id !== this.doc_id || head.generation !== this.generation) {
      await opened.log?.close();
      if (head.doc_id !== this.doc_id) return { ok: false, code: 'conflict' };
      return { ok: false, code: 'other_generation', generation: head.generation };
    }
    const found = new Y.Doc();
    if (!isWritable(read, loadUpdates(found, head, read))) {
      await opened.log?.close();
      return { ok: false, code: read.hasLater ? 'later_version' : 'damaged' };
    }
    this.#receive(read.updates.map(({ payload }) => payload));
    const more = Y.diffUpdate(encodeIntegrated(this.doc), Y.encodeStateVector(found));
    const isNew = trustingDoor(found, head).receiveUpdate(more);
    this.#pending = isNew.ok && isNew.outcome === 'duplicate' ? [] : [more];
    this.#log = opened.log;
    this.#snapshotSize = read.updates[0]?.end ?? 0;
    await log.close().catch(() => undefined);
    return { ok: true };
  }

  async #rewrite(): Promise<FlushResult> {
    if (this.#isClosed) return CLOSED;
    const log = this.#log;
    if (log === undefined) return { ok: false, code: 'read_only' };
    let included = 0;
    const replaced = await log.replace(async ({ others, scraps }) => {
      this.#receive(others);
      await this.#keepAside(scraps);
      included = this.#pending.length;
      return snapshotFrame(this.doc, log.head);
    }, this.#progressOf('write'));
    if (!replaced.ok) {
      if (replaced.code !== 'conflict') return withoutOthers(replaced);
      const followed = await this.#follow(log);
      return followed.ok ? { ok: false, code: 'conflict' } : followed;
    }
    this.#pending.splice(0, included);
    this.#refused = [];
    this.#log = replaced.log;
    this.#snapshotSize = replaced.log.size;
    return { ok: true };
  }

  async #keepAside(scraps: readonly Uint8Array[]): Promise<void> {
    const { doc_id, generation } = this;
    const refused = this.#refused.map((payload) =>
      encodeFrame({ kind: 'update', doc_id, generation, payload }),
    );
    if (scraps.length + refused.length === 0) return;
    const bytes = concatenate([...scraps, ...refused]);
    const aside = await keepAside(this.#environment, this.path, 'torn', bytes);
    if (!this.aside.includes(aside)) this.aside.push(aside);
  }

  /** What other processes wrote. Checked like all that comes from elsewhere: a frame may build on a lost one. */
  #receive(updates: readonly Uint8Array[]): void {
    if (updates.length === 0) return;
    const door = trustingDoor(this.doc, this, this);
    this.#refused = [...this.#refused, ...updates].filter((update) => !door.receiveUpdate(update).ok);
  }

  #progressOf(phase: 'read' | 'load' | 'write'): Progress | undefined {
    const { onProgress } = this.#options;
    return onProgress === undefined ? undefined : (done, total) => onProgress(phase, done, total);
  }

  #logOptions(): LogOptions {
    return { environment: this.#environment, patience: this.#patience };
  }
}

const CLOSED = { ok: false, code: 'closed' } as const;

function withoutOthers<T extends { readonly others: unknown }>({
  others: _,
  ...fault
}: T): Omit<T, 'others'> {
  return fault;
}

export type OpenedChatFile = { readonly ok: true; readonly file: ChatFile } | OpenFault;

export type OpenFault = FileFault | { readonly ok: false; readonly code: HeadlessCode };

export type CompactResult =
  | {
      readonly ok: true;
      readonly file: ChatFile;
      /** Lines that were superseded. */
      readonly dropped: number;
      readonly bytes: { readonly before: number; readonly after: number };
    }
  | Exclude<FlushResult, { ok: true }>
  /** The document holds more than a chat, which a compaction would lose. */
  | { readonly ok: false; readonly code: 'other_content' };

/** @internal */
export interface ChatFileParts {
  readonly path: string;
  readonly doc_id: string;
  readonly generation: number;
  readonly doc: Y.Doc;
  /** Absent: for reading only. */
  readonly log: FrameLog | undefined;
  readonly snapshotSize: number;
  /** Updates that the document holds and the file does not. */
  readonly unsaved: readonly Uint8Array[];
  readonly opened: OpenReport;
  readonly options: ChatFileOptions;
  readonly environment: FileEnvironment;
  readonly patience: number;
  readonly reopen: () => Promise<OpenedChatFile>;
}

/** The one frame of a file that was just written. */
export function snapshotFrame(
  doc: Y.Doc,
  { doc_id, generation }: Pick<FrameHead, 'doc_id' | 'generation'>,
): { readonly head: FrameHead; readonly bytes: Uint8Array } {
  const head = { kind: 'snapshot', doc_id, generation, min_reader: SCHEMA_VERSION } as const;
  return { head, bytes: encodeFrame({ ...head, payload: encodeIntegrated(doc) }) };
}
