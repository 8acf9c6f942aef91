import { isJsonObject, parseJson } from '../source/json-value.js';

/** The rows of one table: `PATH/TABLE/documents.jsonl`. */
const DOCUMENTS = /(?:^|[\\/])(?:([^\\/]+)[\\/])?documents\.jsonl$/;
/** Accounts, sessions, keys, memories, and text in progress: nobody's chat. */
const LEFT_OUT =
  /^(?:users?|auth.*|accounts?|sessions|apiKeys|memories|vectors?.*|_tables|streamingMessages|streamDeltas|.*[tT]okens?)$/;

/** The table whose rows a file has; undefined where it has none that a chat needs. */
export function tableOf(path: string): string | undefined {
  const match = DOCUMENTS.exec(path);
  const table = match?.[1] ?? 'documents';
  return match === null || LEFT_OUT.test(table) ? undefined : table;
}

/** The name of a stored file, without its folder. */
export function storedFile(path: string): string | undefined {
  const name = /(?:^|[\\/])_storage[\\/]([^\\/]+)$/.exec(path)?.[1];
  return name === 'documents.jsonl' || name === 'generated_schema.jsonl' ? undefined : name;
}

/** Whether lines are rows of a Convex export. */
export function isConvexRows(head: string): boolean {
  const first = parseJson(head.slice(0, head.includes('\n') ? head.indexOf('\n') : head.length))?.value;
  return isJsonObject(first) && '_id' in first && '_creationTime' in first;
}

/** One JSON document of all tables. Rows are as in their files, to the last digit. */
export function joinTables(
  tables: ReadonlyMap<string, readonly string[]>,
  stored: readonly string[],
): Uint8Array {
  const members = [...tables].map(([table, texts]) => {
    const rows = texts.flatMap((text) => text.split('\n').filter((line) => line.trim() !== ''));
    const values = rows.map((line) => (parseJson(line) === undefined ? JSON.stringify(line) : line.trim()));
    return `${JSON.stringify(table)}:[${values.join(',\n')}]`;
  });
  if (stored.length > 0) {
    const files = stored.map((storedFile) => JSON.stringify({ storedFile }));
    members.push(`"_storage_files":[${files.join(',')}]`);
  }
  return new TextEncoder().encode(`{${members.join(',\n')}}`);
}
