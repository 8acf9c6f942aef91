import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Hit, runRatchet } from './ratchet.js';
import { groupOf, ROOT } from './workspace.js';

/**
 * Runs knip, which finds exported names, files and dependencies that nothing uses; what `index.ts` exports is used by
 * definition. `tools/ratchets/unused.json` allows those that are still there. Run with `pnpm unused`; `--list
 * chat-sync` prints every one of a package.
 */

interface Issue {
  readonly name: string;
  readonly line?: number;
}

/** As of knip's JSON reporter: for a file the issues of each kind. */
type FileIssues = { readonly file: string } & Readonly<Record<string, readonly Issue[] | string>>;

export function readReport(json: string): Hit[] {
  const { issues } = JSON.parse(json) as { readonly issues: readonly FileIssues[] };
  return issues.flatMap(({ file, ...kinds }) =>
    Object.entries(kinds).flatMap(([kind, found]) =>
      typeof found === 'string'
        ? []
        : found.map(({ name, line = 1 }) => ({
            group: groupOf(file),
            key: `${kind} ${name.split('/').at(-1)}`,
            text: `${file}:${line} ${name}: unused (${kind})`,
          })),
    ),
  );
}

function runKnip(root: string): string {
  const program = fileURLToPath(new URL('../node_modules/knip/bin/knip.js', import.meta.url));
  const args = ['--reporter', 'json', '--no-exit-code', '--no-progress'];
  return execFileSync(process.execPath, [program, ...args], { cwd: root, encoding: 'utf8' });
}

/** Returns the exit code. */
export function main(
  root: string,
  args: readonly string[],
  out: (line: string) => void,
  err: (line: string) => void,
): number {
  const file = join(root, 'tools/ratchets/unused.json');
  return runRatchet({ name: 'unused', file, hits: readReport(runKnip(root)), args, out, err });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  process.exitCode = main(ROOT, process.argv.slice(2), console.log, console.error);
}
