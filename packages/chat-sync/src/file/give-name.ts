import type { FileEnvironment } from './file-environment.js';
import { FaultError } from './file-fault.js';
import { errnoOf } from './fs.js';

/** What file systems without hard links answer. */
const NO_LINKS: ReadonlySet<string> = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK']);

/**
 * Gives the file `from` the name `to`, or fails if something has it: `exists`. Where there are no hard links, a file
 * that is made at the very moment between two calls is replaced.
 */
export async function giveName({ fileSystem }: FileEnvironment, from: string, to: string): Promise<void> {
  try {
    await fileSystem.link(from, to);
  } catch (error) {
    if (!NO_LINKS.has(errnoOf(error))) throw error;
    const isThere = await fileSystem.stat(to).then(
      () => true,
      (reason: unknown) => errnoOf(reason) !== 'ENOENT',
    );
    if (isThere) throw new FaultError('exists');
    await fileSystem.rename(from, to);
    return;
  }
  // A second name of the same file does no harm, and goes with the next start.
  await fileSystem.unlink(from).catch(() => undefined);
}
