import { stat } from 'node:fs/promises';
import { relative, resolve } from 'node:path';
import { type RollbackResult, rollBackMigration } from '@chatdoc/migrate/file';
import { type ExitCode, exitCodeOf } from '../exit-codes.js';
import { colorsFor, type Io, writeTo } from '../io.js';
import { nameFile, reportFailure } from '../say/failure.js';
import { fitHelp } from '../say/help.js';
import { countNoun } from '../say/nouns.js';
import { describeFileFault } from '../sources/document-faults.js';
import { type ChatSource, findSources } from '../sources/find-sources.js';
import { type Failure, fail } from '../sources/read-source.js';
import type { CommandSetting } from './setting.js';

/** Adds `chatdoc rollback`. */
export function addRollback({ program, io, finish }: CommandSetting): void {
  program
    .command('rollback')
    .summary('take migrations back')
    .description(
      'Takes a migration back: the old chat stands where it was, byte for byte, and the document is kept beside it as NAME.ychat.rolled-back-0. What was written into the document since is in there. Migrated again, the chat becomes a new generation: what other machines still have of the old one does not come back.',
    )
    .argument(
      '<PATH...>',
      'documents (.ychat) that chatdoc migrate wrote, folders with them at any depth, or patterns such as "**/*.ychat"',
    )
    .showHelpAfterError('Run chatdoc rollback --help to see how it is used.')
    .addHelpText('after', () =>
      fitHelp(
        `
Examples:
  $ chatdoc rollback team.ychat
  $ chatdoc rollback chats/

Exit codes:
  0  every migration is taken back
  1  some of them could not be
  2  none was: wrong usage, or none of them could be; all are as they were`,
        io,
      ),
    )
    .action(async (files: string[]) => finish(await rollBackFiles(files, io)));
}

/** The record of a migration, beside its document. */
const RECORD = '.migration.json';
/** Of more documents, their sum is all that is printed. */
const MAX_DESCRIBED = 20;

async function rollBackFiles(paths: readonly string[], io: Io): Promise<ExitCode> {
  const sources = await findDocuments(paths, io.cwd);
  const counts: Record<RolledBack['outcome'] | 'failed', number> = {
    restored: 0,
    unchanged: 0,
    done_before: 0,
    failed: 0,
  };
  for (const source of sources) {
    const file = source.file.endsWith(RECORD) ? source.file.slice(0, -RECORD.length) : source.file;
    if ('failure' in source) {
      counts.failed += 1;
      await reportFailure(file, describeNone(source.failure), io);
      continue;
    }
    const result = await rollBackMigration(resolve(io.cwd, file));
    counts[result.ok ? result.outcome : 'failed'] += 1;
    if (!result.ok) await reportFailure(file, describeRollbackFault(result, file, io), io);
    else if (sources.length <= MAX_DESCRIBED) await writeTo(io.stdout, describeRollback(file, result, io));
  }
  const { failed, done_before: before } = counts;
  const done = sources.length - failed;
  if (sources.length > MAX_DESCRIBED) {
    const parts = [
      done > before ? `${done - before} rolled back` : '',
      before > 0 ? `${before} had been before` : '',
      failed > 0 ? `${failed} failed` : '',
    ].filter((part) => part !== '');
    await writeTo(io.stdout, `${countNoun(sources.length, 'document')}: ${parts.join(', ')}\n`);
  }
  return exitCodeOf(done, failed);
}

async function findDocuments(paths: readonly string[], cwd: string): Promise<readonly ChatSource[]> {
  const found: ChatSource[] = [];
  for (const path of new Set(paths)) {
    // A name before a pattern, also where the document was rolled back.
    const isNamed = await stat(resolve(cwd, path + RECORD)).then(
      () => true,
      () => false,
    );
    found.push(...(isNamed ? [{ file: path }] : await findSources([path], cwd, `**/*.ychat${RECORD}`)));
  }
  return found;
}

function describeNone(failure: Failure): Failure {
  return failure.code === 'no_chats'
    ? fail('no_chats', 'no document in this folder was migrated; name the documents')
    : failure;
}

type RolledBack = Extract<RollbackResult, { ok: true }>;

const SOURCES: Readonly<Record<RolledBack['outcome'], string>> = {
  restored: 'is there again, byte for byte',
  unchanged: 'is there, byte for byte as it was migrated',
  done_before: 'is there, byte for byte as it was migrated',
};

function describeRollback(file: string, result: RolledBack, io: Io): string {
  const { outcome, source, document } = result;
  const colors = colorsFor(io.stdout, io.env);
  const name = (path: string): string => colors.bold(nameFile(relative(io.cwd, path)));
  return [
    `${colors.bold(nameFile(file))}: ${outcome === 'done_before' ? 'was rolled back before' : 'rolled back'}`,
    `  ${name(source)} ${SOURCES[outcome]}`,
    `  ${name(document)} is the document, with all that was written since`,
    '',
  ].join('\n');
}

function describeRollbackFault(fault: Extract<RollbackResult, { ok: false }>, file: string, io: Io): Failure {
  const { code } = fault;
  const path = nameFile(relative(io.cwd, fault.path));
  switch (code) {
    case 'not_migrated':
      return fail(
        code,
        'no migration is known of this file; name the document (.ychat) that chatdoc migrate wrote',
      );
    case 'not_found':
      return path === nameFile(file)
        ? fail('missing', 'the document is not there; restore it, or run chatdoc migrate again')
        : fail('missing', `${path} is not there; restore it: nothing was changed`);
    case 'bad_record':
      return fail(code, `${file}.migration.json is damaged; restore it: nothing was changed`);
    case 'backup_damaged':
      return fail(code, `${path} is not the copy that was made; restore it: nothing was changed`);
    case 'source_changed':
      return fail(
        code,
        `somebody has written to ${path} since it was migrated; migrate it again to keep that, or move it away, and roll back then`,
      );
    case 'exists':
      return fail(code, `something has the name ${path}, or the document's; move it away: nothing was lost`);
    default:
      return describeFileFault(fault);
  }
}
