import { mkdtemp, rm } from 'node:fs/promises';
import type { Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isQuick } from '../../../tools/amounts.js';
import { memoryHarness, storageConformance } from '../src/testing/index.js';
import { MANY_ROWS } from '../src/testing/row-cases.js';
import { call, hasChromium, launch, openPage, servePage } from './browser/chromium.js';

const title = hasChromium
  ? 'IndexedDB of a real browser'
  : 'IndexedDB of a real browser (chromium is not installed)';

describe.skipIf(!hasChromium)(title, () => {
  let folder: string;
  let server: Server;
  let url: string;
  let context: BrowserContext;
  let page: Page;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'chat-sync-browser-'));
    ({ url, server } = await servePage());
    context = await launch(folder);
    page = await openPage(context, url);
  });

  afterAll(async () => {
    await context?.close();
    server?.close();
    await rm(folder, { recursive: true, force: true });
  });

  const restart = async (): Promise<void> => {
    await context.close();
    context = await launch(folder);
    page = await openPage(context, url);
  };

  const reload = async (): Promise<void> => {
    await page.reload();
    await page.waitForFunction('globalThis.page !== undefined');
  };

  const cases = storageConformance(memoryHarness);

  // Long histories over IndexedDB are in the quick run over its double alone.
  const due = cases.filter(({ name }) => !isQuick || name !== MANY_ROWS);

  for (const { rule, name } of due) it(`[${rule}] ${name}`, () => call(page, 'runCase', name));

  it('[ST19] applies in full', async () => {
    expect(await call(page, 'listCases')).toEqual(cases.map(({ name }) => name));
  });

  it('[ST9] what was flushed survives a reload and a restart of the browser', async () => {
    await call(page, 'clear');
    const first = await call(page, 'writeAndStay', 'first', 50);
    await reload();
    const second = await call(page, 'write', 'us', 'second', 0);
    expect(second).toEqual({ ready: { ok: true, outcome: 'loaded', rows: 51 }, digest: first.digest });
    const third = await call(page, 'writeAndStay', 'third', 5);
    expect(third.digest).not.toBe(first.digest);
    // A browser takes as long to start as all the rest here.
    if (isQuick) await reload();
    else await restart();
    expect(await call(page, 'write', 'us', 'fourth', 0)).toMatchObject({
      ready: { ok: true, outcome: 'loaded' },
      digest: third.digest,
    });
  });

  it('[ST17] y-indexeddb reads what we wrote, and we read what it wrote', async () => {
    await call(page, 'clear');
    const ours = await call(page, 'write', 'us', 'ours', 10);
    expect(await call(page, 'write', 'them', 'none', 0)).toEqual({ ready: null, digest: ours.digest });
    const theirs = await call(page, 'write', 'them', 'theirs', 10);
    expect(theirs.digest).not.toBe(ours.digest);
    const both = await call(page, 'write', 'us', 'again', 3);
    expect(both.ready).toMatchObject({ ok: true, outcome: 'loaded' });
    expect(await call(page, 'watchPersistence')).toEqual({ synced: true, digest: both.digest });
  });

  it('[ST17] with one torn row y-indexeddb never says that it has loaded; we load the rest and go on', async () => {
    await call(page, 'clear');
    const before = await call(page, 'write', 'us', 'before', 5);
    await call(page, 'write', 'us', 'behind', 5);
    await call(page, 'tear', 6);
    const errors: string[] = [];
    page.on('pageerror', ({ message }) => errors.push(message));
    expect(await call(page, 'watchPersistence')).toEqual({ synced: false, digest: before.digest });
    await expect.poll(() => errors, { timeout: 600_000 }).toHaveLength(1);
    const opened = await call(page, 'write', 'us', 'new', 3);
    // The six before it, and an empty row that y-indexeddb has added.
    expect(opened.ready).toMatchObject({ ok: true, outcome: 'damaged', rows: 7 });
    const again = await call(page, 'write', 'us', 'none', 0);
    expect(again.digest).toBe(opened.digest);
    expect(errors).toHaveLength(1);
  });
});
