import { constants } from 'node:fs';
import { basename } from 'node:path';
import type { FileHandle, FileStat, FileSystem } from '../src/file/index.js';

/**
 * One folder in memory as a disk keeps it: what was written and not synced, and names that were changed and not
 * synced, may be there after a loss of power or not. Every write is an append, as document files are written.
 */

export interface Call {
  readonly op: 'open' | 'rename' | 'link' | 'unlink' | 'stat' | 'readdir' | HandleOp;
  /** Name in the folder; empty for the folder itself. */
  readonly name: string;
  /** Of a write. */
  readonly length: number;
}

type HandleOp = 'read' | 'write' | 'sync' | 'fstat' | 'close';

/** What happens to a call: an error (nothing of it is done then), or a write of fewer bytes. */
export type Fate =
  | { readonly errno: string }
  | { readonly take: number }
  /** A write that readers see grow, and that other writers wait for. */
  | { readonly seen: () => Promise<unknown> }
  | undefined;

export interface Hook {
  before?(call: Call): Promise<Fate> | Fate;
  after?(call: Call): Promise<void> | void;
}

interface Inode {
  readonly number: number;
  bytes: Uint8Array;
  /** Up to here it survives. */
  synced: number;
  /** The system took these for kept after it had failed to write them. */
  readonly lost: [start: number, end: number][];
  /** Of the write that is under way. */
  busy: Promise<void>;
}

/** A change of names that was not synced. */
type Change = readonly (readonly [name: string, inode: Inode | undefined])[];

export const FOLDER = '/disk';

export class Disk {
  names: Map<string, Inode> = new Map();
  #kept: Map<string, Inode> = new Map();
  #changes: Change[] = [];
  #count = 0;
  /** Handles that nobody has closed. */
  open = 0;
  /** Whether there are hard links. */
  hasLinks = true;

  static holding(files: Readonly<Record<string, Uint8Array>>): Disk {
    const disk = new Disk();
    for (const [name, bytes] of Object.entries(files)) disk.put(name, bytes);
    return disk;
  }

  /** As if it had been there for ever. */
  put(name: string, bytes: Uint8Array): void {
    this.#count += 1;
    const inode: Inode = { ...createInode(this.#count), bytes: bytes.slice(), synced: bytes.length };
    this.names.set(name, inode);
    this.#kept.set(name, inode);
  }

  list(): string[] {
    return [...this.names.keys()].sort();
  }

  read(name: string): Uint8Array | undefined {
    return this.names.get(name)?.bytes;
  }

  files(): Record<string, Uint8Array> {
    return Object.fromEntries([...this.names].map(([name, { bytes }]) => [name, bytes]));
  }

  /** Each disk that may be found after a loss of power now, once. */
  *crashes(): Generator<Disk> {
    const seen = new Set<string>();
    for (let chosen = 0; chosen < 2 ** this.#changes.length; chosen += 1) {
      const names = new Map(this.#kept);
      this.#changes.forEach((change, index) => {
        if ((chosen & (2 ** index)) === 0) return;
        for (const [name, inode] of change) {
          if (inode === undefined) names.delete(name);
          else names.set(name, inode);
        }
      });
      const inodes = [...new Set(names.values())];
      const options = inodes.map(remainsOf);
      const total = options.reduce((product, { length }) => product * length, 1);
      for (let state = 0; state < total; state += 1) {
        const contents = new Map<Inode, Uint8Array>();
        let rest = state;
        inodes.forEach((inode, index) => {
          const of = options[index] as Uint8Array[];
          contents.set(inode, of[rest % of.length] as Uint8Array);
          rest = Math.floor(rest / of.length);
        });
        const files = Object.fromEntries([...names].map(([name, inode]) => [name, contents.get(inode)]));
        const key = JSON.stringify(
          Object.entries(files)
            .sort(([a], [b]) => (a < b ? -1 : 1))
            .map(([name, bytes]) => [name, Buffer.from(bytes as Uint8Array).toString('base64')]),
        );
        if (seen.has(key)) continue;
        seen.add(key);
        yield Disk.holding(files as Record<string, Uint8Array>);
      }
    }
  }

  fileSystem(hook: Hook = {}): FileSystem {
    const run = async <T>(
      op: Call['op'],
      path: string,
      effect: (take: number, fate: Fate) => T | Promise<T>,
      length = 0,
    ): Promise<T> => {
      const call = { op, name: path === FOLDER ? '' : basename(path), length };
      const fate = await hook.before?.(call);
      if (fate !== undefined && 'errno' in fate) throw errnoError(fate.errno, op);
      const result = await effect(
        fate !== undefined && 'take' in fate ? Math.min(fate.take, length) : length,
        fate,
      );
      await hook.after?.(call);
      return result;
    };
    return {
      open: (path, flags) => run('open', path, () => this.#open(path, flags, run)),
      rename: (from, to) => run('rename', from, () => this.#rename(basename(from), basename(to))),
      link: (from, to) => run('link', from, () => this.#link(basename(from), basename(to))),
      unlink: (path) => run('unlink', path, () => this.#unlink(basename(path))),
      stat: (path) => run('stat', path, () => statOf(this.#find(basename(path)))),
      readdir: (path) => run('readdir', path, () => this.list()),
    };
  }

  #open(path: string, flags: string | number, run: Runner): FileHandle {
    if (path === FOLDER) {
      this.open += 1;
      return this.#folderHandle(run);
    }
    const name = basename(path);
    const bits = typeof flags === 'number' ? flags : constants.O_RDONLY;
    if ((bits & constants.O_CREAT) !== 0) {
      if (this.names.has(name)) throw errnoError('EEXIST', 'open');
      this.#count += 1;
      this.#change([[name, createInode(this.#count)]]);
    }
    const inode = this.#find(name);
    this.open += 1;
    return {
      read: (buffer, offset, length, position) =>
        run('read', path, () => {
          const found = inode.bytes.subarray(position, position + length);
          buffer.set(found, offset);
          return { bytesRead: found.length };
        }),
      write: (buffer, offset, length) =>
        run(
          'write',
          path,
          async (take, fate) => {
            const bytes = buffer.slice(offset, offset + take);
            const { busy } = inode;
            let isDone = (): void => {};
            inode.busy = new Promise((resolve) => {
              isDone = resolve;
            });
            await busy;
            const middle = fate !== undefined && 'seen' in fate ? Math.ceil(take / 3) : take;
            grow(inode, bytes.subarray(0, middle));
            if (fate !== undefined && 'seen' in fate) await fate.seen();
            grow(inode, bytes.subarray(middle));
            isDone();
            return { bytesWritten: take };
          },
          length,
        ),
      sync: async () => {
        try {
          await run('sync', path, () => {
            inode.synced = inode.bytes.length;
          });
        } catch (error) {
          if (inode.synced < inode.bytes.length) inode.lost.push([inode.synced, inode.bytes.length]);
          inode.synced = inode.bytes.length;
          throw error;
        }
      },
      stat: () => run('fstat', path, () => statOf(inode)),
      close: async () => {
        this.open -= 1;
        await run('close', path, () => undefined);
      },
    };
  }

  #folderHandle(run: Runner): FileHandle {
    const refuse = async (): Promise<never> => {
      throw errnoError('EISDIR', 'read');
    };
    return {
      read: refuse,
      write: refuse,
      sync: () =>
        run('sync', FOLDER, () => {
          this.#kept = new Map(this.names);
          this.#changes = [];
        }),
      stat: () => run('fstat', FOLDER, () => ({ dev: 1, ino: 0, size: 0, isDirectory: () => true })),
      close: async () => {
        this.open -= 1;
        await run('close', FOLDER, () => undefined);
      },
    };
  }

  #find(name: string): Inode {
    const inode = this.names.get(name);
    if (inode === undefined) throw errnoError('ENOENT', 'open');
    return inode;
  }

  #change(change: Change): void {
    this.#changes.push(change);
    for (const [name, inode] of change) {
      if (inode === undefined) this.names.delete(name);
      else this.names.set(name, inode);
    }
  }

  #rename(from: string, to: string): void {
    this.#change([
      [to, this.#find(from)],
      [from, undefined],
    ]);
  }

  #link(from: string, to: string): void {
    if (!this.hasLinks) throw errnoError('EPERM', 'link');
    const inode = this.#find(from);
    if (this.names.has(to)) throw errnoError('EEXIST', 'link');
    this.#change([[to, inode]]);
  }

  #unlink(name: string): void {
    this.#find(name);
    this.#change([[name, undefined]]);
  }
}

type Runner = <T>(
  op: Call['op'],
  path: string,
  effect: (take: number, fate: Fate) => T | Promise<T>,
  length?: number,
) => Promise<T>;

function createInode(number: number): Inode {
  return { number, bytes: new Uint8Array(0), synced: 0, lost: [], busy: Promise.resolve() };
}

function grow(inode: Inode, bytes: Uint8Array): void {
  const grown = new Uint8Array(inode.bytes.length + bytes.length);
  grown.set(inode.bytes);
  grown.set(bytes, inode.bytes.length);
  inode.bytes = grown;
}

function statOf({ number, bytes }: Inode): FileStat {
  return { dev: 1, ino: number, size: bytes.length, isDirectory: () => false };
}

/** What may be left of a file: of the part that is not synced nothing, half, all, or its length in zeros. */
function remainsOf({ bytes, synced, lost }: Inode): Uint8Array[] {
  const all = bytes.slice();
  for (const [start, end] of lost) all.fill(0, start, end);
  if (synced === bytes.length) return [all];
  const half = synced + Math.ceil((bytes.length - synced) / 2);
  return [all.subarray(0, synced), all.subarray(0, half), all, all.slice().fill(0, synced)];
}

function errnoError(errno: string, op: string): Error {
  return Object.assign(new Error(`${errno}: ${op}`), { code: errno });
}
