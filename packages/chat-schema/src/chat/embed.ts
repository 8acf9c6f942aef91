import * as Y from 'yjs';
import { assertString, ChatDocError } from '../host/errors.js';
import { hashText } from '../host/sha256.js';
import { ChatOrigin, createMap, type LaneMap, nameType, refuseTarget } from '../lane/structs.js';

/**
 * The map of a chat under `key` of `parent`, made if it is not there. Two sides that make it separately write the
 * same struct, so neither loses what it adds: a map made with `new Y.Map()` would lose one side whole.
 * Throws `detached` where it was made before and has been deleted: it can't come back under the same id.
 */
export function embedChat(parent: Y.Map<unknown>, key: string): LaneMap {
  if (!(parent instanceof Y.Map)) {
    throw refuseTarget('parent', 'a Y.Map', parent);
  }
  assertString(key, 'key');
  if (parent.doc === null) throw new ChatDocError('detached', 'parent', 'the map is in no document');
  const known = parent.get(key);
  if (known instanceof Y.Map) return known;
  const name = JSON.stringify(['chatdoc embedded chat', nameType(parent as Y.AbstractType<unknown>), key]);
  const bytes = hashText(name);
  const client = new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0);
  const map = createMap(parent, key, client, new ChatOrigin('embedChat'));
  if (map === undefined) throw new ChatDocError('detached', 'key', 'the embedded chat has been deleted');
  return map;
}
