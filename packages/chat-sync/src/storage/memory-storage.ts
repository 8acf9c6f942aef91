import crc from 'crc-32';
import type {
  AsideRow,
  ChatStorage,
  DamagedRow,
  LoadedRows,
  StorageFailure,
  StorageResult,
  StoredRow,
  WrittenRows,
} from './chat-storage.js';
import { assertStorageName } from './storage-name.js';

/** What memory storages share that are opened over it: lives as long as the caller keeps it. */
export class MemoryMedium {
  /** By row, in the order of writing. */
  readonly rows: Map<number, { readonly bytes: Uint8Array; readonly checksum: number }> = new Map();
  readonly aside: AsideRow[] = [];
  next = 1;
}

export interface MemoryOptions {
  /** `<doc_id>.<generation>`. */
  readonly name: string;
  /** A new one unless given. */
  readonly medium?: MemoryMedium;
}

export function memoryStorage({ name, medium = new MemoryMedium() }: MemoryOptions): ChatStorage {
  return new MemoryStorage(name, medium);
}

const CLOSED: StorageFailure = { ok: false, code: 'closed' };

class MemoryStorage implements ChatStorage {
  readonly doc_id: string;
  readonly generation: number;
  readonly #medium: MemoryMedium;
  #isClosed = false;

  constructor(name: string, medium: MemoryMedium) {
    const { doc_id, generation } = assertStorageName(name);
    this.doc_id = doc_id;
    this.generation = generation;
    this.#medium = medium;
  }

  async load(): Promise<LoadedRows> {
    if (this.#isClosed) return CLOSED;
    const rows: StoredRow[] = [];
    const damage: DamagedRow[] = [];
    for (const [row, { bytes, checksum }] of this.#medium.rows) {
      if (crc.buf(bytes) === checksum) rows.push({ row, update: bytes.slice(), verified: true });
      else damage.push({ row, code: 'corrupt_row' });
    }
    return { ok: true, rows, damage };
  }

  async append(updates: readonly Uint8Array[]): Promise<WrittenRows> {
    if (this.#isClosed) return CLOSED;
    return { ok: true, rows: updates.map((update) => this.#add(update)) };
  }

  async replace(rows: readonly number[], snapshot: Uint8Array): Promise<WrittenRows> {
    if (this.#isClosed) return CLOSED;
    const written = this.#add(snapshot);
    for (const row of rows) this.#medium.rows.delete(row);
    return { ok: true, rows: [written] };
  }

  async setAside(rows: readonly DamagedRow[]): Promise<StorageResult> {
    if (this.#isClosed) return CLOSED;
    for (const damaged of rows) {
      const bytes = this.#medium.rows.get(damaged.row)?.bytes ?? null;
      this.#medium.aside.push({ ...damaged, bytes });
      this.#medium.rows.delete(damaged.row);
    }
    return { ok: true };
  }

  async listAside(): Promise<{ readonly ok: true; readonly rows: readonly AsideRow[] } | StorageFailure> {
    return this.#isClosed ? CLOSED : { ok: true, rows: [...this.#medium.aside] };
  }

  async close(): Promise<StorageResult> {
    this.#isClosed = true;
    return { ok: true };
  }

  #add(update: Uint8Array): number {
    const row = this.#medium.next;
    this.#medium.next += 1;
    this.#medium.rows.set(row, { bytes: update.slice(), checksum: crc.buf(update) });
    return row;
  }
}
