import type { UpdateRefusalCode } from '../update/refusal.js';
import type { LineRefusalCode } from './lines.js';

/** Why an update was refused. Each is produced by a test. */
export type GateRefusalCode =
  | UpdateRefusalCode
  /** It builds on what the document does not have. */
  | 'gap'
  | LineRefusalCode
  /** Within an observer or an open transaction. */
  | 'busy'
  /** The principal is no longer connected. */
  | 'disconnected'
  /** Written in the name of a clientID that is another's, or that nobody may use again. */
  | 'foreign_client'
  /** The key of a lane is no ULID. */
  | 'key'
  /** The key of a lane is set, or was once. */
  | 'key_taken'
  /** Text in a lane of another clientID. */
  | 'foreign_text'
  /** Text anywhere but at the end of its lane. */
  | 'not_appended'
  /** The first line of a lane is no header of it, or did not come with it. */
  | 'header'
  /** The header names another generation than the document's. */
  | 'generation'
  /** The header names another user than the connection's. */
  | 'user'
  /** The header takes the writer id of somebody else. */
  | 'writer'
  /** Lines of other lanes, of legacy files or about the document, without permission. */
  | 'import'
  /** Another user's entry has this id. */
  | 'id_taken'
  /** A line about an attempt of somebody else's. */
  | 'attempt'
  /** The rule says no to the author that the line names. */
  | 'author'
  /** The rule says no to the redaction. */
  | 'redaction'
  /** A struct whose parent is gone, or that stands for deleted ones. */
  | 'nothing';
