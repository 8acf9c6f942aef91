import { appendFileSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type OpenOrMigrateOptions, openChatFile, rollBackMigration } from '../src/commit/index.js';
import { CHAT, createFolder, LATER, readFolder, textsOf } from './file-chats.js';

const ON_OPEN = { migrate: 'on-open', flush: 'manual' } as const;

describe('opening an old chat', () => {
  const read = async (path: string, options: OpenOrMigrateOptions = ON_OPEN): Promise<unknown> => {
    const opened = await openChatFile(path, options);
    if (!opened.ok) return opened.code;
    const texts = textsOf(opened.file.chat);
    await opened.file.close();
    return [opened.migration?.outcome, texts.length];
  };

  it('[DU4] migrates it behind a flag, opens its document, and can be taken back', async () => {
    const folder = createFolder({ 'team.chat': CHAT });
    const path = join(folder, 'team.chat');
    expect(await read(path, {})).toBe('not_a_document');
    expect(await read(path, { ...ON_OPEN, readOnly: true })).toBe('not_found');
    expect(readFolder(folder)).toEqual({ 'team.chat': CHAT });
    expect(await read(path)).toEqual(['written', 3]);
    expect(await read(path)).toEqual([undefined, 3]);
    expect(await read(join(folder, 'team.ychat'))).toEqual([undefined, 3]);
    expect(await read(path, { ...ON_OPEN, readOnly: true })).toEqual([undefined, 3]);
    expect(readFileSync(path, 'utf8')).toBe(CHAT);
    expect(Object.keys(readFolder(folder)).some((name) => name.endsWith('.backup'))).toBe(true);
    writeFileSync(path, LATER);
    const [outcome, count] = (await read(path)) as [string, number];
    expect([outcome, count > 3]).toEqual(['updated', true]);
    writeFileSync(path, CHAT);
    unlinkSync(path);
    expect(await read(path)).toEqual([undefined, count]);
    expect(await rollBackMigration(join(folder, 'team.ychat'))).toMatchObject({ ok: true });
    expect(await read(path, {})).toBe('not_a_document');
  });

  it('[DU4] goes on where lines are damaged, and names what cannot be opened', async () => {
    const folder = createFolder({ 'team.chat': CHAT, 'bad.chat': 'x' });
    const path = join(folder, 'team.chat');
    appendFileSync(path, '\n{"event":"chat","sender_id":');
    expect(await read(path)).toEqual(['written', 3]);
    const bad = join(folder, 'bad.chat');
    expect(await openChatFile(bad, ON_OPEN)).toEqual({ ok: false, code: 'unknown_format', path: bad });
    const none = join(folder, 'none.chat');
    expect(await openChatFile(none, ON_OPEN)).toEqual({ ok: false, code: 'not_found', path: none });
  });
});
