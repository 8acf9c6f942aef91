import { compareText } from '@chatdoc/schema/internal';
import type { LogLine } from './lines.js';

export interface OwnLines {
  /** Of each identity, the line that counts. */
  readonly chosen: ReadonlyMap<string, LogLine>;
  /** The identity of each line id, that of copies included. */
  readonly aliases: ReadonlyMap<string, string>;
  /** The session whose thread has the line. */
  sessionOf(line: LogLine): string;
}

/**
 * Separates lines from their copies. A marked copy belongs to the session that it names, one without a mark to the session
 * that was there first: the one without lines of its own, else the one whose own lines begin earlier.
 */
export function chooseLines(lines: readonly LogLine[]): OwnLines {
  const sessions = new Map<string, Set<string>>();
  const aliases = new Map<string, string>();
  for (const { key, uuid, origin } of lines) {
    if (key === undefined || uuid === undefined) continue;
    // A line id that is there as itself is never the name of another.
    if (uuid === key || !aliases.has(uuid)) aliases.set(uuid, key);
    const known = sessions.get(key);
    if (known === undefined) sessions.set(key, new Set([origin]));
    else known.add(origin);
  }
  const ranks = rankSessions(lines, sessions);
  const sessionOf = ({ key = '', origin }: LogLine): string => {
    const names = sessions.get(key);
    if (names === undefined || names.size < 2) return origin;
    return (
      [...names].sort((a, b) => (ranks.get(a) ?? 0) - (ranks.get(b) ?? 0) || compareText(a, b))[0] ?? origin
    );
  };
  const chosen = new Map<string, LogLine>();
  for (const line of lines) {
    if (line.key === undefined) continue;
    const known = chosen.get(line.key);
    if (known === undefined || isBetter(line, known, sessionOf(line))) chosen.set(line.key, line);
  }
  return { chosen, aliases, sessionOf };
}

/** By session, the time of its first line that no other session has. */
function rankSessions(
  lines: readonly LogLine[],
  sessions: ReadonlyMap<string, ReadonlySet<string>>,
): ReadonlyMap<string, number> {
  const ranks = new Map<string, number>();
  for (const { key, origin, time = 0 } of lines) {
    if (key === undefined || (sessions.get(key)?.size ?? 0) > 1) continue;
    const known = ranks.get(origin);
    if (known === undefined || time < known) ranks.set(origin, time);
  }
  return ranks;
}

/** The original before a copy, and of equals the later. */
function isBetter(line: LogLine, known: LogLine, session: string): boolean {
  const rank = ({ isCopy, session: own }: LogLine): number => (isCopy ? 2 : own === session ? 0 : 1);
  return rank(line) <= rank(known);
}
