import * as Y from 'yjs';
import { recordChats, type Step } from './door-chats.js';

/** Bytes as a bad disk, a cut connection or a confused peer give them. */

const step = (op: Step['op'], pick: number, text = 'text', at = 0): Step => ({ at, op, pick, text });

/** A chat with some of everything: what is here before, and updates that follow on each other. */
export function recordCorpus(seed: string): { readonly base: Uint8Array; readonly updates: Uint8Array[] } {
  const before = [
    ...[
      step('send', 5, 'Hello'),
      step('notes', 5, 'five'),
      step('notes', 9, 'nine'),
      step('prose', 1, 'prose'),
    ],
    ...[step('open', 0), step('append', 0, 'Two tests.'), step('redact', 1), step('foreign', 30, 'foreign')],
    ...[step('send', 1, 'Other', 1), step('replace', 2, 'gone', 1), step('sync', 1), step('sync', 0, '', 1)],
  ];
  const after = [
    ...[
      step('append', 0, 'and a flag 👩‍🚀'),
      step('edit', 0, 'Edited'),
      step('send', 3, '漢字'),
      step('redact', 2),
    ],
    ...[step('notes', 7, 'seven'), step('prose', 3, 'embed'), step('notes', 4, 'four'), step('finish', 0)],
    ...[
      step('annotate', 1, 'good', 1),
      step('thread', 0, 'Second', 1),
      step('notes', 3, 'sub'),
      step('unnote', 9),
    ],
  ];
  const known = recordChats(before, seed).updates.length;
  const { updates } = recordChats([...before, ...after], seed);
  return { base: Y.mergeUpdates(updates.slice(0, known)), updates: updates.slice(known) };
}

/** Every prefix, every flipped bit, every byte set to 0, 127, 128 and 255. What changes nothing is left out. */
export function* corruptions(bytes: Uint8Array): Generator<Uint8Array> {
  for (let length = 0; length < bytes.length; length += 1) yield bytes.slice(0, length);
  for (let at = 0; at < bytes.length; at += 1) {
    for (let bit = 0; bit < 8; bit += 1) yield withByte(bytes, at, (bytes[at] as number) ^ (1 << bit));
    for (const value of [0, 127, 128, 255]) if (bytes[at] !== value) yield withByte(bytes, at, value);
  }
}

function withByte(bytes: Uint8Array, at: number, value: number): Uint8Array {
  const changed = bytes.slice();
  changed[at] = value;
  return changed;
}

function concat(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(parts.flatMap((part) => [...part]));
}

/** One of: the head of `a` with the tail of `b`, a piece twice, two pieces swapped, some bytes at random. */
export function tear(a: Uint8Array, b: Uint8Array, random: (below: number) => number): Uint8Array {
  const [from, to] = [random(a.length), random(a.length)].sort((x, y) => x - y) as [number, number];
  switch (random(5)) {
    case 0:
      return concat(a.subarray(0, from), b.subarray(random(b.length)));
    case 1:
      return concat(a.subarray(0, to), a.subarray(from));
    case 2:
      return concat(a.subarray(0, from), a.subarray(to), a.subarray(from, to));
    case 3:
      return concat(a, b);
    default: {
      const changed = a.slice();
      for (let times = 0; times < 2 + random(6); times += 1) changed[random(a.length)] = random(256);
      return changed;
    }
  }
}

export function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}
