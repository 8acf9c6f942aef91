import { type Entry, encodeLine, formatDate, formatUlid, type LaneEntry } from '@chatdoc/schema/internal';
import * as Y from 'yjs';
import { Random } from '../chat/random.js';

/** What the attacker writes lies before what the clock of readers says. */
export const FORGED_TIME = Date.UTC(2026, 0, 6);
export const FORGED_DATE = formatDate(FORGED_TIME);
export const ATTACKER = 'user:mallory';

const CLIENT = 0xb000_0001;

/** Ids, lines and lanes as an attacker makes them: valid, but no library would write so many of them. */
export class Forger {
  readonly #random = new Random(666);
  #time = FORGED_TIME;
  readonly #writer = this.id();

  /** Greater than all before. */
  id(): string {
    this.#time += 1;
    return formatUlid(this.#time, this.#random.bytes(10));
  }

  /** Of one and the same millisecond. */
  idAt(time: number): string {
    return formatUlid(time, this.#random.bytes(10));
  }

  header(lane_id: string = this.id()): LaneEntry {
    return {
      type: 'lane',
      lane_id,
      schema_version: 2,
      min_reader: 2,
      generation: 0,
      writer_id: this.#writer,
    };
  }

  /** A lane that is to be written, in a document of its own. */
  openLane(): ForgedLane {
    const header = this.header();
    const doc = new Y.Doc();
    doc.clientID = CLIENT;
    const text = new Y.Text(`${line(header)}\n`);
    doc.getMap('chat').set(header.lane_id, text);
    return new ForgedLane(doc, text);
  }
}

/** Everything that was written since the last look comes as one update. */
export class ForgedLane {
  readonly doc: Y.Doc;
  readonly text: Y.Text;
  #sent = Y.encodeStateVector(new Y.Doc());

  constructor(doc: Y.Doc, text: Y.Text) {
    this.doc = doc;
    this.text = text;
  }

  append(lines: readonly string[]): void {
    this.text.insert(this.text.length, lines.map((each) => `${each}\n`).join(''));
  }

  take(): Uint8Array {
    const update = Y.encodeStateAsUpdate(this.doc, this.#sent);
    this.#sent = Y.encodeStateVector(this.doc);
    return update;
  }
}

export function line(entry: Entry | LaneEntry): string {
  return encodeLine(entry);
}

/** Lines by number, until they are so many bytes. */
export function fill(bytes: number, lineAt: (n: number) => string | readonly string[]): string[] {
  const lines: string[] = [];
  let length = 0;
  for (let n = 0; ; n += 1) {
    const next = lineAt(n);
    const added = typeof next === 'string' ? [next] : next;
    length += added.reduce((sum, each) => sum + each.length + 1, 0);
    if (length > bytes) return lines;
    lines.push(...added);
  }
}
