import type { Chat } from '@chatdoc/schema';
import { adoptStale, Door, NO_LIMITS, type ReadDocument, readDocument } from '@chatdoc/sync';
import type { ChatFile } from '@chatdoc/sync/file';
import * as Y from 'yjs';
import { EXIT, type ExitCode, exitCodeOf } from '../exit-codes.js';
import { colorsFor, type Io, writeTo } from '../io.js';
import { nameFile, reportFailure } from '../say/failure.js';
import { fitHelp } from '../say/help.js';
import { countNoun } from '../say/nouns.js';
import { describeFileFault } from '../sources/document-faults.js';
import { describeOther, openDocument } from '../sources/open-document.js';
import { type Failure, fail, readSource } from '../sources/read-source.js';
import type { CommandSetting } from './setting.js';

/** Adds `chatdoc merge`. */
export function addMerge({ program, io, finish }: CommandSetting): void {
  program
    .command('merge')
    .summary('bring copies back')
    .description(
      'Adds to a document what copies of it have more: copies that people or sync programs made, that were detached, or that a server kept because it could not save. Nothing is taken away, the copies stay as they are, and a second run adds nothing.',
    )
    .argument('<DOCUMENT>', 'the document (.ychat) that gets it')
    .argument('<COPY...>', 'copies of it')
    .showHelpAfterError('Run chatdoc merge --help to see how it is used.')
    .addHelpText('after', () =>
      fitHelp(
        `
Example:
  $ chatdoc merge team.ychat "team copy.ychat"

Exit codes:
  0  the document has all that the copies have
  1  some of the copies could not be merged
  2  nothing was merged: wrong usage, or none of the files could be`,
        io,
      ),
    )
    .action(async (file: string, copies: string[]) => finish(await mergeCopies(file, copies, io)));
}

async function mergeCopies(file: string, copies: readonly string[], io: Io): Promise<ExitCode> {
  const opened = await openDocument(file, io);
  if (!opened.ok) return reportFailure(file, opened, io);
  const { file: document } = opened;
  const lines: string[] = [];
  for (const copy of copies) {
    const merged = await mergeCopy(document, copy, io);
    if (!merged.ok) await reportFailure(copy, merged, io);
    else lines.push(merged.line);
  }
  const closed = await document.flush();
  await document.close();
  if (!closed.ok) return reportFailure(file, describeFileFault(closed), io);
  const name = colorsFor(io.stdout, io.env).bold(nameFile(file));
  await writeTo(io.stdout, lines.map((line) => `${name}: ${line}\n`).join(''));
  return lines.length === 0 ? EXIT.nothing : exitCodeOf(lines.length, copies.length - lines.length);
}

async function mergeCopy(
  document: ChatFile,
  copy: string,
  io: Io,
): Promise<{ readonly ok: true; readonly line: string } | Failure> {
  const source = await readSource(copy, io);
  if (!source.ok) return source;
  const read = readDocument(source.bytes);
  if (!read.ok) {
    return read.code === 'not_a_document' ? describeOther(source.bytes) : describeFileFault(read);
  }
  const before = countLines(document.chat);
  const refused = addAll(document, read);
  read.chat.close();
  if (refused !== undefined) return refused;
  const more = countLines(document.chat) - before;
  const line =
    more === 0
      ? `has all of ${nameFile(copy)}`
      : `${countNoun(more, 'entry', 'entries')} of ${nameFile(copy)} added`;
  return { ok: true, line };
}

function addAll(document: ChatFile, read: Extract<ReadDocument, { ok: true }>): Failure | undefined {
  const { chat, doc, doc_id, generation } = read;
  if (doc_id !== document.doc_id && !isRelated(document.chat, chat)) {
    return fail('other_document', 'this is another document, and no copy; it was left out');
  }
  if (doc_id === document.doc_id && generation === document.generation) {
    // Also what stands beside the chat.
    const door = new Door(document.doc, { doc_id, generation, others: 'any', limits: NO_LIMITS });
    const receipt = door.receiveUpdate(Y.encodeStateAsUpdate(doc));
    if (receipt.ok) return undefined;
  } else if (generation > document.generation) {
    return fail(
      'other_generation',
      'this copy was compacted, and the document was not; compact the document first, or merge it into the copy',
    );
  }
  adoptStale(document.chat, chat, generation);
  return undefined;
}

/** A copy that was detached has an id of its own, and threads of both. */
function isRelated(a: Chat, b: Chat): boolean {
  return b.threads().some(({ thread_id }) => a.thread(thread_id) !== undefined);
}

function countLines(chat: Chat): number {
  return chat.toJSONL().split('\n').length;
}
