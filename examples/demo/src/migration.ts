import { type MigrationPlan, summarize } from '@chatdoc/migrate';
import type { Chat } from '@chatdoc/schema';
import type { Log } from './log.js';
import { createReplica, encodeState, exchange, type Replica, sameBytes } from './replicas.js';

const FIRST_MORNING = Date.UTC(2026, 11, 1, 9);
const HOUR_MS = 3_600_000;
/** The desktop's clock is behind: nothing may depend on it. */
const SLOW_MS = 240_000;
/** More are counted. */
const MOST_PROBLEMS = 5;

export interface Migrated {
  readonly laptop: Replica;
  readonly desktop: Replica;
  readonly startMs: number;
  readonly bytes: number;
  readonly digest: string;
}

/** Two machines migrate one file, neither knowing of the other, then meet. */
export function migrateApart(plan: MigrationPlan, log: Log): Migrated {
  log.begin('Migrate the same file on two machines that know nothing of each other');
  const { rows, became, merged, set_aside } = summarize(plan);
  const aside = plan.ledger.set_aside;
  const reasons = Object.entries(set_aside).map(
    ([reason, count]) => `${count} ${reason.replaceAll('_', ' ')}`,
  );
  const why = reasons.length === 0 ? '' : ` (${reasons.join(', ')})`;
  log.claim(
    `every row is accounted for: ${became} became records, ${merged} merged, ${aside} set aside${why}`,
    became + merged + aside === rows,
  );
  tellProblems(plan, log);

  const startMs = findStart(plan);
  const laptop = createReplica('laptop', 1, startMs);
  const desktop = createReplica('desktop', 2, startMs - SLOW_MS);
  for (const { chat } of [laptop, desktop]) chat.importJSONL(plan.jsonl);
  const state = encodeState(laptop);
  const digest = laptop.chat.digest();
  log.claim(
    `laptop and desktop wrote the same ${formatCount(state.length)} bytes`,
    sameBytes(state, encodeState(desktop)),
  );

  exchange(laptop, desktop);
  const unchanged = [laptop, desktop].every(
    (replica) => sameBytes(encodeState(replica), state) && replica.chat.digest() === digest,
  );
  log.claim(
    `merging them changed nothing: digest ${shorten(digest)} before, ${shorten(desktop.chat.digest())} after`,
    unchanged,
  );

  const again = laptop.chat.importJSONL(plan.jsonl);
  log.claim(
    'migrating once more added 0 lines and 0 bytes',
    again.ok && again.lines === 0 && sameBytes(encodeState(laptop), state),
  );

  const planned = new Set(
    plan.entries.flatMap((entry) => (entry.type === 'message' ? [entry.message_id] : [])),
  );
  const readable = listMessageIds(desktop.chat);
  log.claim(
    `all ${planned.size} migrated messages are readable on both`,
    readable.length === planned.size && readable.every((id) => planned.has(id)),
  );
  return { laptop, desktop, startMs, bytes: state.length, digest };
}

/** What the file itself has wrong: nothing of it stops the migration. */
function tellProblems({ problems }: MigrationPlan, log: Log): void {
  for (const { line, message } of problems.slice(0, MOST_PROBLEMS)) log.tell(`line ${line}`, message);
  const more = problems.length - MOST_PROBLEMS;
  if (more > 0) log.tell('file', `and ${formatCount(more)} more like these`);
}

export function listMessageIds(chat: Chat): readonly string[] {
  return chat.threads().flatMap(({ thread_id }) => chat.messageIds(thread_id));
}

/** An hour after the last message of the file, and not before the demo was written. */
function findStart(plan: MigrationPlan): number {
  let start = FIRST_MORNING;
  for (const entry of plan.entries) {
    if (entry.type === 'message') start = Math.max(start, Date.parse(entry.date) + HOUR_MS);
  }
  return start;
}

export function formatCount(count: number): string {
  return String(count).replace(/\B(?=(?:\d{3})+$)/g, ',');
}

export function shorten(digest: string): string {
  return digest.slice(0, 12);
}
