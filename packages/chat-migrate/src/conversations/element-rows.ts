import type { Json } from '@chatdoc/schema';
import { parseJson } from '../source/json-value.js';
import { decodeSpan, JsonWalk } from '../source/json-walk.js';
import { isExact, readText, type SourceRow } from '../source/rows.js';

const [BRACE, BRACKET] = [123, 91] as const;

/** A value inside a JSON document, by its place in the file. Its text is read from the bytes when it is asked for. */
class ElementRow implements SourceRow {
  readonly row: number;
  readonly line: number;
  readonly path: string;
  readonly key: string | undefined;
  readonly end: number;
  readonly #bytes: Uint8Array;
  readonly #start: number;
  #exact: boolean | undefined;
  #parsed: { readonly value: Json | undefined } | undefined;

  constructor(
    place: {
      readonly row: number;
      readonly line: number;
      readonly path: string;
      readonly key?: string | undefined;
    },
    bytes: Uint8Array,
    start: number,
    end: number,
  ) {
    this.row = place.row;
    this.line = place.line;
    this.path = place.path;
    this.key = place.key;
    this.end = end;
    this.#bytes = bytes;
    this.#start = start;
  }

  get raw(): string {
    return decodeSpan(this.#bytes, this.#start, this.end);
  }

  get value(): Json | undefined {
    this.#parsed ??= { value: parseJson(this.raw)?.value };
    return this.#parsed.value;
  }

  get exact(): boolean {
    if (this.#exact === undefined) {
      const { raw } = this;
      this.#exact = !raw.includes('\ufffd') && isExact(this.value, raw);
    }
    return this.#exact;
  }

  get text(): string {
    return readText(this);
  }
}

/** A conversation in a document: one row for what it has besides its messages, and one for each of these. */
interface ConversationRows {
  /** Its members but the messages. */
  readonly own: OwnRow;
  readonly messages: readonly MessageRow[];
}

export type MessageRow = SourceRow & {
  /** Of nested ones, the row of the message above. */
  readonly above?: SourceRow | undefined;
};

/** A value without the messages in it, which are rows of their own. */
class OwnRow implements SourceRow {
  readonly row: number;
  readonly line: number;
  readonly path: string;
  readonly end: number;
  readonly value: Json;
  readonly raw: string;
  readonly exact: boolean;
  readonly above: SourceRow | undefined;

  constructor(
    place: { readonly row: number; readonly line: number; readonly path: string },
    raw: string,
    end: number,
    above?: SourceRow,
  ) {
    this.above = above;
    this.row = place.row;
    this.line = place.line;
    this.path = place.path;
    this.end = end;
    this.raw = raw;
    const value = parseJson(raw)?.value;
    this.value = value ?? null;
    this.exact = isExact(value, raw);
  }

  get text(): string {
    return readText({ ...this, raw: this.raw, value: this.value, exact: this.exact });
  }
}

export interface DocumentLayout {
  /** Members by which a list of conversations may be wrapped. */
  readonly lists: ReadonlySet<string>;
  /** Paths of the messages within a conversation, such as `chat/history/messages`: the first that is there counts. */
  readonly messages: readonly (readonly string[])[];
  /** Member of a message that has the messages below it, each a row of its own. */
  readonly nested?: string;
}

export interface DocumentRows {
  readonly rows: readonly SourceRow[];
  readonly conversations: readonly ConversationRows[];
  /** Elements that are not conversations. */
  readonly others: readonly SourceRow[];
}

/** The rows of a document of one conversation, or of a list of them. The bytes are JSON. O(bytes). */
export function readDocumentRows(bytes: Uint8Array, layout: DocumentLayout): DocumentRows {
  return new DocumentReader(bytes, layout).read();
}

class DocumentReader {
  readonly #bytes: Uint8Array;
  readonly #walk: JsonWalk;
  readonly #layout: DocumentLayout;
  readonly #rows: SourceRow[] = [];
  readonly #conversations: ConversationRows[] = [];
  readonly #others: SourceRow[] = [];
  #line = 1;
  #counted = 0;

  constructor(bytes: Uint8Array, layout: DocumentLayout) {
    this.#bytes = bytes;
    this.#walk = new JsonWalk(bytes);
    this.#layout = layout;
  }

  read(): DocumentRows {
    const start = this.#walk.skipSpace(hasMark(this.#bytes) ? 3 : 0);
    if (this.#bytes[start] === BRACKET) this.#readList(start, '');
    else if (!this.#readWrapped(start)) this.#readConversation(start, '');
    return { rows: this.#rows, conversations: this.#conversations, others: this.#others };
  }

  /** An object with a list of conversations; its other members are rows. */
  #readWrapped(start: number): boolean {
    const members: { key: string; start: number; end: number }[] = [];
    this.#walk.visit(start, (key, at) => {
      const end = this.#walk.skipValue(at);
      members.push({ key: String(key), start: at, end });
      return end;
    });
    const list = members.find(
      ({ key, start: at }) => this.#layout.lists.has(key) && this.#bytes[at] === BRACKET,
    );
    if (list === undefined) return false;
    for (const member of members) {
      if (member === list) this.#readList(member.start, `${member.key}/`);
      else this.#addOther(member.key, member.key, member.start, member.end);
    }
    return true;
  }

  #readList(start: number, prefix: string): void {
    this.#walk.visit(start, (key, at) => {
      const end = this.#walk.skipValue(at);
      if (this.#bytes[at] === BRACE) this.#readConversation(at, `${prefix}${key}`);
      else this.#addOther(`${prefix}${key}`, undefined, at, end);
      return end;
    });
  }

  #readConversation(start: number, path: string): void {
    const place = this.#place(path === '' ? '.' : path, start);
    const index = this.#rows.length;
    this.#rows.push(undefined as unknown as SourceRow);
    const found = this.#findMessages(start);
    const messages: MessageRow[] = [];
    const end = this.#walk.skipValue(start);
    const isWhole = found === undefined;
    if (!isWhole) {
      const prefix = [path, ...found.path].filter((step) => step !== '').join('/');
      this.#readMessages(found.start, prefix, undefined, messages);
    }
    const own = new OwnRow(
      place,
      isWhole ? decodeSpan(this.#bytes, start, end) : this.#cut(start, end, found.start),
      end,
    );
    this.#rows[index] = own;
    this.#conversations.push({ own, messages });
  }

  /** The text of a value without the list or map that begins at `inner`. */
  #cut(start: number, end: number, inner: number): string {
    const close = this.#walk.skipValue(inner);
    const empty = this.#bytes[inner] === BRACKET ? '[]' : '{}';
    return `${decodeSpan(this.#bytes, start, inner)}${empty}${decodeSpan(this.#bytes, close, end)}`;
  }

  #readMessages(start: number, prefix: string, above: SourceRow | undefined, messages: MessageRow[]): void {
    const { nested } = this.#layout;
    this.#walk.visit(start, (key, at) => {
      const end = this.#walk.skipValue(at);
      const place = this.#place(`${prefix}/${key}`, at);
      const inner =
        nested === undefined || place.path.length > MAX_PATH ? undefined : this.#findList(at, nested);
      const row: MessageRow =
        inner === undefined && above === undefined
          ? new ElementRow({ ...place, key: typeof key === 'string' ? key : undefined }, this.#bytes, at, end)
          : new OwnRow(
              place,
              inner === undefined ? decodeSpan(this.#bytes, at, end) : this.#cut(at, end, inner),
              end,
              above,
            );
      this.#rows.push(row);
      messages.push(row);
      if (inner !== undefined) this.#readMessages(inner, `${place.path}/${nested}`, row, messages);
      return end;
    });
  }

  #findMessages(start: number): { readonly path: readonly string[]; readonly start: number } | undefined {
    for (const path of this.#layout.messages) {
      let at: number | undefined = start;
      for (const step of path) at = at === undefined ? undefined : this.#findList(at, step);
      if (at !== undefined) return { path, start: at };
    }
    return undefined;
  }

  /** The offset of the object or list that a member of an object is; of a repeated one the last. */
  #findList(start: number, name: string): number | undefined {
    if (this.#bytes[start] !== BRACE) return undefined;
    let found: number | undefined;
    this.#walk.visit(start, (key, at) => {
      if (key === name) found = this.#bytes[at] === BRACE || this.#bytes[at] === BRACKET ? at : undefined;
      return this.#walk.skipValue(at);
    });
    return found;
  }

  #addOther(path: string, key: string | undefined, start: number, end: number): void {
    const row = new ElementRow({ ...this.#place(path, start), key }, this.#bytes, start, end);
    this.#rows.push(row);
    this.#others.push(row);
  }

  #place(
    path: string,
    start: number,
  ): { readonly row: number; readonly line: number; readonly path: string } {
    for (; this.#counted < start; this.#counted += 1)
      if (this.#bytes[this.#counted] === NEWLINE) this.#line += 1;
    return { row: this.#rows.length + 1, line: this.#line, path };
  }
}

const NEWLINE = 10;
/** Deeper messages stay in the row of the one above them. */
const MAX_PATH = 4096;

function hasMark(bytes: Uint8Array): boolean {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
}
