import { existsSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { type BrowserContext, chromium, type Page } from 'playwright-core';
import { build, type Rolldown } from 'vite';
import type { TestPage } from './page.js';

/** Debian's. */
const EXECUTABLE = '/usr/bin/chromium';

/** Of a page in a test, in bytes. */
const ROOM = 24_000_000;

export const hasChromium: boolean = existsSync(EXECUTABLE);

/** Serves the page of `page.ts` on loopback. */
export async function servePage(): Promise<{ readonly url: string; readonly server: Server }> {
  const script = await bundlePage();
  const server = createServer(({ url }, response) => {
    const isScript = url === '/page.js';
    response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html');
    response.end(
      isScript ? script : '<!doctype html><title>test</title><script type="module" src="/page.js"></script>',
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, server };
}

async function bundlePage(): Promise<string> {
  const built = (await build({
    configFile: false,
    root: fileURLToPath(new URL('.', import.meta.url)),
    logLevel: 'silent',
    resolve: { conditions: ['@chatdoc/source', 'module', 'browser'] },
    build: {
      write: false,
      minify: false,
      lib: { entry: fileURLToPath(new URL('page.ts', import.meta.url)), formats: ['es'], fileName: 'page' },
    },
  })) as Rolldown.RolldownOutput[];
  const chunk = built[0]?.output[0];
  if (chunk === undefined) throw new Error('expected a bundle');
  return chunk.code;
}

/** Only what hangs takes so long. */
const PATIENCE_MS = 600_000;

/** A browser with the profile in `folder`, which outlives it. */
export async function launch(folder: string): Promise<BrowserContext> {
  const options = { executablePath: EXECUTABLE, args: ['--no-sandbox'], timeout: PATIENCE_MS };
  const context = await chromium.launchPersistentContext(folder, options);
  context.setDefaultTimeout(PATIENCE_MS);
  return context;
}

export async function openPage(context: BrowserContext, url: string): Promise<Page> {
  const page = await context.newPage();
  const session = await context.newCDPSession(page);
  const { origin } = new URL(url);
  // Set before the first use, so that the browser never sees the room of the whole disk.
  const limitRoom = (isFull: boolean) =>
    session.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: isFull ? 1024 : ROOM });
  await limitRoom(false);
  await page.exposeFunction('limitRoom', limitRoom);
  await page.goto(url);
  await page.waitForFunction('globalThis.page !== undefined');
  return page;
}

/** Calls a function of the page. */
export function call<K extends keyof TestPage>(
  page: Page,
  name: K,
  ...args: Parameters<TestPage[K]>
): Promise<Awaited<ReturnType<TestPage[K]>>> {
  return page.evaluate(
    ([each, given]) => {
      const { page } = globalThis as unknown as { page: Record<string, (...args: unknown[]) => unknown> };
      return page[each as string]?.(...(given as unknown[]));
    },
    [name, args] as const,
  ) as Promise<Awaited<ReturnType<TestPage[K]>>>;
}
