import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import {
  createFramedProvider,
  frameStorage,
  proveGuarantees,
  syncProvider,
} from '@chatdoc/integrity/testing';
import { describe, expect, it } from 'vitest';
import { HastyBoard, MendedBoard } from '../src/board.js';
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

  it('loses one of two cards of one moment, and one of two comments at once', async () => {
    const application = boardApplication(HastyBoard);
    const provider = createFramedProvider({ others: ['cards'] });
    for (const only of ['add', 'comment']) {
      const weights = { add: only === 'add' ? 10 : 1, comment: only === 'add' ? 0 : 30 };
      const report = await proveGuarantees({
        application: { ...application, weights },
        provider,
        guarantees: ['keeps what it acknowledged'],
        runs: 60,
        steps: 40,
      });
      const steps = report.guarantees[0]?.broken?.trace.schedule.steps ?? [];
      expect(steps.at(-1)).toMatchObject({ do: 'command', name: only });
    }
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
