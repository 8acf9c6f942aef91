import { relative, resolve } from 'node:path';
import { openChatFile } from '@chatdoc/sync/file';
import { countBytes } from './byte-count.js';
import { describeFileFault } from './document-faults.js';
import { type ExitCode, exitCodeOf } from './exit-codes.js';
import { colorsFor, type Io, writeTo } from './io.js';
import { countNoun } from './nouns.js';
import type { Failure } from './read-source.js';
import { nameFile, reportFailure } from './report-failure.js';

interface Compacted {
  readonly ok: true;
  readonly before: number;
  readonly after: number;
  readonly clients: number;
  readonly dropped: number;
  readonly generation: number;
  /** Where bytes that were no frames are kept. */
  readonly aside: readonly string[];
}

export async function compactFiles(files: readonly string[], io: Io): Promise<ExitCode> {
  let done = 0;
  for (const file of files) {
    const result = await compactFile(resolve(io.cwd, file));
    if (!result.ok) {
      await reportFailure(file, result, io);
      continue;
    }
    done += 1;
    await writeTo(io.stdout, describeCompacted(file, result, io));
  }
  return exitCodeOf(done, files.length - done);
}

async function compactFile(path: string): Promise<Compacted | Failure> {
  const opened = await openChatFile(path, { flush: 'manual' });
  if (!opened.ok) return describeFileFault(opened);
  const clients = opened.file.doc.store.clients.size;
  const result = await opened.file.compact();
  if (!result.ok) {
    await opened.file.close();
    return describeFileFault(result);
  }
  const { file, dropped, bytes } = result;
  const closed = await file.close();
  if (!closed.ok) return describeFileFault(closed);
  const { generation, aside } = file;
  return { ok: true, ...bytes, clients, dropped, generation, aside };
}

function describeCompacted(file: string, result: Compacted, io: Io): string {
  const { before, after, clients, dropped, generation, aside } = result;
  const colors = colorsFor(io.stdout, io.env);
  const lines = [
    `${colors.bold(nameFile(file))}: ${countBytes(before)} before, ${countBytes(after)} now`,
    `  ${countNoun(clients, 'writer')} made one, generation ${generation}`,
  ];
  if (dropped > 0) lines.push(`  ${countNoun(dropped, 'superseded entry', 'superseded entries')} left out`);
  for (const path of aside)
    lines.push(`  an unfinished write is kept in ${nameFile(relative(io.cwd, path))}`);
  return `${lines.join('\n')}\n`;
}
