import { type Chat, ChatDocError, isUlid } from '@chatdoc/schema';
import * as Y from 'yjs';
import {
  type CopiedLanes,
  type CopiedLine,
  digestBytes,
  digestLane,
  importLines,
  joinLines,
  readLanes,
} from './digest-exchange-lanes.js';
import {
  type Address,
  type DigestMessage,
  type ExchangeMessage,
  type LaneLines,
  type Range,
  readMessage,
  writeMessage,
} from './digest-exchange-message.js';

export interface ExchangeOptions {
  readonly doc: Y.Doc;
  readonly chat: Chat;
  readonly doc_id: string;
  readonly generation: number;
  /**
   * Whether lines that the other has more are written here; true unless given. Give false where the other is
   * not trusted with everybody's lines: they come under the headers that it names.
   */
  readonly heal?: boolean;
  /** Code units of a message; a longer one is malformed. */
  readonly limit?: number;
}

/** What differs in one lane. */
export interface LaneDifference {
  /** Empty for lines under no header. */
  readonly lane_id: string;
  /** Lines that only we hold, headers included. */
  readonly only_here: readonly string[];
  /** How many lines only the other holds. */
  readonly only_there: number;
}

/** `replies` are to be sent to the one who sent the message, in order. */
export type ExchangeResult = { readonly replies: readonly string[] } & (
  | { readonly outcome: 'equal' }
  /**
   * The state vectors differ, so that nothing is known yet: sync, then send `digest()` again. `stuck`: they are
   * the same two as last time, so syncing does not help; the lanes are compared now.
   */
  | { readonly outcome: 'behind'; readonly stuck: boolean }
  /** Equal state vectors and different content: no sync will ever mend it. The lanes are compared now. */
  | { readonly outcome: 'diverged' }
  /** Which lanes differ, in one page of them. */
  | { readonly outcome: 'lanes'; readonly lanes: readonly string[] }
  | { readonly outcome: 'lines'; readonly differences: readonly LaneDifference[] }
  /** The other's lines have come, and so many of them were new here. */
  | { readonly outcome: 'healed'; readonly lines: number }
  /** They were not written: not wanted, or the import was refused. */
  | { readonly outcome: 'unhealed'; readonly code: UnhealedCode }
  | { readonly outcome: 'other_document' | 'other_generation' | 'malformed' }
);

export type UnhealedCode = 'not_wanted' | 'import_conflict' | 'import_no_header';

const LIMIT = 32 * 1024 * 1024;
/** Ids or digests in one message. */
const PAGE = 512;
/** Code units of JSONL in one message, unless a single line is longer. */
const ENTRIES_LENGTH = 256 * 1024;
const NO_REPLIES: readonly string[] = Object.freeze([]);

/**
 * Tells whether two synced replicas hold the same, and makes them equal where they do not: state vectors prove
 * nothing. One for each peer; strings in, strings out, over any channel that keeps their order. Both sides send
 * `digest()` after a sync, hand what comes to `receive`, and send its replies. No message needs another before
 * it: one that is lost costs a round.
 */
export class DigestExchange {
  readonly #doc: Y.Doc;
  readonly #chat: Chat;
  readonly #address: Address;
  readonly #heal: boolean;
  readonly #limit: number;
  #behind = '';

  constructor({ doc, chat, doc_id, generation, heal = true, limit = LIMIT }: ExchangeOptions) {
    if (!isUlid(doc_id)) {
      throw new ChatDocError('invalid_argument', 'doc_id', 'expected a canonical ULID');
    }
    this.#doc = doc;
    this.#chat = chat;
    this.#address = { doc_id, generation };
    this.#heal = heal;
    this.#limit = limit;
  }

  /** What to send after a sync. */
  digest(): string {
    return this.#write({ type: 'chatdoc/digest', ...this.#state() });
  }

  /** Takes one message. Never throws for what stands in it. O(document) only where the digests differ. */
  receive(text: unknown): ExchangeResult {
    const read = readMessage(text, this.#limit);
    if (!read.ok) return { outcome: 'malformed', replies: NO_REPLIES };
    const { address, message } = read;
    if (address.doc_id !== this.#address.doc_id) return { outcome: 'other_document', replies: NO_REPLIES };
    if (address.generation !== this.#address.generation) {
      return { outcome: 'other_generation', replies: NO_REPLIES };
    }
    switch (message.type) {
      case 'chatdoc/digest':
        return this.#compare(message);
      case 'chatdoc/lanes':
        return this.#compareLanes(message);
      case 'chatdoc/lines':
        return this.#compareLines(message);
      case 'chatdoc/entries':
        return this.#take(message.jsonl);
    }
  }

  #write(message: ExchangeMessage): string {
    return writeMessage(this.#address, message);
  }

  #state(): Omit<DigestMessage, 'type'> {
    return { state: digestBytes(Y.encodeStateVector(this.#doc)), digest: this.#chat.digest() };
  }

  #compare(theirs: DigestMessage): ExchangeResult {
    const ours = this.#state();
    const behind = theirs.state === ours.state ? '' : `${ours.state} ${theirs.state}`;
    const stuck = behind !== '' && behind === this.#behind;
    this.#behind = behind;
    if (theirs.digest === ours.digest) return { outcome: 'equal', replies: NO_REPLIES };
    if (behind === '') return { outcome: 'diverged', replies: this.#writeLanes() };
    return { outcome: 'behind', stuck, replies: stuck ? this.#writeLanes() : NO_REPLIES };
  }

  #writeLanes(): string[] {
    const lanes = [...readLanes(this.#chat)].map(([id, lane]): Lane => [id, digestLane(lane)]);
    return cutPages(lanes).map((page) => this.#write({ type: 'chatdoc/lanes', ...page }));
  }

  #compareLanes({ lanes, ...range }: Extract<ExchangeMessage, { type: 'chatdoc/lanes' }>): ExchangeResult {
    const ours = readLanes(this.#chat);
    const theirs = new Map(lanes);
    const differing = new Set<string>();
    for (const [id, digest] of theirs) {
      const lane = ours.get(id);
      if (lane === undefined || digestLane(lane) !== digest) differing.add(id);
    }
    for (const id of ours.keys()) if (isIn(range, id) && !theirs.has(id)) differing.add(id);
    const ids = [...differing].sort();
    return { outcome: 'lanes', lanes: ids, replies: this.#writeLines(ours, ids, true) };
  }

  #writeLines(lanes: CopiedLanes, ids: readonly string[], asks: boolean): string[] {
    const replies: string[] = [];
    let page: LaneLines[] = [];
    let length = 0;
    for (const lane_id of ids) {
      const digests = [...(lanes.get(lane_id)?.keys() ?? [])];
      page.push({ lane_id, digests });
      length += 1 + digests.length;
      if (length < PAGE && lane_id !== ids.at(-1)) continue;
      replies.push(this.#write({ type: 'chatdoc/lines', asks, lanes: page }));
      page = [];
      length = 0;
    }
    return replies;
  }

  #compareLines({ asks, lanes }: Extract<ExchangeMessage, { type: 'chatdoc/lines' }>): ExchangeResult {
    const ours = readLanes(this.#chat);
    const missing: CopiedLine[] = [];
    const wanted: string[] = [];
    const differences = lanes.map(({ lane_id, digests }): LaneDifference => {
      const lane = ours.get(lane_id);
      const theirs = new Set(digests);
      const lines = [...(lane ?? [])].flatMap(([digest, line]) => (theirs.has(digest) ? [] : [line]));
      for (const line of lines) missing.push(line);
      const only_there = [...theirs].filter((digest) => lane?.has(digest) !== true).length;
      if (only_there > 0) wanted.push(lane_id);
      return { lane_id, only_here: lines.map(({ line }) => line), only_there };
    });
    const replies = this.#writeEntries(missing);
    if (asks) replies.push(...this.#writeLines(ours, wanted, false));
    return { outcome: 'lines', differences, replies };
  }

  #writeEntries(lines: readonly CopiedLine[]): string[] {
    const replies: string[] = [];
    let page: CopiedLine[] = [];
    let length = 0;
    for (const line of lines) {
      if (length > ENTRIES_LENGTH) {
        replies.push(this.#write({ type: 'chatdoc/entries', jsonl: joinLines(page) }));
        page = [];
        length = 0;
      }
      page.push(line);
      length += line.line.length;
    }
    if (page.length > 0) replies.push(this.#write({ type: 'chatdoc/entries', jsonl: joinLines(page) }));
    return replies;
  }

  #take(jsonl: string): ExchangeResult {
    if (!this.#heal || this.#chat.readOnly) {
      return { outcome: 'unhealed', code: 'not_wanted', replies: NO_REPLIES };
    }
    const imported = importLines(this.#chat, jsonl);
    if (imported.ok) return { outcome: 'healed', lines: imported.lines, replies: NO_REPLIES };
    const code = imported.code === 'import_no_header' ? 'import_no_header' : 'import_conflict';
    return { outcome: 'unhealed', code, replies: NO_REPLIES };
  }
}

type Lane = readonly [id: string, digest: string];

/** Pages of at most `PAGE` lanes in order, each with the range of ids that it answers for; one if there are none. */
function cutPages(lanes: readonly Lane[]): ({ readonly lanes: readonly Lane[] } & Range)[] {
  const pages: ({ readonly lanes: readonly Lane[] } & Range)[] = [];
  let after: string | null = null;
  for (let from = 0; from === 0 || from < lanes.length; from += PAGE) {
    const page = lanes.slice(from, from + PAGE);
    const through: string | null = from + PAGE < lanes.length ? (page.at(-1)?.[0] ?? null) : null;
    pages.push({ lanes: page, after, through });
    after = through;
  }
  return pages;
}

function isIn({ after, through }: Range, id: string): boolean {
  return (after === null || id > after) && (through === null || id <= through);
}
