import { type Chat, deriveAnswerId, openChat } from '@chatdoc/schema';
import { check } from '../../check.js';
import { countFindings } from '../../counters.js';
import { canonicalJson, findDifference } from '../simulation/canonical.js';
import {
  type ChatState,
  listThreadIds,
  messageFact,
  pieceFact,
  readPieces,
  saidFact,
  settledFact,
  threadFact,
} from './chat-state.js';

/** Checks what holds at every step, at the cost of a few look-ups. */
export function findViolation(state: ChatState): string | undefined {
  const { chat, seat, written } = state;
  let structs = 0;
  for (const list of seat.doc.store.clients.values()) {
    const last = list[list.length - 1];
    if (last !== undefined) structs += last.id.clock + last.length;
  }
  if (structs < state.structs) return `the lanes have shrunk from ${state.structs} to ${structs}`;
  state.structs = structs;
  const lanes = seat.doc.getMap('chat').size;
  if (lanes < state.lanes) state.isDamaged = true;
  state.lanes = lanes;
  state.looks += 1;
  const threads = state.looks % 4 === 0 ? listThreadIds(chat) : [];
  const thread = threads[state.looks % Math.max(1, threads.length)];
  if (thread !== undefined) {
    const [first] = chat.messageIds(thread);
    if ((first ?? null) !== chat.thread(thread)?.root_message_id)
      return `[OR4] the first is not the root of ${thread}`;
  }
  for (let back = 0; back < 3 && back < written.length; back += 1) {
    const id = written[(state.looks * 3 + back) % written.length] as string;
    if (chat.message(id) !== undefined || chat.thread(id) !== undefined) continue;
    // A deletion in a header, or in a line that is redacted, leaves lines that cannot be read and puts none aside.
    const isDamaged = state.isDamaged || chat.damage().length > 0 || chat.quarantine().length > 0;
    if (!isDamaged) return `what was written is gone: ${id}`;
  }
  return undefined;
}

/** Checks what holds at any moment, at the cost of reading everything several times. */
export function findFault({ chat, seat, watcher }: ChatState): string | undefined {
  const rebuilt = openChat(seat.doc, { environment: seat.environment, readOnly: true });
  try {
    return (
      name(
        '[DG1] the kept and a rebuilt digest',
        findDifference(quote(chat.digest()), quote(rebuilt.digest())),
      ) ??
      name(
        '[DG3] the kept and a rebuilt fold',
        findDifference(quote(chat.foldDigest()), quote(rebuilt.foldDigest())),
      ) ??
      name(
        '[CP1] the kept and a rebuilt copy',
        findDifference(quote(chat.toJSONL()), quote(rebuilt.toJSONL())),
      ) ??
      name(
        '[WA1] the counters of the watcher and of a check',
        findDifference(canonicalJson(watcher.counters()), canonicalJson(countFindings(check(chat)))),
      ) ??
      findDisorder(chat) ??
      findBrokenStream(chat)
    );
  } finally {
    rebuilt.close();
  }
}

const quote = (text: string): string => JSON.stringify(text);

function name(what: string, difference: string | undefined): string | undefined {
  return difference === undefined ? undefined : `${what}: ${difference}`;
}

/** [OR4], and that every answer is under the id that derives from its prompt [TN1]. */
function findDisorder(chat: Chat): string | undefined {
  for (const thread of listThreadIds(chat)) {
    const ids = chat.messageIds(thread);
    if (new Set(ids).size !== ids.length) return `[OR1] a message is in ${thread} twice`;
    const roots = ids.filter((id) => chat.parent(id) === null);
    if (roots.length > 1 || roots[0] !== ids[0]) return `[OR4] ${thread} has ${roots.length} roots`;
    for (const id of ids) {
      const message = chat.message(id);
      if (message?.attempt === undefined || message.problem !== undefined) continue;
      if (deriveAnswerId(message.prompt_id ?? '') !== id)
        return `[TN1] ${id} is not the answer of its prompt`;
    }
  }
  return undefined;
}

/** Attempts never interleave: the pieces of each are in order, from the first on, without a gap. */
function findBrokenStream(chat: Chat): string | undefined {
  for (const messageId of chat.inspector.subjects('message')) {
    const message = chat.message(messageId);
    if (message === undefined || message.redacted) continue;
    const attempts = message.attempt === undefined ? [] : [message.attempt, ...message.alternates];
    for (const { attempt, sender_id, parts } of attempts) {
      if (sender_id !== 'agent') continue;
      const pieces = parts.flatMap(({ text }) => readPieces(text ?? ''));
      const wrong = pieces.findIndex((piece, at) => piece !== at);
      if (wrong >= 0) return `[TN5] piece ${wrong} of attempt ${attempt} is not in its place`;
    }
  }
  return undefined;
}

/** Yields the facts that people can see, in the words of the commands that acknowledged them. */
export function* listFacts({ chat }: ChatState): IterableIterator<string> {
  for (const thread_id of listThreadIds(chat)) {
    yield threadFact(thread_id);
    for (const message of chat.messages(thread_id)) {
      const { message_id, attempt, alternates, history, parts } = message;
      yield messageFact(message_id);
      if (attempt === undefined) {
        for (const { content } of history) yield saidFact(message_id, content);
        for (const { text = '' } of parts) {
          for (const piece of readPieces(text)) yield pieceFact(message_id, message_id, piece);
        }
        continue;
      }
      for (const tried of [attempt, ...alternates]) {
        for (const { text = '' } of tried.parts) {
          for (const piece of readPieces(text)) yield pieceFact(message_id, tried.attempt, piece);
        }
        // An attempt that was interrupted and stopped reads as settled, too, until its runner goes on.
        if (tried.state === 'settled' && tried.finish_reason !== 'stopped')
          yield settledFact(message_id, tried.attempt);
      }
    }
  }
}
