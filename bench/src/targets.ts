/** The unit of a figure, and of its limit. */
export type Unit = 'x' | 'ms' | 'µs' | 'MB' | 'kB' | 'B' | '';

/** A row that is judged: at most `limit`, at every size unless `at` names the one that the target speaks of. */
export interface Target {
  readonly work: string;
  readonly unit: Unit;
  readonly limit: number;
  readonly at?: number;
}

/**
 * The table of design section 9, and below it what was accepted before it. A target that no row measured is
 * printed as such in a full run.
 */
export const TARGETS = {
  open_raw: { work: 'open / raw `applyUpdate` of a Y.Array', unit: 'x', limit: 0.65, at: 100_000 },
  open_scan: { work: '`openChat` / a scan with its own ids in a map', unit: 'x', limit: 2, at: 100_000 },
  paint_loro: { work: 'first paint / Loro', unit: 'x', limit: 0.45, at: 10_000 },
  paint_nested: { work: 'first paint / nested Y.Maps', unit: 'x', limit: 0.3, at: 10_000 },
  rest: { work: 'first paint at rest', unit: 'ms', limit: 10, at: 100_000 },
  rest_sqlite: { work: 'first paint at rest / SQLite', unit: 'x', limit: 2, at: 100_000 },
  read_loro: { work: 'read every message / Loro', unit: 'x', limit: 0.85, at: 10_000 },
  read_nested: { work: 'read every message / nested Y.Maps', unit: 'x', limit: 0.8, at: 10_000 },
  read_cold: { work: 'read every message / JSON.parse, first read', unit: 'x', limit: 12, at: 10_000 },
  read_warm: { work: 'read every message / JSON.parse, tenth read', unit: 'x', limit: 9, at: 10_000 },
  threads: { work: 'list the threads', unit: 'ms', limit: 60, at: 100_000 },
  threads_parses: { work: 'list the threads: parses a thread', unit: '', limit: 1, at: 100_000 },
  page: { work: 'last 50 of one thread', unit: 'ms', limit: 120, at: 50_000 },
  page_folds: { work: 'last 50 of one thread: messages folded', unit: '', limit: 50, at: 50_000 },
  token: { work: '`messages(thread)` after a token', unit: 'µs', limit: 100, at: 10_000 },
  token_lookups: { work: '`messages(thread)` after a token: look-ups', unit: '', limit: 2, at: 10_000 },
  nth: { work: 'the last write about one subject / the 100th', unit: 'x', limit: 1.5, at: 10_000 },
  nth_parses: { work: 'the last write about one subject: parses', unit: '', limit: 2, at: 10_000 },
  hostile_time: { work: 'hostile update, CPU, the worst', unit: 'ms', limit: 500, at: 1_000_000 },
  hostile_memory: { work: 'hostile update, peak memory, the worst', unit: 'MB', limit: 100, at: 1_000_000 },
  hostile_growth: {
    work: 'hostile update, time(2n) / time(n), the worst',
    unit: 'x',
    limit: 2.5,
    at: 1_000_000,
  },
  heap: { work: 'heap after open / raw Y.Array document', unit: 'x', limit: 1.3, at: 100_000 },
  bytes: { work: 'document bytes / JSONL', unit: 'x', limit: 1.2 },
  gzip: { work: 'gzip of the document / gzip of the JSONL', unit: 'x', limit: 1.12 },
  append: { work: 'append / `Y.Map.set`', unit: 'x', limit: 2.5 },
  append_flat: { work: 'append at 100,000 / at 1,000 messages', unit: 'x', limit: 1.5 },
  stream_bytes: { work: 'stream: update bytes / Yjs', unit: 'x', limit: 1.05 },
  stream_growth: { work: 'stream: document growth / text', unit: 'x', limit: 1.03 },
  turns: { work: 'turns: engine / bare insert and apply', unit: 'x', limit: 1.3 },
  merge_loro: { work: 'merge 2 × 5,000 new messages / Loro', unit: 'x', limit: 0.1, at: 10_000 },
  merge_nested: { work: 'merge 2 × 5,000 new messages / nested Y.Maps', unit: 'x', limit: 0.3, at: 10_000 },
  merge_ordered: { work: 'merge, every thread ordered / nested Y.Maps', unit: 'x', limit: 1, at: 10_000 },
  migrate_cpu: { work: 'migrate: CPU a MB', unit: 'ms', limit: 30 },
  migrate_memory: { work: 'migrate: peak memory / the file', unit: 'x', limit: 12 },
  check: { work: 'check / reading all messages', unit: 'x', limit: 1.5, at: 50_000 },
  watch: { work: 'watch one message, counters read after each', unit: 'µs', limit: 25, at: 50_000 },
  bundle: { work: '`openChat` in a browser, gzip, without yjs', unit: 'kB', limit: 42 },

  stream_structs: { work: 'stream: structs a stream', unit: '', limit: 3 },
  log: { work: 'open a log of 21,000 updates / its snapshot', unit: 'x', limit: 40 },
  frame: { work: 'append a frame to 100,000 / to 1,000', unit: 'x', limit: 1.5 },
  compacted_open: { work: 'open: 2,000 clients, compacted / one client', unit: 'x', limit: 1.5 },
  compacted_append: { work: 'append: 2,000 clients, compacted / one client', unit: 'x', limit: 1.5 },
} as const satisfies Readonly<Record<string, Target>>;

export type TargetId = keyof typeof TARGETS;
