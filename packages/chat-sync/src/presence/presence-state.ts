import { ChatDocError, isUlid } from '@chatdoc/schema';

/** The one field of an awareness state that is ours: cursors and the rest stay the embedder's. */
export const PRESENCE_FIELD = 'chatdoc';
/** Attempts that one process shows at most: 256 of them fit in a state of 16 KiB. */
const MAX_ATTEMPTS = 256;

export interface PresenceUser {
  /** A claim, unless a server binds it. */
  readonly user_id: string;
  readonly name?: string;
  readonly color?: string;
}

export interface PresenceState {
  readonly user: PresenceUser;
  /** Thread in which the user writes. */
  readonly typing: string | null;
  /** Attempts that this process runs, in order. */
  readonly attempts: readonly string[];
}

const MAX_ID = 256;
const MAX_COLOR = 64;

/** What a peer shows, frozen; undefined if it shows nothing that fits. Keys of later versions are left out. */
export function readPresenceState(state: unknown): PresenceState | undefined {
  if (typeof state !== 'object' || state === null || !Object.hasOwn(state, PRESENCE_FIELD)) return undefined;
  const shown = (state as Record<string, unknown>)[PRESENCE_FIELD];
  return findMisfit(shown) === undefined ? freezeState(shown as PresenceState) : undefined;
}

/** The same for our own. Throws `invalid_argument` for what no peer would take. */
export function createPresenceState(state: PresenceState): PresenceState {
  const misfit = findMisfit(state);
  if (misfit === undefined) return freezeState(state);
  throw new ChatDocError('invalid_argument', misfit[0], `expected ${misfit[1]}`);
}

/** The path that does not fit, and what was expected there. */
function findMisfit(state: unknown): readonly [path: string, expected: string] | undefined {
  const { user, typing, attempts } = Object(state) as Readonly<Record<string, unknown>>;
  const { user_id, name, color } = Object(user) as Readonly<Record<string, unknown>>;
  const isText = (value: unknown, most: number): value is string =>
    typeof value === 'string' && value.length <= most;
  if (!isText(user_id, MAX_ID) || user_id === '') return ['user.user_id', `1 to ${MAX_ID} characters`];
  if (name !== undefined && !isText(name, MAX_ID)) return ['user.name', `at most ${MAX_ID} characters`];
  if (color !== undefined && !isText(color, MAX_COLOR))
    return ['user.color', `at most ${MAX_COLOR} characters`];
  if (typing !== null && !isUlid(typing)) return ['typing', 'a ULID, or null'];
  if (!Array.isArray(attempts) || attempts.length > MAX_ATTEMPTS)
    return ['attempts', `a list of at most ${MAX_ATTEMPTS}`];
  const at = attempts.findIndex((attempt) => !isUlid(attempt));
  return at < 0 ? undefined : [`attempts.${at}`, 'a ULID'];
}

function freezeState({ user, typing, attempts }: PresenceState): PresenceState {
  const { user_id, name, color } = user;
  return Object.freeze({
    user: Object.freeze({
      user_id,
      ...(name !== undefined && { name }),
      ...(color !== undefined && { color }),
    }),
    typing,
    attempts: Object.freeze([...new Set(attempts)].sort()),
  });
}
