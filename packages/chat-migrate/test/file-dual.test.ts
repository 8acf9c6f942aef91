import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { runs } from '../../../tools/amounts.js';
import {
  cocalcFiles,
  JUPYTER_SHAPES,
  jupyterFiles,
  relationalFiles,
  taskFiles,
} from '../../chat-testkit/src/index.js';
import { openDual, rollBackMigration, surveyMigration } from '../src/commit/index.js';
import { openLegacy } from '../src/index.js';
import {
  CHAT,
  commit,
  createFolder,
  LATER,
  OTHER,
  open,
  readFolder,
  textsIn,
  textsOf,
} from './file-chats.js';
import { toBytes } from './helpers/plans.js';

const FILES = fc.oneof(
  cocalcFiles('mixed'),
  cocalcFiles('v2'),
  ...JUPYTER_SHAPES.map(jupyterFiles),
  relationalFiles('list'),
  taskFiles('csv'),
);

describe('a legacy chat that is read without a migration', () => {
  it('[DU1] reads as its document would, with the same ids', async () => {
    await fc.assert(
      fc.asyncProperty(FILES, async ({ rows, write }) => {
        const bytes = write(rows);
        const legacy = openLegacy(bytes);
        if (!legacy.ok) return;
        const folder = createFolder({ 'x.chat': bytes });
        const { output } = await commit(join(folder, 'x.chat'));
        const document = await open(output);
        expect(legacy.chat.threads()).toEqual(document.chat.threads());
        for (const { thread_id } of legacy.chat.threads()) {
          expect(legacy.chat.messages(thread_id)).toEqual(document.chat.messages(thread_id));
          expect(legacy.chat.config(thread_id)).toEqual(document.chat.config(thread_id));
        }
        expect(legacy.chat.digest()).toBe(document.chat.digest());
        await document.close();
      }),
      runs(25),
    );
  });

  it('[DU1] cannot be written to', () => {
    const legacy = openLegacy(toBytes(CHAT));
    if (!legacy.ok) throw new Error(legacy.code);
    expect(() => legacy.chat.createThread({ created_by: 'ada' })).toThrow('read');
    expect(openLegacy(toBytes('x'))).toMatchObject({ ok: false, code: 'unknown_format' });
  });

  it('[DU2] is opened as it is, migrated when it is opened, or never, as the host says', async () => {
    const folder = createFolder({ 'team.chat': CHAT });
    const source = join(folder, 'team.chat');
    const show = async (mode: 'old' | 'new' | 'as_is'): Promise<readonly [string, number]> => {
      const opened = await openDual(source, { mode, flush: 'manual' });
      if (!opened.ok) throw new Error(opened.code);
      if (opened.kind === 'document') await opened.file.close();
      return [opened.kind, textsOf(opened.chat).length];
    };
    expect(await show('old')).toEqual(['legacy', 3]);
    expect(await show('as_is')).toEqual(['legacy', 3]);
    expect(readFolder(folder)).toEqual({ 'team.chat': CHAT });
    expect(await show('new')).toEqual(['document', 3]);
    expect(await show('as_is')).toEqual(['document', 3]);
    const output = join(folder, 'team.ychat');
    const file = await open(output);
    const { thread_id = '' } = file.chat.threads()[0] ?? {};
    file.chat.send({ thread_id, sender_id: 'dan', content: 'Written here.' });
    await file.close();
    expect(await show('new')).toEqual(['document', 4]);
    expect(await show('old')).toEqual(['legacy', 3]);
    await rollBackMigration(output);
    expect(await show('as_is')).toEqual(['legacy', 3]);
  });

  it('[DU2] gives faults with the file that they are about', async () => {
    const folder = createFolder({ 'bad.chat': 'x', 'torn.chat': CHAT, 'torn.ychat': 'no document' });
    const at = (name: string): string => join(folder, name);
    for (const mode of ['old', 'new', 'as_is'] as const) {
      const missing = await openDual(at('nope.chat'), { mode });
      expect(missing).toMatchObject({ ok: false, code: 'not_found', path: at('nope.chat') });
      const bad = await openDual(at('bad.chat'), { mode });
      expect(bad).toMatchObject({ ok: false, code: 'unknown_format', path: at('bad.chat') });
    }
    const torn = await openDual(at('torn.chat'), { mode: 'as_is' });
    expect(torn).toMatchObject({ ok: false, code: 'not_a_document', path: at('torn.ychat') });
    expect((await openDual(at('torn.chat'), { mode: 'old' })).ok).toBe(true);
  });

  it('[DU3] is counted: what is migrated, changed since, taken back, or to do', async () => {
    const names = ['a', 'b', 'c', 'd'];
    const folder = createFolder({
      ...Object.fromEntries(names.map((name) => [`${name}.chat`, CHAT])),
      'e.sage-chat': OTHER,
      'bad.chat': 'x',
      'notes.txt': CHAT,
    });
    for (const name of ['a', 'b', 'c']) await commit(join(folder, `${name}.chat`));
    writeFileSync(join(folder, 'b.chat'), LATER);
    await rollBackMigration(join(folder, 'c.ychat'));
    const before = readFolder(folder);
    expect(await surveyMigration(folder)).toEqual({
      ok: true,
      remaining: ['d.chat', 'e.sage-chat'],
      migrated: ['a.chat'],
      changed: ['b.chat'],
      rolled_back: ['c.chat'],
      unreadable: ['bad.chat'],
    });
    expect(readFolder(folder)).toEqual(before);
    expect(await surveyMigration(join(folder, 'none'))).toMatchObject({ ok: false, code: 'not_found' });
    await commit(join(folder, 'b.chat'));
    expect(await surveyMigration(folder)).toMatchObject({ migrated: ['a.chat', 'b.chat'] });
    expect(textsIn(undefined)).toBeUndefined();
  });
});
