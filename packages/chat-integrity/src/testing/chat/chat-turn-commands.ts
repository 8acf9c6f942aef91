import type { Pick } from '../schedule/pick.js';
import type { Result } from '../subject/application.js';
import {
  allow,
  type ChatCommand,
  keepingConfig,
  pickMessage,
  pickThread,
  recordWritten,
} from './chat-command.js';
import {
  type ChatState,
  createPiece,
  listThreadIds,
  messageFact,
  pieceFact,
  type Running,
  settledFact,
} from './chat-state.js';

/** Commands of people and runners about answers. */

/** Streams of one process at a time. */
const MAX_RUNNING = 3;

/** Begins to answer the next prompt that waits, or one more time a prompt that somebody answers already. */
const answer: ChatCommand = (state, pick) => {
  const { chat, user, running, seat } = state;
  if (running.length >= MAX_RUNNING) return false;
  const thread_id = pickThread(state, pick);
  const queue = chat.queue(thread_id);
  const asked =
    queue.length > 0 && !pick.chance(5)
      ? queue[0]
      : pickMessage(state, pick, (id) => chat.message(id)?.expects === 'answer');
  if (asked === undefined) return false;
  if (!queue.includes(asked)) seat.mark('a second attempt at one prompt');
  const writer = chat.openAttempt({ prompt_id: asked, sender_id: 'agent', runner_id: user });
  recordWritten(state, writer.message_id, writer.attempt);
  running.push({ writer, part: undefined, pieces: 0 });
  return [messageFact(writer.message_id)];
};

/** Opens a message that is streamed without a prompt, or adds to what this process streams. */
const stream: ChatCommand = (state, pick) => {
  const { chat, user, running } = state;
  if (running.length > 0 && !pick.chance(6)) return append(state, pick);
  const thread_id = pickThread(state, pick);
  if (running.length >= MAX_RUNNING) return false;
  const writer = chat.openMessage({ thread_id, sender_id: user });
  recordWritten(state, writer.message_id, writer.message_id);
  running.push({ writer, part: undefined, pieces: 0 });
  return [messageFact(writer.message_id)];
};

function append(state: ChatState, pick: Pick): Result {
  const run = pick.one(state.running) as Running;
  return allow(state, () => {
    const { writer } = run;
    run.part ??= writer.openPart(pick.chance(5) ? { kind: 'reasoning' } : {});
    const facts: string[] = [];
    for (let count = 1 + pick.below(3); count > 0; count -= 1) {
      run.part.append(createPiece(run.pieces));
      facts.push(pieceFact(writer.message_id, writer.attempt, run.pieces));
      run.pieces += 1;
    }
    if (pick.chance(8)) {
      run.part.close();
      run.part = undefined;
    }
    return facts;
  });
}

const tool: ChatCommand = (state, pick) => {
  const run = pick.one(state.running);
  if (run === undefined) return false;
  return allow(state, () => {
    run.part?.close();
    run.part = undefined;
    const call = pick.below(2) === 0 ? 'running' : 'completed';
    run.writer.addPart({ kind: 'tool_call', part_id: `call${pick.below(2)}`, state: call, input: { q: 1 } });
    return [];
  });
};

const finish: ChatCommand = (state, pick) => {
  const at = pick.below(state.running.length);
  const [run] = state.running.splice(at, 1);
  if (run === undefined) return false;
  const { message_id, attempt } = run.writer;
  if (state.chat.message(message_id)?.attempt?.state === 'interrupted') {
    state.seat.mark('an interrupted answer was finished after all');
  }
  return allow(state, () => {
    run.writer.finish({ finish_reason: pick.chance(4) ? 'error' : 'complete' });
    // Of a message that is not an answer nobody knows whether it was finished.
    return attempt === message_id ? [] : [settledFact(message_id, attempt)];
  });
};

const isAnswer =
  ({ chat }: ChatState) =>
  (id: string): boolean =>
    chat.message(id)?.attempt !== undefined;

const stop: ChatCommand = (state, pick) => {
  const { chat, user, seat } = state;
  const message_id = pickMessage(
    state,
    pick,
    (id) => isAnswer(state)(id) || chat.message(id)?.expects === 'answer',
  );
  if (message_id === undefined) return false;
  const message = chat.message(message_id);
  if (message?.expects === 'answer' && chat.queue(message.thread_id).includes(message_id)) {
    seat.mark('a stop of a queued prompt');
  }
  if (message?.generating === true) seat.mark('a stop of an answer that is being written');
  chat.stop({ message_id, by: user });
  return [];
};

const retry: ChatCommand = (state, pick) => {
  const message_id = pickMessage(state, pick, isAnswer(state));
  if (message_id === undefined) return false;
  if (state.chat.message(message_id)?.attempt?.stop_requested === true) {
    state.seat.mark('a retry after a stop');
  }
  state.chat.retry({ message_id, by: state.user });
  return [];
};

const interrupt: ChatCommand = (state, pick) => {
  const { chat, seat, running } = state;
  const message_id = pickMessage(state, pick, (id) => chat.message(id)?.attempt?.state === 'open');
  if (message_id === undefined) return false;
  if (running.some(({ writer }) => writer.message_id === message_id)) {
    seat.mark('an interrupt of a live runner');
  }
  chat.interrupt({ message_id });
  return [];
};

/** A host that has come back takes every open answer of a runner with its name for lost. */
const recover: ChatCommand = ({ chat, user, running, seat }) => {
  const mine = new Set(running.map(({ writer }) => writer.attempt));
  let found = false;
  for (const thread_id of listThreadIds(chat)) {
    for (const { message_id, attempt } of chat.messages(thread_id)) {
      if (attempt?.state !== 'open' || attempt.runner_id !== user || mine.has(attempt.attempt)) continue;
      chat.interrupt({ message_id, attempt: attempt.attempt });
      found = true;
    }
  }
  if (found) seat.mark('an answer of a process that died was recovered');
  return [];
};

export const TURN_COMMANDS: Readonly<Record<string, ChatCommand>> = {
  answer: keepingConfig(answer),
  stream: keepingConfig(stream),
  tool: keepingConfig(tool),
  finish: keepingConfig(finish),
  stop: keepingConfig(stop),
  retry: keepingConfig(retry),
  interrupt: keepingConfig(interrupt),
  recover: keepingConfig(recover),
};
