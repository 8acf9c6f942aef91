import { resolve } from 'node:path';
import { describeLoss, type ExportFormat, exportChat, type LossKind } from '@chatdoc/migrate';
import { EXIT, type ExitCode } from './exit-codes.js';
import { type Io, writeTo } from './io.js';
import { countNoun } from './nouns.js';
import { openSource } from './open-source.js';
import { escapeJson, neutralise } from './plain-text.js';
import { readSource } from './read-source.js';
import { nameFile, reportFailure } from './report-failure.js';
import { writeNewFile } from './write-file.js';

export interface ExportOptions {
  readonly format: ExportFormat;
  readonly out?: string;
  readonly force?: boolean;
}

export async function exportFile(file: string, options: ExportOptions, io: Io): Promise<ExitCode> {
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
