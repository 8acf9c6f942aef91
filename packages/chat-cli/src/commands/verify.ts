import { check, type Finding, RULES, type Severity } from '@chatdoc/integrity';
import type { Problem } from '@chatdoc/migrate';
import { EXIT, type ExitCode, exitCodeOf } from '../exit-codes.js';
import { type Colors, colorsFor, type Io, widthOf, writeTo } from '../io.js';
import { COPY_ADVICE, nameFile, reportFailure } from '../say/failure.js';
import { describeLine, describeProblems } from '../say/findings.js';
import { FILES, fitHelp } from '../say/help.js';
import { countNoun, listSome } from '../say/nouns.js';
import { escapeJson, flatten } from '../say/plain-text.js';
import { ALL_CHATS, type ChatSource, findSources } from '../sources/find-sources.js';
import { FORMAT_NAMES, type OpenedChat, openSource } from '../sources/open-source.js';
import { type Failure, readSource } from '../sources/read-source.js';
import type { CommandSetting } from './setting.js';

/** Adds `chatdoc verify`. */
export function addVerify({ program, io, finish }: CommandSetting): void {
  program
    .command('verify')
    .summary('look for damage')
    .description(
      'Checks all that must hold in a chat, and prints what does not: errors, which are damage; warnings, which may be rows or entries that are missing; and notes. Prints no content of the chat. An old chat is checked as it would be migrated.',
    )
    .argument(
      '<PATH...>',
      'documents or old chats, folders with them at any depth, or patterns; - reads standard input',
    )
    .option('-j, --json', 'print the findings as JSON')
    .showHelpAfterError('Run chatdoc verify --help to see how it is used.')
    .addHelpText('after', () =>
      fitHelp(
        `
${FILES}

Examples:
  $ chatdoc verify team.ychat
  $ chatdoc verify chats/ --json

Exit codes:
  0  no errors; there may be warnings and notes
  1  errors were found, or some of the files could not be read
  2  nothing was verified: wrong usage, or none of the files could be read`,
        io,
      ),
    )
    .action(async (paths: string[], options: VerifyOptions) => finish(await verifyFiles(paths, options, io)));
}

interface VerifyOptions {
  readonly json?: boolean;
}

/** A finding with the name of its rule. */
type NamedFinding = Finding & { readonly name: string };

interface Verified {
  readonly file: string;
  readonly ok: true;
  readonly format: OpenedChat['format'];
  readonly threads: number;
  readonly messages: number;
  readonly findings: readonly NamedFinding[];
  /** Of an old chat: what is odd in its rows. Without the rows themselves. */
  readonly problems: readonly Omit<Problem, 'raw'>[];
  /** What is odd about the file itself. */
  readonly notes: readonly string[];
}

type Result = Verified | (Failure & { readonly file: string });

async function verifyFiles(paths: readonly string[], options: VerifyOptions, io: Io): Promise<ExitCode> {
  const results: Result[] = [];
  const files = new Map<string, string>();
  for (const source of await findSources(paths, io.cwd, ALL_CHATS)) {
    const result = await verifySource(source, files, io);
    results.push(result);
    if (!result.ok) await reportFailure(result.file, result, io);
    else if (options.json !== true) await writeTo(io.stdout, describeResult(result, io));
  }
  if (options.json === true)
    await writeTo(io.stdout, escapeJson(`${JSON.stringify({ files: results }, null, 2)}\n`));
  const done = results.filter((result): result is Verified => result.ok);
  const damaged = done.filter(({ findings }) => findings.some(({ severity }) => severity === 'error'));
  if (damaged.length > 0) return EXIT.findings;
  return exitCodeOf(done.length, results.length - done.length);
}

/** `files`: by document those that were verified before. */
async function verifySource(named: ChatSource, files: Map<string, string>, io: Io): Promise<Result> {
  const { file } = named;
  if ('failure' in named) return { file, ...named.failure };
  const source = await readSource(file, io);
  if (!source.ok) return { file, ...source };
  const opened = openSource(source.bytes);
  if (!opened.ok) return { file, ...opened };
  const { chat, doc_id, format, plan, notes } = opened;
  const findings = check(chat).map((finding) => ({ ...finding, name: nameRule(finding.rule) }));
  if (doc_id !== undefined) {
    const first = files.get(doc_id);
    if (first === undefined) files.set(doc_id, file);
    else findings.push(describeSame(doc_id, first));
  }
  const threads = chat.threads();
  return {
    file,
    ok: true,
    format,
    threads: threads.length,
    messages: threads.reduce((sum, { thread_id }) => sum + chat.messageIds(thread_id).length, 0),
    findings,
    problems: (plan?.problems ?? []).map(({ raw: _, ...problem }) => problem),
    notes,
  };
}

/** Of all files together: two of them are one document, and a server shows one of the two. */
function describeSame(docId: string, first: string): NamedFinding {
  const message = `this is the same document as ${nameFile(first)}, and a server shows only one of them; ${COPY_ADVICE}`;
  return { rule: 'FILES', name: 'same_document', severity: 'error', count: 1, ids: [docId], message };
}

function nameRule(id: string): string {
  return RULES.find((rule) => rule.id === id)?.name ?? id;
}

function describeResult(result: Verified, io: Io): string {
  const { file, format, threads, messages, findings, problems, notes } = result;
  const colors = colorsFor(io.stdout, io.env);
  const size = `${countNoun(messages, 'message')} in ${countNoun(threads, 'thread')}`;
  const lines = [`${colors.bold(nameFile(file))}: ${FORMAT_NAMES[format]}, ${size}`];
  const add = (severity: Severity, text: string): void => {
    lines.push(...describeLine(severity, text, colors, widthOf(io.stdout)));
  };
  for (const note of notes) add('warning', note);
  for (const problem of describeProblems(problems)) add('warning', problem);
  for (const finding of findings) add(finding.severity, describeFinding(finding));
  lines.push(`  ${summarizeFindings(result, colors)}`);
  return `${lines.join('\n')}\n`;
}

function describeFinding({ rule, name, message, ids }: NamedFinding): string {
  return `${rule} ${name}: ${message}${ids.length === 0 ? '' : ` (${listSome(ids.map(flatten))})`}`;
}

function summarizeFindings({ findings, problems, notes }: Verified, colors: Colors): string {
  const count = (wanted: Severity): number => findings.filter(({ severity }) => severity === wanted).length;
  const errors = count('error');
  const warnings = count('warning') + notes.length + describeProblems(problems).length;
  const parts = [
    errors > 0 ? countNoun(errors, 'error') : '',
    warnings > 0 ? countNoun(warnings, 'warning') : '',
    count('info') > 0 ? countNoun(count('info'), 'note') : '',
  ].filter((part) => part !== '');
  if (errors > 0) return colors.red(parts.join(', '));
  return colors.green(parts.length === 0 ? 'all well' : `no errors, ${parts.join(', ')}`);
}
