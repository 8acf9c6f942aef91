import { keepEqual } from '../host/values.js';
import type { Message } from './records.js';

/**
 * The record with every part, version and alternate that has not changed as the same object as before; the one before
 * where nothing has. `deep` compares values, for a fold that was rebuilt; a fold that was kept has kept them itself.
 */
export function keepMessage(before: Message, next: Message, deep: boolean): Message {
  const kept = deep ? keepFields(before, next) : next;
  const keys = Object.keys(kept) as (keyof Message)[];
  const isSame =
    keys.length === Object.keys(before).length &&
    keys.every(
      (key) => kept[key] === before[key] || (deep && keepEqual(before[key], kept[key]) === before[key]),
    );
  return isSame ? before : Object.freeze(kept);
}

function keepFields(before: Message, next: Message): Message {
  const parts = keepItems(before.parts, next.parts);
  const alternates = keepItems(before.alternates, next.alternates);
  const history = keepItems(before.history, next.history);
  if (next.attempt === undefined) return { ...next, parts, alternates, history };
  const attempt = keepEqual(before.attempt, Object.freeze({ ...next.attempt, parts }));
  return { ...next, parts, alternates, history, attempt };
}

function keepItems<T>(before: readonly T[], next: readonly T[]): readonly T[] {
  const items = next.map((item, i) => keepEqual(before[i], item));
  const isSame = items.length === before.length && items.every((item, i) => item === before[i]);
  return isSame ? before : Object.freeze(items);
}
