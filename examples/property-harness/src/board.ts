import type * as Y from 'yjs';

/** What a board takes from the machine that it runs on. */
export interface Machine {
  now(): number;
  random(bytes: number): Uint8Array;
}

export interface Card {
  readonly id: string;
  readonly title: string;
  readonly comments: readonly string[];
}

/** Cards that people share, in a Yjs document. */
export interface Board {
  add(title: string): string;
  comment(id: string, text: string): void;
  /** By id. */
  list(): readonly Card[];
}

/** As one writes it on a quiet afternoon. It has two faults, and works well when one tries it. */
export class HastyBoard implements Board {
  readonly #machine: Machine;
  readonly #cards: Y.Map<Omit<Card, 'id'>>;

  constructor(doc: Y.Doc, machine: Machine) {
    this.#machine = machine;
    this.#cards = doc.getMap('cards');
  }

  /** A card is named by when it was made: of two in one millisecond one is lost. */
  add(title: string): string {
    const id = String(this.#machine.now());
    this.#cards.set(id, { title, comments: [] });
    return id;
  }

  /** Reads, adds and writes back: of two comments at once one is lost. */
  comment(id: string, text: string): void {
    const card = this.#cards.get(id);
    if (card !== undefined) this.#cards.set(id, { ...card, comments: [...card.comments, text] });
  }

  list(): readonly Card[] {
    const ids = [...this.#cards.keys()].sort();
    return ids.map((id) => ({ id, ...(this.#cards.get(id) as Omit<Card, 'id'>) }));
  }
}

/** Both faults mended: every card and every comment has a name that nobody else gives, and is written once. */
export class MendedBoard implements Board {
  readonly #machine: Machine;
  readonly #titles: Y.Map<string>;
  readonly #comments: Y.Map<{ readonly card: string; readonly text: string }>;

  constructor(doc: Y.Doc, machine: Machine) {
    this.#machine = machine;
    this.#titles = doc.getMap('titles');
    this.#comments = doc.getMap('comments');
  }

  add(title: string): string {
    const id = this.#createId();
    this.#titles.set(id, title);
    return id;
  }

  comment(id: string, text: string): void {
    this.#comments.set(this.#createId(), { card: id, text });
  }

  list(): readonly Card[] {
    const comments = [...this.#comments].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, comment]) => comment);
    const ids = [...this.#titles.keys()].sort();
    return ids.map((id) => ({
      id,
      title: this.#titles.get(id) ?? '',
      comments: comments.filter(({ card }) => card === id).map(({ text }) => text),
    }));
  }

  #createId(): string {
    return [...this.#machine.random(12)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  }
}
