import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { openLegacy } from '@chatdoc/migrate';
import { type ChatFile, openChatFile } from '@chatdoc/sync/file';
import type { Io } from '../io.js';
import { describeFileFault } from './document-faults.js';
import { describePlanFailure, FORMAT_NAMES, isDocument } from './open-source.js';
import { describeReadError, type Failure, fail } from './read-source.js';

export type OpenedDocument = { readonly ok: true; readonly file: ChatFile } | Failure;

/** A document file, to be written to. The caller flushes and closes it. `create`: made if it is not there. */
export async function openDocument(file: string, io: Io, create = false): Promise<OpenedDocument> {
  if (file === '') return fail('missing', 'the name of the file is empty');
  const path = resolve(io.cwd, file);
  const opened = await openChatFile(path, { flush: 'manual', create });
  if (!opened.ok) {
    if (opened.code !== 'not_a_document') return describeFileFault(opened);
    const bytes = await readFile(path).catch(describeReadError);
    return 'ok' in bytes ? bytes : describeOther(bytes);
  }
  if (!opened.file.readOnly) return opened;
  await opened.file.close();
  return describeFileFault({ code: 'read_only' });
}

/** What stands where a document file is needed: what it is, and what to do. */
export function describeOther(bytes: Uint8Array): Failure {
  if (isDocument(bytes)) {
    return fail(
      'text_form',
      'this is the text form of a document; name the document (.ychat) that it was exported from',
    );
  }
  const legacy = openLegacy(bytes);
  if (!legacy.ok) return describePlanFailure(bytes, legacy);
  const { format } = legacy.plan;
  if (format === 'empty') return fail('empty', 'this file is empty; name a document (.ychat)');
  return fail(
    'old_chat',
    `this is an old chat (${FORMAT_NAMES[format]}); run chatdoc migrate first, and name the document that it writes`,
  );
}
