import { isUlid, timeOfUlid } from '@chatdoc/schema';
import { readDate } from '../source/dates.js';

/** Milliseconds of a record's date; of one that is damaged, those of its id. */
export function readTime(date: string, id: string): number {
  return readDate(date)?.time ?? (isUlid(id) ? timeOfUlid(id) : 0);
}
