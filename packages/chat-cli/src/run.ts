import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { addCompact } from './commands/compact.js';
import { addDetach } from './commands/detach.js';
import { addExport } from './commands/export.js';
import { addMerge } from './commands/merge.js';
import { addMigrate } from './commands/migrate.js';
import { addRecover } from './commands/recover.js';
import { addRepair } from './commands/repair.js';
import { addRollback } from './commands/rollback.js';
import { addRun } from './commands/run.js';
import { addServe } from './commands/serve.js';
import { addShow } from './commands/show.js';
import { addStop } from './commands/stop.js';
import { addVerify } from './commands/verify.js';
import { addWatch } from './commands/watch.js';
import { EXIT, type ExitCode } from './exit-codes.js';
import { type Io, widthOf, writeTo } from './io.js';
import { FILES, fitHelp } from './say/help.js';
import { neutralise } from './say/plain-text.js';
import { codeOf } from './sources/read-source.js';

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

const EXIT_CODES = `Exit codes:
  0    all well
  1    verify or repair leaves errors, migrate set something aside that a
       person wrote, run has no whole answer, serve could not save everything,
       or some of the files could not be done
  2    nothing was done: wrong usage, or none of the files could be done
  130  run was stopped by Ctrl-C`;

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
      'Chats of people and agents as documents that many can write at once: migrate old chats, read them, look for damage and mend it, serve them, let agents answer in them. An old chat is never changed.',
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
  $ chatdoc run team.ychat --agent codex-acp --prompt "What is left to do?"

${EXIT_CODES}`,
        io,
      ),
    );

  const setting = { program, io, finish };
  for (const add of COMMANDS) add(setting);
  return program;
}

/** In the order of the help. */
const COMMANDS = [
  addMigrate,
  addRollback,
  addShow,
  addVerify,
  addExport,
  addRun,
  addStop,
  addServe,
  addWatch,
  addRepair,
  addCompact,
  addRecover,
  addDetach,
  addMerge,
];

let version: string | undefined;

function readVersion(): string {
  if (version === undefined) {
    const file = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
    ({ version } = JSON.parse(file) as { readonly version: string });
  }
  return version;
}
