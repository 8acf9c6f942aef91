import { parseArgs } from 'node:util';
import { runProcesses } from './run.js';

/** `npx -y pnpm@10 --filter @chatdoc/turns processes [--seconds 60]` */
const { values } = parseArgs({ options: { seconds: { type: 'string', default: '60' } } });
const { counts, broken } = await runProcesses(Number(values.seconds));
for (const [name, count] of Object.entries(counts))
  console.log(`${name.padEnd(28)}${String(count).padStart(8)}`);
for (const law of broken) console.log(`BROKEN: ${law}`);
if (broken.length > 0) process.exitCode = 1;
