import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Backends } from './backends.js';
import type { View } from './wire.js';

/**
 * Two backends at one document file, and an agent that counts: a turn, a stop from the other process, kill -9 of the
 * runner, recovery and continue.
 */

const folder = mkdtempSync(join(tmpdir(), 'chatdoc-agent-'));
const backends = new Backends(join(folder, 'team.ychat'));
const say = (line: string): void => console.log(line);

/** `1 2 3 … 38`, if that is what the text says. */
function shorten(text: string): string {
  const last = Number(text.split(' ').at(-1));
  const whole = Array.from({ length: last }, (_, at) => at + 1).join(' ');
  return text === whole && last > 5 ? `1 2 3 … ${last}` : text;
}

const hasBegun =
  (asked: string) =>
  ({ question, state, text }: View): boolean =>
    question === asked && state === 'running' && text.length > 20;

try {
  say('Two backends, each a process, have one document file open.');
  const one = await backends.start('one');
  const two = await backends.start('two');

  say('A turn: ada asks backend one to count to 5.');
  one.send({ type: 'ask', content: 'Count to 5.' });
  const whole = await two.until('the answer', ({ state, text }) => state === 'complete' && text !== '');
  say(`  two shows: ${whole.text} (${whole.state}, run by ${whole.runner})`);

  say('A stop: one counts to 100000, two stops it.');
  one.send({ type: 'ask', content: 'Count to 100000.' });
  await two.until('some text', hasBegun('Count to 100000.'));
  two.send({ type: 'stop' });
  const stopped = await one.until('the stop', ({ finish_reason }) => finish_reason === 'stopped');
  say(`  one shows: ${shorten(stopped.text)} (${stopped.finish_reason}, the thread is ${stopped.state})`);

  say('A crash: one counts to 60, and is killed with SIGKILL in the middle.');
  one.send({ type: 'ask', content: 'Count to 60.' });
  await two.until('some text', hasBegun('Count to 60.'));
  await backends.kill(one);
  const gone = await two.until('that the runner is gone', ({ state }) => state === 'interrupted');
  say(`  two shows: ${shorten(gone.text)} (${gone.state}: nobody runs it any more)`);

  say('Continue: ada asks two to go on.');
  two.send({ type: 'continue' });
  const done = await two.until('the end', ({ state, text }) => state === 'complete' && text !== '');
  say(`  two shows: ${shorten(done.text)} (${done.state}, run by ${done.runner})`);

  say('A restart: one opens the file again.');
  const again = await backends.start('one');
  const same = await again.until('the same', ({ digest }) => digest === two.view.digest);
  say(`  one shows: ${shorten(same.text)} (${same.state}), and the digests of both are equal`);
} finally {
  await backends.end();
  rmSync(folder, { recursive: true, force: true });
}
