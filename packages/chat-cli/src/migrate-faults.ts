import { open } from 'node:fs/promises';
import type { CommitResult } from '@chatdoc/migrate/file';
import { describeFileFault } from './document-faults.js';
import { describePlanFailure, isDocumentFile } from './open-source.js';
import { type Failure, fail } from './read-source.js';

type CommitFailure = Extract<CommitResult, { ok: false }>;

const ALREADY = fail(
  'already_chatdoc',
  'this is a chatdoc document already: there is nothing to migrate; read it with chatdoc show',
);

/** Enough of a file to see that it is binary. */
const HEAD_BYTES = 65_536;

/** Why a chat was not migrated, for a person. */
export async function describeCommitFault(
  { code, path, message = code }: CommitFailure,
  { output }: { readonly output: string },
  source: string,
): Promise<Failure> {
  switch (code) {
    case 'unknown_format': {
      const head = await readHead(source);
      return isDocumentFile(head) ? ALREADY : describePlanFailure(head, { code, message });
    }
    case 'already_chatdoc':
      return ALREADY;
    case 'too_large':
      return fail(code, 'this file is too large to migrate: the most is 192 MB; split it into several chats');
    case 'ledger_mismatch':
    case 'incomplete':
    case 'invariant':
    case 'not_as_planned':
      return fail(
        code,
        `chatdoc found a fault of its own (${code}) and gave up: the chat is as it was; please report this`,
      );
    case 'other_document':
      return fail(code, `${output} is a document of another chat; name another place with --out`);
    case 'not_a_document':
      return fail(
        code,
        `${output} is there, and is no chatdoc document; it was left as it is: name another place with --out`,
      );
    case 'damaged':
    case 'later_version':
    case 'read_only': {
      const reason = code === 'later_version' ? 'is of a later version of chatdoc' : 'is damaged';
      const advice = code === 'later_version' ? 'update chatdoc' : `run chatdoc recover ${output} first`;
      return fail(code, `its document ${output} ${reason}; ${advice}`);
    }
    case 'bad_record':
      return fail(code, `${output}.migration.json is damaged; restore it, or move it away with the document`);
    case 'backup_damaged':
      return fail(
        code,
        `the copy of this chat beside ${output} (.backup) is not what it should be; move it away and run it again`,
      );
    case 'exists':
    case 'conflict':
    case 'other_generation':
      return fail(code, `another program is writing ${output}; run it again when it is done`);
    case 'disk_full':
      return fail(code, `${output} cannot be written: the disk is full; make room and run it again`);
    case 'not_found':
      return path === source
        ? fail('missing', 'this file has just been removed or renamed; name it again')
        : fail('no_folder', `${output} cannot be written: there is no such folder; create it, or use --out`);
    case 'forbidden':
      return path === source
        ? fail('unreadable', 'you may not read this file; ask its owner, or change its permissions')
        : fail(
            'unwritable',
            `${output} cannot be written: you may not write there; use --out for another place`,
          );
    case 'directory':
      return fail(code, `${output} is a folder; name another place with --out`);
    default:
      return describeFileFault({ code });
  }
}

/** Empty if it is gone meanwhile. */
async function readHead(path: string): Promise<Uint8Array> {
  const handle = await open(path, 'r').catch(() => undefined);
  if (handle === undefined) return new Uint8Array(0);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}
