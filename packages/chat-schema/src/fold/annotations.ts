import type { AnnotationEntry } from '../entry/annotation.js';
import type { ReadEntry } from '../entry/table.js';
import { compareText, definedOnly, freezeDeep, sameValue } from '../host/values.js';
import { LastWriter } from './last-writer.js';
import { ReadMarks } from './read-marks.js';
import type { Annotation } from './records.js';

type Entry = ReadEntry<AnnotationEntry>;

/** The annotations of one target, folded by user and key, entry by entry. */
export class AnnotationsFold {
  readonly #writers = new Map<string, LastWriter<Entry>>();
  readonly #marks = new Map<string, ReadMarks>();
  /** The annotations that show, by name. */
  readonly #shown = new Map<string, Annotation>();
  readonly #stale = new Set<string>();
  #list: readonly Annotation[] = NONE;
  /** Grows when all marks were dropped. */
  #version = 0;

  add(entry: Entry): void {
    const { user_id, key } = entry;
    if (user_id === undefined || key === undefined) return;
    const name = nameOf(user_id, key);
    let writer = this.#writers.get(name);
    if (writer === undefined) {
      writer = new LastWriter();
      this.#writers.set(name, writer);
    }
    writer.add(entry);
    this.#stale.add(name);
    if (key !== 'read') return;
    const marks = this.#marks.get(user_id) ?? new ReadMarks();
    this.#marks.set(user_id, marks);
    marks.add(entry);
  }

  remove(entry: Entry): void {
    const { user_id, key } = entry;
    if (user_id === undefined || key === undefined) return;
    const name = nameOf(user_id, key);
    this.#writers.get(name)?.remove(entry);
    this.#stale.add(name);
    if (key === 'read') this.#marks.get(user_id)?.remove(entry);
  }

  clear(): void {
    for (const { version } of this.#marks.values()) this.#version += version + 1;
    for (const name of this.#writers.keys()) this.#stale.add(name);
    this.#writers.clear();
    this.#marks.clear();
  }

  /** The read marks of a user that count, and a number that grows when one no longer does. */
  marks(userId: string): { readonly list: readonly Entry[]; readonly version: number } | undefined {
    const marks = this.#marks.get(userId);
    return marks && { list: marks.list, version: marks.version + this.#version };
  }

  /** Ids of the entries that a new one replaces. */
  heads(userId: string, key: string): string[] {
    return (this.#writers.get(nameOf(userId, key))?.heads() ?? []).map(({ id }) => id);
  }

  /** Those that show, by id; the same list while they are the same. */
  list(): readonly Annotation[] {
    if (this.#stale.size === 0) return this.#list;
    let list: Annotation[] | undefined;
    for (const name of this.#stale) {
      const before = this.#shown.get(name);
      const next = show(this.#writers.get(name)?.winner);
      if (before?.id === next?.id && sameValue(before?.value, next?.value)) continue;
      list ??= this.#list.slice();
      if (before !== undefined) list.splice(placeOf(list, before.id), 1);
      if (next === undefined) this.#shown.delete(name);
      else {
        this.#shown.set(name, next);
        list.splice(placeOf(list, next.id), 0, next);
      }
    }
    this.#stale.clear();
    if (list !== undefined) this.#list = Object.freeze(list);
    return this.#list;
  }
}

const NONE: readonly never[] = Object.freeze([]);

function nameOf(userId: string, key: string): string {
  return JSON.stringify([userId, key]);
}

function show(entry: Entry | undefined): Annotation | undefined {
  if (entry === undefined || entry.value === null || entry.value === undefined) return undefined;
  const { id, message_id, thread_id, user_id, key, value } = entry;
  return freezeDeep(definedOnly({ id, message_id, thread_id, user_id, key, value })) as Annotation;
}

function placeOf(list: readonly Annotation[], id: string): number {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (compareText((list[middle] as Annotation).id, id) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
