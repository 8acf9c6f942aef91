/** A row of a generated file. */
export interface LegacyRow {
  readonly value: Readonly<Record<string, unknown>>;
  /** Places of the rows without which this one means something else: its root, its prompt. */
  readonly needs: readonly number[];
  /** Texts that a reader of the chat must find in it. */
  readonly shown: readonly string[];
}

/** A file of one dialect, as rows that can also be written in part or in another order. */
export interface LegacyFile {
  readonly rows: readonly LegacyRow[];
  readonly write: (rows: readonly LegacyRow[]) => Uint8Array;
  /** How many rows the ledger has for these. */
  readonly count: (rows: readonly LegacyRow[]) => number;
  /** Whether rows in another order are the same chat. */
  readonly isSet: boolean;
}

export function toBytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** The chosen rows, and those that they need. */
export function closeUnderNeeds(
  rows: readonly LegacyRow[],
  isChosen: (index: number) => boolean,
): readonly LegacyRow[] {
  const chosen = new Set<number>();
  const visit = (index: number): void => {
    if (chosen.has(index)) return;
    chosen.add(index);
    for (const needed of rows[index]?.needs ?? []) visit(needed);
  };
  for (const index of rows.keys()) if (isChosen(index)) visit(index);
  return rows.filter((_, index) => chosen.has(index));
}
