import { describeDocumentFault } from './open-source.js';
import { type Failure, fail } from './read-source.js';

/** A fault of a document file, for a person: what is wrong and what to do. */
export function describeFileFault({
  code,
  errno,
}: {
  readonly code: string;
  readonly errno?: string;
}): Failure {
  switch (code) {
    case 'not_found':
      return fail('missing', 'there is no such file; check the name and the folder that you are in');
    case 'directory':
      return fail(code, 'this is a folder; name the document in it, such as FOLDER/NAME.ychat');
    case 'forbidden':
      return fail('unwritable', 'you may not read or write there; ask its owner, or change its permissions');
    case 'disk_full':
      return fail(code, 'the disk is full; make room and run it again: the file is as it was');
    case 'too_many_files':
      return fail(
        code,
        'too many files are open; close some programs and run it again: the file is as it was',
      );
    case 'not_as_written':
      return fail(code, 'what was written did not read back; check the disk: the file is as it was');
    case 'conflict':
      return fail(code, 'another program is rewriting this file; run it again when it is done');
    case 'other_generation':
      return fail(code, 'another program has compacted this file meanwhile; run it again');
    case 'read_only':
      return fail('damaged', 'this document is damaged or of a later version; run chatdoc recover first');
    case 'unreadable':
      return fail(code, 'nothing of this file can be read; restore it from a backup: it was left as it is');
    case 'other_content':
      return fail(code, 'this document holds more than a chat, which would be lost; it was left as it is');
    case 'not_a_document':
    case 'damaged':
    case 'later_version':
      return describeDocumentFault(code);
    default:
      return fail('failed', `the system failed (${errno ?? code}); check the disk: the file is as it was`);
  }
}
