import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import * as Y from 'yjs';
import { ENTRY_TYPES } from '../src/internal.js';
import { type Golden, readGolden } from './golden/records.js';
import { createReplica, expectSame, linesOf } from './world.js';

/** Bytes that a released schema version wrote, and what they read as: files are added, never changed. */
const versions = new URL('golden/', import.meta.url);
const files = readdirSync(versions, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .flatMap(({ name }) => readdirSync(new URL(`${name}/`, versions)).map((file) => `${name}/${file}`));
const load = (file: string): Golden => JSON.parse(readFileSync(new URL(file, versions), 'utf8')) as Golden;

function open({ update }: Golden): ReturnType<typeof createReplica> {
  const doc = new Y.Doc();
  Y.applyUpdate(doc, Buffer.from(update, 'base64'));
  return createReplica('golden', { readOnly: true }, doc);
}

describe('golden documents', () => {
  for (const file of files) {
    it(`[FD1] ${file} reads as it did when it was written`, () => {
      const golden = load(file);
      const replica = open(golden);
      const actual = readGolden(replica.chat);
      for (const [name, value] of Object.entries(golden.expected)) expect(actual[name], name).toEqual(value);
      expectSame([replica]);
    });
  }

  it('[RD6] every entry type stands in some golden document', () => {
    const lines = files.flatMap((file) => linesOf(open(load(file)).chat));
    const missing = ENTRY_TYPES.filter((type) => !lines.some((line) => line.startsWith(`{"type":"${type}"`)));
    expect(missing).toEqual([]);
  });
});
