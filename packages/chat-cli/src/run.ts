import { readFileSync } from 'node:fs';
import { EXPORT_FORMATS } from '@chatdoc/migrate';
import { Command, CommanderError, Option } from 'commander';
import { compactFiles } from './compact-command.js';
import { EXIT, type ExitCode } from './exit-codes.js';
import { type ExportOptions, exportFile } from './export-command.js';
import { type Io, widthOf, writeTo } from './io.js';
import { type MigrateOptions, migrateFiles, SOURCE_FORMATS } from './migrate-command.js';
import { neutralise } from './plain-text.js';
import { codeOf } from './read-source.js';
import { recoverFiles } from './recover-command.js';
import { rollBackFiles } from './rollback-command.js';
import { type ServeCommandOptions, serveDirectory } from './serve-command.js';
import { type ShowOptions, showFile } from './show-command.js';
import { type VerifyOptions, verifyFiles } from './verify-command.js';
import { wrapText } from './wrap-text.js';

/** Runs the program: `argv` without the names of node and script. Never throws; gives the exit code. */
export async function run(argv: readonly string[], io: Io): Promise<ExitCode> {
  const help: { readonly stream: Io['stdout']; readonly text: string }[] = [];
  let exitCode: ExitCode = EXIT.ok;
  const program = createProgram(io, help, (code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync([...argv], { from: 'user' });
  } catch (error) {
    exitCode = EXIT.nothing;
    if (error instanceof CommanderError) {
      if (error.exitCode === 0) exitCode = EXIT.ok;
    } else {
      const text = `chatdoc: this should not have happened (${describe(error)}). Nothing more was done.\n`;
      help.push({ stream: io.stderr, text });
    }
  }
  for (const { stream, text } of help) await writeTo(stream, text).catch(() => undefined);
  return exitCode;
}

function describe(error: unknown): string {
  const code = codeOf(error);
  return neutralise(error instanceof Error && code === 'unknown error' ? error.message : code);
}

const FILES = `Files:
  chatdoc reads its own documents (.ychat, and .chatdoc.jsonl, their text
  form), the chats of CoCalc (.chat, .sage-chat, .smc-chat) and jupyter-chat
  (.chat), and tables of threads or messages (.json, .csv). It looks at the
  content of a file, not at its name.`;

const EXIT_CODES = `Exit codes:
  0  all well
  1  verify found errors, migrate set rows aside, or some of the files
     could not be done
  2  nothing was done: wrong usage, or none of the files could be done`;

function createProgram(
  io: Io,
  help: { readonly stream: Io['stdout']; readonly text: string }[],
  finish: (code: ExitCode) => void,
): Command {
  const program = new Command('chatdoc');
  // Before the commands: they take these settings over.
  program
    .exitOverride()
    .configureHelp({ minWidthToWrap: 16 })
    .configureOutput({
      writeOut: (text) => help.push({ stream: io.stdout, text }),
      writeErr: (text) => help.push({ stream: io.stderr, text: neutralise(text) }),
      getOutHelpWidth: () => widthOf(io.stdout),
      getErrHelpWidth: () => widthOf(io.stderr),
      getOutHasColors: () => false,
      getErrHasColors: () => false,
      outputError: (text, write) => write(text.replace(/^error: /, 'chatdoc: ')),
    })
    .showHelpAfterError('Run chatdoc --help to see what it can do.')
    .description(
      'Chats of people and agents as documents that many can write at once: migrate old chats, read them, look for damage, serve them. An old chat is never changed.',
    )
    .version(readVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand('help [command]', 'print the help of a command')
    .addHelpText('after', () =>
      fitHelp(
        `
${FILES}

Examples:
  $ chatdoc show team.chat               read a chat
  $ chatdoc migrate team.chat --dry-run  see what a migration would do
  $ chatdoc migrate team.chat            write team.ychat beside it
  $ chatdoc rollback team.ychat          take that back
  $ chatdoc verify team.ychat            look for damage
  $ chatdoc serve chats/                 let people write together

${EXIT_CODES}`,
        io,
      ),
    );

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
    .argument('<FILE...>', 'documents or old chats; - reads standard input')
    .option('-j, --json', 'print the findings as JSON')
    .showHelpAfterError('Run chatdoc verify --help to see how it is used.')
    .addHelpText('after', () =>
      fitHelp(
        `
${FILES}

Examples:
  $ chatdoc verify team.ychat
  $ chatdoc verify *.chat --json

Exit codes:
  0  no errors; there may be warnings and notes
  1  errors were found, or some of the files could not be read
  2  nothing was verified: wrong usage, or none of the files could be read`,
        io,
      ),
    )
    .action(async (files: string[], options: VerifyOptions) => finish(await verifyFiles(files, options, io)));

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

  program
    .command('serve')
    .summary('let people write together')
    .description(
      'Serves the documents of a folder by websocket to any Yjs editor with a Hocuspocus provider: room ID.GENERATION of each document; a new room makes a new document. What a client writes is checked before it is taken, and confirmed when it is on the disk. Only programs of this machine can reach it, unless --host says otherwise.',
    )
    .argument('<FOLDER>', 'where the documents (.ychat) are')
    .option('-p, --port <N>', 'listen on this port; 0 takes a free one', '4321')
    .option('--host <ADDRESS>', 'listen on this address (default: 127.0.0.1)')
    .option('--token <TOKEN>', 'let in only who gives this token; also from CHATDOC_TOKEN')
    .option(
      '--user <NAME=TOKEN>',
      'let in who gives this token as this user, who then can write in no other name; may be given again',
      (pair: string, before: readonly string[] = []) => [...before, pair],
    )
    .showHelpAfterError('Run chatdoc serve --help to see how it is used.')
    .addHelpText('after', () =>
      fitHelp(
        `
Examples:
  $ chatdoc serve chats/ --port 4321
  $ CHATDOC_TOKEN=s3cret chatdoc serve chats/
  $ chatdoc serve chats/ --user ada=s3cret --user bob=pa55

Exit codes:
  0  it was stopped, and everything is saved
  2  it could not start`,
        io,
      ),
    )
    .action(async (folder: string, options: ServeCommandOptions) =>
      finish(await serveDirectory(folder, options, io)),
    );

  program
    .command('compact')
    .summary('make documents small')
    .description(
      'Writes the next generation of a document in its place: the same chat, by one writer, without what was redacted or superseded. Programs that have the document open go on: what they have not saved yet is added to it.',
    )
    .argument('<FILE...>', 'documents (.ychat)')
    .showHelpAfterError('Run chatdoc compact --help to see how it is used.')
    .addHelpText('after', () =>
      fitHelp(
        `
Example:
  $ chatdoc compact team.ychat

Exit codes:
  0  every document is compacted
  1  some of them could not be
  2  none was: wrong usage, or none of the files could be; all are as they were`,
        io,
      ),
    )
    .action(async (files: string[]) => finish(await compactFiles(files, io)));

  program
    .command('recover')
    .summary('save what a damaged document holds')
    .description(
      'Writes all that can be read of a damaged document in its place. The damaged file is kept beside it as NAME.ychat.damaged-1. A document that is whole is left as it is.',
    )
    .argument('<FILE...>', 'documents (.ychat)')
    .showHelpAfterError('Run chatdoc recover --help to see how it is used.')
    .addHelpText('after', () =>
      fitHelp(
        `
Example:
  $ chatdoc recover team.ychat

Exit codes:
  0  every document is recovered, or was whole
  1  some of them could not be
  2  none was: wrong usage, or none of the files could be; all are as they were`,
        io,
      ),
    )
    .action(async (files: string[]) => finish(await recoverFiles(files, io)));
  return program;
}

/** Written for 80 columns, and wrapped again where there are fewer. */
function fitHelp(text: string, { stdout }: Io): string {
  return wrapText(text, widthOf(stdout)).join('\n');
}

let version: string | undefined;

function readVersion(): string {
  if (version === undefined) {
    const file = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
    ({ version } = JSON.parse(file) as { readonly version: string });
  }
  return version;
}
