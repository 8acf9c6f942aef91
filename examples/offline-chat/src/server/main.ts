import { fileURLToPath } from 'node:url';
import { buildPage } from './build-page.js';
import { openChatPage } from './chat-page.js';

/** `pnpm start [PORT]`: builds the page, serves it, and keeps the document in `data/`. */

const folder = (name: string): string => fileURLToPath(new URL(`../../${name}`, import.meta.url));
const port = Number(process.argv[2] ?? 4173);

process.stdout.write('Building the page…\n');
await buildPage(folder('dist'));
const page = await openChatPage({ directory: folder('data'), pages: folder('dist'), port });
process.stdout.write(`
Open ${page.url} in two browsers, or as ${page.url}?name=Ada and ${page.url}?name=Grace.
Ask @plan something, stop it from the other one; work offline in one, write in both, come back.
Ctrl-C ends it. The document is data/team.ychat.
`);
process.once('SIGINT', () => {
  void page.close().then(() => process.exit());
});
