import { deriveAnswerId, type Entry, formatDate, type JsonObject } from '@chatdoc/schema';
import {
  compareText,
  deriveInterruptId,
  type MessageEntry,
  type PartEntry,
  type ThreadEntry,
} from '@chatdoc/schema/internal';
import { createConfig } from '../cocalc/config.js';
import { deriveId } from '../plan/derive-id.js';
import type { PlanDraft } from '../plan/draft.js';
import { createColumnsRow } from '../plan/legacy-rows.js';
import { CUT, createContent } from '../plan/long-content.js';
import { UNKNOWN_SENDER } from '../plan/reading.js';
import { canonicalText, isJsonObject } from '../source/json-value.js';
import type { SourceRow } from '../source/rows.js';
import { createParts, type RowPart } from './answer-parts.js';
import { hasSecret } from './secrets.js';
import type { End, Home, Spoken } from './spoken.js';
import { deriveThreadId, type PlacedThread, placeThreads } from './threads.js';
import { type Attempt, type ForestOptions, growForest, listAttempts, type Turn } from './turns.js';

/** A turn with the facts that its entries share. */
interface PlacedTurn {
  readonly turn: Turn;
  readonly thread_id: string;
  readonly message_id: string;
  readonly time: number;
  readonly attempts: readonly Attempt[];
  /** The greatest id on the way from the start of the thread. */
  readonly greatest: string;
}

/** Writes conversations as entries: of trees, each turn into its thread, each other branch into a fork. */
export class ConversationWriter {
  readonly #draft: PlanDraft;
  readonly #format: string;
  readonly #options: ForestOptions;
  #first: { readonly row: SourceRow; readonly time: number; readonly home: string } | undefined;

  constructor(draft: PlanDraft, format: string, options: ForestOptions) {
    this.#draft = draft;
    this.#format = format;
    this.#options = options;
  }

  /** Writes all nodes of one source, and its threads. Homes without nodes are threads without messages. */
  write(nodes: readonly Spoken[], homes: readonly Home[]): void {
    const { turns, orphans } = growForest(nodes, this.#options);
    const threads = placeThreads(this.#format, turns);
    const placed = new Map<Turn, PlacedTurn>();
    for (const turn of turns) {
      const thread = threads.get(turn);
      if (thread === undefined) continue;
      const one = this.#place(turn, thread, placed);
      placed.set(turn, one);
      this.#writeTurn(one, placed);
    }
    for (const node of orphans) {
      this.#draft.report(
        node.row,
        'orphan_reply',
        'the message that this one follows is not there, or follows it',
      );
    }
    this.#writeThreads(threads, placed, new Map(homes.map((home) => [home.key, home])));
  }

  /** Id of the document: that of its oldest conversation, which a later export has too. */
  identity(): { readonly row: SourceRow; readonly doc_id: string } | undefined {
    const first = this.#first;
    return first && { row: first.row, doc_id: deriveId(0, 'legacy_document', this.#format, first.home) };
  }

  #place(turn: Turn, { thread_id, first }: PlacedThread, placed: ReadonlyMap<Turn, PlacedTurn>): PlacedTurn {
    const { head, parent } = turn;
    const above = parent && placed.get(parent);
    const time = head.stamp ?? head.time ?? turn.follows?.time ?? above?.time ?? 0;
    const message_id = deriveId(time, 'import_message', this.#format, head.key);
    const before = first === turn ? '' : (above?.greatest ?? '');
    return {
      turn,
      thread_id,
      message_id,
      time,
      attempts: listAttempts(turn, this.#options.isLinear),
      greatest: compareText(message_id, before) > 0 ? message_id : before,
    };
  }

  #writeTurn(placed: PlacedTurn, all: ReadonlyMap<Turn, PlacedTurn>): void {
    const { turn, thread_id } = placed;
    const after = findAfter(placed, all);
    if (turn.head.by === 'model') this.#writeStatement(placed, after);
    else {
      this.#writePrompt(placed, after);
      this.#writeAttempts(placed);
    }
    for (const aside of turn.asides) this.#writeAside(placed, aside, thread_id);
  }

  #writePrompt(
    { turn: { head }, thread_id, message_id, time, attempts }: PlacedTurn,
    after: string | undefined,
  ): void {
    const isAsking = head.by === 'person';
    const entry = this.#createMessage(head, { thread_id, message_id, time, after, isAsking });
    const { others } = entry;
    if (isAsking && attempts.length === 0) others.push(createStop(message_id, time));
    this.#become(head, entry.message, others);
  }

  #writeAside({ message_id: prompt_id, time: earliest }: PlacedTurn, node: Spoken, thread_id: string): void {
    const time = node.time ?? earliest;
    const message_id = deriveId(time, 'import_message', this.#format, node.key);
    const after = message_id <= prompt_id ? prompt_id : undefined;
    const { message, others } = this.#createMessage(node, {
      thread_id,
      message_id,
      time,
      after,
      isAsking: false,
    });
    this.#become(node, message, others);
  }

  #createMessage(
    node: Spoken,
    facts: {
      readonly thread_id: string;
      readonly message_id: string;
      readonly time: number;
      readonly after: string | undefined;
      readonly isAsking: boolean;
    },
  ): { readonly message: MessageEntry; readonly others: Entry[] } {
    const { thread_id, message_id, time, after, isAsking } = facts;
    const { content, parts } = createContent(message_id, node.text);
    const message: MessageEntry = {
      type: 'message',
      message_id,
      thread_id,
      ...(after === undefined ? {} : { after }),
      sender_id: node.sender_id,
      date: formatDate(time),
      ...(isAsking ? { expects: 'answer' } : {}),
      ...(node.legacy === undefined ? {} : { legacy: node.legacy }),
      ...(content === undefined ? {} : { content }),
    };
    const files = createParts(message_id, [node]).map(({ part }) => part);
    const first = parts.reduce((last, { n }) => Math.max(last, n), 0);
    return { message, others: [...parts, ...files.map((part) => ({ ...part, n: part.n + first }))] };
  }

  /** The words of a model without a prompt, or after its answer had ended. */
  #writeStatement({ turn, thread_id, message_id, time }: PlacedTurn, after: string | undefined): void {
    const { head, steps } = turn;
    const message: MessageEntry = {
      type: 'message',
      message_id,
      thread_id,
      ...(after === undefined ? {} : { after }),
      sender_id: head.sender_id,
      date: formatDate(time),
      ...(head.legacy === undefined ? {} : { legacy: head.legacy }),
    };
    const parts = createParts(message_id, steps);
    const end = readEnd(turn, steps);
    const others = [this.#createFinish(message_id, time, steps, end ?? 'stopped')];
    this.#writeSteps(message, steps, parts, end === undefined ? [] : others);
  }

  #writeAttempts({ turn, thread_id, message_id: prompt_id, time: asked, attempts }: PlacedTurn): void {
    const message_id = deriveAnswerId(prompt_id);
    let epoch = 1;
    let hasText = false;
    let latest = asked;
    for (const [index, { first, steps }] of attempts.entries()) {
      // Of attempts with one epoch the smallest id shows: ids rise with the order of the attempts.
      latest = Math.max(latest, first.stamp ?? first.time ?? asked);
      const isBlank = !steps.some(hasWords);
      const end = readEnd(turn, steps);
      const isWhole = !isBlank && (end === 'stop' || end === 'stopped');
      // What is blank, failed or unfinished does not show instead of a text.
      if (index > 0 && (isWhole || !hasText)) epoch += 1;
      hasText ||= !isBlank;
      const attempt = deriveId(latest, 'import_attempt', this.#format, message_id, first.key, epoch);
      const message: MessageEntry = {
        type: 'message',
        message_id,
        thread_id,
        prompt_id,
        attempt,
        epoch,
        runner_id: UNKNOWN_SENDER,
        sender_id: first.sender_id,
        date: formatDate(first.time ?? asked),
        ...(first.isCopy === true ? CUT : {}),
        ...(first.legacy === undefined ? {} : { legacy: first.legacy }),
      };
      const parts = createParts(attempt, steps);
      const seen = parts.reduce((last, { part }) => Math.max(last, part.n), 0);
      const ends: Entry[] =
        end === undefined
          ? [{ type: 'interrupt', id: deriveInterruptId(attempt, seen), message_id, attempt, seen }]
          : [this.#createFinish(attempt, latest, steps, end)];
      if (epoch > 1) ends.push(createRetry(message_id, latest, epoch));
      if (end === undefined) {
        const { row } = steps.at(-1) ?? first;
        this.#draft.report(row, 'unfinished', 'the answer was not finished when it was exported');
      }
      this.#writeSteps(message, steps, parts, ends);
    }
  }

  /** Each row with the parts that come from it; the end comes from the last. */
  #writeSteps(
    message: MessageEntry,
    steps: readonly Spoken[],
    parts: readonly RowPart[],
    ends: readonly Entry[],
  ): void {
    const byRow = new Map<SourceRow, PartEntry[]>();
    for (const { rows, part } of parts) {
      for (const row of rows) {
        const same = byRow.get(row);
        if (same === undefined) byRow.set(row, [part]);
        else same.push(part);
      }
    }
    for (const [index, step] of steps.entries()) {
      const others: Entry[] = [...(byRow.get(step.row) ?? []), ...(index === steps.length - 1 ? ends : [])];
      this.#become(step, message, others);
    }
  }

  #createFinish(attempt: string, time: number, steps: readonly Spoken[], end: End): Entry {
    const acp_usage = sumUsage(steps);
    const error =
      end === 'error' ? steps.filter(({ error: found }) => found !== undefined).at(-1)?.error : undefined;
    const acp_thread_id = steps.find(({ acp_thread_id: found }) => found !== undefined)?.acp_thread_id;
    const facts = {
      finish_reason: end,
      ...(acp_thread_id === undefined ? {} : { acp_thread_id }),
      ...(acp_usage === undefined ? {} : { acp_usage }),
      ...(error === undefined ? {} : { error }),
    };
    const id = deriveId(time, 'import_finish', attempt, canonicalText(facts) ?? '');
    return { type: 'finish', id, attempt, ...facts };
  }

  #become(node: Spoken, message: MessageEntry, others: readonly Entry[]): void {
    const { row, rest, feedback } = node;
    const { message_id } = message;
    const time = node.time ?? 0;
    if (node.time === undefined)
      this.#draft.report(row, 'no_date', 'the row has no usable date: it follows the message before it');
    if (hasSecret(row.raw))
      this.#draft.report(row, 'possible_secret', 'the row has something like a key or a token');
    const columns = rest && createColumnsRow(time, { message_id }, rest);
    const thumb = feedback && createFeedback(message_id, time, feedback);
    const beside = [...(thumb === undefined ? [] : [thumb]), ...(columns === undefined ? [] : [columns])];
    if (!this.#draft.become(row, message, ...others, ...beside)) return;
    if (!row.exact || (rest !== undefined && columns === undefined))
      this.#draft.keepText(row, 'exact_text', message_id);
  }

  #writeThreads(
    threads: ReadonlyMap<Turn, PlacedThread>,
    placed: ReadonlyMap<Turn, PlacedTurn>,
    homes: ReadonlyMap<string, Home>,
  ): void {
    const seen = new Set<string>();
    const starts = new Map<string, Turn>();
    for (const { home, first } of threads.values()) if (!starts.has(home)) starts.set(home, first);
    for (const thread of threads.values()) {
      if (seen.has(thread.thread_id)) continue;
      seen.add(thread.thread_id);
      this.#writeThread(thread, placed, homes.get(thread.home), starts.get(thread.home) ?? thread.first);
    }
    for (const home of homes.values()) {
      const thread_id = deriveThreadId(this.#format, home.key);
      if (!seen.has(thread_id)) this.#writeEmpty(thread_id, home);
    }
  }

  #writeThread(
    { thread_id, home, first, from }: PlacedThread,
    placed: ReadonlyMap<Turn, PlacedTurn>,
    given: Home | undefined,
    start: Turn,
  ): void {
    const own = thread_id === deriveThreadId(this.#format, home);
    const time = (own ? given?.time : undefined) ?? placed.get(first)?.time ?? 0;
    const message_id = from?.turn && findLast(first, placed.get(from.turn));
    const entry: ThreadEntry = {
      type: 'thread',
      thread_id,
      ...(from === undefined
        ? {}
        : {
            forked_from: { thread_id: from.thread_id, ...(message_id === undefined ? {} : { message_id }) },
          }),
      created_at: formatDate(time),
      created_by: given?.creator ?? first.head.sender_id,
      purpose: given?.purpose ?? 'chat',
      legacy: { ...given?.facts, ...(own ? {} : { node: first.head.key }), home },
    };
    const rows = given === undefined || given.rows.length === 0 || !own ? [first.head.row] : given.rows;
    this.#draft.share(rows, entry);
    if (own) this.#offer(rows[0] ?? first.head.row, time, home);
    const startTime = placed.get(start)?.time ?? 0;
    for (const config of createConfigs(thread_id, own ? given : withoutSession(given), start.head, startTime))
      this.#draft.share(rows, config);
  }

  #writeEmpty(thread_id: string, home: Home): void {
    const [row] = home.rows;
    if (row === undefined) return;
    if (home.time === undefined) {
      // Its thread could not be the same line as when there are messages.
      for (const one of home.rows) this.#draft.setAside(one, 'no_messages');
      return;
    }
    const creator = home.creator ?? UNKNOWN_SENDER;
    const entry: ThreadEntry = {
      type: 'thread',
      thread_id,
      created_at: formatDate(home.time),
      created_by: creator,
      purpose: home.purpose,
      legacy: { ...home.facts, home: home.key },
    };
    this.#draft.share(home.rows, entry);
    this.#offer(row, home.time, home.key);
    const config = createSettings(thread_id, home, creator, home.time);
    if (config !== undefined) this.#draft.share(home.rows, config);
  }

  #offer(row: SourceRow, time: number, home: string): void {
    const first = this.#first;
    const isFirst = first === undefined || time < first.time || (time === first.time && home < first.home);
    if (isFirst) this.#first = { row, time, home };
  }
}

/** The message that comes before it, where the ids alone would not put it there. */
function findAfter(
  { turn, message_id, greatest, thread_id }: PlacedTurn,
  all: ReadonlyMap<Turn, PlacedTurn>,
): string | undefined {
  const above = turn.parent && all.get(turn.parent);
  if (above === undefined || above.thread_id !== thread_id || greatest === message_id) return undefined;
  return findLast(turn, above);
}

/** Of the turn above, the last message that this one follows. */
function findLast({ follows }: Turn, above: PlacedTurn | undefined): string | undefined {
  if (above === undefined) return undefined;
  const isAnswer = follows?.by === 'model' && above.turn.head.by !== 'model';
  return isAnswer ? deriveAnswerId(above.message_id) : above.message_id;
}

/** How an attempt ended; undefined while it may go on. One that somebody went on from is over. */
function readEnd({ children, tail }: Turn, steps: readonly Spoken[]): End | undefined {
  const end = steps.flatMap(({ end: found }) => found ?? []).at(-1);
  return end ?? (children.length > 0 || tail.children.length > 0 ? 'stop' : undefined);
}

function hasWords({ pieces }: Spoken): boolean {
  return pieces.some(
    (piece) => piece.kind === 'text' && piece.text !== undefined && piece.text.trim() !== '',
  );
}

function createStop(prompt_id: string, time: number): Entry {
  const message_id = deriveAnswerId(prompt_id);
  return {
    type: 'stop',
    id: deriveId(time, 'import_stop', message_id),
    message_id,
    epoch: 1,
    by: UNKNOWN_SENDER,
  };
}

function createRetry(message_id: string, time: number, epoch: number): Entry {
  return {
    type: 'retry',
    id: deriveId(time, 'import_retry', message_id, epoch),
    message_id,
    epoch,
    by: UNKNOWN_SENDER,
  };
}

function createFeedback(message_id: string, time: number, value: JsonObject): Entry {
  return {
    type: 'annotation',
    id: deriveId(time, 'import_feedback', message_id, canonicalText(value) ?? ''),
    message_id,
    user_id: UNKNOWN_SENDER,
    key: 'feedback',
    value,
  };
}

/** A fork shares the settings of its home, but no provider session: two threads would overwrite each other's. */
function withoutSession(home: Home | undefined): Home | undefined {
  if (home?.config?.session === undefined) return home;
  const { session: _, ...config } = home.config;
  return { ...home, config };
}

const MAX_NAME = 100;

function createConfigs(
  thread_id: string,
  home: Home | undefined,
  first: Spoken,
  time: number,
): readonly Entry[] {
  const configs: Entry[] = [];
  const author = home?.creator ?? first.sender_id;
  const words = first.text?.trim().split('\n', 1)[0] ?? '';
  if (home?.name === undefined && home?.isNamedByPrompt === true && words !== '') {
    const name = words.length > MAX_NAME ? `${[...words].slice(0, MAX_NAME).join('')}…` : words;
    configs.push(createConfig(thread_id, time, author, { name }));
  }
  const settings = home && createSettings(thread_id, home, author, time);
  if (settings !== undefined) configs.push(settings);
  return configs;
}

function createSettings(
  thread_id: string,
  { name, config, legacy, updated }: Home,
  author: string,
  time: number,
): Entry | undefined {
  const fields = { ...(name === undefined ? {} : { name }), ...config };
  if (Object.keys(fields).length === 0 && legacy === undefined) return undefined;
  return createConfig(thread_id, Math.max(updated ?? time, time), author, fields, legacy);
}

/** Numbers of each unit once, its last ones, added up. */
function sumUsage(steps: readonly Spoken[]): JsonObject | undefined {
  const units = new Map<string, JsonObject>();
  for (const { usage, unit, key } of steps) if (usage !== undefined) units.set(unit ?? key, usage);
  if (units.size === 0) return undefined;
  const sums: Record<string, number> = {};
  const add = (usage: JsonObject, prefix: string): void => {
    for (const [name, value] of Object.entries(usage)) {
      if (typeof value === 'number') sums[`${prefix}${name}`] = (sums[`${prefix}${name}`] ?? 0) + value;
      else if (isJsonObject(value)) add(value, `${prefix}${name}.`);
    }
  };
  for (const usage of units.values()) add(usage, '');
  return Object.keys(sums).length === 0 ? undefined : sums;
}
