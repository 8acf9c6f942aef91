import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** An ACP agent as if it could only load a session, not resume one: `without-resume.mjs PROGRAM`. */
const child = spawn(process.argv[2], { stdio: ['inherit', 'pipe', 'inherit'] });
createInterface({ input: child.stdout }).on('line', (line) => {
  const changed = line.replace('"resume":{},', '');
  if (line.includes('"agentCapabilities"') && changed === line) throw new Error('it says that otherwise');
  process.stdout.write(`${changed}\n`);
});
child.on('exit', () => process.exit());
