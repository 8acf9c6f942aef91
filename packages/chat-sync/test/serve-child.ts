import { StepCounter } from '../../../tools/steps.js';
import { serveFolder } from '../src/server/index.js';

/** A server of its own process: `node … serve-child.ts FOLDER`. Says where it is, and what it has done since it was last asked. */
const served = await serveFolder({
  directory: process.argv[2] ?? '',
  port: 0,
  users: { ada: 'ada', eve: 'eve' },
});
if (!served.ok) throw new Error(served.code);
const { host, port } = served.server;
const send = (message: object): void => {
  process.send?.(message);
};
const counter = new StepCounter();
process.on('message', () => {
  globalThis.gc?.();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  send({ steps: counter.take(), held: heapUsed + arrayBuffers });
});
process.on('disconnect', () => process.exit());
send({ url: `ws://${host}:${port}` });
