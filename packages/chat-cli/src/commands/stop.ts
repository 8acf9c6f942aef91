import { type Attempt, type Chat, deriveAnswerId, type Message } from '@chatdoc/schema';
import { findHolder, stopTurn } from '@chatdoc/turns';
import { Option } from 'commander';
import { EXIT, type ExitCode } from '../exit-codes.js';
import { colorsFor, type Io, writeTo } from '../io.js';
import { nameFile, reportFailure } from '../say/failure.js';
import { fitHelp } from '../say/help.js';
import { flatten } from '../say/plain-text.js';
import { describeFileFault } from '../sources/document-faults.js';
import { findMessage, findThread } from '../sources/find-record.js';
import { openDocument } from '../sources/open-document.js';
import { type Failure, fail } from '../sources/read-source.js';
import { interruptAbandoned, listOpen, listRunning } from '../turns/abandoned-turns.js';
import { isRunnerGone, nameUser } from '../turns/runner.js';
import type { CommandSetting } from './setting.js';

/** Adds `chatdoc stop`. */
export function addStop({ program, io, finish }: CommandSetting): void {
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
}

interface StopCommandOptions {
  readonly thread?: string;
  readonly message?: string;
  /** Also what waits. */
  readonly waiting?: boolean;
  /** Whoever runs it is gone for good, as the person knows. */
  readonly gone?: boolean;
  readonly user?: string;
}

/** Tells what runs to stop, whichever process runs it. */
async function stopTurns(file: string, options: StopCommandOptions, io: Io): Promise<ExitCode> {
  const opened = await openDocument(file, io);
  if (!opened.ok) return reportFailure(file, opened, io);
  const { file: document } = opened;
  const stopped = writeStops(document.chat, options, nameUser(options.user, io));
  const flushed = await document.flush();
  await document.close();
  if (!stopped.ok) return reportFailure(file, stopped, io);
  if (!flushed.ok) return reportFailure(file, describeFileFault(flushed), io);
  const colors = colorsFor(io.stdout, io.env);
  const lines = stopped.lines.length === 0 ? ['nothing runs'] : stopped.lines;
  await writeTo(io.stdout, lines.map((line) => `${colors.bold(nameFile(file))}: ${line}\n`).join(''));
  return EXIT.ok;
}

type Stopped = { readonly ok: true; readonly lines: readonly string[] } | Failure;

function writeStops(chat: Chat, options: StopCommandOptions, by: string): Stopped {
  const turns = chooseTurns(chat, options);
  if ('code' in turns) return turns;
  const isGone = options.gone === true ? () => true : isRunnerGone;
  const lines = turns.map((turn) => {
    const { isNew, line } = planStop(turn, isGone);
    if (isNew) stopTurn(chat, { message_id: turn.prompt_id, by });
    return line;
  });
  const answers = turns.flatMap(({ answer }) => answer ?? []);
  interruptAbandoned(chat, answers, isGone);
  return { ok: true, lines };
}

interface StoppableTurn {
  readonly prompt_id: string;
  readonly answer: Message | undefined;
  readonly isWaiting: boolean;
}

function chooseTurns(
  chat: Chat,
  { thread, message, waiting }: StopCommandOptions,
): readonly StoppableTurn[] | Failure {
  if (message !== undefined) {
    const found = findMessage(chat, message);
    if (!found.ok) return found;
    const named = chat.message(found.id);
    const prompt_id = named?.expects === 'answer' ? found.id : named?.prompt_id;
    if (named === undefined || prompt_id === undefined) {
      return fail('no_turn', `message ${found.id} is neither a prompt nor an answer; name one of these`);
    }
    return [readTurn(chat, named.thread_id, prompt_id)];
  }
  let threads = chat.threads().map(({ thread_id }) => thread_id);
  if (thread !== undefined) {
    const found = findThread(chat, thread);
    if (!found.ok) return found;
    threads = [found.id];
  }
  return threads.flatMap((thread_id) => {
    const holder = findHolder(chat, thread_id)?.message;
    const answers = listRunning(chat, thread_id);
    const held = holder === undefined || answers.includes(holder) ? answers : [...answers, holder];
    const prompts = new Set(held.flatMap(({ prompt_id }) => prompt_id ?? []));
    if (waiting === true) for (const prompt_id of chat.queue(thread_id)) prompts.add(prompt_id);
    return [...prompts].map((prompt_id) => readTurn(chat, thread_id, prompt_id));
  });
}

function readTurn(chat: Chat, thread_id: string, prompt_id: string): StoppableTurn {
  const answer = chat.message(deriveAnswerId(prompt_id));
  return { prompt_id, answer, isWaiting: chat.queue(thread_id).includes(prompt_id) };
}

/** What a stop does, for a person; `isNew`: whether it has to be written. */
function planStop(
  { prompt_id, answer, isWaiting }: StoppableTurn,
  isGone: (attempt: Attempt) => boolean,
): { readonly isNew: boolean; readonly line: string } {
  const [open] = answer === undefined ? [] : listOpen(answer);
  if (open !== undefined) {
    const runner = flatten(open.runner_id);
    const what = `the answer of ${flatten(open.sender_id)} to message ${prompt_id}`;
    if (isGone(open)) {
      return { isNew: !open.stop_requested, line: `${what} is stopped; ${runner}, which ran it, is gone` };
    }
    if (!open.stop_requested) return { isNew: true, line: `${what} is told to stop; ${runner} runs it` };
    const line = `${what} was told to stop before, and ${runner} has not answered; if that is gone for good, --gone ends it`;
    return { isNew: isWaiting, line };
  }
  if (isWaiting) return { isNew: true, line: `message ${prompt_id} waits for no answer any more` };
  if (answer?.attempt?.state === 'interrupted') {
    return { isNew: true, line: `the interrupted answer to message ${prompt_id} is skipped` };
  }
  return { isNew: false, line: `the answer to message ${prompt_id} has ended already` };
}
