import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import {
  type Application,
  createFramedProvider,
  frameStorage,
  proveGuarantees,
  syncProvider,
} from '@chatdoc/integrity/testing';
import { describe, expect, it } from 'vitest';
import { type Board, HastyBoard, MendedBoard } from '../src/board.js';
import { boardApplication } from '../src/board-application.js';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url));

describe('the board', () => {
  it('is found to lose cards and comments, in the shortest run that shows it; the mended one is not', () => {
    const argv = ['--conditions=@chatdoc/source', '--import', 'tsx', MAIN];
    const printed = execFileSync(process.execPath, argv, { cwd: ROOT, encoding: 'utf8' });
    const [hasty = '', mended = ''] = printed.split('MendedBoard\n');
    expect(hasty).toMatch(/keeps what it acknowledged +BROKEN \(seed \d+, path [\d:]+, [1-9] steps\)/);
    expect(hasty).toContain('acknowledged it, and it is gone: ');
    expect(hasty).toMatch(/converges +held/);
    expect(mended).not.toContain('BROKEN');
    expect(mended.match(/held \(40 runs\)/g)).toHaveLength(10);
  });

  it('loses one of two comments at once, also where no two cards are made in one moment', async () => {
    const application: Application<Board> = {
      ...boardApplication(HastyBoard),
      open: ({ doc, environment }) => {
        const now = (): number => environment.random(6).reduce((sum, byte) => sum * 256 + byte, 0);
        return new HastyBoard(doc, { ...environment, now });
      },
    };
    const report = await proveGuarantees({
      application,
      provider: createFramedProvider({ others: ['cards'] }),
      guarantees: ['keeps what it acknowledged'],
      runs: 60,
      steps: 40,
    });
    expect(report.guarantees[0]?.broken?.trace.difference).toMatch(/it is gone: on \d+: Comment \d+$/);
  });

  it('is reported over a bare provider however well it is written', async () => {
    const application = boardApplication(MendedBoard);
    const report = await proveGuarantees({
      application,
      provider: syncProvider,
      storage: frameStorage,
      guarantees: ['converges', 'refuses damage'],
      runs: 60,
      steps: 60,
    });
    expect(report.guarantees.map(({ held }) => held)).toEqual([true, false]);
  });
});
