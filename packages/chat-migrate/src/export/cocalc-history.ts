import { formatDate, type Json, type JsonObject, type Message, type Version } from '@chatdoc/schema';
import { readDate } from '../source/dates.js';
import { isJsonObject, readName } from '../source/json-value.js';

/** The versions of a message, newest first. A redacted one, of which nothing is left, shows as deleted. */
export function writeHistory(
  message: Message,
  time: number,
  revisions: ReadonlyMap<string, JsonObject>,
): readonly Json[] {
  const { history, redacted, sender_id } = message;
  const versions = history.map((version) =>
    version.id === null
      ? writeFirst(message, version, time)
      : writeVersion(version, redacted ? undefined : revisions.get(version.id)),
  );
  if (redacted && versions.length === 1)
    versions.push({ author_id: sender_id, content: '', date: formatDate(time) });
  return versions.reverse();
}

/** The first version is that of the message, with the other facts that the old file had of it. */
function writeFirst({ legacy, sender_id }: Message, { content }: Version, time: number): JsonObject {
  const { author_id, first_date, history } = isJsonObject(legacy) ? legacy : {};
  return {
    ...(isJsonObject(history) ? history : {}),
    author_id: readName(author_id) ?? sender_id,
    content,
    date: formatDate(readDate(first_date)?.time ?? time),
  };
}

function writeVersion({ author_id, content, date, id }: Version, legacy: JsonObject | undefined): JsonObject {
  const time = readDate(date)?.time;
  return {
    ...legacy,
    ...(author_id === '' ? {} : { author_id }),
    content,
    ...(time === undefined || id === null ? {} : { date: formatDate(time) }),
  };
}
