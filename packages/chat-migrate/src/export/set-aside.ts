import type { ChatReader, Json, JsonObject } from '@chatdoc/schema';
import { isJsonObject } from '../source/json-value.js';
import type { Unshown } from './unshown.js';

/** Rows and columns of an old file that became no record, as the migration kept them. */
export class SetAside {
  readonly #columns = new Map<string, Map<string, Json>>();
  readonly #rows = new Map<string, Json[]>();

  /** Those of files of one format: columns of another mean something else there, or nothing. */
  constructor(chat: ChatReader, { formats }: Unshown, format: string) {
    const hasColumns = formats.size === 0 || formats.has(format);
    for (const { reason = '', message_id, row } of chat.legacyRows()) {
      if (reason !== 'columns') {
        const rows = this.#rows.get(reason);
        if (rows === undefined) this.#rows.set(reason, [row]);
        else rows.push(row);
      } else if (hasColumns && isJsonObject(row)) {
        this.#addColumns(message_id ?? row['thread_id'], row['columns']);
      }
    }
  }

  #addColumns(id: Json | undefined, columns: Json | undefined): void {
    if (typeof id !== 'string' || !isJsonObject(columns)) return;
    const known = this.#columns.get(id) ?? new Map<string, Json>();
    for (const [column, value] of Object.entries(columns)) known.set(column, value);
    this.#columns.set(id, known);
  }

  /** Columns of the row of a message or thread beyond its fields. */
  columnsOf(id: string): JsonObject {
    return Object.fromEntries(this.#columns.get(id) ?? []);
  }

  /** In the order of their dates. */
  rowsOf(reason: string): readonly Json[] {
    return this.#rows.get(reason) ?? [];
  }
}
