import { resolve } from 'node:path';
import { describeLoss, EXPORT_FORMATS, type ExportFormat, exportChat, type LossKind } from '@chatdoc/migrate';
import { Option } from 'commander';
import { EXIT, type ExitCode } from '../exit-codes.js';
import { type Io, writeTo } from '../io.js';
import { nameFile, reportFailure } from '../say/failure.js';
import { FILES, fitHelp } from '../say/help.js';
import { countNoun } from '../say/nouns.js';
import { escapeJson, neutralise } from '../say/plain-text.js';
import { openSource } from '../sources/open-source.js';
import { readSource } from '../sources/read-source.js';
import { writeNewFile } from '../sources/write-file.js';
import type { CommandSetting } from './setting.js';

/** Adds `chatdoc export`. */
export function addExport({ program, io, finish }: CommandSetting): void {
  program
    .command('export')
    .summary('write a chat in another format')
    .description(
      'Writes a chat as a file of another format: jsonl, the text form of a document; cocalc and jupyter, which their programs read; or markdown, for people. What the format has no place for is counted on standard error.',
    )
    .argument('<FILE>', 'a document or an old chat; - reads standard input')
    .addOption(new Option('--format <FORMAT>', 'what to write').choices(EXPORT_FORMATS).makeOptionMandatory())
    .option('-o, --out <FILE>', 'write to this file, not to standard output')
    .option('-f, --force', 'replace a file that exists')
    .showHelpAfterError('Run chatdoc export --help to see how it is used.')
    .addHelpText('after', () =>
      fitHelp(
        `
${FILES}

Examples:
  $ chatdoc export team.ychat --format markdown | less
  $ chatdoc export team.ychat --format cocalc --out team.chat

Exit codes:
  0  the chat was written
  2  nothing was written: wrong usage, or the file could not be read`,
        io,
      ),
    )
    .action(async (file: string, options: ExportOptions) => finish(await exportFile(file, options, io)));
}

interface ExportOptions {
  readonly format: ExportFormat;
  readonly out?: string;
  readonly force?: boolean;
}

async function exportFile(file: string, options: ExportOptions, io: Io): Promise<ExitCode> {
  const { format, out, force = false } = options;
  const source = await readSource(file, io);
  if (!source.ok) return reportFailure(file, source, io);
  const opened = openSource(source.bytes);
  if (!opened.ok) return reportFailure(file, opened, io);
  const { chat, notes } = opened;
  const text = exportChat(chat, format);
  if (out === undefined) await writeTo(io.stdout, io.stdout.isTTY === true ? makeSafe(text, format) : text);
  else {
    const written = await writeNewFile(resolve(io.cwd, out), text, force);
    if (!written.ok) return reportFailure('--out', written, io);
  }
  const losses = describeLoss(chat, format).map(({ kind, count }) => countNoun(count, ...LOSSES[kind]));
  const lost = losses.length === 0 ? [] : [`${format} has no place for ${losses.join(', ')}`];
  for (const note of [...notes, ...lost]) {
    await writeTo(io.stderr, `chatdoc: ${nameFile(file)}: ${note}\n`);
  }
  return EXIT.ok;
}

/** For a terminal; files and pipes get what it is. */
function makeSafe(text: string, format: ExportFormat): string {
  return format === 'markdown' ? neutralise(text) : escapeJson(text);
}

const LOSSES: Readonly<Record<LossKind, readonly [string, string?]>> = {
  alternates: ['other answer', 'other answers'],
  annotations: ['reaction or mark', 'reactions and marks'],
  attachments: ['attachment'],
  errors: ['error of an answer', 'errors of answers'],
  forks: ['fork'],
  other_parts: ['part of another kind', 'parts of other kinds'],
  reasoning: ['reasoning', 'reasonings'],
  redactions: ['redaction'],
  replies: ['reply to a reply', 'replies to replies'],
  settings: ['setting'],
  set_aside: ['row or column that was kept aside', 'rows or columns that were kept aside'],
  slots: ['thread of a slot', 'threads of slots'],
  states: ['state of a thread', 'states of threads'],
  threads: ['further thread'],
  tool_calls: ['tool call'],
  unfinished: ['unfinished answer'],
  variables: ['set of variables', 'sets of variables'],
  versions: ['earlier version'],
};
