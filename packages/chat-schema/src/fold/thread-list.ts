import type { RefTable } from '../index/refs.js';
import type { OrderNode, ThreadOrder } from './order.js';
import type { Message } from './records.js';

/** Which messages of a thread, in reading order. At most one of `before`, `after` and `around`; the last ones without. */
export interface Range {
  /** At most so many messages. */
  readonly limit: number;
  /** Those that end before this message. */
  readonly before?: string;
  /** Those that begin after this message. */
  readonly after?: string;
  /** This message and those around it. */
  readonly around?: string;
}

/** Reads one message. */
export type ReadMessage = (ref: number) => Message;

/**
 * The messages of one thread in reading order, the root first, as lists that are patched: a changed message costs its
 * place and one copy of the list.
 */
export class ThreadList {
  readonly #refs: RefTable;
  #order: ThreadOrder;
  #root: number | undefined;
  /** Place of the root in the order; 0 where it is first anyway. */
  #rootPlace = 0;
  #hasRoot = false;
  #ids: string[] | undefined;
  #messages: Message[] | undefined;
  #frozenIds: readonly string[] | undefined;
  #frozenMessages: readonly Message[] | undefined;
  /** Messages whose record may be another. */
  readonly #changed = new Set<number>();

  constructor(refs: RefTable, order: ThreadOrder) {
    this.#refs = refs;
    this.#order = order;
  }

  get order(): ThreadOrder {
    return this.#order;
  }

  get size(): number {
    return this.#order.size;
  }

  /** Takes another order for the thread: some message has left it. */
  reorder(order: ThreadOrder): void {
    this.#order = order;
    this.#forget();
  }

  #forget(): void {
    this.#ids = undefined;
    this.#messages = undefined;
    this.#placeRoot();
  }

  #placeRoot(): void {
    const place = this.#root === undefined ? -1 : this.#order.placeOf(this.#root);
    this.#rootPlace = Math.max(0, place);
    this.#hasRoot = place >= 0;
  }

  /** The message that the thread names as its root. */
  setRoot(ref: number | undefined): void {
    if (ref === this.#root) return;
    this.#root = ref;
    this.#forget();
  }

  put(node: OrderNode): void {
    const put = this.#order.put(node);
    if (put === 'same') return;
    if (put === 'moved' || node.ref === this.#root) {
      this.#forget();
      return;
    }
    if (this.#hasRoot && put.at <= this.#rootPlace) this.#rootPlace += 1;
    const place = this.#shown(put.at);
    if (this.#ids !== undefined) {
      this.#ids.splice(place, 0, this.#refs.idOf(node.ref));
      this.#frozenIds = undefined;
    }
    // Its record is read when the list is asked for.
    this.#messages?.splice(place, 0, ABSENT);
    this.#changed.add(node.ref);
  }

  change(ref: number): void {
    this.#changed.add(ref);
  }

  /** Where what has this place in the order shows. */
  #shown(place: number): number {
    if (place === this.#rootPlace) return 0;
    return place < this.#rootPlace ? place + 1 : place;
  }

  refAt(shown: number): number {
    const place = shown === 0 ? this.#rootPlace : shown <= this.#rootPlace ? shown - 1 : shown;
    return this.#order.refAt(place) as number;
  }

  /** The place of a message, or -1. */
  placeOf(ref: number): number {
    const place = this.#order.placeOf(ref);
    return place < 0 ? -1 : this.#shown(place);
  }

  ids(): readonly string[] {
    if (this.#ids === undefined) {
      this.#ids = Array.from({ length: this.size }, (_, shown) => this.#refs.idOf(this.refAt(shown)));
      const known = this.#frozenIds;
      if (known?.length === this.size && known.every((id, i) => id === this.#ids?.[i])) return known;
      this.#frozenIds = undefined;
    }
    this.#frozenIds ??= Object.freeze(this.#ids.slice());
    return this.#frozenIds;
  }

  messages(read: ReadMessage): readonly Message[] {
    if (this.#messages === undefined) {
      this.#messages = Array.from({ length: this.size }, (_, shown) => read(this.refAt(shown)));
      this.#changed.clear();
      const known = this.#frozenMessages;
      if (known?.length === this.size && known.every((message, i) => message === this.#messages?.[i]))
        return known;
      this.#frozenMessages = undefined;
    }
    for (const ref of this.#changed) {
      const place = this.placeOf(ref);
      if (place < 0) continue;
      const message = read(ref);
      if (this.#messages[place] === message) continue;
      this.#messages[place] = message;
      this.#frozenMessages = undefined;
    }
    this.#changed.clear();
    this.#frozenMessages ??= Object.freeze(this.#messages.slice());
    return this.#frozenMessages;
  }

  /** The places `[from, to)` of a range; none for a message that the thread does not have. */
  place({ limit, before, after, around }: Range): readonly [number, number] {
    const { size } = this;
    const anchor = before ?? after ?? around;
    if (anchor === undefined) return [Math.max(0, size - limit), size];
    const ref = this.#refs.find(anchor);
    const place = ref === undefined ? -1 : this.placeOf(ref);
    if (place < 0) return [0, 0];
    if (before !== undefined) return [Math.max(0, place - limit), place];
    if (after !== undefined) return [place + 1, Math.min(size, place + 1 + limit)];
    const from = Math.max(0, Math.min(place - (limit >> 1), size - limit));
    return [from, Math.min(size, from + limit)];
  }
}

const ABSENT = undefined as unknown as Message;
