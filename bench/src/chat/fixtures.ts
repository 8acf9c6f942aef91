import { type Chat, openChat } from '@chatdoc/schema';
import { formatCount, progress } from '../measure/progress.js';
import { writeNested } from '../peers/nested.js';
import { buildChat, buildThread } from './chat-document.js';
import { type Draft, generateChat, SESSION_LENGTH, THREAD_LENGTH, toJsonLines } from './generator.js';
import { buildArray, buildSessions, loadDoc, type OnProgress, type WriteTo, writeFlat } from './layouts.js';

/** Messages beyond the greatest size, for what is appended and merged. */
const SPARE = 20_000;
/** Sessions of the document variant with at most 16 clientIDs. */
const FEW_SESSIONS = 8;

export type Clients = 'few' | 'many';

/** The documents of one run, each built once, when it is first asked for, and kept encoded. */
export class Fixtures {
  readonly #updates = new Map<string, Uint8Array>();
  readonly #threadIds = new Map<string, readonly string[]>();
  readonly #greatest: number;
  #lines: { readonly size: number; readonly lines: readonly string[] } | undefined;
  #spare: readonly Draft[] | undefined;

  constructor(sizes: readonly number[]) {
    this.#greatest = Math.max(...sizes, 10_000);
  }

  /** Drafts that no document holds, from the first of a thread on. */
  spare(count: number, from = 0): readonly Draft[] {
    this.#spare ??= generateChat(SPARE, this.#greatest);
    return this.#spare.slice(from, from + count);
  }

  /** Only those of one size are kept: every object kept slows the garbage collections between repetitions. */
  lines(size: number): readonly string[] {
    if (this.#lines?.size !== size) this.#lines = { size, lines: toJsonLines(generateChat(size)) };
    return this.#lines.lines;
  }

  array(size: number): Uint8Array {
    return this.built('raw Y.Array', size, 'few', () => buildArray(generateChat(size)));
  }

  nested(size: number): Uint8Array {
    return this.#sessions('nested Y.Maps', size, 'many', writeNested);
  }

  flat(size: number, clients: Clients): Uint8Array {
    return this.#sessions('flat Y.Map', size, clients, writeFlat);
  }

  chat(size: number, clients: Clients): Uint8Array {
    return this.built('chatdoc', size, clients, (onProgress) =>
      buildChat(generateChat(size), sessionLength(size, clients), onProgress),
    );
  }

  /** One thread of so many messages, half of them answers. */
  thread(size: number): Uint8Array {
    return this.built('one thread of chatdoc', size, 'many', (onProgress) =>
      buildThread(generateChat(size), onProgress),
    );
  }

  /** The ids that chatdoc gave the threads, oldest first. */
  threadIds(size: number, clients: Clients): readonly string[] {
    const key = `${size} ${clients}`;
    const known = this.#threadIds.get(key);
    if (known !== undefined) return known;
    const chat = openChat(loadDoc(this.chat(size, clients)));
    const ids = chat.threads().map((thread) => thread.thread_id);
    checkComplete(chat, ids, size);
    chat.close();
    this.#threadIds.set(key, ids);
    return ids;
  }

  #sessions(name: string, size: number, clients: Clients, write: WriteTo): Uint8Array {
    return this.built(name, size, clients, (onProgress) =>
      buildSessions(generateChat(size), sessionLength(size, clients), write, onProgress),
    );
  }

  /** A document that is built once under its name, and kept. */
  built(
    name: string,
    size: number,
    clients: Clients,
    build: (onProgress: OnProgress) => Uint8Array,
  ): Uint8Array {
    const key = `${size} ${clients} ${name}`;
    const known = this.#updates.get(key);
    if (known !== undefined) return known;
    const label = `${formatCount(size)} messages: building ${name} (${clients} clientIDs)`;
    progress(label);
    let reported = performance.now();
    const update = build((messages) => {
      if (performance.now() - reported < 5_000) return;
      reported = performance.now();
      progress(`${label}, ${formatCount(messages)} done`);
    });
    this.#updates.set(key, update);
    return update;
  }
}

function sessionLength(size: number, clients: Clients): number {
  if (clients === 'many') return SESSION_LENGTH;
  return Math.ceil(size / FEW_SESSIONS / THREAD_LENGTH) * THREAD_LENGTH;
}

/** A benchmark of a document that lost messages would be fast. */
function checkComplete(chat: Chat, threadIds: readonly string[], size: number): void {
  const messages = threadIds.reduce((sum, id) => sum + chat.messageIds(id).length, 0);
  if (messages !== size) throw new Error(`the chatdoc document of ${size} messages shows ${messages}`);
  const { quarantined, duplicates, damaged } = chat.report();
  if (quarantined + duplicates + damaged > 0) throw new Error('the chatdoc document has bad lines');
}
