import {
  createHead,
  KIND,
  keyOfLine,
  type LaneEntry,
  parseLine,
  readHead,
  SCHEMA_VERSION,
} from '@chatdoc/schema';

/** Who writes under a header. */
export interface Writer {
  readonly writer_id: string;
  /** The user that the header names. */
  readonly user: string | undefined;
  /** Readers do not fold what stands under it. */
  readonly hidden: boolean;
}

/** Messages with lines of several users. */
export const SEVERAL = 'several';

interface AttemptFact {
  readonly message_id: string;
  readonly writer: Writer;
}

const ULID_LENGTH = 26;

/**
 * What has to be known of the lines of a document to judge a new one: who wrote which id, and what is redacted.
 * With `base`, what an update would add to it: reads fall back, writes stay here.
 */
export class Facts {
  readonly #base: Facts | undefined;
  readonly #writers = new Map<string, Writer>();
  /** By `keyOfLine`; parts and finishes are left out: they count by their attempt. */
  readonly #entries = new Map<string, Writer>();
  readonly #authors = new Map<string, Writer | typeof SEVERAL>();
  readonly #attempts = new Map<string, AttemptFact>();
  readonly #redacted = new Set<string>();
  readonly #head = createHead();

  constructor(base?: Facts) {
    this.#base = base;
  }

  /** The first header that used this id. */
  writer(writerId: string): Writer | undefined {
    return this.#writers.get(writerId) ?? this.#base?.writer(writerId);
  }

  /** Who wrote the line of this entry first. */
  entry(key: string): Writer | undefined {
    return this.#entries.get(key) ?? this.#base?.entry(key);
  }

  /** Whose message it is. */
  author(messageId: string): Writer | typeof SEVERAL | undefined {
    return this.#authors.get(messageId) ?? this.#base?.author(messageId);
  }

  /** Of an attempt at an answer. */
  attempt(attempt: string): AttemptFact | undefined {
    return this.#attempts.get(attempt) ?? this.#base?.attempt(attempt);
  }

  isRedacted(messageId: string): boolean {
    return this.#redacted.has(messageId) || this.#base?.isRedacted(messageId) === true;
  }

  /** The message that a line of text is about: of a message, a revision, a legacy row, a part or a finish. */
  messageOf(line: string): string | undefined {
    const head = this.#head;
    readHead(line, 0, line.length, head);
    switch (head.kind) {
      case KIND.message:
      case KIND.revision:
        return idAt(line, head.subject);
      case KIND.legacy_row:
        return head.subject < 0 ? undefined : idAt(line, head.subject);
      case KIND.part:
      case KIND.finish: {
        const attempt = idAt(line, head.subject);
        // A message that is no answer is its own attempt.
        return this.attempt(attempt)?.message_id ?? attempt;
      }
      default:
        return undefined;
    }
  }

  noteWriter(lane: LaneEntry): Writer {
    const { writer_id, user_id, min_reader, rolled_back } = lane;
    const hidden = min_reader > SCHEMA_VERSION || rolled_back !== undefined;
    const writer = { writer_id, user: user_id, hidden };
    if (this.writer(writer_id) === undefined) this.#writers.set(writer_id, writer);
    return writer;
  }

  /** Takes in a whole line, without marks of deletions, that stands under the header of `writer`. */
  noteLine(line: string, writer: Writer): void {
    if (writer.hidden) return;
    const head = this.#head;
    readHead(line, 0, line.length, head);
    const { kind, own, subject, attempt } = head;
    if (kind === KIND.bad || kind === KIND.unknown || kind === KIND.part || kind === KIND.finish) return;
    const key = keyOfLine(line);
    if (key !== undefined && this.entry(key) === undefined) this.#entries.set(key, writer);
    if (kind === KIND.message) this.#noteMessage(idAt(line, own), attempt, line, writer);
    else if (kind === KIND.redaction && parseLine(line).ok) this.#redacted.add(idAt(line, subject));
  }

  #noteMessage(messageId: string, attempt: number, line: string, writer: Writer): void {
    const known = this.author(messageId);
    if (known === undefined) this.#authors.set(messageId, writer);
    else if (known !== SEVERAL && known.user !== writer.user) this.#authors.set(messageId, SEVERAL);
    if (attempt < 0) return;
    const id = idAt(line, attempt);
    if (this.attempt(id) === undefined) this.#attempts.set(id, { message_id: messageId, writer });
  }
}

function idAt(line: string, at: number): string {
  return line.substring(at, at + ULID_LENGTH);
}
