import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { MigrationPlan } from '@chatdoc/migrate';
import { buildPage, openChatPage } from 'offline-chat/server';

/** Serves the migrated chat with a page that shows it, until Ctrl-C. Everything is in a folder that goes with it. */
export async function showPage({ jsonl }: MigrationPlan, out: (text: string) => void): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'chatdoc-demo-'));
  const pages = join(folder, 'pages');
  out('\nBuilding a page to try it in…\n');
  await buildPage(pages);
  const page = await openChatPage({ directory: join(folder, 'data'), pages, port: 0, jsonl });
  out(`
Open ${page.url}?name=Ada and ${page.url}?name=Grace in two windows.
Work offline in one, write in both, come back; ask @plan something, and stop it from the other.
Ctrl-C ends it.
`);
  await new Promise<void>((resolve) => process.once('SIGINT', resolve));
  await page.close();
  await rm(folder, { recursive: true, force: true });
}
