import type {
  Annotation,
  ChatReader,
  ConfigConflict,
  Json,
  LineReport,
  Message,
  QuarantinedLine,
  Slot,
  Thread,
  ThreadConfig,
  ThreadState,
  Waiting,
} from '@chatdoc/schema';
import { deriveAnswerId } from '@chatdoc/schema';
import { compare } from './oracle-lines.js';
import { type Entries, text } from './oracle-turns.js';

export type SlotKey = Omit<Slot, 'number'> & { readonly purpose: 'chat' | 'run' };

/** Ids that the entries mention anywhere: what to ask a chat about. */
export interface Probe {
  readonly threads: readonly string[];
  readonly messages: readonly string[];
  readonly slots: readonly SlotKey[];
  readonly scopes: readonly (readonly ['user' | 'org' | 'project', string])[];
  readonly users: readonly string[];
}

/** Everything that a chat reads, as plain JSON. */
export interface Everything {
  readonly docId: string | null;
  readonly threads: readonly Thread[];
  readonly configs: Readonly<Record<string, ThreadConfig>>;
  readonly conflicts: Readonly<Record<string, readonly ConfigConflict[]>>;
  readonly order: Readonly<Record<string, readonly string[]>>;
  readonly transcripts: Readonly<Record<string, readonly string[]>>;
  readonly parents: Readonly<Record<string, string | null>>;
  readonly messages: Readonly<Record<string, Message | null>>;
  readonly states: Readonly<Record<string, ThreadState>>;
  readonly queues: Readonly<Record<string, readonly string[]>>;
  readonly active: Readonly<Record<string, string | null>>;
  readonly variables: Readonly<Record<string, Readonly<Record<string, Json>>>>;
  readonly annotations: Readonly<Record<string, readonly Annotation[]>>;
  readonly marks: Readonly<Record<string, string | null>>;
  readonly unread: Readonly<Record<string, number>>;
  readonly legacyRows: readonly Json[];
  readonly quarantine: readonly QuarantinedLine[];
  readonly duplicates: readonly LineReport[];
  readonly ignored: readonly LineReport[];
  readonly waiting: Waiting;
  readonly unknown: Readonly<Record<string, number>>;
  readonly hidden: readonly string[];
  readonly rolledBack: readonly string[];
  readonly rollbacks: ReturnType<ChatReader['rollbacks']>;
}

export interface OracleResult {
  readonly everything: Everything;
  readonly probe: Probe;
  readonly digest: string;
}

/** Ids that the entries of a document mention. */
export function findProbe(entries: Entries): Probe {
  const threads = new Set<string>();
  const messages = new Set<string>();
  const slots = new Map<string, SlotKey>();
  const scopes = new Map<string, readonly ['user' | 'org' | 'project', string]>();
  const users = new Set<string>();
  for (const { type, about, subject, body } of entries.all) {
    if (about === 'thread') threads.add(subject);
    if (about === 'message') messages.add(subject);
    if (type === 'message') threads.add(text(body['thread_id']));
    if (type === 'message' && body['expects'] === 'answer') messages.add(deriveAnswerId(subject));
    const { root_id, owner_id, provider } = (body['slot'] ?? {}) as Slot;
    if (body['slot'] !== undefined) {
      for (const purpose of ['chat', 'run'] as const) {
        const slot = { root_id, owner_id, provider, purpose };
        slots.set(JSON.stringify(slot), slot);
      }
    }
    if (type === 'variables' && typeof body['scope'] === 'string' && typeof body['scope_id'] === 'string') {
      const scope = [body['scope'] as 'user', body['scope_id']] as const;
      scopes.set(scope.join('/'), scope);
    }
    if (type === 'annotation') users.add(text(body['user_id']));
  }
  return {
    threads: [...threads].sort(compare),
    messages: [...messages].sort(compare),
    slots: [...slots.values()],
    scopes: [...scopes.values()],
    users: [...users].sort(compare),
  };
}
