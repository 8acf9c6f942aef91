import { basename, dirname, join } from 'node:path';
import { type FileEnvironment, removeLeftovers } from '@chatdoc/sync/file';
import { recordPath } from './record.js';

/** Removes what processes that were killed while they migrated, or rolled back, have left beside these files. */
export async function removeMigrationLeftovers(
  source: string,
  output: string,
  environment: FileEnvironment,
): Promise<void> {
  const folder = dirname(output);
  const names = await environment.fileSystem.readdir(folder).catch(() => []);
  // Backups of any content: the source may have changed since.
  const start = `.${basename(source)}.`;
  const backups = names.flatMap((name) => {
    const end = BACKUP_END.exec(name.startsWith(start) ? name.slice(start.length) : '');
    return end?.[1] === undefined ? [] : [join(folder, `${basename(source)}.${end[1]}`)];
  });
  for (const path of new Set([source, output, recordPath(output), ...backups])) {
    await removeLeftovers(environment, path);
  }
}

/** Of the name of a backup while it is written. */
const BACKUP_END = /^([0-9a-f]{16}\.backup)\.[^.]+\.tmp$/;
