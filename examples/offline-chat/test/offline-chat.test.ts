import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildPage } from '../src/server/build-page.js';
import { type ChatPage, openChatPage } from '../src/server/chat-page.js';

/** Debian's. */
const EXECUTABLE = '/usr/bin/chromium';
const hasChromium = existsSync(EXECUTABLE);
const title = hasChromium
  ? 'the page in two browsers'
  : 'the page in two browsers (chromium is not installed)';
/** Only what hangs takes so long. */
const PATIENCE_MS = 120_000;

describe.skipIf(!hasChromium)(title, () => {
  const folder = mkdtempSync(join(tmpdir(), 'offline-chat-'));
  const pages = join(folder, 'pages');
  let site: ChatPage;
  let browser: Browser;
  const errors: string[] = [];

  beforeAll(async () => {
    await buildPage(pages);
    site = await openChatPage({ directory: join(folder, 'data'), pages, port: 0 });
    browser = await chromium.launch({ executablePath: EXECUTABLE, args: ['--no-sandbox'] });
  });

  afterAll(async () => {
    await browser?.close();
    await site?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  async function join_(name: string): Promise<{ readonly page: Page; readonly context: BrowserContext }> {
    const context = await browser.newContext();
    context.setDefaultTimeout(PATIENCE_MS);
    const page = await context.newPage();
    page.on('pageerror', ({ message }) => errors.push(`${name}: ${message}`));
    page.on('dialog', (dialog) => {
      errors.push(`${name}: executed ${dialog.message()}`);
      void dialog.dismiss();
    });
    await page.goto(`${site.url}?name=${name}`);
    // What the page threw says more than that nothing came.
    await page.click('.thread').catch((error: unknown) => {
      throw new Error(`the page does not show: ${errors.join()}`, { cause: error });
    });
    return { page, context };
  }

  const say = async (page: Page, text: string): Promise<void> => {
    await page.fill('.composer textarea', text);
    await page.press('.composer textarea', 'Enter');
  };
  const shows = (page: Page, text: string) => page.getByText(text, { exact: true }).first().waitFor();
  const textsOf = (page: Page): Promise<string[]> =>
    page.locator('article .text').evaluateAll((rows) => rows.map(({ textContent }) => textContent ?? ''));

  it('edits offline on both sides, reloads offline, comes back, and shows the same', async () => {
    const [ada, grace] = await Promise.all([join_('Ada'), join_('Grace')]);
    await say(ada.page, 'hello');
    await shows(grace.page, 'hello');
    // Once more with a server, so that the page itself is kept.
    await ada.page.waitForFunction(() => navigator.serviceWorker.controller !== null);
    await ada.page.reload();
    await shows(ada.page, 'hello');
    await ada.page.getByLabel('Work offline').check();
    await say(ada.page, 'ada, offline');
    await say(grace.page, 'grace, meanwhile');
    await ada.page.getByText('saved on this device').waitFor();
    await ada.context.setOffline(true);
    await ada.page.reload();
    await shows(ada.page, 'ada, offline');
    expect(await textsOf(ada.page)).not.toContain('grace, meanwhile\n');
    await ada.context.setOffline(false);
    await ada.page.getByLabel('Work offline').uncheck();
    await shows(ada.page, 'grace, meanwhile');
    await shows(grace.page, 'ada, offline');
    await expect.poll(() => textsOf(ada.page), { timeout: PATIENCE_MS }).toEqual(await textsOf(grace.page));
    await Promise.all([ada.context.close(), grace.context.close()]);
  });

  it('streams an answer, which the other browser stops, and keeps what was said', async () => {
    const [ada, grace] = await Promise.all([join_('Ada'), join_('Grace')]);
    await say(ada.page, '@echo something long');
    await grace.page.locator('.caret').waitFor();
    await grace.page.getByRole('button', { name: 'Stop', exact: true }).click();
    await ada.page.getByText('This answer was stopped.').waitFor();
    const answer = (await textsOf(ada.page)).at(-1) ?? '';
    expect(answer).toContain('You said');
    expect(answer).not.toContain('word number 12');
    await ada.page.reload();
    await ada.page.getByText('This answer was stopped.').waitFor();
    await expect.poll(async () => (await textsOf(ada.page)).at(-1), { timeout: PATIENCE_MS }).toBe(answer);
    await Promise.all([ada.context.close(), grace.context.close()]);
  });

  it('executes nothing of what anybody writes', async () => {
    const { page, context } = await join_('Mallory');
    const attacks = [
      '<img src=x onerror="alert(1)">',
      '<script>alert(2)</script>',
      '[link](javascript:alert(3))',
      '<svg onload="alert(4)"><a href="javascript:alert(5)">x</a></svg>',
      '<iframe srcdoc="<script>alert(6)</script>"></iframe>',
      '<form action="javascript:alert(7)"><button id="b">go</button></form>',
      '<style>* { display: none }</style>',
    ];
    for (const attack of attacks) await say(page, attack);
    await say(page, 'after the attacks');
    await shows(page, 'after the attacks');
    const left = await page
      .locator('.text')
      .evaluateAll(
        (rows) =>
          rows.flatMap((row) => [
            ...row.querySelectorAll('img,script,iframe,style,form,svg,[onerror],[onload]'),
          ]).length,
      );
    expect(left).toBe(0);
    const links = await page
      .locator('.text a')
      .evaluateAll((all) => all.map((link) => link.getAttribute('href')));
    expect(links.filter((href) => href?.startsWith('javascript:'))).toEqual([]);
    await context.close();
  });

  it('brings in an old chat with a report, edits, replies, reacts, and finds every rule held', async () => {
    const { page, context } = await join_('Ada');
    const chat = fileURLToPath(new URL('../../demo/fixtures/mixed-generations.chat', import.meta.url));
    const rows = readFileSync(chat, 'utf8').trim().split('\n').length;
    await page.locator('input[type=file]').setInputFiles(chat);
    await page.getByText(`${rows} rows`).waitFor();
    expect(await page.locator('footer').textContent()).toContain('none lost');
    await say(page, 'first words');
    const own = page.locator('article.own').last();
    await own.getByText('first words').waitFor();
    await own.getByRole('button', { name: 'Edit' }).click();
    await own.getByLabel('New text').fill('better words');
    await own.getByRole('button', { name: 'Save' }).click();
    await own.getByText('edited').waitFor();
    await own.getByRole('button', { name: 'React with 👍' }).click();
    await own.locator('.reaction.set').waitFor();
    await own.getByRole('button', { name: 'Reply' }).click();
    await say(page, 'a reply');
    await page.locator('article blockquote').last().waitFor();
    await page.getByText('More').click();
    await page.getByRole('button', { name: 'Check the document' }).click();
    await page.locator('.integrity li, .integrity [role=status]').first().waitFor();
    expect(await page.locator('.integrity').textContent()).not.toMatch(/IN(5|6|15|20|29)/);
    await context.close();
  });

  it('is below 250 kB compressed at its first load', () => {
    const html = readFileSync(join(pages, 'index.html'), 'utf8');
    const files = [...html.matchAll(/(?:src|href)="\.\/(assets\/[^"]+)"/g)].map(([, name]) => name ?? '');
    const sizes = files.map((name) => gzipSync(readFileSync(join(pages, name))).length);
    expect(sizes.length).toBeGreaterThan(1);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(250_000);
  });

  it('has thrown nothing in all this', () => {
    expect(errors).toEqual([]);
  });
});
