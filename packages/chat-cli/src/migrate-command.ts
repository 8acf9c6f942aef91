import { mkdir, rmdir, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { type LegacyFormat, summarize } from '@chatdoc/migrate';
import { commitMigration } from '@chatdoc/migrate/file';
import { findSources, OLD_CHATS } from './chat-sources.js';
import { EXIT, type ExitCode } from './exit-codes.js';
import { type Io, writeTo } from './io.js';
import { describeCommitFault } from './migrate-faults.js';
import { choosePlaces, type Place } from './migrate-places.js';
import { describeMigration, describeMigrations, type Migrated } from './migrate-result.js';
import { escapeJson } from './plain-text.js';
import { createProgressBar } from './progress-bar.js';
import { type Failure, fail, findFile } from './read-source.js';
import { reportFailure } from './report-failure.js';
import { describeWriteError, findKind, isSameFile, writeNewFile } from './write-file.js';

export type SourceFormat = Extract<LegacyFormat, 'cocalc' | 'jupyter' | 'relational' | 'tasks'>;
export const SOURCE_FORMATS: readonly SourceFormat[] = ['cocalc', 'jupyter', 'relational', 'tasks'];

export interface MigrateOptions {
  readonly dryRun?: boolean;
  readonly out?: string;
  readonly from?: SourceFormat;
  readonly report?: string;
  readonly force?: boolean;
}

export async function migrateFiles(
  paths: readonly string[],
  options: MigrateOptions,
  io: Io,
): Promise<ExitCode> {
  const sources = await findSources(paths, io.cwd, OLD_CHATS);
  const files = sources.map(({ file }) => file);
  const refused = await refuseReport(files, options, io);
  if (refused !== undefined) return reportFailure('--report', refused, io);
  const places = await choosePlaces(sources, options.out, io.cwd);
  if (!places.ok) return reportFailure('--out', places, io);
  const results = await migrateAll(places.places, options, io);
  for (const result of results) if (!result.ok) await reportFailure(result.file, result, io);
  const [first] = results;
  if (results.length > 1) await writeTo(io.stdout, describeMigrations(results, io));
  else if (first?.ok === true) await writeTo(io.stdout, describeMigration(first, io));
  const exitCode = exitCodeOf(results);
  if (options.report === undefined) return exitCode;
  const text = escapeJson(`${JSON.stringify({ files: results.map(describeForReport) }, null, 2)}\n`);
  const written = await writeNewFile(resolve(io.cwd, options.report), text, options.force === true);
  if (written.ok) return exitCode;
  await reportFailure('--report', written, io);
  return exitCode === EXIT.nothing ? EXIT.nothing : EXIT.findings;
}

async function migrateAll(places: readonly Place[], options: MigrateOptions, io: Io): Promise<Migrated[]> {
  const sizes = await Promise.all(places.map(({ file }) => sizeOf(resolve(io.cwd, file))));
  const bar = createProgressBar(
    sizes.reduce((sum, size) => sum + size, 0),
    io,
  );
  const results: Migrated[] = [];
  let before = 0;
  try {
    for (const [index, place] of places.entries()) {
      const what = places.length > 1 ? `${index + 1}/${places.length}` : '';
      const start = before;
      results.push(await migrateFile(place, options, io, (done) => bar.advance(start + done, what)));
      before += sizes[index] ?? 0;
      bar.advance(before, what);
    }
  } finally {
    bar.end();
  }
  return results;
}

async function sizeOf(path: string): Promise<number> {
  const found = await stat(path).catch(() => undefined);
  return found?.isFile() === true ? found.size : 0;
}

/** Before anything is done: a report must not take the place of a chat, or of a file that is there. */
async function refuseReport(
  files: readonly string[],
  { report, force }: MigrateOptions,
  io: Io,
): Promise<Failure | undefined> {
  if (report === undefined) return undefined;
  const path = resolve(io.cwd, report);
  for (const file of files) {
    if (await isSameFile(path, resolve(io.cwd, file)))
      return fail('is_source', `${report} is one of the chats; name another file`);
  }
  try {
    const found = await findKind(path);
    if (found === 'directory') return fail('directory', `${report} is a folder; name a file in it`);
    if (found === 'file' && force !== true)
      return fail(
        'exists',
        `${report} exists and was left as it is; name another file, or replace it with --force`,
      );
  } catch (error) {
    return describeWriteError(error, report);
  }
  return undefined;
}

async function migrateFile(
  place: Place,
  { dryRun = false, from, out }: MigrateOptions,
  io: Io,
  onProgress: (done: number) => void,
): Promise<Migrated> {
  const { file } = place;
  if ('failure' in place) return { file, ...place.failure };
  if (file === '-') return { file, ...fail('standard_input', 'migrate reads files only; name the file') };
  const source = await findFile(file, io);
  if (!source.ok) return { file, ...source };
  if (!source.isFile)
    return { file, ...fail('no_file', 'this is a pipe, and migrate reads files only; save it in a file') };
  const output = resolve(io.cwd, place.output);
  if (await isSameFile(output, source.path))
    return {
      file,
      ...fail('is_source', `${place.output} is the chat itself; name another place with --out`),
    };
  const mayMake = out !== undefined && output !== resolve(io.cwd, out) && !dryRun;
  const made = mayMake ? await makeFolder(dirname(output)) : undefined;
  const result = await commitMigration(source.path, {
    output,
    dryRun,
    onProgress,
    ...(from !== undefined && { format: from }),
  });
  if (!result.ok) {
    if (made !== undefined) await removeFolders(dirname(output), made);
    return { file, ...(await describeCommitFault(result, place, source.path)) };
  }
  const { outcome, backup, doc_id, lines, plan } = result;
  const summary = summarize(plan);
  return { file, ok: true, output: place.output, outcome, dryRun, backup, doc_id, lines, summary, plan };
}

/** Gives the first folder that was not there. What fails here fails again, with a reason, where the file is written. */
async function makeFolder(path: string): Promise<string | undefined> {
  return mkdir(path, { recursive: true }).catch(() => undefined);
}

/** From the innermost to `first`, as far as they are empty. */
async function removeFolders(path: string, first: string): Promise<void> {
  for (let folder = path; folder.length >= first.length; folder = dirname(folder)) {
    try {
      await rmdir(folder);
    } catch {
      return;
    }
  }
}

/** All, some set aside or failed, none. */
function exitCodeOf(results: readonly Migrated[]): ExitCode {
  const done = results.filter((result) => result.ok);
  if (done.length === 0) return EXIT.nothing;
  const isAll = done.length === results.length && done.every(({ plan }) => plan.ledger.set_aside === 0);
  return isAll ? EXIT.ok : EXIT.findings;
}

function describeForReport(result: Migrated): object {
  if (!result.ok) return result;
  const { file, output, outcome, dryRun, backup, doc_id, lines, summary, plan } = result;
  const { problems, ledger } = plan;
  return {
    file,
    ok: true,
    output,
    outcome,
    dry_run: dryRun,
    backup,
    doc_id,
    lines,
    summary,
    problems,
    ledger,
  };
}
