import { ChatDocError } from '@chatdoc/schema';
import { parseRoom, type Room } from '../generation/room.js';

/**
 * Reads `<doc_id>.<generation>`. Throws for any other name: generations that share a place would be merged, and
 * what was rolled back would come back.
 */
export function assertStorageName(name: string): Room {
  const room = parseRoom(name);
  if (room === undefined) {
    throw new ChatDocError('invalid_argument', 'name', 'expected <doc_id>.<generation>');
  }
  return room;
}
