import { relative, resolve } from 'node:path';
import { type ChatServer, type ServeOptions, serveFolder, type UnsavedRoom } from '@chatdoc/sync/server';
import { EXIT, type ExitCode } from '../exit-codes.js';
import { colorsFor, type Io, writeTo } from '../io.js';
import { COPY_ADVICE, nameFile, reportFailure } from '../say/failure.js';
import { fitHelp } from '../say/help.js';
import { countNoun } from '../say/nouns.js';
import { type Failure, fail } from '../sources/read-source.js';
import type { CommandSetting } from './setting.js';

/** Adds `chatdoc serve`. */
export function addServe({ program, io, finish }: CommandSetting): void {
  program
    .command('serve')
    .summary('let people write together')
    .description(
      'Serves the chats of a folder by websocket to programs with a Hocuspocus provider: room ID.GENERATION of each document; a new room makes a new document. What other programs write into the files reaches them, too. What a client writes is checked before it is taken, and confirmed when it is on the disk. Only programs of this machine can reach it, unless --host says otherwise.',
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
    .option(
      '--origin <URL>',
      'without a token, let in pages of this origin, such as https://edit.example.org; those of this machine are let in; may be given again',
      (origin: string, before: readonly string[] = []) => [...before, origin],
    )
    .option(
      '--others <ROOTS>',
      "let clients write into these roots of a document beside the chat, such as an editor's text: any, or names with commas between them (default: none)",
    )
    .showHelpAfterError('Run chatdoc serve --help to see how it is used.')
    .addHelpText('after', () =>
      fitHelp(
        `
Examples:
  $ chatdoc serve chats/ --port 4321
  $ CHATDOC_TOKEN=s3cret chatdoc serve chats/
  $ chatdoc serve chats/ --user ada=s3cret --user bob=pa55
  $ chatdoc serve notes/ --others text

Exit codes:
  0  it was stopped, and everything is saved
  1  it was stopped, and some chats are not saved: it says which, and where
     they are kept
  2  it could not start`,
        io,
      ),
    )
    .action(async (folder: string, options: ServeCommandOptions) =>
      finish(await serveDirectory(folder, options, io)),
    );
}

interface ServeCommandOptions {
  readonly port: string;
  readonly host?: string;
  readonly token?: string;
  readonly user?: readonly string[];
  readonly origin?: readonly string[];
  readonly others?: string;
}

/** Runs until it is asked to end. What was written is on the disk by then. */
async function serveDirectory(directory: string, options: ServeCommandOptions, io: Io): Promise<ExitCode> {
  const settings = readSettings(resolve(io.cwd, directory), options, io);
  if ('code' in settings) return reportFailure(directory, settings, io);
  const served = await serveFolder(settings);
  if (!served.ok) return reportFailure(directory, describeServeFault(served.code, settings), io);
  const { server } = served;
  const stopped = io.untilStopped();
  const colors = colorsFor(io.stdout, io.env);
  const host = server.host.includes(':') ? `[${server.host}]` : server.host;
  const isOpen = settings.token === undefined && settings.users === undefined;
  await writeTo(
    io.stdout,
    `${colors.bold(`ws://${host}:${server.port}`)} serves the chats in ${directory}\n` +
      `  ${isOpen ? 'anyone who reaches it may read and write; --token lets in only who has it' : 'by token'}\n` +
      '  stop it with Ctrl-C\n',
  );
  await reportCopies(server, io);
  await stopped;
  const { documents, connections } = server.count();
  const closed = await server.close();
  const open = `${countNoun(documents, 'chat')} and ${countNoun(connections, 'connection')} were open`;
  const unsaved = closed.ok ? [] : closed.unsaved;
  const saved = closed.ok ? 'everything is saved' : `${countNoun(unsaved.length, 'chat')} not saved`;
  await writeTo(io.stdout, `stopped; ${open}, and ${saved}\n`);
  for (const room of unsaved) {
    await reportFailure(relative(io.cwd, room.path), describeUnsaved(room, io), io);
  }
  return closed.ok ? EXIT.ok : EXIT.findings;
}

/** Files that people may take for what is served. */
async function reportCopies(server: ChatServer, io: Io): Promise<void> {
  for (const { served, others } of await server.copies()) {
    for (const other of others) {
      const name = nameFile(relative(io.cwd, served));
      const message = `this is a copy of ${name}, which is served in its place; ${COPY_ADVICE}`;
      await reportFailure(relative(io.cwd, other), { message }, io);
    }
  }
}

const REASONS: Readonly<Record<string, string>> = {
  conflict: 'another document has taken its place',
  damaged: 'it was damaged by another program',
  disk_full: 'the disk is full',
  forbidden: 'it may not be written',
  not_found: 'it was deleted',
  timeout: 'the disk does not answer',
};

function describeUnsaved({ code, kept }: UnsavedRoom, io: Io): Failure {
  const reason = REASONS[code] ?? `the disk failed (${code})`;
  const where =
    kept === undefined
      ? 'its last changes are only in the programs that made them, which save them when they connect again'
      : `all of it is kept in ${nameFile(relative(io.cwd, kept))}, a document file; chatdoc merge brings it back`;
  return fail(code, `this chat is not saved: ${reason}; ${where}`);
}

/** `any`, or names with commas between them. */
function readRoots(text: string): readonly string[] | 'any' {
  if (text === 'any') return text;
  return text
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
}

function readSettings(directory: string, options: ServeCommandOptions, io: Io): ServeOptions | Failure {
  const port = Number(options.port);
  if (!/^\d{1,5}$/.test(options.port) || port > 65_535) {
    return fail('bad_port', `--port takes a number from 0 to 65535, and got ${options.port}`);
  }
  const token = options.token ?? io.env['CHATDOC_TOKEN'];
  const users: Record<string, string> = {};
  for (const pair of options.user ?? []) {
    const at = pair.indexOf('=');
    if (at < 1 || at === pair.length - 1) return fail('bad_user', '--user takes NAME=TOKEN');
    users[pair.slice(0, at)] = pair.slice(at + 1);
  }
  return {
    directory,
    port,
    ...(options.origin !== undefined && { origins: options.origin }),
    ...(options.others !== undefined && { others: readRoots(options.others) }),
    ...(options.host !== undefined && { host: options.host }),
    ...(token !== undefined && token !== '' && { token }),
    ...(options.user !== undefined && { users }),
  };
}

function describeServeFault(code: string, { port, host = '127.0.0.1' }: ServeOptions): Failure {
  switch (code) {
    case 'not_found':
      return fail('missing', 'there is no such folder; make it first');
    case 'port_taken':
      return fail(code, `port ${port} is taken; name another with --port, or 0 for any that is free`);
    case 'no_such_host':
      return fail(code, `this machine has no address ${host}; name another with --host`);
    case 'forbidden':
      return fail(code, `you may not read this folder, or not listen on port ${port}`);
    default:
      return fail('failed', `it cannot be served (${code})`);
  }
}
