import { type Header, KIND, type LaneEntry } from '@chatdoc/schema/internal';
import type { LineIds } from './lines.js';
import { type Answer, type Author, isUnnamed, type Known, mergeAuthors, nameEntry } from './owners.js';

/** What an update would add to what is known of a document. Forgotten with the update. */
export class Staged implements Known {
  readonly #known: Known;
  readonly #writers = new Map<string, LaneEntry>();
  readonly #entries = new Map<string, LaneEntry>();
  readonly #authors = new Map<string, Author>();
  readonly #answers = new Map<string, Answer>();
  readonly #redacted = new Set<string>();

  constructor(known: Known) {
    this.#known = known;
  }

  writer(writerId: string): LaneEntry | undefined {
    return this.#known.writer(writerId) ?? this.#writers.get(writerId);
  }

  entry(ids: LineIds): LaneEntry | undefined {
    return this.#known.entry(ids) ?? this.#entries.get(nameAnywhere(ids));
  }

  author(messageId: string): Author | undefined {
    return this.#authors.get(messageId) ?? this.#known.author(messageId);
  }

  answer(attempt: string): Answer | undefined {
    return this.#answers.get(attempt) ?? this.#known.answer(attempt);
  }

  isRedacted(messageId: string): boolean {
    return this.#redacted.has(messageId) || this.#known.isRedacted(messageId);
  }

  addWriter(lane: LaneEntry): void {
    if (!this.#writers.has(lane.writer_id)) this.#writers.set(lane.writer_id, lane);
  }

  /** Takes in a whole line under a header. `parses`: whether it is JSON, asked of redactions alone. */
  addLine(ids: LineIds, { lane, hidden }: Header, parses: () => boolean): void {
    const { kind, own, subject, attempt } = ids;
    if (lane === null || hidden || isUnnamed(kind)) return;
    if (kind !== KIND.message) {
      const name = nameAnywhere(ids);
      if (!this.#entries.has(name)) this.#entries.set(name, lane);
      if (kind === KIND.redaction && parses()) this.#redacted.add(subject);
      return;
    }
    this.#authors.set(own, mergeAuthors(this.author(own), lane));
    if (attempt !== '' && this.answer(attempt) === undefined) {
      this.#answers.set(attempt, { message_id: own, lane });
    }
  }
}

function nameAnywhere(ids: LineIds): string {
  return `${nameEntry(ids)} ${ids.subject}`;
}
