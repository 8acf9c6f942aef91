import type { CocalcMessage } from './messages.js';

/** The order that a document derives from the ids of messages and what they come after, as far as it is needed to write them. */
export class MessageOrder {
  /** The message that one answers or comes after. */
  readonly #findAbove: (message: CocalcMessage) => CocalcMessage | undefined;
  /** Of each message, the greatest id among it and those above it. */
  readonly #greatest = new Map<CocalcMessage, string>();

  constructor(findAbove: (message: CocalcMessage) => CocalcMessage | undefined) {
    this.#findAbove = findAbove;
  }

  /** Whether the ids alone put a message after this one above it. */
  isAfter({ message_id }: CocalcMessage, above: CocalcMessage): boolean {
    return message_id > this.#greatestOf(above);
  }

  #greatestOf(message: CocalcMessage): string {
    const chain: CocalcMessage[] = [];
    const places = new Map<CocalcMessage, number>();
    let next: CocalcMessage | undefined = message;
    while (next !== undefined && !this.#greatest.has(next) && !places.has(next)) {
      places.set(next, chain.length);
      chain.push(next);
      next = this.#findAbove(next);
    }
    let greatest = next === undefined ? '' : (this.#greatest.get(next) ?? '');
    // All in a circle are above each other, wherever it was entered.
    const circle = next === undefined ? undefined : places.get(next);
    for (const each of circle === undefined ? [] : chain.splice(circle)) {
      if (each.message_id > greatest) greatest = each.message_id;
      places.set(each, -1);
    }
    for (const [each, place] of places) if (place < 0) this.#greatest.set(each, greatest);
    for (const each of chain.reverse()) {
      if (each.message_id > greatest) greatest = each.message_id;
      this.#greatest.set(each, greatest);
    }
    return this.#greatest.get(message) ?? greatest;
  }
}
