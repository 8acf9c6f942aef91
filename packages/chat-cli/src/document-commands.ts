import type { CommandSetting } from './command-setting.js';
import { compactFiles } from './compact-command.js';
import { fitHelp } from './help-text.js';
import { recoverFiles } from './recover-command.js';
import { type RepairCommandOptions, repairFiles } from './repair-command.js';

/** Commands that tend document files. */
export function addDocumentCommands({ program, io, finish }: CommandSetting): void {
  program
    .command('repair')
    .summary('mend what can be mended safely')
    .description(
      'Appends entries to a document that mend what breaks its rules, where nobody can lose by it: no text is changed, and nothing is deleted. Any number of people may do it at once, and a second run writes nothing. Says how to take each repair back, and why the rest is left.',
    )
    .argument('<DOCUMENT...>', 'documents (.ychat)')
    .option('-n, --dry-run', 'say what would be written, and write nothing')
    .option('-r, --rules <RULES>', 'only these rules, by id or name, with commas between them')
    .showHelpAfterError('Run chatdoc repair --help to see how it is used.')
    .addHelpText('after', () =>
      fitHelp(
        `
A file of which bytes are damaged is for chatdoc recover, and an old chat for
chatdoc migrate.

Examples:
  $ chatdoc repair team.ychat --dry-run
  $ chatdoc repair team.ychat --rules IN1,IN11

Exit codes:
  0  no errors are left; there may be warnings and notes
  1  errors are left, or some of the files could not be repaired
  2  nothing was done: wrong usage, or none of the files could be`,
        io,
      ),
    )
    .action(async (files: string[], options: RepairCommandOptions) =>
      finish(await repairFiles(files, options, io)),
    );

  program
    .command('compact')
    .summary('make documents small')
    .description(
      'Writes the next generation of a document in its place: the same chat, by one writer, without what was redacted or superseded. Programs that have the document open go on: what they have not saved yet is added to it.',
    )
    .argument('<FILE...>', 'documents (.ychat)')
    .showHelpAfterError('Run chatdoc compact --help to see how it is used.')
    .addHelpText('after', () =>
      fitHelp(
        `
Example:
  $ chatdoc compact team.ychat

Exit codes:
  0  every document is compacted
  1  some of them could not be
  2  none was: wrong usage, or none of the files could be; all are as they were`,
        io,
      ),
    )
    .action(async (files: string[]) => finish(await compactFiles(files, io)));

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
