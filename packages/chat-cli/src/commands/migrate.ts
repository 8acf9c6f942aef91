import { mkdir, rmdir, stat } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { type LegacyFormat, summarize } from '@chatdoc/migrate';
import { commitMigration, defaultOutput } from '@chatdoc/migrate/file';
import { DocumentFolder } from '@chatdoc/sync/server';
import { Option } from 'commander';
import { EXIT, type ExitCode } from '../exit-codes.js';
import { type Io, writeTo } from '../io.js';
import { COPY_ADVICE, nameFile, reportFailure } from '../say/failure.js';
import { fitHelp } from '../say/help.js';
import {
  describeCommitFault,
  describeMigration,
  describeMigrations,
  type Migrated,
} from '../say/migration.js';
import { hasWrittenRows } from '../say/nouns.js';
import { escapeJson } from '../say/plain-text.js';
import { type ChatSource, findSources, OLD_CHATS } from '../sources/find-sources.js';
import { type Failure, fail, findFile } from '../sources/read-source.js';
import { describeWriteError, findKind, isSameFile, writeNewFile } from '../sources/write-file.js';
import { findArchives, migrateArchives, withoutArchives } from './migrate-archives.js';
import { createProgressBar } from './progress-bar.js';
import type { CommandSetting } from './setting.js';

/** Adds `chatdoc migrate`. */
export function addMigrate({ program, io, finish }: CommandSetting): void {
  program
    .command('migrate')
    .summary('turn old chats into documents')
    .description(
      'Writes a document for each old chat: NAME.ychat beside NAME.chat, unless --out names another place. Every row of the old chat is accounted for: what is not a message, such as an unsent draft, is kept aside in the document. The old chat stays as it is, and a copy of it is kept beside the document.',
    )
    .argument('<PATH...>', 'old chats, folders with them at any depth, or patterns such as "**/*.chat"')
    .option('-n, --dry-run', 'say what would be written, and write nothing but the report')
    .option(
      '-o, --out <FILE|DIR>',
      'write to this file; into this folder if it is there, if the name ends in a slash, or if there are several chats. The folders in a PATH are made again in it',
    )
    .addOption(
      new Option('--from <FORMAT>', 'what to read the chats as, where it cannot be seen').choices(
        SOURCE_FORMATS,
      ),
    )
    .addOption(
      new Option(
        '--per <UNIT>',
        'of a folder with sessions of agents, or an export of many conversations, one document for each chat, or one for each folder',
      )
        .choices(['chat', 'folder'])
        .default('chat'),
    )
    .option('-r, --report <FILE>', 'write what became of every row to this file, as JSON')
    .option('-f, --force', 'replace a report that exists; no document is ever replaced')
    .showHelpAfterError('Run chatdoc migrate --help to see how it is used.')
    .addHelpText('after', () =>
      fitHelp(
        `
A migration can be run again: what the old chat has more since is added to the
document, and where it has nothing more, nothing is written.

Beside team.ychat stand team.chat.DIGEST.backup, a copy of the old chat, and
team.ychat.migration.json, which chatdoc rollback needs.

Examples:
  $ chatdoc migrate team.chat
  $ chatdoc migrate chats/ --out migrated/
  $ chatdoc migrate team.chat --dry-run --report rows.json
  $ chatdoc migrate ~/.claude/projects --out sessions/
  $ chatdoc migrate chatgpt-export.zip

Exit codes:
  0  all that people wrote is part of a document
  1  something that a person wrote was kept aside, or some of the chats could
     not be migrated
  2  nothing was migrated: wrong usage, or none of the chats could be`,
        io,
      ),
    )
    .action(async (paths: string[], options: MigrateOptions) =>
      finish(await migrateFiles(paths, options, io)),
    );
}

type SourceFormat = Extract<LegacyFormat, 'cocalc' | 'jupyter' | 'relational' | 'tasks'>;
const SOURCE_FORMATS: readonly SourceFormat[] = ['cocalc', 'jupyter', 'relational', 'tasks'];

interface MigrateOptions {
  readonly dryRun?: boolean;
  readonly out?: string;
  readonly from?: SourceFormat;
  readonly per?: 'chat' | 'folder';
  readonly report?: string;
  readonly force?: boolean;
}

async function migrateFiles(paths: readonly string[], options: MigrateOptions, io: Io): Promise<ExitCode> {
  const archives = await findArchives(paths, io.cwd);
  const sources = withoutArchives(await findSources(paths, io.cwd, OLD_CHATS), archives);
  const files = sources.map(({ file }) => file);
  const refused = await refuseReport(files, options, io);
  if (refused !== undefined) return reportFailure('--report', refused, io);
  const places = await choosePlaces(sources, options.out, io.cwd);
  if (!places.ok) return reportFailure('--out', places, io);
  const results = [
    ...(await migrateAll(places.places, options, io)),
    ...(await migrateArchives(archives, options, io)),
  ];
  for (const result of results) if (!result.ok) await reportFailure(result.file, result, io);
  const [first] = results;
  if (results.length > 1) await writeTo(io.stdout, describeMigrations(results, io));
  else if (first?.ok === true) await writeTo(io.stdout, describeMigration(first, io));
  await reportCopies(results, io);
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

/** Two chats with the same rows become one document: a server shows one of its files. */
async function reportCopies(results: readonly Migrated[], io: Io): Promise<void> {
  const ids = new Set<string>();
  const folders = new Set<string>();
  for (const result of results) {
    if (!result.ok || result.dryRun) continue;
    ids.add(result.doc_id);
    folders.add(dirname(resolve(io.cwd, result.output)));
  }
  const seen = new Map<string, string>();
  for (const folder of folders) {
    for (const { doc_id, path } of await new DocumentFolder(folder).listAll()) {
      if (!ids.has(doc_id)) continue;
      const file = relative(io.cwd, path);
      const first = seen.get(doc_id);
      seen.set(doc_id, first ?? file);
      if (first === undefined) continue;
      const message = `this is the same document as ${nameFile(first)}, and a server shows only one of them; ${COPY_ADVICE}`;
      await reportFailure(file, { message }, io);
    }
  }
}

/** All, something that a person wrote set aside or something failed, none. */
function exitCodeOf(results: readonly Migrated[]): ExitCode {
  const done = results.filter((result) => result.ok);
  if (done.length === 0) return EXIT.nothing;
  const isAll =
    done.length === results.length && done.every(({ summary }) => !hasWrittenRows(summary.set_aside));
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

/** Where the document of a chat goes, as a person would name it, or why it cannot be made. */
type Place =
  | { readonly file: string; readonly output: string }
  | { readonly file: string; readonly failure: Failure };

/** One place for each file, no two alike. */
async function choosePlaces(
  sources: readonly ChatSource[],
  out: string | undefined,
  cwd: string,
): Promise<{ readonly ok: true; readonly places: readonly Place[] } | Failure> {
  let folder: string | undefined;
  if (out !== undefined) {
    const found = await findFolder(sources, out, cwd);
    if (typeof found === 'object') return found;
    if (!found) return { ok: true, places: sources.map((source) => ({ output: out, ...source })) };
    folder = out;
  }
  const named = sources.map((source) =>
    'failure' in source ? source : { file: source.file, output: nameDocument(source, folder) },
  );
  const owners = new Map<string, string[]>();
  for (const place of named) {
    if ('failure' in place) continue;
    const path = resolve(cwd, place.output);
    owners.set(path, [...(owners.get(path) ?? []), place.file]);
  }
  return { ok: true, places: named.map((place) => refuseShared(place, owners, cwd)) };
}

function refuseShared(place: Place, owners: ReadonlyMap<string, readonly string[]>, cwd: string): Place {
  if ('failure' in place) return place;
  const { file, output } = place;
  const other = owners.get(resolve(cwd, output))?.find((owner) => owner !== file);
  if (other === undefined) return place;
  const message = `this and ${other} would both become ${output}; migrate them one by one, each with --out FILE`;
  return { file, failure: fail('same_name', message) };
}

/** Whether `--out` names a folder: one that is there, one that ends in a slash, or any where there are more files. */
async function findFolder(
  sources: readonly ChatSource[],
  out: string,
  cwd: string,
): Promise<boolean | Failure> {
  try {
    const found = await findKind(resolve(cwd, out));
    if (found === 'directory') return true;
    const isMany = sources.length > 1 || sources.some((source) => 'within' in source);
    const mustBe = /[\\/]$/.test(out) || isMany;
    if (found === 'file' && mustBe)
      return fail('no_folder', `${out} is a file, and the chats need a folder; name another place`);
    return mustBe;
  } catch (error) {
    return describeWriteError(error, out);
  }
}

function nameDocument(source: Exclude<ChatSource, { failure: Failure }>, folder: string | undefined): string {
  const { file, within = basename(file) } = source;
  if (folder !== undefined) return join(folder, defaultOutput(within));
  return join(dirname(file), defaultOutput(basename(file)));
}
