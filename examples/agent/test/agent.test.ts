import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));

it('a turn, a stop from the other process, kill -9, recovery and continue', () => {
  const args = ['--conditions=@chatdoc/source', '--import', 'tsx', 'src/main.ts'];
  const { stdout, stderr, status } = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' });
  expect(stderr).toBe('');
  expect(stdout.replaceAll(/… \d+ \((?=stopped|interrupted)/g, '… N (').split('\n')).toEqual([
    'Two backends, each a process, have one document file open.',
    'A turn: ada asks backend one to count to 5.',
    '  two shows: 1 2 3 4 5 (complete, run by one)',
    'A stop: one counts to 100000, two stops it.',
    '  one shows: 1 2 3 … N (stopped, the thread is complete)',
    'A crash: one counts to 60, and is killed with SIGKILL in the middle.',
    '  two shows: 1 2 3 … N (interrupted: nobody runs it any more)',
    'Continue: ada asks two to go on.',
    '  two shows: 1 2 3 … 60 (complete, run by two)',
    'A restart: one opens the file again.',
    '  one shows: 1 2 3 … 60 (complete), and the digests of both are equal',
    '',
  ]);
  expect(status).toBe(0);
});
