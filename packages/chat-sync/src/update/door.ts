import { ChatDocError, isUlid } from '@chatdoc/schema';
import { isInTransaction } from '@chatdoc/schema/internal';
import * as Y from 'yjs';
import { decodeUpdate } from './decode.js';
import { decodeFrame, encodeFrame } from './frame.js';
import { type Inspection, inspectUpdate } from './inspect.js';
import { INITIAL_LIMITS, type UpdateLimits } from './limits.js';
import type { DoorRefusalCode, UpdateRefusalCode } from './refusal.js';

export type Receipt =
  | { readonly ok: true; readonly outcome: 'applied' | 'duplicate' }
  /** Sync again: something before it is missing. */
  | { readonly ok: false; readonly outcome: 'gap' }
  | { readonly ok: false; readonly outcome: 'refused'; readonly code: DoorRefusalCode };

interface RefusedUpdate<Code> {
  readonly ok: false;
  readonly outcome: 'refused';
  readonly code: Code;
}

/** What an update would do, or why it can't come in. */
export type InspectedUpdate =
  | ({ readonly ok: true } & Inspection)
  | { readonly ok: false; readonly outcome: 'gap' }
  | RefusedUpdate<UpdateRefusalCode>;

export interface DoorOptions {
  readonly doc_id: string;
  readonly generation: number;
  /** Name of the chat's root; `chat` unless given. */
  readonly root?: string;
  /** Other roots that updates may touch: none unless named. `any` is for what is trusted, such as a file of ours. */
  readonly others?: readonly string[] | 'any';
  readonly limits?: Partial<UpdateLimits>;
  /** Origin of the transactions in which updates are applied; the door itself unless given. */
  readonly origin?: unknown;
}

/**
 * The one way into a document for what comes from elsewhere. Every result is typed, nothing is applied in part,
 * no root is made, and nothing waits in the document for what it lacks.
 */
export class Door {
  readonly doc_id: string;
  readonly generation: number;
  readonly #doc: Y.Doc;
  readonly #root: string;
  readonly #others: ReadonlySet<string> | 'any';
  /** Undefined: any. */
  readonly #roots: ReadonlySet<string> | undefined;
  readonly #limits: UpdateLimits;
  readonly #origin: unknown;

  constructor(doc: Y.Doc, options: DoorOptions) {
    if (!isUlid(options.doc_id)) {
      throw new ChatDocError('invalid_argument', 'doc_id', 'expected a canonical ULID');
    }
    if (options.generation !== options.generation >>> 0) {
      throw new ChatDocError('invalid_argument', 'generation', 'expected a uint32');
    }
    this.#doc = doc;
    this.doc_id = options.doc_id;
    this.generation = options.generation;
    this.#root = options.root ?? 'chat';
    this.#others = options.others === 'any' ? 'any' : new Set(options.others);
    this.#roots = this.#others === 'any' ? undefined : new Set([this.#root, ...this.#others]);
    this.#limits = { ...INITIAL_LIMITS, ...options.limits };
    this.#origin = options.origin ?? this;
  }

  /** Takes one frame. Never throws for what stands in it. */
  receive(bytes: Uint8Array): Receipt {
    const read = decodeFrame(bytes);
    if (!read.ok) return refuse(read.code);
    const { frame } = read;
    if (frame.doc_id !== this.doc_id) return refuse('other_document');
    if (frame.generation !== this.generation) return refuse('other_generation');
    if (frame.kind === 'seal') return refuse('not_an_update');
    return this.receiveUpdate(frame.payload);
  }

  /**
   * Takes a bare Yjs update (V1), as providers without frames send it. Changes within its fields, such as other
   * letters in a text, cannot be detected: that takes a frame.
   */
  receiveUpdate(update: Uint8Array): Receipt {
    const inspected = this.inspect(update);
    if (!inspected.ok) return inspected;
    if (inspected.structs.length === 0 && inspected.deletions.length === 0) {
      return { ok: true, outcome: 'duplicate' };
    }
    if (isInTransaction(this.#doc)) return refuse('busy');
    Y.applyUpdate(this.#doc, update, this.#origin);
    return { ok: true, outcome: 'applied' };
  }

  /** What `update` would do. Changes nothing. */
  inspect(update: Uint8Array): InspectedUpdate {
    const decoded = decodeUpdate(update, this.#limits, this.#roots);
    if (!decoded.ok) return refuse(decoded.code);
    const options = { root: this.#root, others: this.#others, limits: this.#limits };
    const inspected = inspectUpdate(this.#doc, decoded.update, options);
    if (inspected.ok) return inspected;
    return inspected.code === 'gap' ? { ok: false, outcome: 'gap' } : refuse(inspected.code);
  }

  /** The frame in which an update of this document travels. */
  wrap(update: Uint8Array): Uint8Array {
    return encodeFrame({
      kind: 'update',
      doc_id: this.doc_id,
      generation: this.generation,
      payload: update,
    });
  }
}

function refuse<Code extends DoorRefusalCode>(code: Code): RefusedUpdate<Code> {
  return { ok: false, outcome: 'refused', code };
}
