import { COST } from '../host/cost.js';
import { ROLE, type Role } from './define.js';
import { DEFINITION_OF_KIND, findDefinition, KIND } from './table.js';
import { isUlidAt, ULID_LENGTH } from './ulid.js';

/**
 * The front of a line: its type and the ids that say what it is about, read at computed offsets without parsing.
 * It alone decides what a line belongs to, so a body can't move it.
 */

/** Offsets of the ids of a line; -1 is none. One object, filled again and again: a head costs no memory. */
export interface Head {
  kind: number;
  /** Own id. */
  own: number;
  /** The id that the line is about: message, thread or attempt; its own for what is about itself. */
  subject: number;
  /** Of a message line: its thread. */
  thread: number;
  /** Of an answer's message line: the attempt. */
  attempt: number;
  subjectRole: Role;
}

export function createHead(): Head {
  return { kind: KIND.none, own: -1, subject: -1, thread: -1, attempt: -1, subjectRole: ROLE.none };
}

const ROLE_OF_KEY = { thread_id: ROLE.thread, message_id: ROLE.message, attempt: ROLE.attempt } as const;

interface HeadForm {
  readonly kind: number;
  readonly prefix: string;
  /** Role of an own id that the line is about; `none` where another id is its subject. */
  readonly self: Role;
  readonly subjects: readonly { readonly separator: string; readonly role: Role }[];
  readonly optional: boolean;
}

const THREAD_SEPARATOR = '","thread_id":"';
const ATTEMPT_SEPARATOR = '","attempt":"';
const PROMPT_SEPARATOR = '","prompt_id":"';
const NUMBER_SEPARATOR = '","n":';
/** How far before an answer's attempt its prompt is. */
export const PROMPT_BEFORE: number = ATTEMPT_SEPARATOR.length + ULID_LENGTH;

// By the tenth code unit of a line, the first of its type: few comparisons.
const FORMS: (HeadForm[] | undefined)[] = [];
for (const [kind, definition] of DEFINITION_OF_KIND.entries()) {
  if (definition === undefined) continue;
  const { type, head } = definition;
  const subjects = head.about === 'self' ? [] : head.about;
  const form = {
    kind,
    prefix: `{"type":"${type}","${head.own}":"`,
    self: head.role ?? ROLE.none,
    subjects: subjects.map((key) => ({ separator: `","${key}":"`, role: ROLE_OF_KEY[key] })),
    optional: head.optional === true,
  };
  const code = type.charCodeAt(0);
  const forms = FORMS[code];
  if (forms === undefined) FORMS[code] = [form];
  else forms.push(form);
}

const START = '{"type":"';
const TYPE_NAME = /[a-z][a-z0-9_]{0,63}"/y;

/**
 * Reads the head of the line that is in `text` from `start` to `end`. Fills `head`; its kind is `bad` where a known
 * type has no whole head, `unknown` for later types. Without `check` ids are found and not looked at: a caller that
 * turns them into refs looks at them there. O(1).
 */
export function readHead(text: string, start: number, end: number, head: Head, check = true): void {
  COST.heads += 1;
  forgetHead(head);
  const forms = FORMS[text.charCodeAt(start + START.length)];
  if (forms !== undefined) {
    for (const form of forms) {
      if (text.startsWith(form.prefix, start)) {
        if (readIds(text, start + form.prefix.length, end, form, head, check)) head.kind = form.kind;
        else forgetHead(head);
        return;
      }
    }
  }
  if (!text.startsWith(START, start)) return;
  TYPE_NAME.lastIndex = start + START.length;
  const match = TYPE_NAME.exec(text);
  if (match === null || TYPE_NAME.lastIndex > end) return;
  if (findDefinition(match[0].slice(0, -1)) === undefined) head.kind = KIND.unknown;
}

/** Makes of a head that of a line that is quarantined. */
export function forgetHead(head: Head): void {
  head.kind = KIND.bad;
  head.own = -1;
  head.subject = -1;
  head.thread = -1;
  head.attempt = -1;
  head.subjectRole = ROLE.none;
}

function readIds(
  text: string,
  own: number,
  end: number,
  form: HeadForm,
  head: Head,
  check: boolean,
): boolean {
  const at = readId(text, own, end, check);
  if (at < 0) return false;
  head.own = own;
  if (form.self === ROLE.none) return readSubject(text, at, end, form, head, check);
  head.subject = own;
  head.subjectRole = form.self;
  if (form.self === ROLE.attempt) return isPartNumber(text, at, end);
  return form.self !== ROLE.message || readMessageIds(text, at, end, head, check);
}

function readSubject(
  text: string,
  at: number,
  end: number,
  form: HeadForm,
  head: Head,
  check: boolean,
): boolean {
  for (const { separator, role } of form.subjects) {
    if (!text.startsWith(separator, at)) continue;
    head.subject = at + separator.length;
    head.subjectRole = role;
    return readId(text, head.subject, end, check) >= 0;
  }
  return form.optional || form.subjects.length === 0;
}

/** The thread; of an answer also its prompt and attempt. */
function readMessageIds(text: string, afterOwn: number, end: number, head: Head, check: boolean): boolean {
  if (!text.startsWith(THREAD_SEPARATOR, afterOwn)) return false;
  head.thread = afterOwn + THREAD_SEPARATOR.length;
  let at = readId(text, head.thread, end, check);
  if (at < 0) return false;
  if (!text.startsWith(PROMPT_SEPARATOR, at)) return true;
  at = readId(text, at + PROMPT_SEPARATOR.length, end, check);
  if (at < 0 || !text.startsWith(ATTEMPT_SEPARATOR, at)) return false;
  head.attempt = at + ATTEMPT_SEPARATOR.length;
  return readId(text, head.attempt, end, check) >= 0;
}

function isPartNumber(text: string, at: number, end: number): boolean {
  const digit = text.charCodeAt(at + NUMBER_SEPARATOR.length);
  return (
    text.startsWith(NUMBER_SEPARATOR, at) && at + NUMBER_SEPARATOR.length < end && digit > 48 && digit <= 57
  );
}

/** The offset of the quote after a canonical ULID at `at`, or -1. Bounded by the end of the line. */
function readId(text: string, at: number, end: number, check: boolean): number {
  const after = at + ULID_LENGTH;
  return after < end && (!check || isUlidAt(text, at)) && text.charCodeAt(after) === 34 ? after : -1;
}

/** The id at an offset of a head. */
export function idAt(line: string, at: number): string {
  return line.substring(at, at + ULID_LENGTH);
}

/** Offset of a part's number, which follows its attempt. */
const NUMBER_AT = '{"type":"part","attempt":"'.length + ULID_LENGTH + NUMBER_SEPARATOR.length;

/** The number of a part line whose head is whole. */
export function readPartNumber(line: string): number {
  return Number.parseInt(line.slice(NUMBER_AT, NUMBER_AT + 16), 10);
}

const own = createHead();

/** Two lines with one key are the same entry. Undefined where the line has no whole head of a known type. */
export function keyOfLine(line: string): string | undefined {
  readHead(line, 0, line.length, own);
  if (own.kind === KIND.bad || own.kind === KIND.unknown || own.own < 0) return undefined;
  const ids = [own.own, own.subject, own.attempt].filter((at) => at >= 0);
  const number = own.kind === KIND.part ? readPartNumber(line) : 0;
  return `${own.kind}:${number}:${ids.map((at) => idAt(line, at)).join(':')}`;
}

/** The lane id that a header line names, by its head. */
export function readLaneId(line: string): string {
  readHead(line, 0, line.length, own);
  return own.kind === KIND.lane ? idAt(line, own.own) : '';
}

const SUBJECT_KEYS: readonly string[] = ['', 'thread_id', 'message_id', 'attempt'];

/**
 * Puts the ids of the head into a parsed body, where a second key of the same name may have changed them. Names the
 * first that differed. Body keys that the head lacks are references, except the four fields of an answer.
 */
export function correctIds(line: string, body: Record<string, unknown>): string | undefined {
  const head = own;
  readHead(line, 0, line.length, head);
  const { kind, own: id, thread, attempt, subject, subjectRole } = head;
  const definition = DEFINITION_OF_KIND[kind];
  if (definition === undefined) return undefined;
  const problem = correct(body, definition.head.own, idAt(line, id));
  if (kind === KIND.part) {
    const wrongNumber = correct(body, 'n', readPartNumber(line));
    return problem ?? wrongNumber;
  }
  if (kind === KIND.message) {
    const problems = [
      problem,
      correct(body, 'thread_id', idAt(line, thread)),
      correct(body, 'attempt', attempt < 0 ? undefined : idAt(line, attempt)),
      correct(body, 'prompt_id', attempt < 0 ? undefined : idAt(line, attempt - PROMPT_BEFORE)),
    ];
    return problems.find((found) => found !== undefined);
  }
  if (subject < 0 || subject === id) return problem;
  return correct(body, SUBJECT_KEYS[subjectRole] as string, idAt(line, subject)) ?? problem;
}

function correct(
  body: Record<string, unknown>,
  key: string,
  value: string | number | undefined,
): string | undefined {
  if (body[key] === value) return undefined;
  if (value === undefined) delete body[key];
  else body[key] = value;
  return `head: ${key}`;
}
