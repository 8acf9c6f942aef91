import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { type MigrationPlan, summarize } from '@chatdoc/migrate';
import {
  commitMigration,
  type GatheredChat,
  gatherChats,
  isGatherable,
  readRecord,
} from '@chatdoc/migrate/file';
import { nodeFileEnvironment } from '@chatdoc/sync/file';
import type { Io } from '../io.js';
import { describeCommitFault, type Migrated } from '../say/migration.js';
import type { ChatSource } from '../sources/find-sources.js';
import { fail } from '../sources/read-source.js';
import { describeWriteError } from '../sources/write-file.js';
import { createProgressBar } from './progress-bar.js';

interface ArchiveOptions {
  readonly dryRun?: boolean;
  readonly out?: string;
  readonly per?: 'chat' | 'folder';
  readonly report?: string;
}

/** Those of the paths that hold more than one chat each: folders of sessions, exports, ZIP archives. */
export async function findArchives(paths: readonly string[], cwd: string): Promise<readonly string[]> {
  const found: string[] = [];
  for (const path of new Set(paths)) {
    if (path === '' || path === '-') continue;
    if (await isGatherable(resolve(cwd, path)).catch(() => false)) found.push(path);
  }
  return found;
}

/** The other sources: an archive is none, and a folder with sessions needs no old chats in it. */
export function withoutArchives(
  sources: readonly ChatSource[],
  archives: readonly string[],
): readonly ChatSource[] {
  return sources.filter(({ file }) => !archives.includes(file));
}

/** Each chat of each archive into a document of its own. */
export async function migrateArchives(
  archives: readonly string[],
  options: ArchiveOptions,
  io: Io,
): Promise<readonly Migrated[]> {
  const results: Migrated[] = [];
  for (const archive of archives) {
    const bar = createProgressBar(PARTS, io);
    try {
      for await (const chat of gatherChats(resolve(io.cwd, archive), { per: options.per ?? 'chat' })) {
        const file = join(archive, chat.name);
        results.push(
          chat.ok
            ? await migrateChat(archive, file, chat, options, io)
            : { file, ...fail(chat.code, chat.message) },
        );
        if (chat.ok) bar.advance(Math.round(chat.done * PARTS), `${results.length}`);
      }
    } catch (error) {
      results.push({ file: archive, ...describeWriteError(error, archive) });
    } finally {
      bar.end();
    }
  }
  return results;
}

/** Steps of the bar. */
const PARTS = 1000;

async function migrateChat(
  archive: string,
  file: string,
  { name, ending, bytes }: Extract<GatheredChat, { ok: true }>,
  { dryRun = false, out, report }: ArchiveOptions,
  io: Io,
): Promise<Migrated> {
  const folder = out ?? (await chooseFolder(archive, io.cwd));
  const output = join(folder, `${name}.ychat`);
  const path = resolve(io.cwd, output);
  const work = dryRun ? await mkdtemp(join(tmpdir(), 'chatdoc-')) : dirname(path);
  const source = dryRun ? join(work, `chat${ending}`) : join(work, `${basename(name)}${ending}`);
  try {
    await mkdir(work, { recursive: true });
    if (await isOther(source, path, bytes)) {
      const message = `${basename(source)} is beside the document, and is not this chat; move it away`;
      return { file, ...fail('exists', message) };
    }
  } catch (error) {
    return { file, ...describeWriteError(error, output) };
  }
  try {
    await writeFile(source, bytes);
    const result = await commitMigration(source, { output: path, dryRun });
    if (!result.ok) return { file, ...(await describeCommitFault(result, { output }, source)) };
    const { outcome, backup, doc_id, lines, plan } = result;
    const kept = report === undefined ? dropRows(plan) : plan;
    return {
      file,
      ok: true,
      output,
      outcome,
      dryRun,
      backup,
      doc_id,
      lines,
      summary: summarize(plan),
      plan: kept,
    };
  } catch (error) {
    return { file, ...describeWriteError(error, output) };
  } finally {
    // The copy that the commit has made is what a rollback needs.
    await (dryRun ? rm(work, { recursive: true, force: true }) : rm(source, { force: true }));
  }
}

/** Whether there is a file under the name of the chat that is neither it nor what a rollback has put there again. */
async function isOther(source: string, document: string, bytes: Uint8Array): Promise<boolean> {
  const present = await readFile(source).catch(() => undefined);
  if (present === undefined || present.equals(bytes)) return false;
  const known = await readRecord(document, nodeFileEnvironment);
  const digest = createHash('sha256').update(present).digest('hex');
  return !known.ok || known.record?.source_sha256 !== digest;
}

/** Plans of thousands of chats would not fit the memory: without a report, only counts and problems of each are kept. */
function dropRows({ format, lane_id, ledger, problems }: MigrationPlan): MigrationPlan {
  const { became, merged, set_aside } = ledger;
  return {
    format,
    lane_id,
    problems,
    entries: [],
    jsonl: '',
    ledger: { rows: [], became, merged, set_aside },
  };
}

/** Beside an export; of a folder with sessions in the folder that one is in, for nothing is written among sessions. */
async function chooseFolder(archive: string, cwd: string): Promise<string> {
  const path = resolve(cwd, archive);
  if (!(await stat(path)).isDirectory()) {
    const bare = archive.replace(/\.(?:zip|json)$/i, '');
    return bare === archive ? `${archive}.chats` : bare;
  }
  const name = basename(path);
  return resolve(cwd, name) === path ? `${name}-documents` : name;
}
