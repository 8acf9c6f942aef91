import { relative, resolve } from 'node:path';
import { type RollbackResult, rollBackMigration } from '@chatdoc/migrate/file';
import { type ExitCode, exitCodeOf } from '../exit-codes.js';
import { colorsFor, type Io, writeTo } from '../io.js';
import { nameFile, reportFailure } from '../say/failure.js';
import { fitHelp } from '../say/help.js';
import { describeFileFault } from '../sources/document-faults.js';
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
    .argument('<DOCUMENT...>', 'documents (.ychat) that chatdoc migrate wrote')
    .showHelpAfterError('Run chatdoc rollback --help to see how it is used.')
    .addHelpText('after', () =>
      fitHelp(
        `
Example:
  $ chatdoc rollback team.ychat

Exit codes:
  0  every migration is taken back
  1  some of them could not be
  2  none was: wrong usage, or none of them could be; all are as they were`,
        io,
      ),
    )
    .action(async (files: string[]) => finish(await rollBackFiles(files, io)));
}

async function rollBackFiles(files: readonly string[], io: Io): Promise<ExitCode> {
  let done = 0;
  for (const file of files) {
    const result = await rollBackMigration(resolve(io.cwd, file));
    if (!result.ok) {
      await reportFailure(file, describeRollbackFault(result, file, io), io);
      continue;
    }
    done += 1;
    await writeTo(io.stdout, describeRollback(file, result, io));
  }
  return exitCodeOf(done, files.length - done);
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
