import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { plant } from '../mutant.js';
import type { Place } from './draw.js';

const SKIPPED: ReadonlySet<string> = new Set(['.git', 'dist']);

/**
 * A copy of the workspace in which one source at a time is mutated: programs that tests start read it from there, as the
 * tests do. What is installed is shared.
 */
export class Sandbox {
  readonly folder: string;

  constructor(root: string) {
    this.folder = mkdtempSync(join(tmpdir(), 'chatdoc-mutants-'));
    const installed = join(root, 'node_modules');
    cpSync(root, this.folder, {
      recursive: true,
      // Links between packages stay within the copy.
      verbatimSymlinks: true,
      filter: (path) => path !== installed && !SKIPPED.has(basename(path)),
    });
    symlinkSync(installed, join(this.folder, 'node_modules'));
  }

  /** Runs `work` while the mutation is in the copy. */
  async withMutation<T>({ file, find, replace }: Place, work: () => Promise<T>): Promise<T> {
    const path = join(this.folder, file);
    const source = readFileSync(path, 'utf8');
    writeFileSync(path, plant({ name: 'random', file, find, replace, breaks: '', killers: [] }, source));
    try {
      return await work();
    } finally {
      writeFileSync(path, source);
    }
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
