import type { FrameRefusalCode } from './frame.js';

/** Why the bytes of an update were refused, before any document was looked at. */
export type DecodeRefusalCode =
  | 'too_large'
  | 'too_many_structs'
  | 'too_many_clients'
  | 'too_many_deletions'
  | 'clock_jump'
  | 'too_deep'
  | 'unknown_root'
  /** It is not an update, or not all of the bytes are one. */
  | 'malformed';

/** Why an update was refused for what it would do to a document. */
export type InspectRefusalCode =
  /** It builds on what the document does not have: applied, it would wait permanently and may hide records. */
  | 'gap'
  | 'unknown_root'
  /** Content that no lane holds, or a place that does not fit. */
  | 'content'
  | 'too_deep'
  | 'too_many_rivals';

/** Why an update was refused, gaps aside. */
export type UpdateRefusalCode = DecodeRefusalCode | Exclude<InspectRefusalCode, 'gap'>;

/** Why a door refused what came. Whatever the code, nothing of it was applied. */
export type DoorRefusalCode =
  | FrameRefusalCode
  | UpdateRefusalCode
  /** A frame of another document. */
  | 'other_document'
  /** A frame of an older or later generation: see `adoptStale`, and `room`. */
  | 'other_generation'
  /** The frame is a seal: it is about a file, not about a document. */
  | 'not_an_update'
  /** Within an observer or an open transaction: what is applied there is sent before what it answers. */
  | 'busy';

/** Ends the reading of an update that is refused. Never leaves the package. */
export class RefusalError<Code extends string> extends Error {
  readonly code: Code;
  constructor(code: Code) {
    super(code);
    this.code = code;
  }
}

/** Throws a `RefusalError` unless `condition` holds. */
export function refuseUnless<Code extends string>(condition: boolean, code: Code): asserts condition {
  if (!condition) throw new RefusalError(code);
}
