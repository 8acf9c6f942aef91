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
    let next: CocalcMessage | undefined = message;
    while (next !== undefined && !this.#greatest.has(next)) {
      // Ends a circle.
      this.#greatest.set(next, '');
      chain.push(next);
      next = this.#findAbove(next);
    }
    let greatest = next === undefined ? '' : (this.#greatest.get(next) ?? '');
    for (const each of chain.reverse()) {
      if (each.message_id > greatest) greatest = each.message_id;
      this.#greatest.set(each, greatest);
    }
    return greatest;
  }
}
