import { EXPORT_FORMATS } from '@chatdoc/migrate';
import { Option } from 'commander';
import type { CommandSetting } from './command-setting.js';
import { type ExportOptions, exportFile } from './export-command.js';
import { FILES, fitHelp } from './help-text.js';
import { type MigrateOptions, migrateFiles, SOURCE_FORMATS } from './migrate-command.js';
import { rollBackFiles } from './rollback-command.js';
import { type ShowOptions, showFile } from './show-command.js';
import { type VerifyOptions, verifyFiles } from './verify-command.js';

/** Commands that take a chat of any format. */
export function addChatCommands({ program, io, finish }: CommandSetting): void {
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

Exit codes:
  0  every row of every chat is part of a document
  1  some rows were kept aside, or some of the chats could not be migrated
  2  nothing was migrated: wrong usage, or none of the chats could be`,
        io,
      ),
    )
    .action(async (paths: string[], options: MigrateOptions) =>
      finish(await migrateFiles(paths, options, io)),
    );

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

  program
    .command('show')
    .summary('print a chat')
    .description('Prints a chat: its threads, and in each the messages in reading order. Times are UTC.')
    .argument('<FILE>', 'a document or an old chat; - reads standard input')
    .option('-t, --thread <ID>', 'only this thread: its id, or the beginning of it')
    .option('-j, --json', 'print the records as JSON, with their ids and history')
    .showHelpAfterError('Run chatdoc show --help to see how it is used.')
    .addHelpText('after', () =>
      fitHelp(
        `
${FILES}

Examples:
  $ chatdoc show team.chat | less
  $ chatdoc show team.ychat --thread 01M0F0KX
  $ chatdoc show team.chat --json | jq '.threads[].messages[].content'

Exit codes:
  0  the chat was printed
  2  nothing was printed: wrong usage, or the file could not be read`,
        io,
      ),
    )
    .action(async (file: string, options: ShowOptions) => finish(await showFile(file, options, io)));

  program
    .command('verify')
    .summary('look for damage')
    .description(
      'Checks all that must hold in a chat, and prints what does not: errors, which are damage; warnings, which may be rows or entries that are missing; and notes. Prints no content of the chat. An old chat is checked as it would be migrated.',
    )
    .argument(
      '<PATH...>',
      'documents or old chats, folders with them at any depth, or patterns; - reads standard input',
    )
    .option('-j, --json', 'print the findings as JSON')
    .showHelpAfterError('Run chatdoc verify --help to see how it is used.')
    .addHelpText('after', () =>
      fitHelp(
        `
${FILES}

Examples:
  $ chatdoc verify team.ychat
  $ chatdoc verify chats/ --json

Exit codes:
  0  no errors; there may be warnings and notes
  1  errors were found, or some of the files could not be read
  2  nothing was verified: wrong usage, or none of the files could be read`,
        io,
      ),
    )
    .action(async (paths: string[], options: VerifyOptions) => finish(await verifyFiles(paths, options, io)));

  program
    .command('export')
    .summary('write a chat in another format')
    .description(
      'Writes a chat as a file of another format: jsonl, the text form of a document; cocalc and jupyter, which their programs read; or markdown, for people. What the format has no place for is counted on standard error.',
    )
    .argument('<FILE>', 'a document or an old chat; - reads standard input')
    .addOption(new Option('--format <FORMAT>', 'what to write').choices(EXPORT_FORMATS).makeOptionMandatory())
    .option('-o, --out <FILE>', 'write to this file, not to standard output')
    .option('-f, --force', 'replace a file that exists')
    .showHelpAfterError('Run chatdoc export --help to see how it is used.')
    .addHelpText('after', () =>
      fitHelp(
        `
${FILES}

Examples:
  $ chatdoc export team.ychat --format markdown | less
  $ chatdoc export team.ychat --format cocalc --out team.chat

Exit codes:
  0  the chat was written
  2  nothing was written: wrong usage, or the file could not be read`,
        io,
      ),
    )
    .action(async (file: string, options: ExportOptions) => finish(await exportFile(file, options, io)));
}
