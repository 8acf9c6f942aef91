import { type Chat, openChat, SCHEMA_VERSION } from '@chatdoc/schema';
import { deriveUlid, encodeLine } from '@chatdoc/schema/internal';
import * as Y from 'yjs';
import { Inspection } from './inspection.js';
import type { RepairStep } from './repairs/repair-step.js';
import type { Rule } from './rule.js';
import { RULES } from './rules/index.js';

/** Options of `repair`. */
export interface RepairOptions {
  /** Whose repairs to run. Defaults to all rules. */
  readonly rules?: readonly Rule[];
  /** Returns the actions of a run, and writes nothing. Defaults to false. */
  readonly dryRun?: boolean;
}

/** One thing that a repair wrote. */
export interface RepairAction {
  /** Id of the rule. */
  readonly rule: string;
  /** Ids of records or lanes, the one that is repaired in front. */
  readonly ids: readonly string[];
  readonly lines: number;
  readonly description: string;
  /** How to take it back. */
  readonly undo: string;
}

/** `in_transaction`: called while the document changes, as by an observer. `import_conflict`: see `importJSONL`. */
export type RepairResult =
  | { readonly ok: true; readonly actions: readonly RepairAction[]; readonly lines: number }
  | { readonly ok: false; readonly code: 'in_transaction' | 'read_only' | 'import_conflict' };

/** How often a lane of repairs can be lost and written again. */
const MAX_ROUNDS = 16;

/**
 * Appends what repairs the rules that can be repaired safely. Nothing is deleted and nobody's text is changed; ids and
 * bodies derive from what is repaired, so that any number of replicas may do it at once, and a second run writes
 * nothing. Reads the whole document.
 */
export function repair(chat: Chat, { rules = RULES, dryRun = false }: RepairOptions = {}): RepairResult {
  if (chat.isInTransaction) return Object.freeze({ ok: false, code: 'in_transaction' });
  if (dryRun) return repairCopy(chat, rules);
  if (chat.readOnly) return Object.freeze({ ok: false, code: 'read_only' });
  const rehosting = rules.find((rule) => rule.repair?.kind === 'rehost');
  const actions: RepairAction[] = [];
  // What comes back may be what others wait for.
  if (rehosting !== undefined) {
    const lanes = listDamagedLanes(chat);
    const lines = chat.rehost();
    if (lines > 0) actions.push(describe(rehosting, lanes, lines));
  }
  return append(chat, rules, actions);
}

/** On a copy, where the lost lines are imported instead of re-hosted. */
function repairCopy(chat: Chat, rules: readonly Rule[]): RepairResult {
  const doc = new Y.Doc();
  const copy = openChat(doc, { generation: chat.generation });
  try {
    copy.importJSONL(chat.toJSONL());
    const actions: RepairAction[] = [];
    const rehosting = rules.find((rule) => rule.repair?.kind === 'rehost');
    // As `rehost` does, which the redaction of these lines may stop.
    if (rehosting !== undefined && !chat.hasPending) {
      const result = copy.importJSONL(chat.rescued());
      if (result.ok && result.lines > 0) {
        actions.push(describe(rehosting, listDamagedLanes(chat), result.lines));
      }
    }
    return append(copy, rules, actions);
  } finally {
    copy.close();
    doc.destroy();
  }
}

function append(chat: Chat, rules: readonly Rule[], actions: readonly RepairAction[]): RepairResult {
  const inspection = new Inspection(chat, rules);
  inspection.settle();
  const planned = new Map<string, PlannedStep>();
  for (const rule of rules) {
    if (rule.repair?.kind !== 'append') continue;
    for (const { facts } of inspection.subjectsOf(rule)) {
      for (const step of rule.repair.plan(facts, chat)) planned.set(encodeLine(step.entry), { rule, step });
    }
  }
  const lines = [...planned.keys()].sort();
  if (lines.length > 0 && !write(chat, lines)) return Object.freeze({ ok: false, code: 'import_conflict' });
  const done = [...actions, ...lines.map((line) => describeStep(planned.get(line) as PlannedStep))];
  const count = done.reduce((sum, action) => sum + action.lines, 0);
  return Object.freeze({ ok: true, actions: Object.freeze(done), lines: count });
}

interface PlannedStep {
  readonly rule: Rule;
  readonly step: RepairStep;
}

/** Under a header that all replicas write alike. A lane that was lost for good makes room for the next. */
function write(chat: Chat, lines: readonly string[]): boolean {
  for (let round = 1; round <= MAX_ROUNDS; round += 1) {
    const lane_id = deriveUlid(0, 'repair lane', chat.generation, round);
    const header = encodeLine({
      type: 'lane',
      lane_id,
      schema_version: SCHEMA_VERSION,
      min_reader: SCHEMA_VERSION,
      generation: chat.generation,
      writer_id: lane_id,
    });
    const result = chat.importJSONL([header, ...lines, ''].join('\n'));
    if (result.ok && result.lines > 0) return true;
  }
  return false;
}

function listDamagedLanes(chat: Chat): readonly string[] {
  const lanes = new Set<string>();
  for (const { header } of chat.damage()) if (header !== null) lanes.add(header.lane_id);
  return [...lanes].sort();
}

function describeStep({ rule, step }: PlannedStep): RepairAction {
  return describe(rule, step.ids, 1);
}

function describe(rule: Rule, ids: readonly string[], lines: number): RepairAction {
  const { description = '', undo = '' } = rule.repair ?? {};
  return Object.freeze({ rule: rule.id, ids: Object.freeze([...ids]), lines, description, undo });
}
