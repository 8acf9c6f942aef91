import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openChat } from '@chatdoc/schema';
import * as Y from 'yjs';
import { planMigration } from '../src/index.js';

/** Migrates the files of a folder, in order or from the last, and prints what came of each. */

const [folder = '', order = ''] = process.argv.slice(2);
const names = readdirSync(folder).sort();
if (order === 'last first') names.reverse();

const digest = (bytes: string | Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const found: Record<string, readonly string[]> = {};
for (const name of names) {
  const result = planMigration(readFileSync(join(folder, name)));
  if (!result.ok) {
    found[name] = [result.code];
    continue;
  }
  const doc = new Y.Doc();
  const chat = openChat(doc);
  chat.importJSONL(result.plan.jsonl);
  found[name] = [digest(result.plan.jsonl), digest(Y.encodeStateAsUpdate(doc)), chat.foldDigest()];
  chat.close();
}
const sorted = Object.fromEntries(Object.entries(found).sort(([a], [b]) => (a < b ? -1 : 1)));
process.stdout.write(
  JSON.stringify({
    found: sorted,
    zone: new Date(Date.UTC(2026, 6, 1)).getTimezoneOffset(),
    locale: Intl.DateTimeFormat().resolvedOptions().locale,
    node: process.versions.node,
  }),
);
