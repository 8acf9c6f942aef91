type Listener = () => void;

/** Of a value that is read from a chat in more than one call. */
export interface Source<T> {
  /** The present value. */
  read(): T;
  /** Whether the new value shows the same as the last: then the last one is kept. */
  isSame(last: T, next: T): boolean;
  /** Calls `invalidate` on each change that the value may follow. Returns an unsubscribe function. */
  subscribe(invalidate: Listener): Listener;
}

/**
 * A value that stays the same object until something in it changes, for `useSyncExternalStore` and its like. It is read
 * again after a change only; while nobody has subscribed, at each look.
 */
export class Derived<T> {
  readonly #source: Source<T>;
  readonly #listeners = new Set<Listener>();
  #value: { readonly current: T } | undefined;
  #isFresh = false;
  #unsubscribe: Listener | undefined;

  constructor(source: Source<T>) {
    this.#source = source;
  }

  readonly snapshot = (): T => {
    if (this.#isFresh && this.#value !== undefined) return this.#value.current;
    const next = this.#source.read();
    const last = this.#value;
    if (last === undefined || !this.#source.isSame(last.current, next)) this.#value = { current: next };
    this.#isFresh = this.#unsubscribe !== undefined;
    return (this.#value as { readonly current: T }).current;
  };

  readonly subscribe = (listener: Listener): Listener => {
    const own = (): void => listener();
    this.#listeners.add(own);
    if (this.#unsubscribe === undefined) {
      this.#isFresh = false;
      this.#unsubscribe = this.#source.subscribe(this.invalidate);
    }
    return () => {
      this.#listeners.delete(own);
      if (this.#listeners.size > 0) return;
      this.#unsubscribe?.();
      this.#unsubscribe = undefined;
      this.#isFresh = false;
    };
  };

  /** Reads again at the next look, and notifies. */
  readonly invalidate = (): void => {
    this.#isFresh = false;
    for (const listener of [...this.#listeners]) listener();
  };
}

export function isSameList(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a === b || (a.length === b.length && a.every((item, place) => item === b[place]));
}

/** Whether two records are one, or have the same fields: one that is absent is a new object at each look. */
export function isSameRecord<T extends object>(a: T, b: T): boolean {
  if (a === b) return true;
  const keys = Object.keys(a) as (keyof T)[];
  return keys.length === Object.keys(b).length && keys.every((key) => Object.is(a[key], b[key]));
}
