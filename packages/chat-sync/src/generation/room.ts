import { ChatDocError, isUlid } from '@chatdoc/schema';

/** A generation is another document: what names a room, a database or a key contains both. */
export interface Room {
  readonly doc_id: string;
  readonly generation: number;
}

/** Canonical: no sign, no leading zero, at most what a frame holds. */
const GENERATION = /^(?:0|[1-9][0-9]{0,9})$/;
const MAX_GENERATION = 0xffff_ffff;

/** `<doc_id>.<generation>`. */
export function roomName(doc_id: string, generation: number): string {
  if (!isUlid(doc_id)) throw new ChatDocError('invalid_argument', 'doc_id', 'expected a canonical ULID');
  if (!Number.isInteger(generation) || generation < 0 || generation > MAX_GENERATION) {
    throw new ChatDocError('invalid_argument', 'generation', 'expected an integer from 0 to 2^32 - 1');
  }
  return `${doc_id}.${generation}`;
}

/** What a name of `roomName` says; undefined for any other string. Never throws. */
export function parseRoom(name: string): Room | undefined {
  const dot = name.indexOf('.');
  const doc_id = name.slice(0, Math.max(0, dot));
  const number = name.slice(dot + 1);
  const generation = Number(number);
  if (!isUlid(doc_id) || !GENERATION.test(number) || generation > MAX_GENERATION) return undefined;
  return { doc_id, generation };
}
