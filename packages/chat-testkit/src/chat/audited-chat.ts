import { type Application, type ChatState, chatApplication } from '@chatdoc/integrity/testing';
import { findDifference } from '../../../chat-integrity/src/testing/simulation/canonical.js';
import { runOracle } from '../oracle/oracle.js';
import { extractTexts } from '../oracle/oracle-lines.js';
import { canonicalRecords, probeChat, readEverything } from '../oracle/read-everything.js';
import { hostilePeer, newerClient, olderClient } from './chat-strangers.js';

/** Cases of strangers that enough runs must come across. */
const STRANGER_MARKS: readonly string[] = [
  'hostile: a cycle of replies',
  'hostile: a deletion in a lane',
  'hostile: a forged answer',
  'hostile: a lane was deleted',
  'hostile: a lane without a header',
  'hostile: a line without an end',
  'hostile: a redaction by a stranger',
  'hostile: a reserved key',
  'hostile: a stop of everything',
  'hostile: an id of the far future',
  'hostile: fields of the wrong type',
  'hostile: foreign text',
  'hostile: lines that are not JSON',
  'hostile: parts of another writer',
  'hostile: values that are not lanes',
  'newer: a lane that must not be read',
  'newer: types of a later schema',
];

/** Cases of `frameStorage` and `framedProvider` that enough runs must come across. */
export const FRAME_MARKS: readonly string[] = [
  'a torn tail was cut off',
  'a frame was refused: checksum',
  'a frame was refused: no_frame',
  'a frame was refused: truncated',
  'a frame of an older generation was refused',
  'a frame of a later generation was refused',
  'a gap was seen',
  'an update was applied',
  'an update was duplicate',
  'an update was refused: unknown_root',
];

/** The chat application beside strangers, its records compared with those of the oracle at each audit. */
export function auditedChat(): Application<ChatState> {
  const application = chatApplication();
  return {
    ...application,
    detail: ({ chat }) => readEverything(chat, probeChat(chat)),
    audit: (state) => findOracleDifference(state) ?? application.audit?.(state),
    marks: [...(application.marks ?? []), ...STRANGER_MARKS],
    strangers: { older: olderClient, newer: newerClient, hostile: hostilePeer },
  };
}

/** Where the chat and the fold that is written from the SPEC differ. Reads everything twice. */
function findOracleDifference({ chat, seat }: ChatState): string | undefined {
  const oracle = runOracle(extractTexts(seat.doc));
  const records = findDifference(
    canonicalRecords(readEverything(chat, oracle.probe)),
    canonicalRecords(oracle.everything),
  );
  if (records !== undefined) return `[FD1] the chat and the oracle: ${records}`;
  const digests = findDifference(JSON.stringify(chat.digest()), JSON.stringify(oracle.digest));
  return digests === undefined ? undefined : `[DG1] the digest and that of the oracle: ${digests}`;
}
