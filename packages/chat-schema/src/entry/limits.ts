/** The schema version that this library writes into the header of each lane, and the greatest it reads. */
export const SCHEMA_VERSION = 2;

/**
 * Sizes beyond which a line is quarantined. Constants of the schema version: a setting would make two replicas
 * read one document differently.
 */
export const LIMITS: { readonly line: number; readonly text: number; readonly depth: number } = {
  /** Code units of one line. */
  line: 4 * 1024 * 1024,
  /** Code units of one text or content. */
  text: 2 * 1024 * 1024,
  /** Nesting of arrays and objects in one line. */
  depth: 32,
};

/** Code units of a name: an id that a host gives, a reason, a state. */
export const MAX_NAME = 4096;
/** Entries that one `replaces` names. */
export const MAX_REPLACES = 4096;
