import { existsSync, readFileSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const CORPUS = new URL('../../../../shared/corpus/jupyter/agent-tool-calls.chat', import.meta.url);
const FIXTURE = new URL('../fixtures/mixed-generations.chat', import.meta.url);

export interface LegacyFile {
  /** As shown. */
  readonly path: string;
  readonly origin: 'corpus' | 'fixture' | 'given';
  readonly bytes: Uint8Array;
}

/** The file that was asked for; else a real chat, where the project's corpus lies beside the repository; else ours. */
export function readLegacyFile(path: string | undefined): LegacyFile {
  if (path !== undefined) {
    const ours = resolve(path) === fileURLToPath(FIXTURE);
    return { path, origin: ours ? 'fixture' : 'given', bytes: readFileSync(path) };
  }
  const origin = existsSync(CORPUS) ? 'corpus' : 'fixture';
  const found = fileURLToPath(origin === 'corpus' ? CORPUS : FIXTURE);
  return { path: relative(process.cwd(), found), origin, bytes: readFileSync(found) };
}
