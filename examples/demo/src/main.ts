import { planMigration } from '@chatdoc/migrate';
import { runDemo } from './demo.js';
import { type LegacyFile, readLegacyFile } from './legacy-file.js';
import { renderReport } from './report.js';

const USAGE = `Usage: pnpm demo [--once] [FILE]

Migrates a legacy chat (FILE, else a sample) on two replicas, edits both offline, merges, and checks the result.
On a terminal it then serves the migrated chat, with a page to open in two browsers; with --once it ends.
Nothing is kept, and FILE stays as it is.
Exit codes: 0 all that it claims holds, 1 something does not, 2 the file or the arguments are not usable.
`;

process.exitCode = await main(process.argv.slice(2));

async function main(argv: readonly string[]): Promise<number> {
  const options = argv.filter((argument) => argument.startsWith('-') && argument !== '--');
  const paths = argv.filter((argument) => !argument.startsWith('-'));
  if (options.includes('--help') || options.includes('-h')) return print(process.stdout, USAGE, 0);
  const unknown = options.find((option) => option !== '--once');
  if (unknown !== undefined) return print(process.stderr, `There is no option ${unknown}.\n\n${USAGE}`, 2);
  if (paths.length > 1)
    return print(process.stderr, `Expected one file, got ${paths.length}.\n\n${USAGE}`, 2);

  let file: LegacyFile;
  try {
    file = readLegacyFile(paths[0]);
  } catch (error) {
    return print(process.stderr, `The file cannot be read: ${(error as Error).message}\n`, 2);
  }
  const result = planMigration(file.bytes);
  if (!result.ok) return print(process.stderr, `${file.path}: ${result.code}: ${result.message}\n`, 2);
  const demo = runDemo(file, result.plan);
  const failed = demo.claims.some(({ holds }) => !holds);
  const code = print(process.stdout, renderReport(demo, readLook()), failed ? 1 : 0);
  if (process.stdout.isTTY !== true || options.includes('--once')) return code;
  // By a name that is not known before: who only reads the story loads no web server.
  const { showPage } = (await import(
    new URL('./page.ts', import.meta.url).href
  )) as typeof import('./page.js');
  await showPage(result.plan, (text) => process.stdout.write(text));
  return code;
}

function print(stream: NodeJS.WriteStream, text: string, code: number): number {
  stream.write(text);
  return code;
}

function readLook() {
  const { NO_COLOR = '', TERM = '', COLUMNS = '' } = process.env;
  const columns = process.stdout.columns ?? (Number.parseInt(COLUMNS, 10) || 80);
  return {
    color: process.stdout.isTTY === true && NO_COLOR === '' && TERM !== 'dumb',
    width: Math.min(120, Math.max(40, columns)),
  };
}
