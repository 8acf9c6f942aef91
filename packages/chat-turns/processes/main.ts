import { parseArgs } from 'node:util';
import { runProcesses } from './run.js';

/** `npx -y pnpm@10 --filter @chatdoc/turns processes [--kills 20]` */
const { values } = parseArgs({ options: { kills: { type: 'string', default: '20' } } });
const { counts, broken } = await runProcesses(Number(values.kills));
const table = Object.entries(counts).map(([name, count]) => `${name.padEnd(28)}${String(count).padStart(8)}`);
const laws = broken.map((law) => `BROKEN: ${law}`);
process.stdout.write(`${[...table, ...laws].join('\n')}\n`);
if (broken.length > 0) process.exitCode = 1;
