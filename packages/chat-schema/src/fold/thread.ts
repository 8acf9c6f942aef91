import type { ActivationEntry } from '../entry/activation.js';
import type { AnnotationEntry } from '../entry/annotation.js';
import type { Json } from '../entry/json.js';
import { KIND } from '../entry/table.js';
import type { SlotKey, ThreadEntry } from '../entry/thread.js';
import { CONFIG_FIELDS, type ThreadConfigEntry, type ThreadConfigFields } from '../entry/thread-config.js';
import type { ThreadStateEntry } from '../entry/thread-state.js';
import type { VariablesEntry } from '../entry/variables.js';
import { compareText, definedOnly, freezeDeep } from '../host/values.js';
import { filterRows, type Source } from './attempt.js';
import { type Chosen, chooseRows, schemaVersionOf } from './choose.js';
import { findHeads } from './last-writer.js';
import type { Annotation, ConfigConflict, Thread, ThreadConfig } from './records.js';

/** All that stands about one thread, but its messages. */
export interface FoldedThread {
  readonly thread: Omit<Thread, 'root_message_id'> | undefined;
  /** The message that the thread line names as its root. */
  readonly namedRoot: string | undefined;
  readonly config: ThreadConfig;
  readonly conflicts: readonly ConfigConflict[];
  readonly configEntries: readonly ThreadConfigEntry[];
  readonly activations: readonly ActivationEntry[];
  readonly state: ThreadStateEntry | undefined;
  readonly stateEntries: readonly ThreadStateEntry[];
  readonly annotations: readonly AnnotationEntry[];
}

export function foldThread(source: Source, slot: number): FoldedThread {
  const { index } = source;
  const { chosen } = chooseRows(index, filterRows(source, index.threadRows(slot)));
  const ofKind = <T>(kind: number): T[] =>
    chosen.filter((choice) => choice.kind === kind).map(({ entry }) => entry as T);
  const line = chosen.find((choice) => choice.kind === KIND.thread);
  const configEntries = ofKind<ThreadConfigEntry>(KIND.thread_config);
  const stateEntries = ofKind<ThreadStateEntry>(KIND.thread_state);
  return {
    thread: line === undefined ? undefined : readThread(line),
    namedRoot: (line?.entry as ThreadEntry | undefined)?.root_message_id,
    ...foldConfig(index.slots.idOf(slot), configEntries),
    configEntries,
    activations: ofKind<ActivationEntry>(KIND.activation),
    state: findHeads(stateEntries)[0],
    stateEntries,
    annotations: ofKind<AnnotationEntry>(KIND.annotation),
  };
}

function readThread(chosen: Chosen): Omit<Thread, 'root_message_id'> {
  const { entry, problem } = chosen;
  const { thread_id, created_at, created_by, purpose, slot, forked_from, legacy } = entry as ThreadEntry;
  freezeDeep([slot, forked_from, legacy]);
  const record = definedOnly({
    thread_id,
    created_at: created_at ?? '',
    created_by: created_by ?? '',
    purpose: purpose ?? 'chat',
    slot,
    forked_from,
    schema_version: schemaVersionOf(chosen),
    legacy,
    problem,
  });
  return record as Omit<Thread, 'root_message_id'>;
}

function foldConfig(
  thread_id: string,
  entries: readonly ThreadConfigEntry[],
): Pick<FoldedThread, 'config' | 'conflicts'> {
  const config: Record<string, unknown> = { thread_id };
  const conflicts: ConfigConflict[] = [];
  let latest: ThreadConfigEntry | undefined;
  for (const field of CONFIG_FIELDS) {
    const heads = findHeads(entries.filter((entry) => entry[field] !== undefined));
    const winner = heads[0];
    if (winner === undefined) continue;
    if (latest === undefined || winner.id > latest.id) latest = winner;
    if (winner[field] !== null) config[field] = freezeDeep(winner[field]);
    if (heads.length > 1)
      conflicts.push({ field, entries: heads.map((entry) => describeHead(entry, field)) });
  }
  if (latest !== undefined) {
    if (latest.updated_at !== undefined) config['updated_at'] = latest.updated_at;
    if (latest.updated_by !== undefined) config['updated_by'] = latest.updated_by;
  }
  return { config: Object.freeze(config) as ThreadConfig, conflicts: freezeDeep(conflicts) };
}

function describeHead(
  entry: ThreadConfigEntry,
  field: keyof ThreadConfigFields,
): ConfigConflict['entries'][number] {
  return { id: entry.id, updated_by: entry.updated_by ?? '', value: entry[field] as Json };
}

/** The entries of config fields that a new one with these fields would replace. */
export function configHeads(
  entries: readonly ThreadConfigEntry[],
  fields: readonly (keyof ThreadConfigFields)[],
): string[] {
  const ids = new Set<string>();
  for (const field of fields) {
    for (const head of findHeads(entries.filter((entry) => entry[field] !== undefined))) ids.add(head.id);
  }
  return [...ids].sort();
}

/** Annotations of one target, those that show, by id. `read` marks are all there: position decides. */
export function foldAnnotations(entries: readonly AnnotationEntry[]): readonly Annotation[] {
  const shown: Annotation[] = [];
  for (const group of groupAnnotations(entries).values()) {
    const { id, message_id, thread_id, user_id, key, value } = findHeads(group)[0] as AnnotationEntry;
    if (value === null || value === undefined) continue;
    shown.push(freezeDeep(definedOnly({ id, message_id, thread_id, user_id, key, value })) as Annotation);
  }
  return Object.freeze(shown.sort((a, b) => compareText(a.id, b.id)));
}

/** By user and key, of one target. */
export function groupAnnotations(entries: readonly AnnotationEntry[]): Map<string, AnnotationEntry[]> {
  const groups = new Map<string, AnnotationEntry[]>();
  for (const entry of entries) {
    if (entry.user_id === undefined || entry.key === undefined) continue;
    const name = JSON.stringify([entry.user_id, entry.key]);
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [entry]);
    else group.push(entry);
  }
  return groups;
}

export function foldVariables(
  entries: readonly VariablesEntry[],
  scope: string,
  scopeId: string,
): { readonly values: Readonly<Record<string, Json>>; readonly entries: readonly VariablesEntry[] } {
  const own = entries.filter((entry) => entry.scope === scope && entry.scope_id === scopeId);
  const names = new Set(own.flatMap((entry) => Object.keys(entry.values ?? {})));
  const values: Record<string, Json> = Object.create(null) as Record<string, Json>;
  for (const name of [...names].sort()) {
    const setting = own.filter((entry) => entry.values !== undefined && Object.hasOwn(entry.values, name));
    const value = findHeads(setting)[0]?.values[name];
    if (value !== null && value !== undefined) values[name] = freezeDeep(value);
  }
  return { values: Object.freeze(values), entries: own };
}

export function sameSlot(a: SlotKey | undefined, b: SlotKey | undefined): boolean {
  return (
    a !== undefined &&
    b !== undefined &&
    a.root_id === b.root_id &&
    a.owner_id === b.owner_id &&
    a.provider === b.provider
  );
}
