import type { InterruptEntry } from '../entry/interrupt.js';
import type { MessageEntry } from '../entry/message.js';
import type { RevisionEntry } from '../entry/revision.js';
import { KIND, type ReadEntry } from '../entry/table.js';
import { deriveAnswerId } from '../entry/ulid.js';
import { type Body, compareAttempts, type Epochs, type FoldedAttempt, foldAttempt } from './attempt.js';
import type { Chosen } from './choose.js';
import { HistoryFold } from './history.js';
import { type FoldedMessage, foldAnswer, foldPlain } from './message-record.js';
import type { Attempt } from './records.js';
import { type Source, SubjectFold } from './subject.js';
import { type FoldedTurn, NO_TURN, TurnFold } from './turn.js';

/** Reads the body of an attempt, shared by all messages that name it. */
export type ReadBody = (attempt: string, line: Chosen, redacted: boolean) => Body;

/** The kinds of line that a message is folded from. Annotations and legacy rows are read separately. */
const KINDS: ReadonlySet<number> = new Set([
  KIND.message,
  KIND.revision,
  KIND.stop,
  KIND.retry,
  KIND.interrupt,
]);

/** Folds one message, of one row or of many. */
export class MessageFold extends SubjectFold {
  readonly #readBody: ReadBody;
  readonly #id: string;
  #plain: Chosen | undefined;
  /** Lines that answer a prompt, by attempt. */
  #lines: Map<string, Chosen> | undefined;
  #attempts: Map<string, FoldedAttempt> | undefined;
  #histories: Map<string, HistoryFold> | undefined;
  #interrupts: Map<string, Set<number>> | undefined;
  #turn: TurnFold | undefined;
  #problem: string | undefined;

  constructor(source: Source, ref: number, readBody: ReadBody) {
    super(source, ref);
    this.#readBody = readBody;
    this.#id = source.index.refs.idOf(ref);
  }

  protected rowsSince(since: number): number[] {
    const { index } = this;
    return index.messageRows(this.ref, since).filter((row) => KINDS.has(index.kindOf(row)));
  }

  protected isBlank(): boolean {
    return this.isRedacted;
  }

  get isRedacted(): boolean {
    return this.index.isRedacted(this.ref, this.source.include);
  }

  protected clear(): void {
    this.#plain = undefined;
    this.#lines = undefined;
    this.#histories = undefined;
    this.#interrupts = undefined;
    this.#turn = undefined;
    this.#problem = undefined;
  }

  protected add(chosen: Chosen): void {
    switch (chosen.kind) {
      case KIND.message: {
        const { attempt, prompt_id } = chosen.entry as ReadEntry<MessageEntry>;
        if (attempt === undefined || prompt_id === undefined) this.#plain = chosen;
        else {
          this.#lines ??= new Map();
          this.#lines.set(attempt, chosen);
        }
        return;
      }
      case KIND.revision: {
        const entry = chosen.entry as ReadEntry<RevisionEntry>;
        this.#historyOf(entry.attempt ?? '').add(entry);
        this.#problem ??= chosen.problem;
        return;
      }
      case KIND.interrupt: {
        const { attempt = '', seen } = chosen.entry as ReadEntry<InterruptEntry>;
        if (seen === undefined) return;
        this.#interrupts ??= new Map();
        const numbers = this.#interrupts.get(attempt);
        if (numbers === undefined) this.#interrupts.set(attempt, new Set([seen]));
        else numbers.add(seen);
        return;
      }
      default:
        this.#turn ??= new TurnFold();
        this.#turn.add(chosen);
    }
  }

  protected remove({ kind, entry, problem }: Chosen): boolean {
    if (kind !== KIND.revision || problem !== undefined) return false;
    const revision = entry as ReadEntry<RevisionEntry>;
    this.#historyOf(revision.attempt ?? '').remove(revision);
    return true;
  }

  #historyOf(attempt: string): HistoryFold {
    this.#histories ??= new Map();
    let history = this.#histories.get(attempt);
    if (history === undefined) {
      history = new HistoryFold();
      this.#histories.set(attempt, history);
    }
    return history;
  }

  /** Stops and retries alone. */
  readTurn(): FoldedTurn {
    this.update();
    return this.#turn?.read() ?? NO_TURN;
  }

  /** Undefined where no line of the message parses: then it is waiting, or quarantined. */
  read(): FoldedMessage | undefined {
    this.update();
    const redacted = this.isRedacted;
    const turn = this.#turn?.read() ?? NO_TURN;
    if (this.#lines !== undefined) {
      const lines = [...this.#lines.values()];
      const answers = lines.filter(
        ({ entry }) => deriveAnswerId((entry as ReadEntry<MessageEntry>).prompt_id as string) === this.#id,
      );
      if (answers.length > 0) return this.#readAnswer(answers, turn, redacted, false);
      // A message that only answers another prompt than its id derives from shows, with a problem.
      if (this.#plain === undefined) return this.#readAnswer(lines, turn, redacted, true);
    }
    if (this.#plain === undefined) return undefined;
    const body = this.#readBody(this.#id, this.#plain, redacted);
    return foldPlain(this.index.refs, this.#plain, body, {
      history: this.#readHistory(),
      turn,
      redacted,
      problem: this.#problem,
    });
  }

  /** Of a plain message every revision counts, whatever attempt it names. */
  #readHistory(): HistoryFold | undefined {
    if (this.#histories === undefined) return undefined;
    if (this.#histories.size < 2) return [...this.#histories.values()][0];
    const all = new HistoryFold();
    for (const history of this.#histories.values()) for (const entry of history.entries()) all.add(entry);
    return all;
  }

  #readAnswer(lines: readonly Chosen[], turn: FoldedTurn, redacted: boolean, forged: boolean): FoldedMessage {
    const attempts = lines.map((line) => this.#foldAttempt(line, turn.epochs, redacted));
    if (attempts.length > 1) attempts.sort(compareAttempts);
    return foldAnswer(this.index.refs, this.ref, attempts, {
      history: this.#histories?.get((attempts[0] as FoldedAttempt).record.attempt),
      turn,
      redacted,
      forged,
      problem: this.#problem,
    });
  }

  /** The same object while nothing of the attempt has changed. */
  #foldAttempt(line: Chosen, epochs: Epochs, redacted: boolean): FoldedAttempt {
    const { attempt = '' } = line.entry as ReadEntry<MessageEntry>;
    const body = this.#readBody(attempt, line, redacted);
    const next = foldAttempt(line, body, epochs, this.#interrupts?.get(attempt), redacted);
    const known = this.#attempts?.get(attempt);
    if (
      known !== undefined &&
      known.body === body &&
      known.line === line &&
      sameAttempt(known.record, next.record)
    ) {
      return known;
    }
    this.#attempts ??= new Map();
    this.#attempts.set(attempt, next);
    return next;
  }
}

/** Whether two records over one body and one line are equal. */
function sameAttempt(a: Attempt, b: Attempt): boolean {
  return (
    a.epoch === b.epoch &&
    a.state === b.state &&
    a.stop_requested === b.stop_requested &&
    a.finish_reason === b.finish_reason &&
    a.content === b.content
  );
}
