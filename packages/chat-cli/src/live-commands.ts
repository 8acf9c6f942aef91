import { Option } from 'commander';
import type { CommandSetting } from './command-setting.js';
import { fitHelp } from './help-text.js';
import { type RunCommandOptions, runTurn } from './run-command.js';
import { type ServeCommandOptions, serveDirectory } from './serve-command.js';
import { type StopCommandOptions, stopTurns } from './stop-command.js';
import { type WatchCommandOptions, watchChat } from './watch-command.js';

/** Commands that work on a chat while others do. */
export function addLiveCommands({ program, io, finish }: CommandSetting): void {
  program
    .command('run')
    .summary('let an agent answer')
    .description(
      'Runs one turn of a thread: starts an agent that speaks the Agent Client Protocol (ACP) over its standard streams, asks it, and prints its answer as it comes: the text on standard output, what it thinks and does on standard error. All of it is in the document while it comes. Without --prompt the next prompt that waits in the thread is answered.',
    )
    .argument('<DOCUMENT>', 'a document (.ychat)')
    .requiredOption('-a, --agent <COMMAND>', 'what starts the agent, with its arguments')
    .option(
      '-t, --thread <ID>',
      'the thread: its id, or the beginning of it; may be left out if there is only one',
    )
    .addOption(
      new Option(
        '--new-thread [NAME]',
        'begin a thread, and the document, too, if it is not there',
      ).conflicts('thread'),
    )
    .option('-p, --prompt <TEXT>', 'ask this; - reads it from standard input')
    .addOption(
      new Option('-c, --continue', 'go on with the last answer, where it was stopped or cut off').conflicts([
        'prompt',
        'newThread',
        'retry',
      ]),
    )
    .addOption(
      new Option('--retry', 'ask for the last answer once more, from its start').conflicts([
        'prompt',
        'newThread',
      ]),
    )
    .option('--now', 'before what waits, and instead of what runs in the thread, which is stopped')
    .option('--allow', 'allow what the agent asks for; without it all is refused')
    .option('--user <NAME>', 'who asks (default: CHATDOC_USER, or your name on this system)')
    .option('--name <NAME>', 'who answers (default: the program of the agent)')
    .showHelpAfterError('Run chatdoc run --help to see how it is used.')
    .addHelpText('after', () =>
      fitHelp(
        `
Ctrl-C stops the turn: the agent is told to end, and what it said is kept. So
does chatdoc stop, in any other process. A turn of which the process was killed
is found by the next chatdoc run on this machine; --continue goes on with it.

The agent gets neither files nor a terminal from chatdoc: it uses its own, in
the folder that you are in.

Examples:
  $ chatdoc run team.ychat --agent codex-acp --prompt "What is left to do?"
  $ chatdoc run team.ychat --thread 01M0F0KX --agent codex-acp --continue
  $ git diff | chatdoc run new.ychat --new-thread Review \\
      --agent "node agent.js --quiet" --prompt -

Exit codes:
  0    the answer is whole
  1    there is none, or not a whole one: the agent failed, or somebody
       stopped it. What was said is kept
  2    nothing was run: wrong usage, no such agent, or nothing to answer
  130  stopped by Ctrl-C or SIGTERM, and all is saved`,
        io,
      ),
    )
    .action(async (file: string, options: RunCommandOptions) => finish(await runTurn(file, options, io)));

  program
    .command('stop')
    .summary('stop agents that answer')
    .description(
      'Tells what runs in a document to stop, whichever process runs it, on this machine or another: what was said is kept. An answer that was interrupted is skipped, so that its thread goes on.',
    )
    .argument('<DOCUMENT>', 'a document (.ychat)')
    .addOption(
      new Option('-t, --thread <ID>', 'only in this thread: its id, or the beginning of it').conflicts(
        'message',
      ),
    )
    .option('-m, --message <ID>', 'only this prompt, or this answer: its id, or the beginning of it')
    .option('-w, --waiting', 'also prompts that wait for an answer')
    .option('--gone', 'end also what does not answer: whoever runs it is gone for good')
    .option('--user <NAME>', 'who stops it (default: CHATDOC_USER, or your name on this system)')
    .showHelpAfterError('Run chatdoc stop --help to see how it is used.')
    .addHelpText('after', () =>
      fitHelp(
        `
Examples:
  $ chatdoc stop team.ychat
  $ chatdoc stop team.ychat --thread 01M0F0KX --waiting

Exit codes:
  0  it is told to stop, or nothing runs
  2  nothing was done: wrong usage, or the file could not be written`,
        io,
      ),
    )
    .action(async (file: string, options: StopCommandOptions) => finish(await stopTurns(file, options, io)));

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
    .command('watch')
    .summary('see what is wrong as it happens')
    .description(
      'Counts what is wrong with a chat while others write it, and where most of it is: on a terminal in one place, elsewhere a line whenever something has changed. It writes nothing, and prints no content of the chat. If the connection is lost, it says so and goes on.',
    )
    .argument('<DOCUMENT|URL>', 'a document (.ychat), or a room that is served')
    .option('-i, --interval <SECONDS>', 'between two samples', '1')
    .option('-j, --json', 'print each sample as JSON, on a line')
    .option('--once', 'end after the first sample')
    .showHelpAfterError('Run chatdoc watch --help to see how it is used.')
    .addHelpText('after', () =>
      fitHelp(
        `
A room is ws://HOST:PORT/ID.GENERATION, with ?token=TOKEN behind it where the
server asks for one. A token from CHATDOC_TOKEN is not seen by other users.

Examples:
  $ chatdoc watch team.ychat
  $ chatdoc watch ws://localhost:4321/01M0F0KXV7ZC9BN2T1QK3H5J8D.0
  $ chatdoc watch team.ychat --json | jq '.counters'

Exit codes:
  0  it was stopped by Ctrl-C or SIGTERM, or --once has its sample
  2  it could not be watched`,
        io,
      ),
    )
    .action(async (source: string, options: WatchCommandOptions) =>
      finish(await watchChat(source, options, io)),
    );
}
