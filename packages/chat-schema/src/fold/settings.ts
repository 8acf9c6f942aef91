import type { Json, JsonObject } from '../entry/json.js';
import type { ReadEntry } from '../entry/table.js';
import { CONFIG_FIELDS, type ThreadConfigEntry, type ThreadConfigFields } from '../entry/thread-config.js';
import { freezeDeep, keepEqual } from '../host/values.js';
import { LastWriter } from './last-writer.js';
import type { ConfigConflict, ThreadConfig } from './records.js';

type Entry = ReadEntry<ThreadConfigEntry>;
type FieldName = keyof ThreadConfigFields;

/** The settings of one thread, folded by field and entry by entry. */
export class SettingsFold {
  readonly #threadId: string;
  readonly #writers = new Map<FieldName, LastWriter<Entry>>();
  #count = 0;
  #config: ThreadConfig | undefined;
  #conflicts: readonly ConfigConflict[] | undefined;
  #isCurrent = false;
  #hasConflicts = false;

  constructor(threadId: string) {
    this.#threadId = threadId;
  }

  /** How many entries there are. */
  get size(): number {
    return this.#count;
  }

  add(entry: Entry): void {
    this.#count += 1;
    for (const field of CONFIG_FIELDS) {
      if (entry[field] === undefined) continue;
      let writer = this.#writers.get(field);
      if (writer === undefined) {
        writer = new LastWriter();
        this.#writers.set(field, writer);
      }
      writer.add(entry);
    }
    this.#forget();
  }

  remove(entry: Entry): void {
    this.#count -= 1;
    for (const field of CONFIG_FIELDS)
      if (entry[field] !== undefined) this.#writers.get(field)?.remove(entry);
    this.#forget();
  }

  #forget(): void {
    this.#isCurrent = false;
    this.#hasConflicts = false;
  }

  clear(): void {
    this.#count = 0;
    this.#writers.clear();
    this.#forget();
  }

  /** The same object while no setting has changed. */
  config(): ThreadConfig {
    if (!this.#isCurrent || this.#config === undefined) {
      this.#config = keepEqual(this.#config, this.#makeConfig());
      this.#isCurrent = true;
    }
    return this.#config;
  }

  #makeConfig(): ThreadConfig {
    const config: Record<string, unknown> = { thread_id: this.#threadId };
    let latest: Entry | undefined;
    for (const field of CONFIG_FIELDS) {
      const winner = this.#writers.get(field)?.winner;
      if (winner === undefined) continue;
      if (latest === undefined || winner.id > latest.id) latest = winner;
      if (winner[field] !== null) config[field] = freezeDeep(winner[field] as JsonObject);
    }
    if (latest !== undefined) {
      if (latest.updated_at !== undefined) config['updated_at'] = latest.updated_at;
      if (latest.updated_by !== undefined) config['updated_by'] = latest.updated_by;
    }
    return Object.freeze(config) as ThreadConfig;
  }

  /** Fields that several people set without seeing each other. */
  conflicts(): readonly ConfigConflict[] {
    if (!this.#hasConflicts || this.#conflicts === undefined) {
      this.#conflicts = keepEqual(this.#conflicts, this.#makeConflicts());
      this.#hasConflicts = true;
    }
    return this.#conflicts;
  }

  #makeConflicts(): readonly ConfigConflict[] {
    const conflicts: ConfigConflict[] = [];
    for (const field of CONFIG_FIELDS) {
      const heads = this.#writers.get(field)?.heads() ?? [];
      if (heads.length < 2) continue;
      const entries = heads.map(({ id, updated_by = '', [field]: value }) => ({
        id,
        updated_by,
        value: value as Json,
      }));
      conflicts.push({ field, entries });
    }
    return freezeDeep(conflicts);
  }

  /** Ids of the entries that a new one with these fields replaces. */
  heads(fields: readonly FieldName[]): string[] {
    const ids = new Set<string>();
    for (const field of fields) for (const { id } of this.#writers.get(field)?.heads() ?? []) ids.add(id);
    return [...ids];
  }
}
