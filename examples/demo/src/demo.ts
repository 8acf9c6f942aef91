import { check, type Finding } from '@chatdoc/integrity';
import { type MigrationPlan, type PlanSummary, summarize } from '@chatdoc/migrate';
import type { LegacyFile } from './legacy-file.js';
import { type Claim, Log, type Scene } from './log.js';
import { listMessageIds, migrateApart } from './migration.js';
import { createReplica, encodeState, type Replica } from './replicas.js';
import { type Ending, tellStory } from './story.js';

/** All that the report prints. */
export interface Demo {
  readonly file: LegacyFile;
  readonly format: string;
  readonly rows: number;
  readonly summary: PlanSummary;
  readonly scenes: readonly Scene[];
  readonly claims: readonly Claim[];
  readonly desktop: Replica;
  readonly thread_id: string;
  /** Of the migrated messages, those that read as before. */
  readonly kept: number;
  readonly messages: number;
  readonly entries: { readonly migrated: number; readonly end: number };
  readonly duplicates: number;
  readonly conflicts: { readonly found: number; readonly left: number };
  readonly bytes: {
    readonly file: number;
    readonly migrated: number;
    readonly end: number;
    readonly sent: number;
  };
  readonly digestsEqual: boolean;
  readonly findings: readonly Finding[];
}

export function runDemo(file: LegacyFile, plan: MigrationPlan): Demo {
  const log = new Log();
  const migrated = migrateApart(plan, log);
  const migratedLines = migrated.laptop.chat.report().lines;
  const ending = tellStory(migrated, log);
  const findings = inspect(ending, migrated.startMs, log);
  const { laptop, desktop, thread_id } = ending;
  const { chat } = desktop;
  return {
    file,
    format: plan.format,
    rows: plan.ledger.rows.length,
    summary: summarize(plan),
    scenes: log.scenes,
    claims: log.claims,
    desktop,
    thread_id,
    kept: ending.kept,
    messages: listMessageIds(chat).length,
    entries: { migrated: migratedLines, end: chat.report().lines },
    duplicates: chat.duplicates().length,
    conflicts: {
      found: ending.conflicts,
      left: chat.threads().reduce((count, thread) => count + chat.conflicts(thread.thread_id).length, 0),
    },
    bytes: {
      file: file.bytes.length,
      migrated: migrated.bytes,
      end: encodeState(desktop).length,
      sent: ending.sent,
    },
    digestsEqual: laptop.chat.digest() === chat.digest(),
    findings,
  };
}

function inspect({ laptop, desktop }: Ending, startMs: number, log: Log): readonly Finding[] {
  log.begin('Check what must hold');
  const digest = laptop.chat.digest();
  log.claim('laptop and desktop end with one digest', desktop.chat.digest() === digest);
  const copy = createReplica('copy', 5, startMs);
  const imported = copy.chat.importJSONL(laptop.chat.toJSONL());
  log.claim(
    'exported as JSON lines and imported again, the digest is the same',
    imported.ok && copy.chat.digest() === digest,
  );
  const findings = check(desktop.chat);
  const errors = findings.filter(({ severity }) => severity === 'error');
  log.claim(
    errors.length === 0
      ? 'no rule of the document is broken on either replica'
      : `broken rules: ${errors.map(({ rule }) => rule).join(', ')}`,
    errors.length === 0 && JSON.stringify(check(laptop.chat)) === JSON.stringify(findings),
  );
  return findings;
}
