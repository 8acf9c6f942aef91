import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));

it('a turn, a stop from the other process, kill -9, recovery and continue', () => {
  const args = ['--conditions=@chatdoc/source', '--import', 'tsx', 'src/main.ts'];
  const { stdout, stderr, status } = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' });
  expect(stderr).toBe('');
  expect(stdout.split('\n')).toEqual([
    'A turn: ada asks backend one, which runs the agent.',
    '  two shows: 1 2 3 4 5 (stop, run by one)',
    'A stop: one runs, two stops it.',
    '  one shows: stopped, the thread is complete, its text is kept: true',
    'A crash: one is killed with SIGKILL in mid-turn.',
    '  two shows: interrupted, its text is kept: true',
    'Continue: ada asks two to go on.',
    '  two shows: every number from 1 to 60, once (run by two)',
    'Restart: one comes back from its own file.',
    '  both hold the same: true',
    '',
  ]);
  expect(status).toBe(0);
}, 180_000);
