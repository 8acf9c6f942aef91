import { createHash } from 'node:crypto';
import type {
  Json,
  JsonObject,
  LineReport,
  Message,
  QuarantinedLine,
  Rollback,
  Slot,
  Thread,
  ThreadState,
  Waiting,
} from '@chatdoc/schema';
import { deriveAnswerId } from '@chatdoc/schema';
import {
  type Chosen,
  chooseEntries,
  chooseWithin,
  compare,
  type LaneText,
  type OracleEntry,
} from './oracle-lines.js';
import { orderNodes, putRootFirst } from './oracle-order.js';
import { readAnnotations, readConfig, readConflicts, readVariables } from './oracle-settings.js';
import {
  askedEpochs,
  attemptOf,
  compact,
  Entries,
  findConflictHeads,
  isAnswerTo,
  openingLines,
  rankAttempts,
  readHistory,
  readTail,
  stoppedUpTo,
  text,
  whole,
} from './oracle-turns.js';
import { type Everything, findProbe, type OracleResult, type SlotKey } from './oracle-types.js';

/** The fold, written from SPEC.md alone: slow, eager and stateless. */
export function runOracle(texts: readonly LaneText[]): OracleResult {
  const chosen = chooseEntries(texts);
  const entries = new Entries(chosen.entries, chosen.tails);
  const fold = new Fold(entries);
  const probe = findProbe(entries);
  const record = <T>(ids: readonly string[], read: (id: string) => T): Record<string, T> =>
    Object.fromEntries(ids.map((id) => [id, read(id)]));
  const unknown: Record<string, number> = {};
  for (const { type } of chosen.unknown) unknown[type] = (unknown[type] ?? 0) + 1;
  const everything: Everything = {
    docId:
      entries
        .of('document')
        .map(({ body }) => text(body['doc_id']))
        .sort(compare)[0] ?? null,
    rollbacks: readRollbacks(entries),
    threads: fold.threads(),
    configs: record(probe.threads, (id) => readConfig(entries, id)),
    conflicts: record(probe.threads, (id) => readConflicts(entries, id)),
    order: record(probe.threads, (id) => fold.order(id)),
    transcripts: record(probe.threads, (id) => fold.transcript(id)),
    parents: record(probe.messages, (id) => fold.parent(id)),
    messages: record(probe.messages, (id) => fold.message(id) ?? null),
    states: record(probe.threads, (id) => fold.state(id)),
    queues: record(probe.threads, (id) => fold.queue(id)),
    active: Object.fromEntries(
      probe.slots.map((slot) => [JSON.stringify(slot), fold.activeThread(slot) ?? null]),
    ),
    variables: Object.fromEntries(
      probe.scopes.map(([scope, id]) => [`${scope}/${id}`, readVariables(entries, scope, id)]),
    ),
    annotations: {
      ...record(probe.threads, (id) => readAnnotations(entries, 'thread', id)),
      ...record(probe.messages, (id) => readAnnotations(entries, 'message', id)),
    },
    marks: Object.fromEntries(
      probe.threads.flatMap((id) =>
        probe.users.map((user) => [`${id}/${user}`, fold.readMark(id, user) ?? null] as const),
      ),
    ),
    unread: Object.fromEntries(
      probe.threads.flatMap((id) =>
        probe.users.map((user) => [`${id}/${user}`, fold.unread(id, user)] as const),
      ),
    ),
    legacyRows: entries
      .of('legacy_row')
      .map(({ body }) => body as Json)
      .sort((a, b) => compare(rowKey(a), rowKey(b))),
    quarantine: [...chosen.quarantine].sort(compareReports),
    duplicates: uniqueReports([...chosen.losers.flatMap(toReports), ...fold.tailLosers()]),
    ignored: fold.ignored(),
    waiting: fold.waiting(),
    unknown,
    hidden: chosen.hidden,
    rolledBack: chosen.rolledBack,
  };
  return { everything, probe, digest: fold.digest(chosen) };
}

/** Each pair of generations once, in order. */
function readRollbacks(entries: Entries): Everything['rollbacks'] {
  const pairs = entries
    .of('document')
    .map(({ body }) => body['rolled_back'] as Rollback | undefined)
    .filter((rollback) => rollback !== undefined)
    .map(({ from, to }) => ({ from, to }));
  const unique = new Map(pairs.map((pair) => [JSON.stringify(pair), pair]));
  return [...unique.values()].sort((a, b) => a.from - b.from || a.to - b.to);
}

function toReports({ headers, line }: OracleEntry): LineReport[] {
  return headers.map(({ lane_id }) => ({ lane_id, line }));
}

const endLine = (line: string): string => `${line}\n`;

/** Each once a lane, by lane and line. */
function uniqueReports(reports: readonly LineReport[]): LineReport[] {
  const unique = new Map(reports.map((report) => [JSON.stringify([report.lane_id, report.line]), report]));
  return [...unique.values()].sort(compareReports);
}

export function compareReports(a: LineReport | QuarantinedLine, b: LineReport | QuarantinedLine): number {
  const reason = (report: LineReport | QuarantinedLine): string => ('reason' in report ? report.reason : '');
  return (
    compare(a.lane_id ?? '', b.lane_id ?? '') || compare(a.line, b.line) || compare(reason(a), reason(b))
  );
}

class Fold {
  readonly #entries: Entries;
  // Within one run nothing changes: without this an order would be found again for each message in it.
  readonly #known = new Map<string, unknown>();

  constructor(entries: Entries) {
    this.#entries = entries;
  }

  #once<T>(name: string, id: string, read: () => T): T {
    const key = `${name}/${id}`;
    if (!this.#known.has(key)) this.#known.set(key, read());
    return this.#known.get(key) as T;
  }

  threads(): Thread[] {
    return this.#entries
      .of('thread')
      .map((entry): Thread => {
        const { body, subject, headers, problem } = entry;
        return compact({
          thread_id: subject,
          created_at: text(body['created_at']),
          created_by: text(body['created_by']),
          purpose: (body['purpose'] ?? 'chat') as 'chat' | 'run',
          slot: body['slot'] as Slot,
          forked_from: body['forked_from'] as NonNullable<Thread['forked_from']>,
          root_message_id: this.order(subject)[0] ?? null,
          schema_version: Math.max(...headers.map((header) => header.schema_version)),
          legacy: body['legacy'] as Json,
          problem: problem ? 'problem' : undefined,
        }) as Thread;
      })
      .sort((a, b) => compare(a.created_at, b.created_at) || compare(a.thread_id, b.thread_id));
  }

  #thread(id: string): OracleEntry | undefined {
    return this.#entries.of('thread', id)[0];
  }

  isRedacted(id: string): boolean {
    return this.#entries.of('redaction', id).length > 0;
  }

  /** The line that decides where a message is: of an answer, that of its shown attempt. */
  #line(id: string): OracleEntry | undefined {
    return this.#once('line', id, () => this.#findLine(id));
  }

  #findLine(id: string): OracleEntry | undefined {
    const ranked = rankAttempts(this.#entries, id, this.isRedacted(id));
    return ranked[0]?.line ?? openingLines(this.#entries, id)[0];
  }

  /** The thread of a message; of an answer that of its smallest attempt, so that no later one can move it. */
  #threadOf(id: string): string | undefined {
    const lines = [...openingLines(this.#entries, id)];
    return lines.sort((a, b) => compare(attemptOf(a), attemptOf(b)))[0]?.body['thread_id'] as
      | string
      | undefined;
  }

  message(id: string): Message | undefined {
    return this.#once('message', id, () => this.#readMessage(id));
  }

  #readMessage(id: string): Message | undefined {
    const line = this.#line(id);
    if (line === undefined) return undefined;
    const isRedacted = this.isRedacted(id);
    const ranked = rankAttempts(this.#entries, id, isRedacted);
    const shown = line.body['attempt'] === undefined ? undefined : ranked[0];
    const tail = readTail(this.#entries, line);
    const revisions = this.#entries.of('revision', id);
    const history = shown?.history ?? readHistory(line, text(line.body['content']) + tail.text, revisions);
    const last = history[history.length - 1];
    const { body } = line;
    const isMisplaced = shown !== undefined && !isAnswerTo(line, text(body['prompt_id']));
    return compact({
      message_id: id,
      thread_id: text(this.#threadOf(id)),
      sender_id: text(body['sender_id']),
      date: text(body['date']),
      content: text(last?.content),
      history,
      deleted: last?.deleted === true,
      redacted: isRedacted,
      generating: shown === undefined ? tail.cut && tail.finish === undefined : shown.record.state === 'open',
      parts: tail.parts,
      reply_to_message_id: body['reply_to_message_id'] as string,
      after: body['after'] as string,
      client_message_id: body['client_message_id'] as string,
      expects: body['expects'] as 'answer',
      prompt_id: body['prompt_id'] as string,
      attempt: shown?.record,
      alternates: shown === undefined ? [] : ranked.slice(1).map(({ record }) => record),
      acp_usage: (shown === undefined
        ? tail.finish?.body['acp_usage']
        : shown.record.acp_usage) as JsonObject,
      acp_thread_id: (shown === undefined
        ? (tail.finish?.body['acp_thread_id'] ?? body['acp_thread_id'])
        : shown.record.acp_thread_id) as string,
      acp_interrupted:
        (shown === undefined ? tail.finish?.body['finish_reason'] : shown.record.state) === 'interrupted',
      schema_version: Math.max(...line.headers.map((header) => header.schema_version)),
      legacy: body['legacy'] as Json,
      problem:
        line.problem || isMisplaced || tail.problem || revisions.some(({ problem }) => problem)
          ? 'problem'
          : undefined,
    }) as Message;
  }

  order(threadId: string): readonly string[] {
    return this.#once('order', threadId, () => this.#sort(threadId));
  }

  #sort(threadId: string): string[] {
    const ids = new Set(this.#entries.of('message').map(({ subject }) => subject));
    const nodes = [...ids]
      .filter((id) => this.#threadOf(id) === threadId)
      .map((id) => {
        const lines = openingLines(this.#entries, id);
        const isAnswer = this.#line(id)?.body['attempt'] !== undefined;
        const fields = isAnswer ? ['prompt_id', 'reply_to_message_id'] : ['reply_to_message_id', 'after'];
        const targets = lines.flatMap(({ body }) => fields.map((field) => text(body[field])));
        return { id, targets, isAnswer };
      });
    return putRootFirst(orderNodes(nodes), text(this.#thread(threadId)?.body['root_message_id']));
  }

  parent(id: string): string | null {
    const line = this.#line(id);
    if (line === undefined) return null;
    const order = this.order(text(this.#threadOf(id)));
    const root = order[0] ?? null;
    if (root === id) return null;
    const target = text(line.body['reply_to_message_id']);
    return target !== id && order.includes(target) ? target : root;
  }

  transcript(threadId: string, seen: readonly string[] = []): readonly string[] {
    const own = this.order(threadId);
    const fork = this.#thread(threadId)?.body['forked_from'] as Thread['forked_from'];
    if (fork === undefined || fork.thread_id === threadId || seen.includes(fork.thread_id)) return own;
    const origin = this.transcript(fork.thread_id, [...seen, threadId]);
    const at = origin.indexOf(fork.message_id ?? '');
    return [...(at < 0 ? origin : origin.slice(0, at + 1)), ...own];
  }

  #prompts(threadId: string): string[] {
    return this.order(threadId).filter((id) => this.#line(id)?.body['expects'] === 'answer');
  }

  queue(threadId: string): string[] {
    return this.#prompts(threadId).filter((promptId) => {
      const answerId = deriveAnswerId(promptId);
      const { asked } = askedEpochs(this.#entries, answerId);
      const isTried = rankAttempts(this.#entries, answerId, false).some(
        ({ line, record }) => isAnswerTo(line, promptId) && record.epoch === asked,
      );
      return !isTried && stoppedUpTo(this.#entries, answerId) < asked;
    });
  }

  state(threadId: string): ThreadState {
    const claimed = findConflictHeads(this.#entries.of('thread_state', threadId))[0];
    const ids = this.order(threadId);
    const turnIds = [...this.#prompts(threadId)];
    const answers: Message[] = [];
    for (const id of ids) {
      const message = this.message(id);
      if (message?.attempt !== undefined) answers.push(message);
    }
    for (const { message_id } of answers) {
      for (const { record, line } of rankAttempts(this.#entries, message_id, false)) {
        turnIds.push(record.attempt);
        const { finish } = readTail(this.#entries, line);
        if (finish !== undefined) turnIds.push(finish.own);
      }
    }
    for (const id of new Set([...ids, ...this.#prompts(threadId).map(deriveAnswerId)])) {
      for (const type of ['stop', 'retry'] as const) {
        turnIds.push(...this.#entries.of(type, id).map(({ own }) => own));
      }
    }
    if (claimed?.body['state'] !== undefined && turnIds.every((id) => id < claimed.own)) {
      return compact({
        thread_id: threadId,
        state: claimed.body['state'] as ThreadState['state'],
        active_message_id: claimed.body['active_message_id'] as string,
      }) as ThreadState;
    }
    const running = answers.find((answer) => answer.generating)?.message_id;
    if (running !== undefined) return { thread_id: threadId, state: 'running', active_message_id: running };
    const interrupted = answers.find((answer) => {
      const { asked } = askedEpochs(this.#entries, answer.message_id);
      return answer.acp_interrupted && answer.attempt?.epoch === asked;
    });
    if (interrupted !== undefined) {
      return { thread_id: threadId, state: 'interrupted', active_message_id: interrupted.message_id };
    }
    const [queued] = this.queue(threadId);
    if (queued !== undefined) return { thread_id: threadId, state: 'queued', active_message_id: queued };
    const last = answers[answers.length - 1];
    if (last === undefined) return { thread_id: threadId, state: 'idle' };
    const isError = last.attempt?.finish_reason === 'error' || last.attempt?.error !== undefined;
    return { thread_id: threadId, state: isError ? 'error' : 'complete' };
  }

  activeThread(slot: SlotKey): string | undefined {
    const agrees = (other: unknown): boolean => {
      const { root_id, owner_id, provider } = (other ?? {}) as Partial<Slot>;
      return root_id === slot.root_id && owner_id === slot.owner_id && provider === slot.provider;
    };
    const inside = this.threads().filter(
      (thread) => thread.purpose === slot.purpose && thread.slot !== undefined && agrees(thread.slot),
    );
    const ids = inside.map((thread) => thread.thread_id);
    const winner = findConflictHeads(
      this.#entries
        .of('activation')
        .filter(({ subject, body }) => ids.includes(subject) && agrees(body['slot'])),
    )[0];
    if (winner !== undefined) return winner.subject;
    return inside.sort(
      (a, b) => whole(b.slot?.number, 0) - whole(a.slot?.number, 0) || compare(b.thread_id, a.thread_id),
    )[0]?.thread_id;
  }

  /** Marks of the user that no `null` takes back: none that its author had seen, whatever came first. */
  #marks(threadId: string, userId: string): readonly OracleEntry[] {
    const all = this.#entries
      .of('annotation', threadId)
      .filter(
        ({ about, body }) => about === 'thread' && body['key'] === 'read' && body['user_id'] === userId,
      );
    const isVoid = new Set<unknown>();
    const takeBack = (id: unknown): void => {
      if (isVoid.has(id)) return;
      isVoid.add(id);
      for (const { own, body } of all)
        if (own === id) for (const seen of (body['replaces'] ?? []) as string[]) takeBack(seen);
    };
    for (const { body } of all) {
      if (body['value'] === null) for (const seen of (body['replaces'] ?? []) as string[]) takeBack(seen);
    }
    return all.filter(({ own, body }) => body['value'] !== null && !isVoid.has(own));
  }

  readMark(threadId: string, userId: string): string | undefined {
    const marked = this.#marks(threadId, userId).map(({ body }) => body['value']);
    const find = (ids: readonly string[]): string | undefined =>
      ids.filter((id) => marked.includes(id)).pop();
    const isFork = this.threads().find(({ thread_id }) => thread_id === threadId)?.forked_from !== undefined;
    return find(this.order(threadId)) ?? (isFork ? find(this.transcript(threadId)) : undefined);
  }

  unread(threadId: string, userId: string): number {
    const order = this.order(threadId);
    const marks = this.#marks(threadId, userId);
    const place = Math.max(-1, ...marks.map(({ body }) => order.indexOf(body['value'] as string)));
    const isOther = (id: string): boolean => this.message(id)?.sender_id !== userId;
    const above = order.slice(0, place + 1).filter(isOther).length;
    const seen = marks
      .filter(({ body }) => body['value'] === order[place])
      .flatMap(({ body }) => (typeof body['seen'] === 'number' ? [body['seen']] : []));
    const late = seen.length === 0 ? 0 : Math.max(0, above - Math.max(...seen));
    return late + order.slice(place + 1).filter(isOther).length;
  }

  /** [TN2]: parts and finishes under headers of other writers than their message line's. */
  ignored(): LineReport[] {
    const reports: LineReport[] = [];
    for (const entry of this.#entries.tails) {
      const lines = this.#attemptLines(entry.subject).filter((line) =>
        openingLines(this.#entries, line.subject).includes(line),
      );
      for (const { headers } of lines) {
        const writers = headers.map(({ writer_id }) => writer_id);
        const others = entry.headers.filter(({ writer_id }) => !writers.includes(writer_id));
        reports.push(...others.map(({ lane_id }) => ({ lane_id, line: entry.line })));
      }
    }
    return uniqueReports(reports);
  }

  /** [FD4] among the lines that count for an attempt. */
  tailLosers(): LineReport[] {
    return this.#entries.of('message').flatMap((line) => {
      const writers = line.headers.map(({ writer_id }) => writer_id);
      return this.#entries
        .tailOf(line)
        .losers.flatMap(({ headers, line: lost }) =>
          headers
            .filter(({ writer_id }) => writers.includes(writer_id))
            .map(({ lane_id }) => ({ lane_id, line: lost })),
        );
    });
  }

  /** [DG1] */
  digest(chosen: Chosen): string {
    const losers = [...chosen.losers, ...chosen.merged].flatMap(toReports).concat(this.tailLosers());
    const lost = new Set(losers.map(({ lane_id, line }) => JSON.stringify([lane_id, line])));
    const entries = [...chosen.entries, ...chosen.tails].flatMap(({ headers, line }) =>
      headers.map(({ lane_id }) => [lane_id, line] as const),
    );
    const lanes = new Map<string, Set<string>>();
    for (const [lane_id, line] of [...entries, ...chosen.covered]) {
      if (lost.has(JSON.stringify([lane_id, line]))) continue;
      const lane = lane_id ?? '';
      lanes.set(lane, (lanes.get(lane) ?? new Set()).add(line));
    }
    const hash = (text: string): string => createHash('sha256').update(text).digest('hex');
    const lines = (lane: string): string => [...(lanes.get(lane) ?? [])].sort(compare).map(endLine).join('');
    const sorted = [...lanes.keys()].sort(compare);
    return hash(sorted.map((lane) => endLine(`${lane} ${hash(lines(lane))}`)).join(''));
  }

  #attemptLines(attempt: string): OracleEntry[] {
    return this.#entries.of('message').filter((line) => attemptOf(line) === attempt);
  }

  waiting(): Waiting {
    const hasMessage = (id: string): boolean => this.#line(id) !== undefined;
    const count = (isWaiting: (entry: OracleEntry) => boolean): number =>
      this.#entries.all.filter(isWaiting).length;
    const messageIds = new Set(this.#entries.of('message').map(({ subject }) => subject));
    return {
      messages_without_thread: [...messageIds].filter(
        (id) => this.#thread(text(this.#threadOf(id))) === undefined,
      ).length,
      parts_without_attempt: chooseWithin(this.#entries.tails).chosen.filter(
        ({ subject }) => this.#attemptLines(subject).length === 0,
      ).length,
      entries_about_absent_messages: count(
        ({ type, about, subject }) => type !== 'message' && about === 'message' && !hasMessage(subject),
      ),
      config_without_thread: count(
        ({ type, subject }) => type === 'thread_config' && this.#thread(subject) === undefined,
      ),
    };
  }
}

/** Two rows of one id may be about different messages. */
function rowKey(row: Json): string {
  const { id, message_id = '' } = row as JsonObject;
  return `${id} ${message_id}`;
}
