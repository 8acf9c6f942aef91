/** Every code that the library throws or returns. Each is produced by a test. */
export type ChatDocErrorCode =
  | 'closed'
  | 'detached'
  | 'import_conflict'
  | 'import_no_header'
  | 'invalid_argument'
  | 'not_found'
  | 'not_open'
  | 'read_only';

/**
 * A mistake of the caller. `path` names the argument, `message` has what was expected and what came.
 * Chat content is never in a message: ids, paths and types only.
 */
export class ChatDocError extends Error {
  override readonly name = 'ChatDocError';
  readonly code: ChatDocErrorCode;
  readonly path: string;

  constructor(code: ChatDocErrorCode, path: string, message: string, cause?: unknown) {
    super(path === '' ? message : `At ${path}: ${message}`, cause === undefined ? undefined : { cause });
    this.code = code;
    this.path = path;
  }
}

/** How an argument is named in a message: its type, never its content. */
export function describeType(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'number' && !Number.isFinite(value)) return String(value);
  if (typeof value === 'undefined') return 'undefined';
  const name = classOf(value);
  if (name !== undefined) return `a ${name}`;
  return `${typeof value === 'object' ? 'an' : 'a'} ${typeof value}`;
}

/** The class of an object that is not a plain one. */
function classOf(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const prototype = Object.getPrototypeOf(value) as {
    readonly constructor?: { readonly name?: unknown };
  } | null;
  if (prototype === null || Object.getPrototypeOf(prototype) === null) return undefined;
  const name = prototype.constructor?.name;
  return typeof name === 'string' && name !== '' ? name : 'class instance';
}

/** The same, with the length of a string. */
export function describeValue(value: unknown): string {
  return typeof value === 'string' ? `a string of ${value.length} characters` : describeType(value);
}

/** Throws `invalid_argument` unless `value` is an object. */
export function assertObject(value: unknown, path: string): asserts value is object {
  if (typeof value === 'object' && value !== null) return;
  throw new ChatDocError('invalid_argument', path, `expected an object, got ${describeType(value)}`);
}

/** Throws `invalid_argument` for a key that `keys` does not have: what it was meant to say would be lost. */
export function assertKeys(value: object, keys: Readonly<Record<string, true>>, path: string): void {
  for (const key of Object.keys(value)) {
    if (Object.hasOwn(keys, key) || (value as Record<string, unknown>)[key] === undefined) continue;
    const inner = path === '' ? key : `${path}.${key}`;
    throw new ChatDocError(
      'invalid_argument',
      inner,
      `expected one of ${Object.keys(keys).join(', ')}, got another key`,
    );
  }
}

/** Throws `invalid_argument` unless `value` is a string. */
export function assertString(value: unknown, path: string): asserts value is string {
  if (typeof value !== 'string') {
    throw new ChatDocError('invalid_argument', path, `expected a string, got ${describeType(value)}`);
  }
}
