import type { EntryType } from '@chatdoc/schema/internal';
import { LINE_OF } from './every-type.js';
import { type ForgedLane, Forger, fill } from './forge.js';
import { createSubject, type HostileSubject, subjectLines } from './subject.js';

/** What a hostile peer sends, in order. */
interface Attack {
  readonly updates: readonly Uint8Array[];
  readonly subject: HostileSubject;
}

/** Makes an attack of about so many bytes. */
export type CreateAttack = (bytes: number) => Attack;

/** The tools of one attack. */
export interface Attacker {
  readonly forger: Forger;
  readonly subject: HostileSubject;
  readonly lane: ForgedLane;
}

/** The lane of an attacker that holds the subject already, and is not sent yet. */
export function createAttacker(): Attacker {
  const forger = new Forger();
  const subject = createSubject(forger);
  const lane = forger.openLane();
  lane.append(subjectLines(subject));
  return { forger, subject, lane };
}

/** An attack that is one update of such lines. */
export function inOneUpdate(linesOf: (attacker: Attacker, bytes: number) => readonly string[]): CreateAttack {
  return (bytes) => {
    const attacker = createAttacker();
    attacker.lane.append(linesOf(attacker, bytes));
    return { updates: [attacker.lane.take()], subject: attacker.subject };
  };
}

/** One update of lines of these types, in turn, all about one subject. */
export function ofTypes(types: readonly EntryType[]): CreateAttack {
  return inOneUpdate(({ forger, subject }, bytes) =>
    fill(bytes, (n) => types.map((type) => LINE_OF[type](forger, subject, n))),
  );
}

/** Pairs of the types, each of two. */
export function listPairs(): readonly (readonly [EntryType, EntryType])[] {
  const types = Object.keys(LINE_OF) as EntryType[];
  return types.flatMap((a, i) => types.slice(i + 1).map((b) => [a, b] as const));
}

/** Attacks of one type each. */
export function everyType(): Readonly<Record<string, CreateAttack>> {
  const types = Object.keys(LINE_OF) as EntryType[];
  return Object.fromEntries(types.map((type) => [`${type} lines`, ofTypes([type])]));
}

/** Updates as one file, each behind its length. */
export function packUpdates(updates: readonly Uint8Array[]): Uint8Array {
  const parts = updates.flatMap((update) => {
    const length = Buffer.alloc(4);
    length.writeUInt32LE(update.length);
    return [length, update];
  });
  return Buffer.concat(parts);
}

export function unpackUpdates(packed: Uint8Array): readonly Uint8Array[] {
  const view = Buffer.from(packed.buffer, packed.byteOffset, packed.length);
  const updates: Uint8Array[] = [];
  for (let at = 0; at < view.length; ) {
    const length = view.readUInt32LE(at);
    updates.push(new Uint8Array(view.subarray(at + 4, at + 4 + length)));
    at += 4 + length;
  }
  return updates;
}
