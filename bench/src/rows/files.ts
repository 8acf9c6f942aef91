import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openChat } from '@chatdoc/schema';
import { deriveUlid } from '@chatdoc/schema/internal';
import { compactChat, encodeFrame } from '@chatdoc/sync';
import { openChatFile } from '@chatdoc/sync/file';
import * as Y from 'yjs';
import { medianOf, pair, ratioOf, timed } from '../measure/pair.js';
import { progress } from '../measure/progress.js';
import type { Plan } from '../plan.js';
import { type Figure, figure, judge, type Measured, ratio } from '../report/figure.js';

const DOC_ID = deriveUlid(0, 'bench');
/** Updates of a log: a chat of some days whose every token was stored. */
const UPDATES = 21_000;
const CLIENTS = 2_000;

/** Document files: opening a log, appending to it, and what many clients cost. */
export async function benchFiles(plan: Plan): Promise<Measured> {
  const reps = plan.reps(7);
  const folder = mkdtempSync(join(tmpdir(), 'chatdoc-bench-'));
  try {
    return {
      figures: [...(await benchLog(folder, reps)), ...(await benchAppends(folder)), ...benchClients(reps)],
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function frame(kind: 'snapshot' | 'update', payload: Uint8Array): Uint8Array {
  return encodeFrame({ kind, doc_id: DOC_ID, generation: 0, payload });
}

/** A streamed chat, each update as it was made, and all of them as one. */
function recordUpdates(count: number): { updates: Uint8Array[]; snapshot: Uint8Array } {
  const doc = new Y.Doc();
  const updates: Uint8Array[] = [];
  doc.on('update', (update: Uint8Array) => updates.push(update));
  const chat = openChat(doc);
  const { thread_id } = chat.createThread({ created_by: 'ada' });
  while (updates.length < count) {
    const { message_id } = chat.send({ thread_id, sender_id: 'ada', content: 'How?', expects: 'answer' });
    const attempt = chat.openAttempt({ prompt_id: message_id, sender_id: 'bot', runner_id: 'bench' });
    const part = attempt.openPart();
    for (let token = 0; token < 250 && updates.length < count; token += 1) part.append('tok ');
    attempt.finish({ finish_reason: 'stop' });
  }
  return { updates, snapshot: Y.encodeStateAsUpdate(doc) };
}

async function benchLog(folder: string, reps: number): Promise<readonly Figure[]> {
  progress(`files: open a log of ${UPDATES} updates and its snapshot, ${reps} times`);
  const { updates, snapshot } = recordUpdates(UPDATES);
  const log = join(folder, 'log.ychat');
  const whole = join(folder, 'whole.ychat');
  writeFileSync(log, Buffer.concat(updates.map((update) => frame('update', update))));
  writeFileSync(whole, frame('snapshot', snapshot));
  const samples: Record<string, number[]> = { log: [], whole: [] };
  for (let rep = -1; rep < reps; rep += 1) {
    for (const [name, path] of [
      ['log', log],
      ['whole', whole],
    ] as const) {
      const start = performance.now();
      const opened = await openChatFile(path, { readOnly: true });
      const time = performance.now() - start;
      if (!opened.ok) throw new Error(opened.code);
      await opened.file.close();
      if (rep >= 0) samples[name]?.push(time);
    }
  }
  return [
    judge('log', null, ratioOf(samples['log'], samples['whole'])),
    figure('open a log of 21,000 updates', null, medianOf(samples['log'] ?? []), 'ms'),
    figure('open its snapshot', null, medianOf(samples['whole'] ?? []), 'ms'),
  ];
}

/** Appends of one message each, not synced: the disk's share is the same for any size. */
async function benchAppends(folder: string): Promise<readonly Figure[]> {
  const counts = [1_000, 100_000] as const;
  progress(`files: append to ${counts.join(' and ')} frames`);
  const times: number[][] = [];
  for (const count of counts) {
    const path = join(folder, `append-${count}.ychat`);
    const { doc, thread_id } = emptyChat();
    writeFileSync(path, frame('snapshot', Y.encodeStateAsUpdate(doc)));
    // Frames that say nothing new: the file is long, the document is not.
    const filler = frame('update', Y.encodeStateAsUpdate(doc));
    const handle = await open(path, 'a');
    await handle.write(Buffer.concat(Array.from({ length: count }, () => filler)));
    await handle.close();
    const opened = await openChatFile(path, { flush: 'manual', sync: false });
    if (!opened.ok) throw new Error(opened.code);
    const { file } = opened;
    const of: number[] = [];
    for (let n = 0; n < 300; n += 1) {
      file.chat.send({ thread_id, sender_id: 'ada', content: `message ${n}` });
      const start = performance.now();
      const flushed = await file.flush();
      if (!flushed.ok) throw new Error(flushed.code);
      // The first one may fold the log into a snapshot.
      if (n >= 100) of.push(performance.now() - start);
    }
    await file.close();
    times.push(of);
  }
  const [few = [], many = []] = times;
  return [
    judge('frame', null, medianOf(many) / medianOf(few)),
    figure('append a frame to 100,000', null, medianOf(many), 'ms'),
  ];
}

function emptyChat(): { doc: Y.Doc; thread_id: string } {
  const doc = new Y.Doc();
  const { thread_id } = openChat(doc).createThread({ created_by: 'ada' });
  return { doc, thread_id };
}

/** A document that many clients have written, before and after its compaction, beside one of a single client. */
function benchClients(reps: number): readonly Figure[] {
  progress(`files: writing a document of ${CLIENTS} clients`);
  const { doc, thread_id } = emptyChat();
  const start = Y.encodeStateAsUpdate(doc);
  const updates: Uint8Array[] = [];
  for (let n = 0; n < CLIENTS; n += 1) {
    const other = new Y.Doc();
    Y.applyUpdate(other, start);
    openChat(other).send({ thread_id, sender_id: 'ada', content: `message ${n}` });
    updates.push(Y.encodeStateAsUpdate(other));
  }
  doc.transact(() => {
    for (const update of updates) Y.applyUpdate(doc, update);
  });
  const single = new Y.Doc();
  Y.applyUpdate(single, start);
  const chat = openChat(single);
  for (let n = 0; n < CLIENTS; n += 1) chat.send({ thread_id, sender_id: 'ada', content: `message ${n}` });
  const compacted = compactChat(openChat(doc), { generation: 1 }).doc;
  const documents = { many: doc, compacted, single };
  const opens = pair(
    'files: open a document of many clients',
    reps,
    Object.entries(documents).map(([name, each]) => {
      const update = Y.encodeStateAsUpdate(each);
      return timed(name, () => {
        const loaded = new Y.Doc();
        Y.applyUpdate(loaded, update);
        return openChat(loaded).messageIds(thread_id).length;
      });
    }),
  );
  const chats = Object.entries(documents).map(([name, each]) => [name, openChat(each)] as const);
  const appends = pair(
    'files: append to a document of many clients',
    reps,
    chats.map(([name, each]) =>
      timed(name, () => {
        for (let n = 0; n < 50; n += 1) each.send({ thread_id, sender_id: 'ada', content: 'one more' });
        return each;
      }),
    ),
  );
  return [
    ratio('open: 2,000 clients / one client', null, ratioOf(opens['many'], opens['single'])),
    judge('compacted_open', null, ratioOf(opens['compacted'], opens['single'])),
    ratio('append: 2,000 clients / one client', null, ratioOf(appends['many'], appends['single'])),
    judge('compacted_append', null, ratioOf(appends['compacted'], appends['single'])),
  ];
}
