import { dirname, join } from 'node:path';
import type { Chat } from '@chatdoc/schema';
import {
  type ChatFile,
  describeFault,
  type FileEnvironment,
  type FileFault,
  nodeFileEnvironment,
  type OpenChatFileOptions,
  type OpenFault,
  openChatFile,
  readFile,
} from '@chatdoc/sync/file';
import { openLegacy } from '../plan/open-legacy.js';
import type { MigrationPlan, PlanRefusal } from '../plan/plan.js';
import { detectFormat } from '../source/detect.js';
import { digestOf } from './backup.js';
import { type CommitRefusal, commitMigration, defaultOutput } from './commit.js';
import { readLegacyFile } from './legacy-file.js';
import { readRecord } from './record.js';

/**
 * Mode in which a host opens a chat that may be migrated or not: `old` reads the legacy file and never migrates it;
 * `new` migrates it when it is first opened; `as_is` takes the document where there is one, else the legacy file.
 */
export type DualMode = 'old' | 'new' | 'as_is';

export type OpenedDual =
  | { readonly ok: true; readonly kind: 'document'; readonly chat: Chat; readonly file: ChatFile }
  | { readonly ok: true; readonly kind: 'legacy'; readonly chat: Chat; readonly plan: MigrationPlan }
  | {
      readonly ok: false;
      readonly code: PlanRefusal | OpenFault['code'] | CommitRefusal;
      readonly path: string;
    };

export interface DualOptions extends Omit<OpenChatFileOptions, 'create' | 'doc'> {
  readonly mode: DualMode;
  /** Path of the document. Defaults to `NAME.ychat` beside `NAME.chat`. */
  readonly output?: string;
}

/** Opens the chat of a legacy file by its path, from the file or from the document that it became. */
export async function openDual(source: string, options: DualOptions): Promise<OpenedDual> {
  const { mode, output = defaultOutput(source), ...fileOptions } = options;
  const environment = options.fileEnvironment ?? nodeFileEnvironment;
  if (mode !== 'old') {
    const document = await openDocument(output, fileOptions);
    if (document.ok || document.code !== 'not_found') return document;
  }
  if (mode === 'new') {
    const committed = await commitMigration(source, { output, fileEnvironment: environment });
    if (!committed.ok) return { ok: false, code: committed.code, path: committed.path ?? source };
    return openDocument(output, fileOptions);
  }
  const read = await readLegacyFile(source, environment);
  if (!read.ok) return { ok: false, code: read.code, path: source };
  const opened = openLegacy(read.bytes);
  if (!opened.ok) return { ok: false, code: opened.code, path: source };
  return { ok: true, kind: 'legacy', chat: opened.chat, plan: opened.plan };
}

async function openDocument(
  path: string,
  options: OpenChatFileOptions,
): Promise<Extract<OpenedDual, { kind: 'document' } | { ok: false }>> {
  const opened = await openChatFile(path, options);
  if (!opened.ok) return { ...opened, path };
  return { ok: true, kind: 'document', chat: opened.file.chat, file: opened.file };
}

/** How far the migration of a folder is. */
export interface MigrationSurvey {
  /** Legacy chats without a document. */
  readonly remaining: readonly string[];
  readonly migrated: readonly string[];
  /** Written to since they were migrated: migrate them again, the document gets what is new. */
  readonly changed: readonly string[];
  readonly rolled_back: readonly string[];
  /** Named as a chat, and none that can be read. */
  readonly unreadable: readonly string[];
}

const LEGACY = /\.(?:chat|sage-chat|smc-chat)$/i;

/** Counts the chats of one folder by the state of their migration. Changes nothing. */
export async function surveyMigration(
  directory: string,
  environment: FileEnvironment = nodeFileEnvironment,
): Promise<({ readonly ok: true } & MigrationSurvey) | FileFault> {
  let names: string[];
  try {
    names = (await environment.fileSystem.readdir(directory)).filter((name) => LEGACY.test(name)).sort();
  } catch (error) {
    return describeFault(error);
  }
  const found: Record<keyof MigrationSurvey, string[]> = {
    remaining: [],
    migrated: [],
    changed: [],
    rolled_back: [],
    unreadable: [],
  };
  for (const name of names) found[await judge(join(directory, name), environment)].push(name);
  return { ok: true, ...found };
}

async function judge(source: string, environment: FileEnvironment): Promise<keyof MigrationSurvey> {
  const read = await readLegacyFile(source, environment);
  if (!read.ok || !isLegacy(read.bytes)) return 'unreadable';
  const output = defaultOutput(source);
  const known = await readRecord(output, environment);
  if (!known.ok || known.record === undefined) return 'remaining';
  const document = await readFile(output, environment);
  if (!document.ok) return known.record.rolled_back.length > 0 ? 'rolled_back' : 'remaining';
  const isSource = join(dirname(output), known.record.source) === source;
  return isSource && known.record.source_sha256 === digestOf(read.bytes) ? 'migrated' : 'changed';
}

function isLegacy(bytes: Uint8Array): boolean {
  const { format } = detectFormat(bytes);
  return format !== 'unknown' && format !== 'chatdoc';
}
