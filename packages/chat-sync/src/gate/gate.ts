import { type Chat, type Environment, openChat, systemEnvironment } from '@chatdoc/schema';
import { clockOf, isInTransaction, TYPE_OF_KIND, timeOfUlid } from '@chatdoc/schema/internal';
import * as Y from 'yjs';
import { roomName } from '../generation/room.js';
import { Door } from '../update/door.js';
import { INITIAL_LIMITS, LIVE_LIMITS, type UpdateLimits } from '../update/limits.js';
import { RefusalError } from '../update/refusal.js';
import { type Assertion, type Authorize, allowOwnName } from './assertions.js';
import { GateCheck } from './check.js';
import type { Sender } from './entries.js';
import type { EntryLimits, LineIds } from './lines.js';
import { Owners } from './owners.js';
import type { GateRefusalCode } from './refusal.js';

/** What a refused client must do. */
export type GateReset =
  /** Sync again: nothing is lost. */
  | 'resync'
  /** Its copy holds what was refused, and always will: save its own lines, then take a fresh copy. */
  | 'reset'
  /** Its lines are of another generation: go to `room`. */
  | 'move';

export type Verdict = { readonly ok: true; readonly outcome: 'pass' | 'duplicate' } | GateRefusal;

/** An update that was not taken, and what its sender must do. */
export interface GateRefusal {
  readonly ok: false;
  readonly code: GateRefusalCode;
  readonly reset: GateReset;
  /** Where to go, for `move`. */
  readonly room?: string;
  /** The line that was refused, if it was one: its type and own id, as far as its head is whole. */
  readonly entry?: { readonly type: string; readonly id: string };
  /** Of `future_stamp`: milliseconds by which it is ahead of the server's clock. See `adoptOwn`. */
  readonly ahead_ms?: number;
}

export interface GateLimits extends EntryLimits {
  /** Of what a connected peer sends as it happens. */
  readonly live: UpdateLimits;
  /** Of what it sends in answer to a sync. */
  readonly initial: UpdateLimits;
  /** New clientIDs in whose name one connection may write: every one costs every later transaction. */
  readonly clients: number;
}

export const GATE_LIMITS: GateLimits = {
  live: LIVE_LIMITS,
  initial: INITIAL_LIMITS,
  clients: 1024,
  fields: 64,
  value: 256 * 1024,
};

export interface GateOptions {
  readonly doc_id: string;
  readonly generation: number;
  /** Name of the chat's root; `chat` unless given. */
  readonly root?: string;
  /** Other roots that peers may write; what they do there is not looked at. */
  readonly others?: readonly string[] | 'any';
  readonly authorize?: Authorize;
  /** Lines and headers of later schemas pass, unread. */
  readonly allowLater?: boolean;
  readonly limits?: Partial<GateLimits>;
  /** Its clock says what is the future. */
  readonly environment?: Environment;
}

/** What is bound to a connection while it is open. */
interface Held {
  /** How many new clientIDs it has brought. */
  fresh: number;
  readonly clients: Set<number>;
  readonly writers: Set<string>;
}

/** One connection, as the gate knows it. */
export interface Principal {
  /** Whom the server has authenticated. Undefined: nobody. */
  readonly user: string | undefined;
}

/**
 * Judges what peers send before it is applied, for servers whose peers nobody trusts. It follows the document,
 * whoever writes to it: make it after the document is loaded. What the document holds by then belongs to whom its
 * headers name.
 */
export class Gate {
  readonly doc_id: string;
  readonly generation: number;
  readonly #doc: Y.Doc;
  readonly #root: string;
  readonly #hasOthers: boolean;
  readonly #doors: Readonly<Record<'live' | 'initial', Door>>;
  readonly #authorize: Authorize;
  readonly #allowLater: boolean;
  readonly #limits: GateLimits;
  readonly #environment: Environment;
  readonly #owners: Owners;
  /** What is bound to a connection while that is open. */
  readonly #clients = new Map<number, Principal>();
  readonly #writers = new Map<string, Principal>();
  readonly #open = new Map<Principal, Held>();
  #chat: Chat | undefined;

  constructor(doc: Y.Doc, options: GateOptions) {
    this.#doc = doc;
    this.doc_id = options.doc_id;
    this.generation = options.generation;
    this.#root = options.root ?? 'chat';
    this.#hasOthers = (options.others?.length ?? 0) > 0;
    this.#authorize = options.authorize ?? allowOwnName;
    this.#allowLater = options.allowLater ?? false;
    this.#limits = { ...GATE_LIMITS, ...options.limits };
    this.#environment = options.environment ?? systemEnvironment;
    const { doc_id, generation, others = [] } = options;
    const openDoor = (limits: UpdateLimits): Door =>
      new Door(doc, { doc_id, generation, root: this.#root, others, limits });
    this.#doors = { live: openDoor(this.#limits.live), initial: openDoor(this.#limits.initial) };
    this.#owners = new Owners(doc, this.#root, this.#environment);
  }

  /** Stops following the document. */
  close(): void {
    this.#owners.close();
    this.#chat?.close();
    this.#open.clear();
    this.#clients.clear();
    this.#writers.clear();
  }

  connect(user?: string): Principal {
    const principal: Principal = Object.freeze({ user });
    this.#open.set(principal, { fresh: 0, clients: new Set(), writers: new Set() });
    return principal;
  }

  /** Frees what was bound to the connection: the same user, or where nobody is authenticated anybody, goes on. */
  disconnect(principal: Principal): void {
    const held = this.#open.get(principal);
    this.#open.delete(principal);
    for (const client of held?.clients ?? []) {
      if (this.#clients.get(client) === principal) this.#clients.delete(client);
    }
    for (const writer of held?.writers ?? []) {
      if (this.#writers.get(writer) === principal) this.#writers.delete(writer);
    }
  }

  /** Whether the clientID is held by another connection that is open, or owns lanes of the document. */
  isTaken(client: number, principal: Principal): boolean {
    const holder = this.#clients.get(client);
    return (holder !== undefined && holder !== principal) || this.#owners.client(client) !== undefined;
  }

  /**
   * Judges an update, and applies it if it passes, so that nothing can come between the two. `origin` is that of
   * the transaction.
   */
  receive(
    update: Uint8Array,
    principal: Principal,
    origin: unknown = this,
    kind: 'live' | 'initial' = 'live',
  ): Verdict {
    const verdict = this.check(update, principal, kind);
    if (verdict.ok && verdict.outcome === 'pass') Y.applyUpdate(this.#doc, update, origin);
    return verdict;
  }

  /**
   * Judges an update. Changes no document; a pass binds what the update names to the connection. The caller must
   * apply it at once, or ask again. Never throws for what is in an update. O(update · log document), and O(length of
   * each line that it ends or deletes from).
   */
  check(update: Uint8Array, principal: Principal, kind: 'live' | 'initial' = 'live'): Verdict {
    if (!this.#open.has(principal)) return this.#refuse('disconnected');
    if (isInTransaction(this.#doc)) return this.#refuse('busy');
    const inspected = this.#doors[kind].inspect(update);
    if (!inspected.ok) return this.#refuse(inspected.outcome === 'gap' ? 'gap' : inspected.code);
    if (inspected.structs.length === 0 && inspected.deletions.length === 0) {
      return { ok: true, outcome: 'duplicate' };
    }
    const now = this.#environment.now();
    const check = new GateCheck(this.#owners, this.#senderOf(principal), {
      now,
      limits: this.#limits,
      allowLater: this.#allowLater,
      generation: this.generation,
      hasOthers: this.#hasOthers,
    });
    try {
      check.run(inspected);
    } catch (error) {
      if (!(error instanceof RefusalError)) throw error;
      return describeRefusal(this.#refuse(error.code as GateRefusalCode), check.refused(), now);
    }
    return this.#bind(principal, check) ? { ok: true, outcome: 'pass' } : this.#refuse('too_many_clients');
  }

  #bind(principal: Principal, { clients, writers }: GateCheck): boolean {
    const fresh = [...clients].filter(
      (client) => !this.#clients.has(client) && clockOf(this.#doc, client) === 0,
    );
    const held = this.#open.get(principal);
    if (held === undefined || held.fresh + fresh.length > this.#limits.clients) return false;
    held.fresh += fresh.length;
    for (const client of clients) {
      this.#clients.set(client, principal);
      held.clients.add(client);
    }
    for (const writer of writers) {
      this.#writers.set(writer, principal);
      held.writers.add(writer);
    }
    return true;
  }

  #senderOf(principal: Principal): Sender {
    const { user } = principal;
    const mayUse = (holder: Principal | undefined, owner: string | undefined, isOwned: boolean): boolean => {
      if (holder === principal) return true;
      // The same user again, before the server has noticed that the connection before is gone.
      const isSame = user !== undefined && holder?.user === user;
      if (holder !== undefined && !isSame) return false;
      if (!isOwned || owner === user) return true;
      return user === undefined && this.#allows({ user, action: 'lane', author: owner ?? null, own: false });
    };
    return {
      user,
      mayUseClient: (client) => {
        const owner = this.#owners.client(client);
        if (owner !== undefined && (owner.isCopy || owner.header === undefined)) return false;
        return mayUse(this.#clients.get(client), owner?.user, owner !== undefined);
      },
      mayUseWriter: ({ writer_id, user_id }) => mayUse(this.#writers.get(writer_id), user_id, true),
      allows: (action, author, own, entry) => this.#allows({ user, action, author, own, entry }),
    };
  }

  #allows(assertion: Omit<Assertion, 'chat' | 'entry'> & { readonly entry?: Assertion['entry'] }): boolean {
    const chat = (): Chat => this.#openChat();
    return this.#authorize({
      ...assertion,
      entry: assertion.entry,
      get chat() {
        return chat();
      },
    });
  }

  /** Only a rule that looks at the chat pays for reading it. */
  #openChat(): Chat {
    this.#chat ??= openChat(this.#doc, {
      root: this.#root,
      environment: this.#environment,
      readOnly: true,
    });
    return this.#chat;
  }

  #refuse(code: GateRefusalCode): GateRefusal {
    if (code === 'gap' || code === 'busy' || code === 'disconnected')
      return { ok: false, code, reset: 'resync' };
    if (code !== 'generation') return { ok: false, code, reset: 'reset' };
    return { ok: false, code, reset: 'move', room: roomName(this.doc_id, this.generation) };
  }
}

function describeRefusal(refusal: GateRefusal, ids: LineIds | undefined, now: number): GateRefusal {
  if (ids === undefined) return refusal;
  const { kind, own, attempt } = ids;
  const type = TYPE_OF_KIND[kind];
  const entry = type === undefined ? {} : { entry: { type, id: own } };
  if (refusal.code !== 'future_stamp') return { ...refusal, ...entry };
  const time = Math.max(timeOfUlid(own), attempt === '' ? 0 : timeOfUlid(attempt));
  return { ...refusal, ...entry, ahead_ms: Math.ceil(time - now) };
}
