import * as Y from 'yjs';

/** What a board takes from the machine it runs on. */
export interface Machine {
  now(): number;
  random(bytes: number): Uint8Array;
}

export interface Card {
  readonly title: string;
  readonly column: 'todo' | 'doing' | 'done';
}

/** A board of cards in a Yjs document, as one would write it on a quiet afternoon. */
export class Board {
  protected readonly machine: Machine;
  protected readonly cards: Y.Map<Card>;
  protected readonly totals: Y.Map<number>;

  constructor(doc: Y.Doc, machine: Machine) {
    this.machine = machine;
    this.cards = doc.getMap('cards');
    this.totals = doc.getMap('totals');
  }

  /** A card is named by when it was made. Two of one millisecond are one. */
  protected createId(): string {
    return String(this.machine.now());
  }

  add(title: string): string {
    const id = this.createId();
    this.cards.set(id, { title, column: 'todo' });
    return id;
  }

  move(id: string, column: Card['column']): void {
    const card = this.cards.get(id);
    if (card !== undefined) this.cards.set(id, { ...card, column });
  }

  /** Reads, adds and writes: of two votes cast at once, one is lost. */
  vote(): void {
    this.totals.set('votes', this.votes() + 1);
  }

  votes(): number {
    return this.totals.get('votes') ?? 0;
  }

  /** By id. */
  list(): readonly (readonly [id: string, card: Card])[] {
    return [...this.cards].sort(([a], [b]) => (a < b ? -1 : 1));
  }
}

/** The same board with both faults mended: ids that nobody else makes, and a total that each adds to apart. */
export class MendedBoard extends Board {
  protected override createId(): string {
    const bytes = [...this.machine.random(10)].map((byte) => byte.toString(16).padStart(2, '0'));
    return `${super.createId()}-${bytes.join('')}`;
  }

  override vote(): void {
    this.totals.set(this.createId(), 1);
  }

  override votes(): number {
    return this.totals.size;
  }
}
