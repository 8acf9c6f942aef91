import { readName } from '../source/json-value.js';
import { DERIVED_NAME } from './derived-name.js';
import type { CocalcMessage } from './messages.js';

/** The messages of a file by the names that its rows have for them. */
export class NamedMessages {
  readonly #messages: readonly CocalcMessage[];
  readonly #named = new Map<string, CocalcMessage>();
  /** By the name that CoCalc's own migration gives; made when one is asked for. */
  #derived: ReadonlyMap<string, CocalcMessage> | undefined;

  constructor(messages: readonly CocalcMessage[]) {
    this.#messages = messages;
    for (const message of messages) {
      const name = readName(message.row['message_id']);
      if (name !== undefined) put(this.#named, name, message);
    }
  }

  find(name: string): CocalcMessage | undefined {
    const named = this.#named.get(name);
    if (named !== undefined || !DERIVED_NAME.test(name)) return named;
    this.#derived ??= indexDerived(this.#messages);
    const plain = simplify(name);
    return this.#derived.get(plain) ?? this.#derived.get(plain.replace(OCCURRENCE, ''));
  }
}

/** Of a further message of the same date and sender. */
const OCCURRENCE = /_(?:dup)?\d+$/;

function indexDerived(messages: readonly CocalcMessage[]): ReadonlyMap<string, CocalcMessage> {
  const derived = new Map<string, CocalcMessage>();
  for (const message of messages) {
    const { time, legacyId, row_sender } = message;
    if (time !== undefined && legacyId === undefined)
      put(derived, simplify(`legacy-message-${time}-${row_sender}`), message);
  }
  return derived;
}

/** Of two messages with one name it is always the smaller id that others mean. */
function put(messages: Map<string, CocalcMessage>, name: string, message: CocalcMessage): void {
  const known = messages.get(name);
  if (known === undefined || message.message_id < known.message_id) messages.set(name, message);
}

/** Its versions differed in which characters of a sender they replaced. */
function simplify(name: string): string {
  return name.replace(/[^A-Za-z0-9]/g, '_');
}
