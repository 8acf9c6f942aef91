import type { Outcome } from '../subject/application.js';
import { LawBroken } from './law.js';
import type { Tally } from './tally.js';

/** The facts that one replica acknowledged, and since which sync of its storage it is safe: undefined while it is not. */
type Promises = Map<string, number | undefined>;

/**
 * Every fact that a command acknowledged is visible in the end, or its loss has a named cause. A crash takes what was
 * not flushed and what nobody else had; an older state put back takes what was younger; a command withdraws.
 */
export class Journal {
  readonly #tally: Tally;
  readonly #promises: Promises[];
  readonly #acknowledged = new Map<string, number>();
  readonly #excused = new Map<string, string>();
  readonly #withdrawn = new Map<string, string>();

  constructor(replicas: number, tally: Tally) {
    this.#tally = tally;
    this.#promises = Array.from({ length: replicas }, () => new Map());
  }

  record(at: number, { acknowledged = [], withdrawn = [] }: Outcome, cause: string): void {
    for (const fact of acknowledged) {
      this.#acknowledged.set(fact, at);
      // Lost once, and written again by somebody.
      this.#excused.delete(fact);
      this.#promises[at]?.set(fact, undefined);
    }
    for (const prefix of withdrawn) this.#withdrawn.set(prefix, cause);
  }

  get size(): number {
    return this.#acknowledged.size;
  }

  /** Records that these facts of `at` are safe, as of that sync. */
  flush(at: number, facts: readonly string[], sync: number): void {
    const promises = this.#promises[at];
    for (const fact of facts) if (promises?.get(fact) === undefined) promises?.set(fact, sync);
  }

  /** Facts of `at` that a flush now would make safe. */
  unsafe(at: number): string[] {
    const facts: string[] = [];
    for (const [fact, sync] of this.#promises[at] ?? []) if (sync === undefined) facts.push(fact);
    return facts;
  }

  /**
   * A process has started again. `before` was visible when the last one died, `after` is visible now, `elsewhere`
   * on the others that run. `restored`: an older state was put back, that of this sync.
   */
  restart(
    at: number,
    before: ReadonlySet<string>,
    after: ReadonlySet<string>,
    elsewhere: () => ReadonlySet<string>,
    restored: number | undefined,
  ): void {
    const promises = this.#promises[at] as Promises;
    let others: ReadonlySet<string> | undefined;
    for (const fact of before) {
      if (after.has(fact) || !this.#acknowledged.has(fact)) continue;
      const sync = promises.get(fact);
      const isYounger = restored !== undefined && (sync === undefined || sync > restored);
      if (sync !== undefined && !isYounger && this.#causeOf(fact) === undefined) {
        throw new LawBroken('keeps what it flushed', `after a restart of replica ${at} it is gone: ${fact}`);
      }
      promises.delete(fact);
      others ??= elsewhere();
      if (!others.has(fact)) {
        this.#excused.set(fact, restored === undefined ? 'crash before flush' : 'older state put back');
      }
    }
  }

  /** In the end, on any replica: `visible` holds every fact but those with a cause. */
  check(visible: ReadonlySet<string>): void {
    for (const [fact, at] of this.#acknowledged) {
      if (visible.has(fact)) continue;
      const cause = this.#causeOf(fact);
      if (cause === undefined) {
        throw new LawBroken(
          'keeps what it acknowledged',
          `replica ${at} acknowledged it, and it is gone: ${fact}`,
        );
      }
      this.#tally.add(`cause: ${cause}`);
    }
    this.#tally.add('facts held', this.#acknowledged.size);
  }

  #causeOf(fact: string): string | undefined {
    const excused = this.#excused.get(fact);
    if (excused !== undefined) return excused;
    for (const [prefix, cause] of this.#withdrawn) if (fact.startsWith(prefix)) return cause;
    return undefined;
  }
}
