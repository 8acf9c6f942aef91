import { basename, resolve } from 'node:path';
import type { Chat } from '@chatdoc/schema';
import type { ChatFile } from '@chatdoc/sync/file';
import { stopTurn, TurnEngine } from '@chatdoc/turns';
import { type AgentCommand, acpAgent, type PermissionRequest } from '@chatdoc/turns/acp';
import { Option } from 'commander';
import { parseArgsStringToArgv } from 'string-argv';
import which from 'which';
import { EXIT, type ExitCode } from '../exit-codes.js';
import type { Io } from '../io.js';
import { reportFailure } from '../say/failure.js';
import { fitHelp } from '../say/help.js';
import { flatten } from '../say/plain-text.js';
import { describeFileFault } from '../sources/document-faults.js';
import { openDocument } from '../sources/open-document.js';
import { type Failure, fail, readSource } from '../sources/read-source.js';
import { claimAttempt, nameRunner, nameUser } from '../turns/runner.js';
import { describeTurnEnd, readTurn, type TurnEnd } from '../turns/turn-end.js';
import { TurnPrinter } from '../turns/turn-printer.js';
import { type RequestedTurn, requestTurn, type TurnRequest } from '../turns/turn-request.js';
import type { CommandSetting } from './setting.js';

/** Adds `chatdoc run`. */
export function addRun({ program, io, finish }: CommandSetting): void {
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
}

interface RunCommandOptions extends Omit<TurnRequest, 'user'> {
  readonly agent: string;
  /** Allows what the agent asks for. */
  readonly allow?: boolean;
  readonly user?: string;
  /** The author of the answer. */
  readonly name?: string;
}

type Requested = Extract<RequestedTurn, { ok: true }>;

/** One turn, by an agent that is started for it. Prints the answer as it comes. */
async function runTurn(file: string, options: RunCommandOptions, io: Io): Promise<ExitCode> {
  const agent = await findAgent(options.agent, io);
  if (!agent.ok) return reportFailure('--agent', agent, io);
  const asked = await readPrompt(options, io);
  if ('code' in asked) return reportFailure('--prompt', asked, io);
  const opened = await openDocument(file, io, options.newThread !== undefined);
  if (!opened.ok) return reportFailure(file, opened, io);
  const { file: document } = opened;
  const user = nameUser(options.user, io);
  const requested = requestTurn(document.chat, { ...options, ...asked, user });
  if (!requested.ok) {
    await document.close();
    return reportFailure(file, requested, io);
  }
  // On the disk before anybody answers it.
  const flushed = await document.flush();
  if (!flushed.ok) {
    await document.close();
    return reportFailure(file, describeFileFault(flushed), io);
  }
  const { allow = false, name = agent.name } = options;
  const turn = { ...requested, user, allow, sender_id: name, command: agent.command };
  const { failure, wasStopped } = await executeTurn(document, turn, io);
  if (failure === undefined) return EXIT.ok;
  await reportFailure(file, failure, io);
  return wasStopped ? EXIT.stopped : EXIT.findings;
}

async function readPrompt(
  { prompt, newThread }: RunCommandOptions,
  io: Io,
): Promise<{ readonly prompt?: string } | Failure> {
  if (prompt === undefined) {
    return newThread === undefined
      ? {}
      : fail('no_prompt', 'a new thread begins with one; give it, or - for standard input');
  }
  let text = prompt;
  if (prompt === '-') {
    const read = await readSource('-', io);
    if (!read.ok) return read;
    text = new TextDecoder().decode(read.bytes);
  }
  return text.trim() === '' ? fail('no_prompt', 'it is empty') : { prompt: text.trimEnd() };
}

interface TurnToRun extends Requested {
  readonly user: string;
  readonly allow: boolean;
  readonly sender_id: string;
  readonly command: AgentCommand;
}

async function executeTurn(
  document: ChatFile,
  turn: TurnToRun,
  io: Io,
): Promise<{ readonly failure: Failure | undefined; readonly wasStopped: boolean }> {
  const { chat } = document;
  const printer = new TurnPrinter(io);
  for (const note of turn.notes) printer.note(note);
  const engine = new TurnEngine({ runner_id: nameRunner(), concurrency: 1 });
  const pulse = startPulse(document, io);
  let wasStopped = false;
  const ended = followTurn(chat, turn, engine, printer);
  void io.untilStopped().then(() => {
    wasStopped = true;
    ended.stop();
  });
  const agent = acpAgent({
    ...turn.command,
    onPermission: (request) => answerPermission(request, turn.allow, printer),
  });
  const binding = { agent, sender_id: turn.sender_id };
  engine.serve(chat, {
    // One turn, and those that wait before it.
    agentFor: ({ thread_id }) => (thread_id === turn.thread_id && !ended.isOver() ? binding : undefined),
  });
  const end = await Promise.race([ended.end, pulse.moved.then(() => undefined)]);
  await engine.close();
  await pulse.end();
  await printer.end();
  const kept = await keepDocument(document);
  if (kept !== undefined) return { failure: kept, wasStopped };
  return { failure: end === undefined ? MOVED : describeTurnEnd(end), wasStopped };
}

const MOVED: Failure = fail(
  'moved',
  'another program has compacted this document meanwhile; what was said is kept, and --continue goes on with it',
);

interface FollowedTurn {
  readonly end: Promise<TurnEnd>;
  isOver(): boolean;
  /** Asks for the end of what this process runs, and of the turn itself. */
  stop(): void;
}

function followTurn(chat: Chat, turn: TurnToRun, engine: TurnEngine, printer: TurnPrinter): FollowedTurn {
  let isOver = false;
  let current: string | undefined;
  const end = new Promise<TurnEnd>((resolve) => {
    const finish = (how: TurnEnd): void => {
      isOver = true;
      unsubscribe();
      resolve(how);
    };
    const look = (): void => {
      const progress = readTurn(chat, turn);
      if (progress.state === 'waiting') return;
      if (progress.answer !== undefined) printer.show(progress.answer);
      if (progress.state === 'ended') finish(progress.end);
    };
    const unsubscribe = chat.subscribe(look);
    engine.subscribe((event) => {
      if (event.type === 'claimed') {
        claimAttempt(event.attempt);
        current = event.prompt_id;
        if (current !== turn.prompt_id) printer.note(`answers message ${current} first, which waited before`);
      } else if (event.type === 'settled') current = undefined;
      else if (event.type === 'fault') finish({ kind: 'failed', code: 'fault', detail: '' });
    });
    look();
  });
  return {
    end,
    isOver: () => isOver,
    stop: () => {
      for (const message_id of new Set([current ?? turn.prompt_id, turn.prompt_id])) {
        stopTurn(chat, { message_id, by: turn.user });
      }
    },
  };
}

function answerPermission(
  { tool_call, options }: PermissionRequest,
  allow: boolean,
  printer: TurnPrinter,
): string | null {
  const once = options.find(({ kind }) => kind === 'allow_once');
  const chosen = allow ? (once ?? options.find(({ kind }) => kind === 'allow_always')) : undefined;
  const what = flatten(tool_call.title ?? tool_call.toolCallId);
  printer.note(
    `▸ the agent asks for ${what}: ${chosen === undefined ? 'refused; --allow allows it' : 'allowed'}`,
  );
  return chosen?.optionId ?? null;
}

/** Brings all that was written into the file, also into one that has become another generation. */
async function keepDocument(document: ChatFile): Promise<Failure | undefined> {
  const closed = await document.close();
  if (closed.ok) return undefined;
  if (closed.code !== 'other_generation') return describeFileFault(closed);
  const moved = await document.moveOn();
  if (!moved.ok) return describeFileFault(moved);
  const saved = await moved.file.close();
  return saved.ok ? undefined : describeFileFault(saved);
}

type FoundAgent =
  | { readonly ok: true; readonly command: AgentCommand /** Of its program. */; readonly name: string }
  | Failure;

/** Takes a command apart as a shell would, quotes included, and finds its program before anything is asked of it. */
async function findAgent(text: string, { cwd, env }: Io): Promise<FoundAgent> {
  const [program, ...args] = parseArgsStringToArgv(text);
  if (program === undefined)
    return fail('no_agent', 'it names no program; give the command that starts the agent');
  const isPath = /[\\/]/.test(program);
  const options = { path: env['PATH'] ?? '', nothrow: true } as const;
  const command = await which(isPath ? resolve(cwd, program) : program, options);
  if (command === null) {
    const place = isPath ? 'the folder that you are in' : 'that it is installed, and on the PATH';
    return fail('no_agent', `there is no program ${flatten(program)}; check its name and ${place}`);
  }
  const name = basename(program).replace(/\.(?:exe|cmd|bat|[cm]?js)$/i, '');
  return { ok: true, command: { command, args, cwd, env }, name };
}

/** Between two looks, ms: what a stop from another process takes to be heard, and what kill -9 can lose. */
const PULSE_MS = 200;

/** Brings what is written here into the file, and what other processes write there into the document. */
interface FilePulse {
  /** Resolves if the file has become that of another generation, and can no longer be kept in step. */
  readonly moved: Promise<void>;
  /** Resolves when no flush is under way any more. */
  end(): Promise<void>;
}

/** A write that fails is tried again with the next pulse; the last word is that of `file.close()`. */
function startPulse(file: ChatFile, { timers }: Io): FilePulse {
  let timer: unknown;
  let isEnded = false;
  let running: Promise<void> = Promise.resolve();
  let onMoved: () => void;
  const moved = new Promise<void>((resolve) => {
    onMoved = resolve;
  });
  const beat = async (): Promise<void> => {
    const flushed = await file.flush();
    if (!flushed.ok && flushed.code === 'other_generation') onMoved();
    else if (!isEnded) plan();
  };
  const plan = (): void => {
    timer = timers.setTimer(() => {
      running = beat();
    }, PULSE_MS);
  };
  plan();
  return {
    moved,
    end: async () => {
      isEnded = true;
      timers.clearTimer(timer);
      await running;
    },
  };
}
