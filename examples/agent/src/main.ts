import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Backends } from './backends.js';
import type { View } from './wire.js';

/** A turn, a stop from the other process, kill -9 of the runner, recovery and continue. */

const folder = mkdtempSync(join(tmpdir(), 'chatdoc-agent-'));
const backends = new Backends(folder);
const say = (line: string): void => console.log(line);
const countTo = (last: number): string => Array.from({ length: last }, (_, at) => at + 1).join(' ');
const hasBegun =
  (asked: string) =>
  ({ question, state, text }: View): boolean =>
    question === asked && state === 'running' && text.length > 20;

try {
  const one = await backends.start('one');
  const two = await backends.start('two');

  say('A turn: ada asks backend one, which runs the agent.');
  one.send({ type: 'ask', content: 'Count to 5.' });
  const whole = await two.until('the answer', ({ state, text }) => state === 'complete' && text !== '');
  say(`  two shows: ${whole.text} (${whole.finish_reason}, run by ${whole.runner})`);

  say('A stop: one runs, two stops it.');
  one.send({ type: 'ask', content: 'Count to 100000.' });
  await two.until('some text', hasBegun('Count to 100000.'));
  two.send({ type: 'stop' });
  const stopped = await one.until('the stop', ({ finish_reason }) => finish_reason === 'stopped');
  const isKept = stopped.text.length > 20 && countTo(10_000).startsWith(stopped.text);
  say(`  one shows: ${stopped.finish_reason}, the thread is ${stopped.state}, its text is kept: ${isKept}`);

  say('A crash: one is killed with SIGKILL in mid-turn.');
  one.send({ type: 'ask', content: 'Count to 60.' });
  await two.until('some text', hasBegun('Count to 60.'));
  await backends.kill(one);
  const gone = await two.until('that the runner is gone', ({ state }) => state === 'interrupted');
  say(
    `  two shows: ${gone.state}, its text is kept: ${countTo(60).startsWith(gone.text) && gone.text !== ''}`,
  );

  say('Continue: ada asks two to go on.');
  two.send({ type: 'continue' });
  const done = await two.until('the end', ({ state, text }) => state === 'complete' && text !== '');
  say(
    `  two shows: ${done.text === countTo(60) ? 'every number from 1 to 60, once' : done.text} (run by ${done.runner})`,
  );

  say('Restart: one comes back from its own file.');
  const again = await backends.start('one');
  const { digest } = await again.until('the same', (view) => view.digest === two.view.digest);
  say(`  both hold the same: ${digest === two.view.digest}`);
} finally {
  await backends.end();
  rmSync(folder, { recursive: true, force: true });
}
