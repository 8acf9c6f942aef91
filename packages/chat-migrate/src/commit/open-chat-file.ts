import {
  type ChatFile,
  nodeFileEnvironment,
  type OpenChatFileOptions,
  type OpenFault,
  openChatFile as openDocument,
} from '@chatdoc/sync/file';
import type { PlanRefusal } from '../plan/plan.js';
import { digestOf } from './backup.js';
import { type CommitRefusal, type CommitResult, commitMigration, defaultOutput } from './commit.js';
import { readLegacyFile } from './legacy-file.js';
import { readRecord } from './record.js';

export interface OpenOrMigrateOptions extends OpenChatFileOptions {
  /**
   * `on-open` makes a document of an old chat when it is opened, and brings what the old chat has more since into the
   * document that is there; `off` opens documents alone. Defaults to `off`.
   */
  readonly migrate?: 'off' | 'on-open';
  /** Path of the document of an old chat. Defaults to `NAME.ychat` beside `NAME.chat`. */
  readonly output?: string;
}

export type OpenedOrMigrated =
  | {
      readonly ok: true;
      readonly file: ChatFile;
      /** Of the migration that opening it ran; absent where nothing was to do. */
      readonly migration?: Extract<CommitResult, { ok: true }>;
    }
  | {
      readonly ok: false;
      readonly code: OpenFault['code'] | PlanRefusal | CommitRefusal;
      /** The file that the code is about. */
      readonly path: string;
    };

/**
 * As `openChatFile` of `@chatdoc/sync/file`, also of an old chat: a host that opens chats by path needs no more for a
 * rollout than the flag. A migration here is that of `commitMigration`: a verified copy of the old chat first, the
 * document read back, and `rollBackMigration` takes it back. With `readOnly` nothing is written: the document is opened
 * where there is one.
 */
export async function openChatFile(
  path: string,
  options: OpenOrMigrateOptions = {},
): Promise<OpenedOrMigrated> {
  const { migrate = 'off', output = defaultOutput(path), ...fileOptions } = options;
  if (migrate === 'off') return withPath(await openDocument(path, fileOptions), path);
  const { create: _, ...withoutCreate } = fileOptions;
  const opened = await openDocument(path, withoutCreate);
  if (opened.ok || output === path) return withPath(opened, path);
  if (opened.code === 'not_found') {
    // The old chat was moved away, or there is none yet.
    const document = await openDocument(output, fileOptions);
    return withPath(document, document.ok || document.code !== 'not_found' ? output : path);
  }
  if (opened.code !== 'not_a_document') return withPath(opened, path);
  const environment = options.fileEnvironment ?? nodeFileEnvironment;
  if (options.readOnly !== true && !(await isMigrated(path, output, environment))) {
    const migration = await commitMigration(path, { output, fileEnvironment: environment });
    if (!migration.ok) return { ok: false, code: migration.code, path: migration.path ?? path };
    const document = withPath(await openDocument(output, withoutCreate), output);
    return document.ok ? { ...document, migration } : document;
  }
  return withPath(await openDocument(output, withoutCreate), output);
}

/** Whether the document is there and was made of the old chat as it is now. */
async function isMigrated(
  path: string,
  output: string,
  environment: NonNullable<OpenChatFileOptions['fileEnvironment']>,
): Promise<boolean> {
  const known = await readRecord(output, environment);
  if (!known.ok || known.record === undefined) return false;
  const read = await readLegacyFile(path, environment);
  if (!read.ok || known.record.source_sha256 !== digestOf(read.bytes)) return false;
  return environment.fileSystem.stat(output).then(
    () => true,
    () => false,
  );
}

function withPath(opened: Awaited<ReturnType<typeof openDocument>>, path: string): OpenedOrMigrated {
  return opened.ok ? opened : { ok: false, code: opened.code, path };
}
