import type { PlanDraft } from '../plan/draft.js';
import type { SourceRow } from '../source/rows.js';

/** Nodes by key: of equal rows the first, of different rows with one key the last. */
export class NodeRows<Row extends SourceRow = SourceRow> {
  readonly #draft: PlanDraft;
  readonly #byKey = new Map<string, Row>();

  constructor(draft: PlanDraft) {
    this.#draft = draft;
  }

  add(key: string, row: Row): void {
    const known = this.#byKey.get(key);
    if (known === undefined) {
      this.#byKey.set(key, row);
      return;
    }
    if (known.text === row.text) {
      this.#draft.merge(row, known);
      return;
    }
    this.#byKey.set(key, row);
    this.#draft.setAside(known, 'superseded');
  }

  entries(): IterableIterator<[string, Row]> {
    return this.#byKey.entries();
  }
}
