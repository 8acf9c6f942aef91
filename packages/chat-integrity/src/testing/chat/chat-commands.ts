import { deriveSlotThreadId } from '@chatdoc/schema/internal';
import { repair } from '../../repair.js';
import {
  type ChatCommand,
  keepingConfig,
  pickMessage,
  pickThread,
  recordWritten,
  SLOT,
} from './chat-command.js';
import { createPiece, knownThreads, messageFact, saidFact, textsOf, threadFact } from './chat-state.js';
import { TURN_COMMANDS } from './chat-turn-commands.js';

/** The calls of users, runners and hosts of a chat. Each command is one call of the library, or a few. */

/** Beyond these a new one is seldom made. */
const MAX_THREADS = 4;

const send: ChatCommand = (state, pick) => {
  const { chat, user } = state;
  const thread_id = pickThread(state, pick);
  const content = `Hello ${pick.below(1000)} ${createPiece(pick.below(40))}`;
  const { message_id } = chat.send({ thread_id, sender_id: user, content });
  recordWritten(state, message_id, message_id);
  return [messageFact(message_id), saidFact(message_id, content)];
};

const ask: ChatCommand = (state, pick) => {
  const { chat, user } = state;
  const thread_id = pickThread(state, pick);
  const content = `How ${pick.below(1000)}?`;
  const { message_id } = chat.send({ thread_id, sender_id: user, content, expects: 'answer' });
  recordWritten(state, message_id, message_id);
  return [messageFact(message_id), saidFact(message_id, content)];
};

const reply: ChatCommand = (state, pick) => {
  const { chat, user } = state;
  const target = pickMessage(state, pick);
  const thread_id = target === undefined ? undefined : chat.message(target)?.thread_id;
  if (target === undefined || thread_id === undefined) return false;
  const content = `To that: ${pick.below(1000)}`;
  const { message_id } = chat.send({ thread_id, sender_id: user, content, reply_to_message_id: target });
  recordWritten(state, message_id, message_id);
  if (chat.message(target)?.redacted === true) state.seat.mark('a reply to a redacted message');
  const ids = chat.messageIds(thread_id);
  if (ids.indexOf(message_id) < ids.indexOf(target) && ids[0] !== message_id) {
    throw new Error('[OR3] a reply is above what it answers');
  }
  return [messageFact(message_id), saidFact(message_id, content)];
};

/** A client that was not answered sends again: the same words under the same id. */
const resend: ChatCommand = (state, pick) => {
  const { chat, user } = state;
  const thread_id = pickThread(state, pick);
  const number = pick.below(4);
  const content = `Once: ${number}`;
  const date = `2026-11-21T10:00:0${number}.000Z`;
  const message = { thread_id, sender_id: user, content, client_message_id: `c${number}`, date };
  const { message_id } = chat.send(message);
  if (state.written.includes(message_id)) state.seat.mark('a message was sent again');
  else recordWritten(state, message_id);
  return [messageFact(message_id), saidFact(message_id, content)];
};

const edit: ChatCommand = (state, pick) => {
  const message_id = pickMessage(state, pick);
  if (message_id === undefined) return false;
  const { chat, user, seat } = state;
  const before = chat.message(message_id);
  const content = `Better: ${pick.below(1000)} ${createPiece(pick.below(40))}`;
  chat.edit({ message_id, author_id: user, content });
  if (before?.redacted === true) seat.mark('an edit of a redacted message');
  if (before?.deleted === true) seat.mark('an edit of a deleted message');
  if (before?.generating === true) seat.mark('an edit of an answer that is being written');
  // A revision of an answer shows only while its attempt does.
  return before?.redacted === true || before?.attempt !== undefined ? [] : [saidFact(message_id, content)];
};

const remove: ChatCommand = (state, pick) => {
  const message_id = pickMessage(state, pick);
  if (message_id === undefined) return false;
  state.chat.delete({ message_id, author_id: state.user });
  return [];
};

const redact: ChatCommand = (state, pick) => {
  const message_id = pickMessage(state, pick, (id) => state.chat.message(id)?.redacted === false);
  if (message_id === undefined) return false;
  const { generating } = state.chat.redact({ message_id, by: state.user });
  if (generating) state.seat.mark('a redaction of an answer that is being written');
  return { withdrawn: textsOf(message_id) };
};

const annotate: ChatCommand = (state, pick) => {
  const message_id = pickMessage(state, pick);
  const thread_id = message_id === undefined ? undefined : state.chat.message(message_id)?.thread_id;
  if (message_id === undefined || thread_id === undefined) return false;
  const user_id = state.user;
  if (pick.below(2) === 0) {
    state.chat.annotate({ message_id, user_id, key: 'reaction:👍', value: pick.below(3) || null });
  } else state.chat.annotate({ thread_id, user_id, key: 'read', value: message_id });
  return [];
};

const thread: ChatCommand = (state, pick) => {
  if (knownThreads(state).length > MAX_THREADS && !pick.chance(4)) return false;
  const { thread_id } = state.chat.createThread({ created_by: state.user, name: `Plan ${pick.below(9)}` });
  state.written.push(thread_id);
  return [threadFact(thread_id)];
};

const fork: ChatCommand = (state, pick) => {
  const { chat, user, seat } = state;
  const message_id = pickMessage(state, pick);
  if (message_id === undefined || (knownThreads(state).length > MAX_THREADS && !pick.chance(4))) return false;
  const origin = chat.message(message_id)?.thread_id as string;
  const { thread_id } = chat.createThread({
    created_by: user,
    forked_from: { thread_id: origin, message_id },
  });
  if (chat.thread(origin)?.forked_from !== undefined) seat.mark('a fork of a fork');
  return [threadFact(thread_id)];
};

const slotThread: ChatCommand = ({ chat, user, seat }, pick) => {
  const slot = { ...SLOT, number: 1 + pick.below(3) };
  const purpose = pick.below(2) === 0 ? 'chat' : 'run';
  const isKnown = chat.thread(deriveSlotThreadId(slot, purpose)) !== undefined;
  const { thread_id } = chat.createThread({ created_by: user, slot, purpose });
  if (isKnown) seat.mark('a thread of a slot was there already');
  return [threadFact(thread_id)];
};

const activate: ChatCommand = ({ chat, seat }, pick) => {
  const chosen = pick.one(chat.threads().filter(({ slot }) => slot !== undefined));
  if (chosen?.slot === undefined) return false;
  const { thread_id, slot, purpose } = chosen;
  if (chat.activeThread({ ...slot, purpose }) !== thread_id) seat.mark('another thread became active');
  chat.activate({ thread_id });
  if (chat.activeThread({ ...slot, purpose }) !== thread_id) {
    throw new Error('[SL2] what was activated is not active');
  }
  return [];
};

const configure: ChatCommand = (state, pick) => {
  const { chat, user, seat } = state;
  const thread_id = pickThread(state, pick);
  const fields = pick.one([
    { name: `Name ${pick.below(100)}` },
    { pin: true, archived: pick.below(2) === 0 },
    { acp_config: { model: `m${pick.below(3)}` } },
    { session: { session_id: `${thread_id} ${pick.below(9)}` } },
    { name: null },
  ]);
  if (chat.conflicts(thread_id).length > 0) seat.mark('a conflict of settings was there');
  const config = chat.configure({ thread_id, updated_by: user, ...fields });
  for (const [name, value] of Object.entries(fields ?? {})) {
    const shown = config[name as 'name'] ?? null;
    if (JSON.stringify(shown) !== JSON.stringify(value)) {
      throw new Error(`[LW1] a setting made after seeing another does not show: ${name}`);
    }
  }
  return [];
};

const setVariables: ChatCommand = ({ chat }, pick) => {
  chat.setVariables({ scope: 'project', scope_id: 'p', values: { [`v${pick.below(3)}`]: pick.below(9) } });
  return [];
};

const setState: ChatCommand = (state, pick) => {
  const thread_id = pickThread(state, pick);
  state.chat.setState({ thread_id, state: pick.one(['idle', 'error', 'complete'] as const) ?? 'idle' });
  return [];
};

const repairChat: ChatCommand = ({ chat, seat }) => {
  const result = repair(chat);
  if (!result.ok) throw new Error(`repair was refused: ${result.code}`);
  for (const { rule } of result.actions) seat.mark(`a repair of ${rule}`);
  const again = repair(chat, { dryRun: true });
  if (again.ok && again.lines > 0) throw new Error('[RP1] a second repair would write');
  return [];
};

/** Each replica brings its own copy along: more of them would make a document of nothing but copies. */
const MAX_GENERATIONS = 3;

const compact: ChatCommand = ({ seat }) => {
  if (seat.generation >= MAX_GENERATIONS) return false;
  seat.moveTo(seat.generation + 1);
  return [];
};

export const CHAT_COMMANDS: Readonly<Record<string, ChatCommand>> = {
  send: keepingConfig(send),
  ask: keepingConfig(ask),
  reply: keepingConfig(reply),
  resend: keepingConfig(resend),
  edit: keepingConfig(edit),
  delete: keepingConfig(remove),
  redact: keepingConfig(redact),
  annotate: keepingConfig(annotate),
  thread,
  fork,
  slot: slotThread,
  activate,
  configure,
  variables: setVariables,
  state: setState,
  ...TURN_COMMANDS,
  repair: repairChat,
  compact,
};

/** So that each comes to do something about as often as the others. */
export const CHAT_WEIGHTS: Readonly<Record<string, number>> = {
  send: 10,
  ask: 12,
  reply: 9,
  resend: 5,
  edit: 9,
  delete: 5,
  redact: 6,
  annotate: 7,
  thread: 7,
  fork: 10,
  slot: 5,
  activate: 6,
  configure: 7,
  variables: 5,
  state: 5,
  answer: 20,
  stream: 20,
  tool: 16,
  finish: 16,
  stop: 10,
  retry: 20,
  interrupt: 20,
  recover: 6,
  repair: 5,
  compact: 8,
};
