import { type Attempt, type Chat, deriveAnswerId, type Message } from '@chatdoc/schema';
import { findHolder, stopTurn } from '@chatdoc/turns';
import { interruptAbandoned, listOpen, listRunning } from './abandoned-turns.js';
import { describeFileFault } from './document-faults.js';
import { EXIT, type ExitCode } from './exit-codes.js';
import { findMessage, findThread } from './find-record.js';
import { colorsFor, type Io, writeTo } from './io.js';
import { openDocument } from './open-document.js';
import { flatten } from './plain-text.js';
import { type Failure, fail } from './read-source.js';
import { nameFile, reportFailure } from './report-failure.js';
import { isRunnerGone } from './runner.js';
import { nameUser } from './user-name.js';

export interface StopCommandOptions {
  readonly thread?: string;
  readonly message?: string;
  /** Also what waits. */
  readonly waiting?: boolean;
  /** Whoever runs it is gone for good, as the person knows. */
  readonly gone?: boolean;
  readonly user?: string;
}

/** Tells what runs to stop, whichever process runs it. */
export async function stopTurns(file: string, options: StopCommandOptions, io: Io): Promise<ExitCode> {
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
