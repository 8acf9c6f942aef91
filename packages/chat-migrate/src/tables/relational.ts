import { formatDate } from '@chatdoc/schema';
import type { ActivationEntry, ThreadEntry } from '@chatdoc/schema/internal';
import { createConfig } from '../cocalc/config.js';
import { deriveId } from '../plan/derive-id.js';
import { PlanDraft } from '../plan/draft.js';
import { createColumnsRow } from '../plan/legacy-rows.js';
import type { Reading } from '../plan/reading.js';
import { TableColumns } from './columns.js';
import { latestOf, placeThreads, type RelationalThread, readOtherColumns } from './relational-threads.js';
import { readTableRows, screenTableRows } from './rows.js';

/** Whether a table keeps the threads of a relational database: of each slot one that is active, and older ones. */
export function isRelationalTable(columns: ReadonlySet<string>): boolean {
  return columns.has('rootpromptrowid') && (columns.has('provider') || columns.has('ownerid'));
}

/** Reads a table of threads. It holds no messages: only which threads there were, and the sessions they go on in. */
export function readRelational(bytes: Uint8Array): Reading {
  const rows = readTableRows(bytes, isRelationalTable);
  const draft = new PlanDraft();
  const { threads, strays } = placeThreads(screenTableRows(rows, draft).map((row) => new TableColumns(row)));
  for (const columns of strays) {
    draft.report(
      columns.source,
      'missing_column',
      'the row names no root prompt, so it belongs to no slot: it is kept aside',
    );
    draft.setAside(columns.source, 'partial', columns.time('createdat')?.time);
  }
  const activations = activateThreads(threads, draft);
  const sessions = new SessionClaims();
  for (const thread of threads) writeThread(thread, draft, activations.get(thread), sessions.claim(thread));
  const identity = identify(threads);
  return { rows, draft, ...(identity === undefined ? {} : { identity }) };
}

/**
 * An activation for each thread that its row calls active. Of several in a slot, that of the newest replaces the
 * others: it stays active also where another export has only an older one.
 */
function activateThreads(
  threads: readonly RelationalThread[],
  draft: PlanDraft,
): ReadonlyMap<RelationalThread, ActivationEntry> {
  const bySlot = new Map<string, RelationalThread[]>();
  for (const thread of threads) {
    if (thread.isActive !== true) continue;
    const active = bySlot.get(thread.slotKey);
    if (active === undefined) bySlot.set(thread.slotKey, [thread]);
    else active.push(thread);
  }
  const activations = new Map<RelationalThread, ActivationEntry>();
  for (const active of bySlot.values()) {
    const newest = active.at(-1)?.thread_id;
    const others = active.filter(({ thread_id }) => thread_id !== newest);
    for (const thread of others) {
      activations.set(thread, createActivation(thread, []));
      const message = 'another row of this slot is active and newer: this thread is kept, and is not active';
      draft.report(thread.columns.source, 'several_active', message);
    }
    const replaced = others.flatMap((thread) => activations.get(thread)?.id ?? []);
    for (const thread of active)
      if (thread.thread_id === newest) activations.set(thread, createActivation(thread, replaced.sort()));
  }
  return activations;
}

function createActivation(thread: RelationalThread, replaces: readonly string[]): ActivationEntry {
  const { root_id, owner_id, provider } = thread.slot;
  const { thread_id } = thread;
  return {
    type: 'activation',
    id: deriveId(latestOf(thread), 'legacy_activation', thread_id, ...replaces),
    thread_id,
    ...(replaces.length === 0 ? {} : { replaces }),
    slot: { root_id, owner_id, provider },
  };
}

/** Which thread goes on in a session of a provider: the oldest that names it. */
class SessionClaims {
  readonly #owners = new Map<string, string>();

  /** Whether the session of this thread is its own. */
  claim({ thread_id, session }: RelationalThread): boolean {
    const keys = Object.entries(session).map((entry) => JSON.stringify(entry));
    if (keys.some((key) => (this.#owners.get(key) ?? thread_id) !== thread_id)) return false;
    for (const key of keys) this.#owners.set(key, thread_id);
    return true;
  }
}

function writeThread(
  thread: RelationalThread,
  draft: PlanDraft,
  activation: ActivationEntry | undefined,
  ownsSession: boolean,
): void {
  const { columns, thread_id, slot, purpose, row_id, created, name, session } = thread;
  const { source } = columns;
  const entry: ThreadEntry = {
    type: 'thread',
    thread_id,
    created_at: formatDate(created ?? 0),
    created_by: slot.owner_id,
    purpose,
    slot,
    ...(row_id === undefined ? {} : { legacy: { row_id } }),
  };
  const hasSession = Object.keys(session).length > 0;
  const fields = {
    ...(name === undefined ? {} : { name }),
    ...(hasSession && ownsSession ? { session } : {}),
  };
  const lent = hasSession && !ownsSession ? { session } : undefined;
  const config =
    Object.keys(fields).length === 0 && lent === undefined
      ? []
      : [createConfig(thread_id, latestOf(thread), slot.owner_id, fields, lent)];
  if (created === undefined) draft.report(source, 'no_date', 'the row has no usable date of creation');
  else if (columns.time('createdat')?.assumedUtc)
    draft.report(source, 'date_without_zone', 'the date names no zone: read as UTC');
  if (lent !== undefined) {
    const message =
      'an older thread goes on in this provider session: this one keeps the name of it as a legacy column, and starts a new session';
    draft.report(source, 'shared_session', message);
  }
  const rest = readOtherColumns(thread);
  const beside = rest && createColumnsRow(created ?? 0, { thread_id }, rest);
  const others = [...(activation === undefined ? [] : [activation]), ...config];
  const isKept = draft.become(source, entry, ...others, ...(beside === undefined ? [] : [beside]));
  if (!isKept) return;
  if (!source.exact) draft.keepText(source, 'exact_text');
  else if (rest !== undefined && beside === undefined) draft.keepText(source, 'columns');
}

/** The oldest thread names the document: rows that are added later do not change it. */
function identify(threads: readonly RelationalThread[]): Reading['identity'] {
  const oldest = threads.find(({ created }) => created !== undefined) ?? threads[0];
  return (
    oldest && {
      row: oldest.columns.source,
      doc_id: deriveId(0, 'legacy_document', 'relational', oldest.thread_id),
    }
  );
}
