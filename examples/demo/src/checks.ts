import { type Chat, deriveAnswerId, type ThreadConfig } from '@chatdoc/schema';
import type { Log } from './log.js';
import { listMessageIds, shorten } from './migration.js';
import { createReplica, encodeState, type Replica, receive } from './replicas.js';
import type { Apart, Opening } from './story.js';

/** Three replicas that heard of everything in three orders. */
export function checkMerge(laptop: Replica, desktop: Replica, startMs: number, log: Log): void {
  const digest = laptop.chat.digest();
  log.claim(
    `laptop and desktop are equal again: digest ${shorten(digest)}`,
    desktop.chat.digest() === digest,
  );
  const archive = createReplica('archive', 4, startMs);
  receive(archive, [encodeState(desktop), encodeState(laptop), encodeState(desktop)]);
  log.claim(
    'a third replica that hears it in another order, and twice, is equal too',
    archive.chat.digest() === digest && archive.chat.foldDigest() === laptop.chat.foldDigest(),
  );
}

/** Gives how many settings were found to be in conflict. */
export function checkEdits(chat: Chat, opening: Opening, apart: Apart, log: Log): number {
  const { thread_id, note_id, last_id } = opening;
  const note = chat.message(note_id);
  log.claim(
    `both edits of the note are in its history; "${note?.content}" shows`,
    note?.history.length === 3 && note.content === note.history.at(-1)?.content,
  );
  const ids = chat.messageIds(thread_id);
  const target = last_id ?? note_id;
  log.claim(
    "grace's reply stands below what it answers, whatever her clock says",
    ids.indexOf(apart.reply_id) > ids.indexOf(target) && chat.parent(apart.reply_id) === target,
  );
  const conflicts = chat.conflicts(thread_id).filter(({ field }) => field === 'name');
  const names = conflicts.flatMap(({ entries }) => entries.map(({ value }) => `"${value}"`));
  log.claim(
    `both names are kept, as one conflict that can be shown: ${names.join(' or ')}`,
    conflicts.length === 1 && names.length === 2,
  );
  return conflicts.length;
}

export function checkAnswers(chat: Chat, { count_id, poet }: Opening, { counts }: Apart, log: Log): void {
  const answer = chat.message(deriveAnswerId(count_id));
  const texts = [answer?.content, ...(answer?.alternates ?? []).map(({ content }) => content)];
  log.claim(
    'two runners answered one prompt: one answer, whole; the other kept as its alternate',
    texts.length === 2 && counts.every((text) => texts.includes(text)),
  );
  const verse = chat.message(poet.message_id);
  log.claim(
    'the stop that was pressed offline has reached the runner, mid-sentence',
    verse?.attempt?.stop_requested === true && verse.generating,
  );
}

export function checkEnd(chat: Chat, opening: Opening, { half, whole }: Apart, log: Log): void {
  const { thread_id, words_id, poet } = opening;
  const verse = chat.message(poet.message_id);
  log.claim(
    `the poet is stopped, and the ${poet.streamed.length} characters that it wrote stay`,
    verse?.attempt?.finish_reason === 'stopped' && verse.content === poet.streamed && !verse.generating,
  );
  const words = chat.message(deriveAnswerId(words_id));
  log.claim(
    'the scribe answered once, whole; its interrupted attempt is kept beside it',
    words?.content === whole &&
      words.alternates.length === 1 &&
      words.alternates[0]?.content === half &&
      words.alternates[0].state === 'interrupted',
  );
  const { state } = chat.state(thread_id);
  log.claim(
    `no name is in conflict, nothing is queued, the thread is ${state}`,
    chat.conflicts(thread_id).every(({ field }) => field !== 'name') &&
      chat.queue(thread_id).length === 0 &&
      state === 'complete',
  );
}

/** What was there before the story: each migrated message, and the settings of each thread. */
export class Keepsake {
  readonly #messages: ReadonlyMap<string, string>;
  #configs: readonly ThreadConfig[] = [];

  constructor(chat: Chat) {
    this.#messages = new Map(listMessageIds(chat).map((id) => [id, readMessage(chat, id)]));
  }

  noteSettings(chat: Chat): void {
    this.#configs = chat.threads().map(({ thread_id }) => chat.config(thread_id));
  }

  /** Gives how many messages read as they did. */
  compare(chat: Chat, renamed: string, log: Log): number {
    const kept = [...this.#messages].filter(([id, text]) => readMessage(chat, id) === text).length;
    log.claim(`all ${this.#messages.size} migrated messages read as they did`, kept === this.#messages.size);
    const untouched = this.#configs.every((before) => {
      const after = chat.config(before.thread_id);
      const omit = before.thread_id === renamed ? omitName : (config: ThreadConfig) => config;
      return JSON.stringify(omit(after)) === JSON.stringify(omit(before));
    });
    log.claim('no message, edit or answer has touched a setting of a thread', untouched);
    return kept;
  }
}

function readMessage(chat: Chat, messageId: string): string {
  return JSON.stringify(chat.message(messageId));
}

/** The thread that the story renames keeps all else. */
function omitName(config: ThreadConfig): ThreadConfig {
  const { name: _, updated_at: __, updated_by: ___, ...rest } = config;
  return rest;
}
