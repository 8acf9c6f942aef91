import { useMemo, useSyncExternalStore } from 'react';
import { Derived, type Source } from '../store/derived.js';
import type { Initial } from '../store/initial.js';
import type { ChatScope } from './scope.js';

/**
 * The present value of a source. What the server rendered shows while the page hydrates and until the document is
 * loaded: nothing flashes as empty that is only not here yet.
 *
 * @param dependencies What `source` and `readInitial` close over, except the scope.
 */
export function useLive<T>(
  scope: ChatScope,
  source: () => Source<T> | Derived<T>,
  readInitial: (initial: Initial) => T,
  dependencies: readonly unknown[],
): T {
  const { chat, initial, loaded = true } = scope;
  // biome-ignore lint/correctness/useExhaustiveDependencies: the caller names what its functions close over
  const derived = useMemo(() => {
    const made = source();
    return made instanceof Derived ? made : new Derived(made);
  }, [chat, ...dependencies]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the same
  const held = useMemo(() => {
    if (initial === undefined) return undefined;
    const value = readInitial(initial);
    return () => value;
  }, [initial, ...dependencies]);
  const snapshot = loaded || held === undefined ? derived.snapshot : held;
  return useSyncExternalStore(derived.subscribe, snapshot, held ?? derived.snapshot);
}
