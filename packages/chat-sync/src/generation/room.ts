import { ChatDocError, isUlid } from '@chatdoc/schema';

/** A generation is another document: what names a room, a database or a key contains both. */
export interface Room {
  readonly doc_id: string;
  readonly generation: number;
}

/** Canonical: no sign, no leading zero, at most what a frame holds. */
const ROOM = /^([0-7][0-9A-HJKMNP-TV-Z]{25})\.(0|[1-9][0-9]{0,9})$/;
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
  const match = ROOM.exec(name);
  if (match === null) return undefined;
  const generation = Number(match[2]);
  if (generation > MAX_GENERATION) return undefined;
  return { doc_id: match[1] as string, generation };
}
