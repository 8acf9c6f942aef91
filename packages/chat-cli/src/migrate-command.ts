import { mkdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import { summarize } from '@chatdoc/migrate';
import { EXIT, type ExitCode, exitCodeOf } from './exit-codes.js';
import { type Io, writeTo } from './io.js';
import { choosePlaces, type Place } from './migrate-places.js';
import { describeMigration, type Migrated } from './migrate-result.js';
import { openSource } from './open-source.js';
import { escapeJson } from './plain-text.js';
import { type Failure, fail, readSource } from './read-source.js';
import { reportFailure } from './report-failure.js';
import { describeWriteError, findKind, isSameFile, writeNewFile } from './write-file.js';

export interface MigrateOptions {
  readonly dryRun?: boolean;
  readonly out?: string;
  readonly report?: string;
  readonly force?: boolean;
}

export async function migrateFiles(
  files: readonly string[],
  options: MigrateOptions,
  io: Io,
): Promise<ExitCode> {
  const refused = await refuseReport(files, options, io);
  if (refused !== undefined) return reportFailure('--report', refused, io);
  const places = await choosePlaces(files, options.out, io.cwd);
  if (!places.ok) return reportFailure('--out', places, io);
  const results: Migrated[] = [];
  for (const place of places.places) {
    const result = await migrateFile(place, files, options, io);
    results.push(result);
    if (result.ok) await writeTo(io.stdout, describeMigration(result, io));
    else await reportFailure(place.file, result, io);
  }
  const failed = results.filter(({ ok }) => !ok).length;
  const exitCode = exitCodeOf(results.length - failed, failed);
  if (options.report === undefined) return exitCode;
  const text = escapeJson(`${JSON.stringify({ files: results.map(describeForReport) }, null, 2)}\n`);
  const written = await writeNewFile(resolve(io.cwd, options.report), text, options.force === true);
  if (written.ok) return exitCode;
  await reportFailure('--report', written, io);
  return exitCode === EXIT.nothing ? EXIT.nothing : EXIT.findings;
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
  { file, output }: Place,
  files: readonly string[],
  options: MigrateOptions,
  io: Io,
): Promise<Migrated> {
  if (file === '-') return { file, ...fail('standard_input', 'migrate reads files only; name the file') };
  const source = await readSource(file, io);
  if (!source.ok) return { file, ...source };
  const opened = openSource(source.bytes);
  if (!opened.ok) return { file, ...opened };
  const { plan, chat } = opened;
  if (plan === undefined) {
    return {
      file,
      ...fail(
        'already_chatdoc',
        'this is a chatdoc document already: there is nothing to migrate; read it with chatdoc show',
      ),
    };
  }
  const result = { file, ok: true, output, summary: summarize(plan), plan } as const;
  const path = resolve(io.cwd, output);
  for (const other of files) {
    if (await isSameFile(path, resolve(io.cwd, other)))
      return {
        file,
        ...fail('is_source', `${output} is one of the chats to migrate; name another place with --out`),
      };
  }
  const text = chat.toJSONL();
  if (await hasContent(output, text, io)) return { ...result, outcome: 'same' };
  if (options.dryRun === true) return { ...result, outcome: 'planned' };
  const written = await writeDocument(path, text, options, io);
  return written.ok ? { ...result, outcome: 'written' } : { file, ...written };
}

async function hasContent(output: string, text: string, io: Io): Promise<boolean> {
  const there = await readSource(output, io);
  return there.ok && Buffer.from(text).equals(there.bytes);
}

async function writeDocument(
  path: string,
  text: string,
  { out, force }: MigrateOptions,
  io: Io,
): Promise<{ readonly ok: true } | Failure> {
  const folder = out === undefined ? undefined : resolve(io.cwd, out);
  if (folder !== undefined && path !== folder) {
    try {
      await mkdir(folder, { recursive: true });
    } catch (error) {
      return describeWriteError(error, folder);
    }
  }
  return writeNewFile(path, text, force === true);
}

function describeForReport(result: Migrated): object {
  if (!result.ok) return result;
  const { file, output, outcome, summary, plan } = result;
  return { file, ok: true, output, outcome, summary, problems: plan.problems, ledger: plan.ledger };
}
