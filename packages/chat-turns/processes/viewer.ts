import { randomInt } from 'node:crypto';
import type { Message, Thread } from '@chatdoc/schema';
import {
  continueTurn,
  findHolder,
  getOrCreateThread,
  listWaiting,
  retryTurn,
  stopTurn,
  submitPrompt,
} from '@chatdoc/turns';
import { writePrompt } from './answers.js';
import { connect } from './connection.js';
import { onOrder, SLOTS, tell } from './wire.js';

/** A person at a screen: `viewer.ts URL NAME`. Asks, stops, goes on with what was interrupted, and reads. */
const [, , url = '', name = ''] = process.argv;
const LONGEST_QUEUE = 3;

const { chat, onSynced, look } = connect(url);
let mode: 'busy' | 'quiet' | 'tidy' = 'busy';
let hasDocument = false;
let count = 0;
/** What attempts said when they were first seen to be settled. */
const settled = new Map<string, string>();

function act(): void {
  // Once it has a copy it works offline, too.
  if (mode === 'quiet' || !hasDocument) return;
  const threads = chat.threads();
  const { thread_id } = threads[randomInt(threads.length)] as Thread;
  const holder = findHolder(chat, thread_id);
  if (holder?.kind === 'interrupted') resolve(holder.message);
  else if (mode === 'busy') ask(thread_id, holder?.message);
  read(thread_id);
}

/** Most go on; some begin anew, some give up. */
function resolve({ message_id }: Message): void {
  const request = { message_id, by: name };
  const choice = mode === 'tidy' ? 0 : randomInt(5);
  if (choice === 4) stopTurn(chat, request);
  else if (choice === 3) retryTurn(chat, request);
  else continueTurn(chat, request);
}

function ask(thread_id: string, running: Message | undefined): void {
  if (running !== undefined && randomInt(10) === 0)
    stopTurn(chat, { message_id: running.message_id, by: name });
  else if (listWaiting(chat, thread_id).length < LONGEST_QUEUE) {
    count += 1;
    const when_busy = (['interrupt', 'reject'] as const)[randomInt(16)] ?? 'enqueue';
    submitPrompt(chat, {
      thread_id,
      sender_id: name,
      content: writePrompt(randomInt(20, 80)),
      client_message_id: `${process.pid} ${count}`,
      date: new Date().toISOString(),
      when_busy,
    });
  }
}

function read(thread_id: string): void {
  for (const { attempt, alternates } of chat.messages(thread_id)) {
    for (const each of attempt === undefined ? alternates : [attempt, ...alternates]) {
      const before = settled.get(each.attempt);
      const now = `${each.finish_reason} ${each.content}`;
      if (before !== undefined && before !== now) tell({ type: 'broken', law: 'a settled attempt changed' });
      // One that is interrupted and stopped reads as stopped until its runner is heard after all.
      if (each.state === 'settled' && each.finish_reason !== 'stopped') settled.set(each.attempt, now);
    }
  }
}

onSynced((isSynced) => {
  if (!isSynced || hasDocument) return;
  hasDocument = true;
  for (const slot of SLOTS) getOrCreateThread(chat, slot, { created_by: 'ada' });
});
onOrder(({ type }) => {
  if (type === 'look') look();
  else if (type !== 'close') mode = type;
});
setInterval(act, 300);
tell({ type: 'ready' });
