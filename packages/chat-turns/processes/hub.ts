import { setTimeout as sleep } from 'node:timers/promises';
import { type Served, serveFolder } from '@chatdoc/sync/server';
import { onOrder, tell } from './wire.js';

/** The served folder: `hub.ts FOLDER PORT`. */
const [, , directory = '', port = '0'] = process.argv;

const serve = (): Promise<Served> => serveFolder({ directory, port: Number(port) });
let served = await serve();
// The one before was killed: the system may need a moment to notice.
for (let tries = 0; !served.ok && tries < 50; tries += 1) {
  await sleep(100);
  served = await serve();
}
if (!served.ok) throw new Error(served.code);
const { server } = served;
onOrder(({ type }) => {
  if (type === 'close') void server.close().then(() => process.exit());
});
tell({ type: 'ready' });
