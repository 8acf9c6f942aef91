import type { RevisionEntry } from '../entry/revision.js';
import type { ReadEntry } from '../entry/table.js';
import { LastWriter } from './last-writer.js';
import type { Message, Version } from './records.js';

type Revision = ReadEntry<RevisionEntry>;

/** The revisions of one content, folded one by one: what shows, and every version. */
export class HistoryFold {
  readonly #writer = new LastWriter<Revision>();
  /** All of them, by id. */
  readonly #sorted: Revision[] = [];
  /** Their versions, at the same places. */
  readonly #versions: Version[] = [];

  add(entry: Revision): void {
    this.#writer.add(entry);
    const place = this.#place(entry.id);
    const { id, author_id = '', date = '' } = entry;
    const deleted = entry.deleted === true;
    const version = Object.freeze({
      id,
      author_id,
      date,
      content: deleted ? '' : (entry.content ?? ''),
      deleted,
    });
    if (place === this.#sorted.length) {
      this.#sorted.push(entry);
      this.#versions.push(version);
    } else {
      this.#sorted.splice(place, 0, entry);
      this.#versions.splice(place, 0, version);
    }
  }

  remove(entry: Revision): void {
    this.#writer.remove(entry);
    const place = this.#place(entry.id);
    if (this.#sorted[place]?.id !== entry.id) return;
    this.#sorted.splice(place, 1);
    this.#versions.splice(place, 1);
  }

  entries(): readonly Revision[] {
    return this.#sorted;
  }

  /** Ids of the revisions that a new one replaces. */
  heads(): readonly string[] {
    return this.#writer.heads().map(({ id }) => id);
  }

  /** The first version and all others, oldest first; the one that shows is the last. One copy of the list. */
  read(first: Version): Pick<Message, 'content' | 'history' | 'deleted'> {
    const { winner } = this.#writer;
    if (winner === undefined)
      return { content: first.content, history: Object.freeze([first]), deleted: false };
    const place = this.#place(winner.id);
    const last = this.#versions[place] as Version;
    const history = [first].concat(this.#versions);
    if (place < this.#versions.length - 1) {
      history.splice(place + 1, 1);
      history.push(last);
    }
    return { content: last.content, history: Object.freeze(history), deleted: last.deleted };
  }

  /** Where an id is, or would be. Most come last. */
  #place(id: string): number {
    let low = 0;
    let high = this.#sorted.length;
    if (high > 0 && (this.#sorted[high - 1] as Revision).id < id) return high;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#sorted[middle] as Revision).id < id) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

export const EMPTY_HISTORY: HistoryFold = new HistoryFold();
