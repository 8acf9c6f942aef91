import { relative, resolve } from 'node:path';
import { openChatFile } from '@chatdoc/sync/file';
import { type ExitCode, exitCodeOf } from '../exit-codes.js';
import { colorsFor, type Io, writeTo } from '../io.js';
import { nameFile, reportFailure } from '../say/failure.js';
import { fitHelp } from '../say/help.js';
import { countBytes, countNoun } from '../say/nouns.js';
import { describeFileFault } from '../sources/document-faults.js';
import type { Failure } from '../sources/read-source.js';
import type { CommandSetting } from './setting.js';

/** Adds `chatdoc compact`. */
export function addCompact({ program, io, finish }: CommandSetting): void {
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
}

interface Compacted {
  readonly ok: true;
  readonly before: number;
  readonly after: number;
  readonly clients: number;
  readonly dropped: number;
  readonly generation: number;
  /** Where bytes that were no frames are kept. */
  readonly aside: readonly string[];
}

async function compactFiles(files: readonly string[], io: Io): Promise<ExitCode> {
  let done = 0;
  for (const file of files) {
    const result = await compactFile(resolve(io.cwd, file));
    if (!result.ok) {
      await reportFailure(file, result, io);
      continue;
    }
    done += 1;
    await writeTo(io.stdout, describeCompacted(file, result, io));
  }
  return exitCodeOf(done, files.length - done);
}

async function compactFile(path: string): Promise<Compacted | Failure> {
  const opened = await openChatFile(path, { flush: 'manual' });
  if (!opened.ok) return describeFileFault(opened);
  const clients = opened.file.doc.store.clients.size;
  const result = await opened.file.compact();
  if (!result.ok) {
    await opened.file.close();
    return describeFileFault(result);
  }
  const { file, dropped, bytes } = result;
  const closed = await file.close();
  if (!closed.ok) return describeFileFault(closed);
  const { generation, aside } = file;
  return { ok: true, ...bytes, clients, dropped, generation, aside };
}

function describeCompacted(file: string, result: Compacted, io: Io): string {
  const { before, after, clients, dropped, generation, aside } = result;
  const colors = colorsFor(io.stdout, io.env);
  const lines = [
    `${colors.bold(nameFile(file))}: ${countBytes(before)} before, ${countBytes(after)} now`,
    `  ${countNoun(clients, 'writer')} made one, generation ${generation}`,
  ];
  if (dropped > 0) lines.push(`  ${countNoun(dropped, 'superseded entry', 'superseded entries')} left out`);
  for (const path of aside)
    lines.push(`  an unfinished write is kept in ${nameFile(relative(io.cwd, path))}`);
  return `${lines.join('\n')}\n`;
}
