import type { JsonObject } from '@chatdoc/schema';
import { compareText } from '@chatdoc/schema/internal';
import { isLogLine } from '../claude-code/lines.js';
import { isRolloutLine, readRolloutLine } from '../codex/lines.js';
import { isJsonObject, parseJson, readName } from '../source/json-value.js';
import { iterateLineRows } from '../source/rows.js';

/** A log of an agent, by its first lines. */
export interface LogFile {
  readonly path: string;
  readonly format: 'claude-code' | 'codex';
  /** First time in it, in its own form; blank where there is none. */
  readonly time: string;
  /** Names that it shares with the other files of its family. */
  readonly links: readonly string[];
  /** Whether it is a session, and not a run of an agent in one. */
  readonly isMain: boolean;
}

export interface LogFamily {
  readonly format: LogFile['format'];
  /** Oldest first: what was forked comes after what it was forked from. */
  readonly files: readonly LogFile[];
  /** The file that names it. */
  readonly main: LogFile;
}

/** Lines of a head that are looked at. */
const MAX_LINES = 200;

/** Undefined where the head is not of an agent's log. `head` may end inside a line. */
export function readLogFile(path: string, head: Uint8Array): LogFile | undefined {
  const links = new Set<string>();
  let format: LogFile['format'] | undefined;
  let time = '';
  let isMain = true;
  let count = 0;
  for (const row of iterateLineRows(head)) {
    count += 1;
    if (count > MAX_LINES) break;
    const value = parseJson(row.raw)?.value;
    if (!isJsonObject(value)) continue;
    if (time === '') time = readName(value['timestamp']) ?? '';
    if (isLogLine(value)) {
      const isFirst = format === undefined || !hasLine(links);
      format ??= 'claude-code';
      if (value['isSidechain'] === true && isFirst) isMain = false;
      linkSession(value, links);
    } else if (isRolloutLine(value)) {
      format ??= 'codex';
      const { type, payload } = readRolloutLine(row, value);
      if (type === 'session_meta') linkRollout(payload, links);
      if (type === 'session_meta' && isJsonObject(payload['source'])) isMain = false;
    }
  }
  return format && { path, format, time, links: [...links], isMain };
}

function hasLine(links: ReadonlySet<string>): boolean {
  return [...links].some((link) => link.startsWith('line '));
}

/** Its session, the one it was copied from, and its first line: a copy begins with the lines of the original. */
function linkSession({ sessionId, forkedFrom, uuid }: JsonObject, links: Set<string>): void {
  const session = readName(sessionId);
  const fork = isJsonObject(forkedFrom) ? forkedFrom : undefined;
  if (session !== undefined) links.add(`session ${session}`);
  const origin = readName(fork?.['sessionId']);
  if (origin !== undefined) links.add(`session ${origin}`);
  const line = readName(fork?.['messageUuid']) ?? readName(uuid);
  if (line !== undefined && !hasLine(links)) links.add(`line ${line}`);
}

function linkRollout(meta: JsonObject, links: Set<string>): void {
  const spawn = isJsonObject(meta['source']) ? meta['source']['subagent'] : undefined;
  const parent =
    isJsonObject(spawn) && isJsonObject(spawn['thread_spawn'])
      ? spawn['thread_spawn']['parent_thread_id']
      : undefined;
  for (const id of [meta['id'], meta['forked_from_id'], meta['parent_thread_id'], parent]) {
    const name = readName(id);
    if (name !== undefined) links.add(`rollout ${name}`);
  }
}

/** Files that share a name, directly or through others, are one family. In the order of their main files. */
export function groupFamilies(files: readonly LogFile[]): readonly LogFamily[] {
  const roots = new Map<LogFile, LogFile>(files.map((file) => [file, file]));
  const find = (file: LogFile): LogFile => {
    let at = file;
    while (roots.get(at) !== at) at = roots.get(at) as LogFile;
    roots.set(file, at);
    return at;
  };
  const owners = new Map<string, LogFile>();
  for (const file of files) {
    for (const link of file.links) {
      const owner = owners.get(`${file.format} ${link}`);
      if (owner === undefined) owners.set(`${file.format} ${link}`, file);
      else roots.set(find(file), find(owner));
    }
  }
  const groups = new Map<LogFile, LogFile[]>();
  for (const file of files) {
    const root = find(file);
    const group = groups.get(root);
    if (group === undefined) groups.set(root, [file]);
    else group.push(file);
  }
  return [...groups.values()].map(createFamily).sort((a, b) => compareText(a.main.path, b.main.path));
}

/** A family of all these files. */
export function createFamily(files: readonly LogFile[]): LogFamily {
  const sorted = [...files].sort((a, b) => compareText(a.time, b.time) || compareText(a.path, b.path));
  const main = sorted.find(({ isMain }) => isMain) ?? (sorted[0] as LogFile);
  return { format: main.format, files: sorted, main };
}
