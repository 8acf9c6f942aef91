/** Calls every listener, also after one that throws: its error must not fail the write that it is notified of. */
export function notifyAll<T>(
  listeners: Iterable<(value: T) => void>,
  value: T,
  reportError: (error: unknown) => void,
): void {
  for (const listener of [...listeners]) {
    try {
      listener(value);
    } catch (error) {
      reportError(error);
    }
  }
}

/** Surfaces an error as the platform does for one in an event listener: uncaught, after the present call has returned. */
export function throwLater(error: unknown): void {
  // biome-ignore lint/plugin: an error of a listener has no caller to go to
  queueMicrotask(() => {
    throw error;
  });
}
