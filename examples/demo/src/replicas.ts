import { type Chat, openChat } from '@chatdoc/schema';
import * as Y from 'yjs';
import { createEnvironment } from './environment.js';

/** One process with its own document, clock and randomness. What it learns of others, it learns from updates. */
export interface Replica {
  readonly name: string;
  readonly doc: Y.Doc;
  readonly chat: Chat;
}

export function createReplica(name: string, seed: number, startMs: number): Replica {
  const doc = new Y.Doc();
  return { name, doc, chat: openChat(doc, { environment: createEnvironment(seed, startMs), user_id: name }) };
}

/** The process is gone; another one starts from the bytes that it left. */
export function restart(crashed: Replica, seed: number, startMs: number): Replica {
  const replica = createReplica(crashed.name, seed, startMs);
  Y.applyUpdate(replica.doc, encodeState(crashed));
  crashed.chat.close();
  return replica;
}

export function encodeState(replica: Replica): Uint8Array {
  return Y.encodeStateAsUpdate(replica.doc);
}

/** What a provider does when the network is there: each side sends what the other lacks. Gives the bytes sent. */
export function exchange(one: Replica, other: Replica): number {
  const forOther = Y.encodeStateAsUpdate(one.doc, Y.encodeStateVector(other.doc));
  const forOne = Y.encodeStateAsUpdate(other.doc, Y.encodeStateVector(one.doc));
  Y.applyUpdate(other.doc, forOther);
  Y.applyUpdate(one.doc, forOne);
  return forOther.length + forOne.length;
}

/** Whole states in the order given, as often as given. */
export function receive(replica: Replica, states: readonly Uint8Array[]): void {
  for (const state of states) Y.applyUpdate(replica.doc, state);
}

export function sameBytes(one: Uint8Array, other: Uint8Array): boolean {
  return Buffer.compare(one, other) === 0;
}
