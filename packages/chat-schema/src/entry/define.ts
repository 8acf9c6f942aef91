import { type Field, group, literal } from './field.js';

/** The role of an id where a line mentions it. One string may name a thread here and a message there. */
export const ROLE = { none: 0, thread: 1, message: 2, attempt: 3 } as const;
export type Role = (typeof ROLE)[keyof typeof ROLE];

/** Keys whose id names the subject of a line. */
type SubjectKey = 'thread_id' | 'message_id' | 'attempt';

/** The ids at the front of a line, in the order in which they are written. */
interface HeadShape {
  /** Key of the entry's own id. */
  readonly own: string;
  /** `self`: the entry is about its own id. Else the first of these keys that follows the own id; none: the document. */
  readonly about: 'self' | readonly SubjectKey[];
  /** Role of an own id that the entry is about. */
  readonly role?: Role;
  /** The subject may be left out. */
  readonly optional?: boolean;
}

interface Shape<T> {
  readonly head: HeadShape;
  /** Keys that are written sorted, among those of a later version, behind the other fields. */
  readonly unordered?: readonly (keyof T & string)[];
  /** The key that names the author. */
  readonly author?: keyof T & string;
  /**
   * Keys of what somebody wrote, which the redaction of the message that it is about takes. A type without them
   * holds nothing private.
   */
  readonly private?: readonly (keyof T & string)[];
  /** A text of an unordered type that a redaction leaves, by key. */
  readonly kept?: readonly (keyof T & string)[];
  /** Of entries that are folded by last writer: what each of them sets. One shows for each of these names. */
  readonly sets?: (entry: Partial<T>) => readonly string[];
}

/** All that the library knows of one entry type. */
export interface EntryDefinition<T extends { readonly type: string }> extends Shape<T> {
  readonly type: T['type'];
  /** Keys in the order in which they are written, `type` left out. */
  readonly keys: readonly string[];
  readonly fields: Readonly<Record<string, Field<unknown>>>;
  /** A body of the type: its fields, and any keys of a later version. */
  readonly body: Field<object>;
}

type FieldsOf<T> = { readonly [K in Exclude<keyof T, 'type'>]-?: Field<T[K]> };

/** `never` for a field whose declaration and type are not the same. */
type Tied<T, F> = {
  readonly [K in keyof F]: K extends keyof T
    ? F[K] extends Field<infer V>
      ? [V] extends [T[K]]
        ? [T[K]] extends [V]
          ? F[K]
          : never
        : never
      : never
    : never;
};

/** Ties the fields of an entry type to its interface: a field that is changed in one of them alone does not compile. */
export function defineEntry<T extends { readonly type: string }>(): <F extends FieldsOf<T>>(
  type: T['type'],
  fields: F & Tied<T, F>,
  shape: Shape<T>,
) => EntryDefinition<T> {
  return (type, fields, shape) => {
    const all: Readonly<Record<string, Field<unknown>>> = { type: literal(type), ...fields };
    return { type, keys: Object.keys(fields), fields: all, body: group<object>(all), ...shape };
  };
}
