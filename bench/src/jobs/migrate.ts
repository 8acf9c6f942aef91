import { readFileSync } from 'node:fs';
import { planMigration } from '@chatdoc/migrate';
import { collectGarbage } from '../measure/pair.js';
import { answer, readResident, watchPeak } from './job.js';

export interface MigrateResult {
  /** Of the file. */
  readonly bytes: number;
  /** Bytes over what the process held when it had read the file. */
  readonly peak: number;
}

/** Plans one file in a process of its own. */
await answer(({ file }: { readonly file: string }): MigrateResult => {
  const bytes = readFileSync(file);
  collectGarbage();
  const before = readResident();
  const readPeak = watchPeak();
  const result = planMigration(bytes);
  if (!result.ok) throw new Error(`a file of the bench: ${result.code}`);
  if (result.plan.jsonl.length === 0) throw new Error('an empty plan');
  return { bytes: bytes.length, peak: readPeak() - before };
});
