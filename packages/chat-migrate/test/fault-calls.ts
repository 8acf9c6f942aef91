import {
  type FileEnvironment,
  type FileHandle,
  type FileSystem,
  nodeFileEnvironment,
  nodeFileSystem,
} from '@chatdoc/sync/file';

type OnCall = (number: number, moment: 'before' | 'after') => void;

/** The real file system, with a look at each call before and after it. Calls are counted from 1. */
export function countCalls(onCall: OnCall): {
  readonly fileEnvironment: FileEnvironment;
  count(): number;
} {
  let count = 0;
  const run = async <T>(call: () => Promise<T>): Promise<T> => {
    count += 1;
    const number = count;
    onCall(number, 'before');
    const result = await call();
    onCall(number, 'after');
    return result;
  };
  const wrap = (handle: FileHandle): FileHandle => ({
    read: (...args) => run(() => handle.read(...args)),
    write: (...args) => run(() => handle.write(...args)),
    sync: () => run(() => handle.sync()),
    stat: () => run(() => handle.stat()),
    close: () => run(() => handle.close()),
  });
  const fileSystem: FileSystem = {
    open: (...args) => run(async () => wrap(await nodeFileSystem.open(...args))),
    rename: (...args) => run(() => nodeFileSystem.rename(...args)),
    link: (...args) => run(() => nodeFileSystem.link(...args)),
    unlink: (path) => run(() => nodeFileSystem.unlink(path)),
    stat: (path) => run(() => nodeFileSystem.stat(path)),
    readdir: (path) => run(() => nodeFileSystem.readdir(path)),
  };
  return { fileEnvironment: { ...nodeFileEnvironment, fileSystem }, count: () => count };
}
