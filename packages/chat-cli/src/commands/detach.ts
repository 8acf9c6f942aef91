import { relative, resolve } from 'node:path';
import { SCHEMA_VERSION, systemEnvironment } from '@chatdoc/schema';
import { formatUlid } from '@chatdoc/schema/internal';
import { encodeFrame, readDocument } from '@chatdoc/sync';
import { nodeFileEnvironment, replaceFile } from '@chatdoc/sync/file';
import * as Y from 'yjs';
import { type ExitCode, exitCodeOf } from '../exit-codes.js';
import { colorsFor, type Io, writeTo } from '../io.js';
import { nameFile, reportFailure } from '../say/failure.js';
import { fitHelp } from '../say/help.js';
import { describeFileFault } from '../sources/document-faults.js';
import { describeOther } from '../sources/open-document.js';
import { type Failure, readSource } from '../sources/read-source.js';
import type { CommandSetting } from './setting.js';

/** Adds `chatdoc detach`. */
export function addDetach({ program, io, finish }: CommandSetting): void {
  program
    .command('detach')
    .summary('make copies documents of their own')
    .description(
      'Makes a copy of a document a document of its own: it gets an id of its own, and holds the same chat. Without that a server takes the copy and what it was copied from for one document, and shows one of the two.',
    )
    .argument('<COPY...>', 'copies of documents (.ychat)')
    .showHelpAfterError('Run chatdoc detach --help to see how it is used.')
    .addHelpText('after', () =>
      fitHelp(
        `
What is written in it from then on is its own. chatdoc merge can still bring
that back to the document that it was copied from.

Example:
  $ chatdoc detach "team copy.ychat"

Exit codes:
  0  every copy is a document of its own
  1  some of them could not be made one
  2  none was: wrong usage, or none of the files could be; all are as they were`,
        io,
      ),
    )
    .action(async (files: string[]) => finish(await detachFiles(files, io)));
}

async function detachFiles(files: readonly string[], io: Io): Promise<ExitCode> {
  let done = 0;
  for (const file of files) {
    const detached = await detachFile(file, io);
    if (!detached.ok) {
      await reportFailure(file, detached, io);
      continue;
    }
    done += 1;
    const name = colorsFor(io.stdout, io.env).bold(nameFile(relative(io.cwd, resolve(io.cwd, file))));
    await writeTo(io.stdout, `${name}: a document of its own, ${detached.doc_id}\n`);
  }
  return exitCodeOf(done, files.length - done);
}

async function detachFile(
  file: string,
  io: Io,
): Promise<{ readonly ok: true; readonly doc_id: string } | Failure> {
  const source = await readSource(file, io);
  if (!source.ok) return source;
  const { bytes } = source;
  const read = readDocument(bytes);
  if (!read.ok) return read.code === 'not_a_document' ? describeOther(bytes) : describeFileFault(read);
  const { doc, chat, generation, report } = read;
  chat.close();
  if (report.damaged_bytes + report.gaps + report.torn_bytes > 0)
    return describeFileFault({ code: 'read_only' });
  const doc_id = formatUlid(io.now(), systemEnvironment.random(10));
  const payload = Y.encodeStateAsUpdate(doc);
  const own = encodeFrame({ kind: 'snapshot', doc_id, generation, min_reader: SCHEMA_VERSION, payload });
  const isAsRead = (present: Uint8Array): boolean => Buffer.compare(present, bytes) === 0;
  const replaced = await replaceFile(resolve(io.cwd, file), own, isAsRead, nodeFileEnvironment);
  return replaced.ok ? { ok: true, doc_id } : describeFileFault(replaced);
}
