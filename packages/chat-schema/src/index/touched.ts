/** The subjects that one transaction touched, as refs. */
export interface Touched {
  /** Messages with another change than appended text. */
  readonly messages: Set<number>;
  /** Text appended to parts, in order. */
  readonly deltas: StreamedText[];
  /** Threads whose own entries changed. */
  readonly threads: Set<number>;
  /** Threads of which a message line came or went, with those messages. */
  readonly lists: Map<number, Set<number>>;
  /** Messages about which an annotation came or went. */
  readonly annotated: Set<number>;
  /** Attempts of which a part or finish came or went. */
  readonly attempts: Set<number>;
  /** Keys of the texts that somebody, owner or not, has changed. */
  readonly texts: Set<string>;
  /** Headers, hidden lines, lines that are not filed, or lines under no header. */
  lanes: boolean;
  /** Document-wide entries. */
  document: boolean;
  any: boolean;
}

interface StreamedText {
  readonly message: number;
  readonly attempt: number;
  readonly n: number;
  readonly text: string;
  /** The text of a line that has just come, not appended to one that was there. */
  readonly first: boolean;
}

export function createTouched(): Touched {
  return {
    messages: new Set(),
    deltas: [],
    threads: new Set(),
    lists: new Map(),
    annotated: new Set(),
    attempts: new Set(),
    texts: new Set(),
    lanes: false,
    document: false,
    any: false,
  };
}

export function addListed(touched: Touched, thread: number, message: number): void {
  const messages = touched.lists.get(thread);
  if (messages === undefined) touched.lists.set(thread, new Set([message]));
  else messages.add(message);
}

/** Adds `from` to `into`: two looks at one transaction. */
export function mergeTouched(into: Touched, from: Touched): void {
  for (const slot of from.messages) into.messages.add(slot);
  for (const slot of from.threads) into.threads.add(slot);
  for (const slot of from.annotated) into.annotated.add(slot);
  for (const slot of from.attempts) into.attempts.add(slot);
  for (const key of from.texts) into.texts.add(key);
  into.lanes ||= from.lanes;
  for (const [thread, messages] of from.lists) {
    for (const message of messages) addListed(into, thread, message);
  }
  for (const delta of from.deltas) into.deltas.push(delta);
  into.document ||= from.document;
  into.any ||= from.any;
}
