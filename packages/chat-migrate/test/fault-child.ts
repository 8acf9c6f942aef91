import { commitMigration, rollBackMigration } from '../src/commit/index.js';
import { countCalls } from './fault-calls.js';

/**
 * Does one thing with files, and kills itself with SIGKILL before or after the call to the file system of that number.
 * Prints how many calls there were if it gets through.
 */
const [what = '', path = '', number = '0', when = 'before'] = process.argv.slice(2);

const { fileEnvironment, count } = countCalls((call, moment) => {
  if (call === Number(number) && moment === when) process.kill(process.pid, 'SIGKILL');
});
const result =
  what === 'commit'
    ? await commitMigration(path, { fileEnvironment })
    : await rollBackMigration(path, { fileEnvironment });
process.stdout.write(JSON.stringify({ calls: count(), ok: result.ok, code: result.ok ? '' : result.code }));
