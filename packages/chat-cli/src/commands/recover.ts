import { relative, resolve } from 'node:path';
import { type Recovered, recoverChatFile } from '@chatdoc/sync/file';
import { type ExitCode, exitCodeOf } from '../exit-codes.js';
import { colorsFor, type Io, writeTo } from '../io.js';
import { nameFile, reportFailure } from '../say/failure.js';
import { fitHelp } from '../say/help.js';
import { countBytes, countNoun } from '../say/nouns.js';
import { describeFileFault } from '../sources/document-faults.js';
import type { CommandSetting } from './setting.js';

/** Adds `chatdoc recover`. */
export function addRecover({ program, io, finish }: CommandSetting): void {
  program
    .command('recover')
    .summary('save what a damaged document holds')
    .description(
      'Writes all that can be read of a damaged document in its place. The damaged file is kept beside it as NAME.ychat.damaged-1. A document that is whole is left as it is.',
    )
    .argument('<FILE...>', 'documents (.ychat)')
    .showHelpAfterError('Run chatdoc recover --help to see how it is used.')
    .addHelpText('after', () =>
      fitHelp(
        `
Example:
  $ chatdoc recover team.ychat

Exit codes:
  0  every document is recovered, or was whole
  1  some of them could not be
  2  none was: wrong usage, or none of the files could be; all are as they were`,
        io,
      ),
    )
    .action(async (files: string[]) => finish(await recoverFiles(files, io)));
}

async function recoverFiles(files: readonly string[], io: Io): Promise<ExitCode> {
  let done = 0;
  for (const file of files) {
    const recovered = await recoverChatFile(resolve(io.cwd, file));
    if (!recovered.ok) {
      await reportFailure(file, describeFileFault(recovered), io);
      continue;
    }
    done += 1;
    await writeTo(io.stdout, describeRecovered(file, recovered, io));
  }
  return exitCodeOf(done, files.length - done);
}

function describeRecovered(file: string, recovered: Extract<Recovered, { ok: true }>, io: Io): string {
  const { found, unverified_lines, aside } = recovered;
  const colors = colorsFor(io.stdout, io.env);
  const name = colors.bold(nameFile(file));
  if (aside === undefined) return `${name}: whole, left as it is\n`;
  const lines = [`${name}: recovered ${countNoun(found.frames, 'frame')}`];
  if (found.torn_bytes > 0) lines.push(`  ${countBytes(found.torn_bytes)} of a write that did not finish`);
  if (found.damaged_bytes > 0) lines.push(`  ${countBytes(found.damaged_bytes)} damaged`);
  if (unverified_lines > 0) {
    lines.push(
      `  ${countNoun(unverified_lines, 'entry', 'entries')} read out of damaged frames: they may hold wrong letters`,
    );
  }
  if (found.gaps > 0) lines.push(`  ${countNoun(found.gaps, 'frame')} lost: they build on what is damaged`);
  if (found.strangers > 0)
    lines.push(`  ${countNoun(found.strangers, 'frame')} of another document left out`);
  lines.push(`  the damaged file is kept as ${nameFile(relative(io.cwd, aside))}`);
  return `${lines.join('\n')}\n`;
}
