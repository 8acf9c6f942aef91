import { createHash } from 'node:crypto';
import { expect } from 'vitest';
import * as Y from 'yjs';
import {
  canonicalRecords,
  type Everything,
  extractTexts,
  findDifference,
  type LaneText,
  readEverything,
  runOracle,
} from '../../chat-testkit/src/index.js';
import { type Chat, deriveAnswerId, type Environment, openChat } from '../src/index.js';

/** Equal; where they are not, the message says where first, and what stands there. */
function expectSame(actual: unknown, expected: unknown, what: string): void {
  const difference = findDifference(canonicalRecords(actual), canonicalRecords(expected));
  if (difference !== undefined) expect.fail(`${what}: ${difference}`);
}

/** [DG3]: one fold digest for all documents of a suite that read the same. */
export class FoldLedger {
  readonly #folded = new Map<string, string>();

  noteFold(records: unknown, digest: string): void {
    const short = createHash('sha256').update(canonicalRecords(records)).digest('hex');
    expect(this.#folded.get(short) ?? digest, '[DG3] what reads the same has the same fold digest').toBe(
      digest,
    );
    this.#folded.set(short, digest);
  }
}

export interface Seen {
  readonly texts: readonly LaneText[];
  readonly everything: Everything;
}

/** A clock that stands and bytes that count: enough for a chat that only reads. */
export function readingEnvironment(now: number): Environment {
  return { now: () => now, random: (bytes) => new Uint8Array(bytes) };
}

/**
 * All laws of one replica at one moment. [FD1]: what the chat kept by transaction equals a fold from nothing,
 * on this document and on a fresh one, and equals the oracle.
 */
export function checkLaws(chat: Chat, doc: Y.Doc, ledger: FoldLedger, now = 0): Seen {
  const texts = extractTexts(doc);
  const oracle = runOracle(texts);
  const probe = oracle.probe;
  const kept = readEverything(chat, probe);
  const digest = chat.digest();
  expectSame(readEverything(chat, probe), kept, '[FD8] reading changes nothing');

  const rebuilt = openChat(doc, { environment: readingEnvironment(now), readOnly: true });
  expectSame(kept, readEverything(rebuilt, probe), '[FD1] incremental equals rebuilt');
  expect(rebuilt.digest(), '[DG1] incremental equals rebuilt').toBe(digest);
  expect(rebuilt.foldDigest(), '[DG3] incremental equals rebuilt').toBe(chat.foldDigest());
  expectSame(chat.report().foreign, rebuilt.report().foreign, '[LA2] incremental equals rebuilt');
  expect(rebuilt.toJSONL(), '[CP1] incremental equals rebuilt').toBe(chat.toJSONL());
  rebuilt.close();

  const fresh = new Y.Doc();
  Y.applyUpdate(fresh, Y.encodeStateAsUpdate(doc));
  const loaded = openChat(fresh, { environment: readingEnvironment(now), readOnly: true });
  expectSame(readEverything(loaded, probe), kept, '[FD1] a fresh load equals what was kept');
  expect(loaded.digest(), '[DG1] a fresh load').toBe(digest);
  loaded.close();
  fresh.destroy();

  expectSame(kept, oracle.everything, '[FD1] the chat equals the oracle');
  expect(digest, '[DG1] the digest of the oracle').toBe(oracle.digest);
  const { docId, threads, configs, order, messages, states } = kept;
  ledger.noteFold({ docId, threads, configs, order, messages, states, rest: kept }, chat.foldDigest());
  checkOrder(kept);
  checkFrozen(chat, kept);
  return { texts, everything: kept };
}

/** [OR3], [OR4] on what was read, without the oracle. */
function checkOrder({ order, parents, messages }: Everything): void {
  for (const [thread, ids] of Object.entries(order)) {
    expect(new Set(ids).size, `[OR1] each message of ${thread} stands once`).toBe(ids.length);
    const roots = ids.filter((id) => parents[id] === null);
    expect(roots, `[OR4] one root of ${thread}`).toEqual(ids.slice(0, 1));
    // Records name the targets of shown attempts only: those of others may close a cycle.
    const cycles = hasCycle(ids, messages) || ids.some((id) => (messages[id]?.alternates.length ?? 0) > 0);
    ids.forEach((id, at) => {
      if (at === 0 || cycles) return;
      for (const target of targetsOf(messages, id)) {
        const above = ids.indexOf(target);
        if (above >= 0) expect(above, `[OR3] ${id} never stands above ${target}`).toBeLessThan(at);
      }
    });
  }
}

function targetsOf(messages: Everything['messages'], id: string): string[] {
  const message = messages[id];
  if (message === null || message === undefined) return [];
  const { reply_to_message_id, after, prompt_id, attempt } = message;
  const targets = attempt === undefined ? [reply_to_message_id, after] : [reply_to_message_id, prompt_id];
  return targets.filter((target) => target !== undefined);
}

function hasCycle(ids: readonly string[], messages: Everything['messages']): boolean {
  const done = new Set<string>();
  for (let left = [...ids]; left.length > 0; ) {
    const next = left.filter((id) => targetsOf(messages, id).some((to) => ids.includes(to) && !done.has(to)));
    if (next.length === left.length) return true;
    for (const id of left) if (!next.includes(id)) done.add(id);
    left = next;
  }
  return false;
}

/** [FD8] */
function checkFrozen(chat: Chat, everything: Everything): void {
  const { threads, configs, order, messages, states, annotations, variables, conflicts, queues } = everything;
  for (const value of [
    threads,
    configs,
    order,
    messages,
    states,
    annotations,
    variables,
    conflicts,
    queues,
  ]) {
    for (const record of Object.values(value)) expectFrozen(record);
  }
  for (const { thread_id } of threads) {
    expect(chat.thread(thread_id), '[FD8] one snapshot of a thread').toBe(chat.thread(thread_id));
    expect(chat.messageIds(thread_id), '[FD8] one list of ids').toBe(chat.messageIds(thread_id));
    expect(chat.messages(thread_id), '[FD8] one list of messages').toBe(chat.messages(thread_id));
    for (const message of chat.messages(thread_id)) {
      expect(chat.message(message.message_id), '[FD8] one snapshot of a message').toBe(message);
    }
  }
}

function expectFrozen(value: unknown): void {
  if (typeof value !== 'object' || value === null) return;
  if (!Object.isFrozen(value))
    expect(Object.isFrozen(value), `[FD8] frozen: ${canonicalRecords(value)}`).toBe(true);
  for (const inner of Object.values(value)) expectFrozen(inner);
}

/** [RD1]: nothing that can be read throws, whatever came. */
export function readEverythingElse(chat: Chat, stamp: string): void {
  chat.damage();
  chat.rescued();
  chat.toJSONL();
  const past = chat.at(stamp);
  for (const { thread_id } of past.threads()) {
    past.messages(thread_id);
    past.state(thread_id);
    past.queue(thread_id);
    past.transcript(thread_id);
    past.config(thread_id);
    for (const { message_id } of past.messages(thread_id)) past.message(deriveAnswerId(message_id));
  }
}

/** After everything has been exchanged: every replica reads the same. */
export function expectConverged(replicas: readonly { readonly chat: Chat; readonly doc: Y.Doc }[]): void {
  const [first, ...others] = replicas;
  if (first === undefined) return;
  const { probe } = runOracle(extractTexts(first.doc));
  const expected = readEverything(first.chat, probe);
  for (const { chat } of others) {
    expectSame(readEverything(chat, probe), expected, '[FD1] all replicas read the same');
    expect(chat.digest(), '[DG1] all replicas have one digest').toBe(first.chat.digest());
    expect(chat.foldDigest(), '[DG3] all replicas have one fold digest').toBe(first.chat.foldDigest());
    expect(chat.toJSONL(), '[CP1] all replicas give one copy').toBe(first.chat.toJSONL());
  }
}
