import { ChatDocError, isUlid } from '@chatdoc/schema';
import { z } from 'zod';

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

const ulid = z.string().refine(isUlid, 'expected a ULID');
const stateSchema = z.object({
  user: z.object({
    user_id: z.string().min(1).max(256),
    name: z.string().max(256).optional(),
    color: z.string().max(64).optional(),
  }),
  typing: ulid.nullable(),
  attempts: z.array(ulid).max(MAX_ATTEMPTS),
});

/** What a peer shows, frozen; undefined if it shows nothing that fits. Keys of later versions are left out. */
export function readPresenceState(state: unknown): PresenceState | undefined {
  if (typeof state !== 'object' || state === null || !Object.hasOwn(state, PRESENCE_FIELD)) return undefined;
  const read = stateSchema.safeParse((state as Record<string, unknown>)[PRESENCE_FIELD]);
  return read.success ? freezeState(read.data) : undefined;
}

/** The same for our own. Throws `invalid_argument` for what no peer would take. */
export function createPresenceState(state: PresenceState): PresenceState {
  const read = stateSchema.safeParse(state);
  if (read.success) return freezeState(read.data);
  const [issue] = read.error.issues;
  throw new ChatDocError('invalid_argument', issue?.path.join('.') ?? '', issue?.message ?? 'does not fit');
}

function freezeState({ user, typing, attempts }: z.infer<typeof stateSchema>): PresenceState {
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
