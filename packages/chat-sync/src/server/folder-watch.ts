import { watch } from 'node:fs';

/** Calls `onChange` with the name of what has changed in a folder, where that is known. Returns an unsubscribe function. */
export type FolderWatch = (directory: string, onChange: (name: string | undefined) => void) => () => void;

/** By the events of the system, which network file systems do not have: whoever uses it also has to look. */
export const watchFolder: FolderWatch = (directory, onChange) => {
  try {
    const watcher = watch(directory, { persistent: false }, (_, name) => onChange(name ?? undefined));
    // The folder has gone, or there are too many watchers.
    watcher.on('error', () => watcher.close());
    return () => watcher.close();
  } catch {
    return () => {};
  }
};
