import { existsSync, readFileSync, renameSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openChat } from '@chatdoc/schema';
import { adoptRolledBack, adoptStale, listRolledBack, readDocument, roomName } from '@chatdoc/sync';
import { type FileEnvironment, moveFile, nodeFileEnvironment } from '@chatdoc/sync/file';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as Y from 'yjs';
import { runs } from '../../../tools/amounts.js';
import { readRecord, rollBackMigration } from '../src/commit/index.js';
import { CHAT, commit, createFolder, LATER, open, readFolder, textsIn, textsOf } from './file-chats.js';

async function migrate(): Promise<{ folder: string; source: string; output: string; backup: string }> {
  const folder = createFolder({ 'team.chat': CHAT });
  const source = join(folder, 'team.chat');
  const { output, backup } = await commit(source);
  return { folder, source, output, backup };
}

/** Writes messages into the document, as people do once it is there. */
async function write(output: string, ...texts: readonly string[]): Promise<void> {
  const file = await open(output);
  const { thread_id = '' } = file.chat.threads()[0] ?? {};
  for (const content of texts) file.chat.send({ thread_id, sender_id: 'dan', content });
  const closed = await file.close();
  if (!closed.ok) throw new Error(closed.code);
}

describe('a rollback', () => {
  it('[RB1] leaves the chat as it is, and keeps the document beside it', async () => {
    const { source, output, folder } = await migrate();
    await write(output, 'Written since.');
    const before = readFolder(folder);
    const result = await rollBackMigration(output);
    const document = `${output}.rolled-back-0`;
    expect(result).toEqual({ ok: true, outcome: 'unchanged', source, document, generation: 1 });
    const after = readFolder(folder);
    expect(after['team.chat']).toBe(CHAT);
    expect(after['team.ychat.rolled-back-0']).toBe(before['team.ychat']);
    expect(after['team.ychat']).toBeUndefined();
    expect(textsIn(readFileSync(document))).toContain('Written since.');
  });

  it('[RB1] restores a chat that is gone, byte for byte, whatever stands in it', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (bytes) => {
        const chat = Buffer.concat([Buffer.from('\ufeff'), Buffer.from(CHAT), Buffer.from(bytes)]);
        const folder = createFolder({ 'team.chat': chat });
        const { output } = await commit(join(folder, 'team.chat'));
        unlinkSync(join(folder, 'team.chat'));
        expect(await rollBackMigration(output)).toMatchObject({ ok: true, outcome: 'restored' });
        expect(Buffer.compare(readFileSync(join(folder, 'team.chat')), chat)).toBe(0);
      }),
      runs(30),
    );
  });

  it('[RB2] refuses what it cannot do, and changes nothing', async () => {
    const refuse = async (
      code: string,
      prepare: (paths: Awaited<ReturnType<typeof migrate>>) => void,
    ): Promise<void> => {
      const paths = await migrate();
      prepare(paths);
      const before = readFolder(paths.folder);
      expect(await rollBackMigration(paths.output)).toMatchObject({ ok: false, code });
      expect(readFolder(paths.folder)).toEqual(before);
    };
    await refuse('not_migrated', ({ output }) => unlinkSync(`${output}.migration.json`));
    await refuse('bad_record', ({ output }) => writeFileSync(`${output}.migration.json`, '{"version":1}'));
    await refuse('source_changed', ({ source }) => writeFileSync(source, LATER));
    await refuse('backup_damaged', ({ source, folder, backup }) => {
      unlinkSync(source);
      writeFileSync(join(folder, backup), LATER);
    });
    await refuse('not_found', ({ source, folder, backup }) => {
      unlinkSync(source);
      unlinkSync(join(folder, backup));
    });
    await refuse('not_found', ({ output }) => unlinkSync(output));
    await refuse('not_a_document', ({ output }) => writeFileSync(output, 'x'));
  });

  it('[RB3] done before says so, and does nothing', async () => {
    const { folder, output } = await migrate();
    const first = await rollBackMigration(output);
    const before = readFolder(folder);
    expect(await rollBackMigration(output)).toEqual({ ...first, outcome: 'done_before' });
    expect(readFolder(folder)).toEqual(before);
  });

  it('[RB4] is taken back by another migration, in the next generation, again and again', async () => {
    const { folder, source, output } = await migrate();
    for (const generation of [1, 2, 3]) {
      await write(output, `of generation ${generation - 1}`);
      expect(await rollBackMigration(output)).toMatchObject({ ok: true, generation });
      expect(await commit(source)).toMatchObject({ outcome: 'written', generation });
      expect(textsIn(readFileSync(output))).not.toContain(`of generation ${generation - 1}`);
    }
    const { rollbacks } = readChat(output);
    expect(rollbacks).toEqual([{ from: 0, to: 2 }]);
    expect(await readRecord(output, nodeFileEnvironment)).toMatchObject({
      record: {
        generation: 3,
        rolled_back: [0, 1, 2].map((generation) => ({
          generation,
          document: `team.ychat.rolled-back-${generation}`,
        })),
      },
    });
    expect(readFolder(folder)['team.chat']).toBe(CHAT);
  });

  it('[RB4] counts generations of compactions, too', async () => {
    const { source, output } = await migrate();
    const compacted = await (await open(output)).compact();
    if (compacted.ok) await compacted.file.close();
    const document = `${output}.rolled-back-1`;
    expect(await rollBackMigration(output)).toMatchObject({ ok: true, generation: 2, document });
    expect(await commit(source)).toMatchObject({ generation: 2 });
  });

  it('[RB4] cannot be undone by a peer that still has the document', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { minLength: 1, maxLength: 4 }),
        fc.boolean(),
        fc.boolean(),
        async (texts, isSavedBefore, isTwice) => {
          const { source, output } = await migrate();
          if (isSavedBefore) await write(output, 'saved before');
          const peer = new Y.Doc();
          const before = await open(output);
          Y.applyUpdate(peer, Y.encodeStateAsUpdate(before.doc));
          const { doc_id } = before;
          await before.close();
          expect(await rollBackMigration(output)).toMatchObject({ ok: true });
          await commit(source);
          // Offline meanwhile, the peer goes on in the old document.
          const stale = openChat(peer, { generation: 0 });
          const { thread_id = '' } = stale.threads()[0] ?? {};
          for (const content of texts) stale.send({ thread_id, sender_id: 'mallory', content });
          const file = await open(output);
          expect(roomName(doc_id, file.generation)).not.toBe(roomName(doc_id, 0));
          const shown = file.chat.foldDigest();
          const { lines, hidden } = adoptStale(file.chat, stale, 0);
          expect(hidden).toBe(lines);
          expect(hidden).toBeGreaterThanOrEqual(texts.length);
          if (isTwice) expect(adoptStale(file.chat, stale, 0).lines).toBe(0);
          expect(file.chat.foldDigest()).toBe(shown);
          expect(textsOf(file.chat)).not.toEqual(expect.arrayContaining(texts));
          // Kept, and shown to who asks for it.
          const lanes = listRolledBack(file.chat);
          for (const { lane_id } of lanes) adoptRolledBack(file.chat, lane_id);
          expect(textsOf(file.chat)).toEqual(expect.arrayContaining(texts));
          await file.close();
        },
      ),
      runs(15),
    );
  });

  it('[RB4] does not keep a migration from what only a hidden lane has', async () => {
    const { source, output } = await migrate();
    writeFileSync(source, LATER);
    await commit(source);
    const stale = openChat(new Y.Doc());
    const old = await open(output);
    stale.importJSONL(old.chat.toJSONL());
    await old.close();
    await rollBackMigration(output);
    writeFileSync(source, CHAT);
    await commit(source);
    const file = await open(output);
    expect(adoptStale(file.chat, stale, 0).hidden).toBeGreaterThan(0);
    expect(textsOf(file.chat)).not.toContain('Noon.');
    await file.close();
    writeFileSync(source, LATER);
    expect(await commit(source)).toMatchObject({ outcome: 'updated' });
    expect(textsIn(readFileSync(output))).toContain('Noon.');
    expect((await commit(source)).outcome).toBe('same');
  });

  it('[RB5] that was cut off before the document was moved is finished by a migration', async () => {
    const { source, output } = await migrate();
    await write(output, 'Written since.');
    const { fileSystem } = nodeFileEnvironment;
    const stuck: FileEnvironment = {
      ...nodeFileEnvironment,
      fileSystem: {
        ...fileSystem,
        link: async (from, to) => {
          if (to.includes('rolled-back')) throw Object.assign(new Error('EIO'), { code: 'EIO' });
          await fileSystem.link(from, to);
        },
      },
    };
    expect(await rollBackMigration(output, { fileEnvironment: stuck })).toMatchObject({ code: 'io' });
    expect(existsSync(output)).toBe(true);
    expect(await commit(source, { dryRun: true })).toMatchObject({ outcome: 'written', generation: 1 });
    expect(await commit(source)).toMatchObject({ outcome: 'written', generation: 1 });
    expect(textsIn(readFileSync(output))).not.toContain('Written since.');
    expect(textsIn(readFileSync(`${output}.rolled-back-0`))).toContain('Written since.');
  });

  it('[RB2] [RB5] does not put a document in the place of another', async () => {
    const { output } = await migrate();
    writeFileSync(`${output}.rolled-back-0`, 'precious');
    expect(await rollBackMigration(output)).toMatchObject({ ok: false, code: 'exists' });
    expect(readFileSync(`${output}.rolled-back-0`, 'utf8')).toBe('precious');
    expect(existsSync(output)).toBe(true);
    renameSync(`${output}.rolled-back-0`, `${output}.mine`);
    expect(await rollBackMigration(output)).toMatchObject({ ok: true });
    expect(await moveFile(`${output}.mine`, output, nodeFileEnvironment)).toEqual({ ok: true });
  });
});

function readChat(path: string): { readonly rollbacks: readonly unknown[] } {
  const read = readDocument(readFileSync(path));
  if (!read.ok) throw new Error(read.code);
  return { rollbacks: read.chat.rollbacks() };
}
