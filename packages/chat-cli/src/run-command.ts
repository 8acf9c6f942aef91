import type { Chat } from '@chatdoc/schema';
import type { ChatFile } from '@chatdoc/sync/file';
import { stopTurn, TurnEngine } from '@chatdoc/turns';
import { type AgentCommand, acpAgent, type PermissionRequest } from '@chatdoc/turns/acp';
import { findAgent } from './agent-command.js';
import { describeFileFault } from './document-faults.js';
import { EXIT, type ExitCode } from './exit-codes.js';
import { startPulse } from './file-pulse.js';
import type { Io } from './io.js';
import { openDocument } from './open-document.js';
import { flatten } from './plain-text.js';
import { type Failure, fail, readSource } from './read-source.js';
import { reportFailure } from './report-failure.js';
import { claimAttempt, nameRunner } from './runner.js';
import { describeTurnEnd, readTurn, type TurnEnd } from './turn-end.js';
import { TurnPrinter } from './turn-printer.js';
import { type RequestedTurn, requestTurn, type TurnRequest } from './turn-request.js';
import { nameUser } from './user-name.js';

export interface RunCommandOptions extends Omit<TurnRequest, 'user'> {
  readonly agent: string;
  /** Allows what the agent asks for. */
  readonly allow?: boolean;
  readonly user?: string;
  /** The author of the answer. */
  readonly name?: string;
}

type Requested = Extract<RequestedTurn, { ok: true }>;

/** One turn, by an agent that is started for it. Prints the answer as it comes. */
export async function runTurn(file: string, options: RunCommandOptions, io: Io): Promise<ExitCode> {
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
