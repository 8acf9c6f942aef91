import type { ChatStorage, StorageFault } from '../storage/index.js';

type Call = Exclude<keyof ChatStorage, 'doc_id' | 'generation' | 'subscribeLoss'>;

/** What shall go wrong with a storage that `withFaults` wraps: it holds for every storage with this plan. */
export class FaultPlan {
  readonly #failures: { readonly calls: readonly Call[]; readonly code: StorageFault }[] = [];
  readonly #hanging = new Set<Call>();
  readonly #held = new Map<Call, Promise<void>>();
  readonly #lossListeners = new Set<() => void>();
  readonly #failing = new Map<Call, StorageFault>();

  /** The next such call fails, and does nothing. */
  failNext(call: Call, code: StorageFault): void {
    this.#failures.push({ calls: [call], code });
  }

  /** The same, whichever call writes first. */
  failNextWrite(code: StorageFault): void {
    this.#failures.push({ calls: ['append', 'replace'], code });
  }

  /** Every such call fails until told otherwise. */
  failAll(call: Call, code: StorageFault | null): void {
    if (code === null) this.#failing.delete(call);
    else this.#failing.set(call, code);
  }

  /** Such calls never answer until told otherwise. */
  hang(call: Call, hangs: boolean): void {
    if (hangs) this.#hanging.add(call);
    else this.#hanging.delete(call);
  }

  /** Such calls answer once the result is called. */
  hold(call: Call): () => void {
    let release = (): void => {};
    this.#held.set(call, new Promise((resolve) => (release = resolve)));
    return () => {
      this.#held.delete(call);
      release();
    };
  }

  /** The medium is lost under every storage with this plan, as a database that somebody deletes. */
  lose(): void {
    for (const listener of [...this.#lossListeners]) listener();
  }

  /** @internal */
  subscribeLoss(listener: () => void): () => void {
    this.#lossListeners.add(listener);
    return () => this.#lossListeners.delete(listener);
  }

  /** @internal */
  async run<T>(call: Call, work: () => Promise<T>): Promise<T | { ok: false; code: StorageFault }> {
    if (this.#hanging.has(call)) return new Promise(() => {});
    await this.#held.get(call);
    const at = this.#failures.findIndex(({ calls }) => calls.includes(call));
    const code = at < 0 ? this.#failing.get(call) : this.#failures.splice(at, 1)[0]?.code;
    return code === undefined ? work() : { ok: false, code };
  }
}

export function withFaults(storage: ChatStorage, plan: FaultPlan): ChatStorage {
  return {
    doc_id: storage.doc_id,
    generation: storage.generation,
    load: () => plan.run('load', () => storage.load()),
    append: (updates) => plan.run('append', () => storage.append(updates)),
    replace: (rows, snapshot) => plan.run('replace', () => storage.replace(rows, snapshot)),
    setAside: (rows) => plan.run('setAside', () => storage.setAside(rows)),
    listAside: () => plan.run('listAside', () => storage.listAside()),
    subscribeLoss: (listener) => {
      const ends = [plan.subscribeLoss(listener), storage.subscribeLoss?.(listener)];
      return () => {
        for (const end of ends) end?.();
      };
    },
    close: () => plan.run('close', () => storage.close()),
  };
}
