import { open } from 'node:fs/promises';
import type { MigrationPlan, PlanSummary } from '@chatdoc/migrate';
import type { CommitResult } from '@chatdoc/migrate/file';
import stringWidth from 'string-width';
import { colorsFor, type Io, widthOf } from '../io.js';
import { describeFileFault } from '../sources/document-faults.js';
import { describePlanFailure, FORMAT_NAMES, isDocumentFile } from '../sources/open-source.js';
import { type Failure, fail } from '../sources/read-source.js';
import { nameFile } from './failure.js';
import { describeProblems } from './findings.js';
import { countNoun, nameReason } from './nouns.js';
import { flatten } from './plain-text.js';
import { cutText, wrapText } from './wrap-text.js';

/** One file as the report tells it. */
export type Migrated =
  | {
      readonly file: string;
      readonly ok: true;
      readonly output: string;
      /** `same`: the document held all of it already. */
      readonly outcome: 'written' | 'updated' | 'same';
      readonly dryRun: boolean;
      readonly backup: string;
      readonly doc_id: string;
      /** New in the document. */
      readonly lines: number;
      readonly summary: PlanSummary;
      readonly plan: MigrationPlan;
    }
  | (Failure & { readonly file: string });

type Done = Extract<Migrated, { ok: true }>;

function describeOutcome({ outcome, dryRun, lines }: Done): string {
  if (outcome === 'same') return ' (already there, with all of it)';
  if (dryRun) return outcome === 'written' ? ' (not written: dry run)' : ' (not updated: dry run)';
  return outcome === 'updated' ? ` (updated: ${countNoun(lines, 'new entry', 'new entries')})` : '';
}

/** What became of one old chat, for a person. */
export function describeMigration(result: Done, io: Io): string {
  const { file, output, outcome, dryRun, backup, summary, plan } = result;
  const colors = colorsFor(io.stdout, io.env);
  const names = `${colors.bold(nameFile(file))} -> ${colors.bold(nameFile(output))}`;
  const lines = [`${names}${describeOutcome(result)}`];
  const add = (text: string, paint: (line: string) => string = String): void => {
    for (const [i, line] of wrapText(text, widthOf(io.stdout) - 4).entries()) {
      lines.push(`  ${i === 0 ? '' : '  '}${paint(line)}`);
    }
  };
  if (summary.rows === 0) add('the file is empty: a chat in which nobody has written');
  else add(`${FORMAT_NAMES[summary.format]}: ${describeContent(summary)}`);
  const rows = describeRows([summary]);
  if (rows !== undefined) add(rows);
  for (const problem of describeProblems(plan.problems)) add(problem, colors.yellow);
  if (!dryRun && outcome !== 'same') add(`a copy of the chat is kept in ${flatten(backup)}`);
  return `${lines.join('\n')}\n`;
}

function describeContent({ messages, threads }: { messages: number; threads: number }): string {
  return `${countNoun(messages, 'message')} in ${countNoun(threads, 'thread')}`;
}

/** Every row, and where it went. */
function describeRows(summaries: readonly PlanSummary[]): string | undefined {
  const sum = (read: (summary: PlanSummary) => number): number =>
    summaries.reduce((total, summary) => total + read(summary), 0);
  const rows = sum((summary) => summary.rows);
  if (rows === 0) return undefined;
  const became = sum((summary) => summary.became);
  const merged = sum((summary) => summary.merged);
  const reasons = new Map<string, number>();
  for (const { set_aside } of summaries) {
    for (const [reason, count] of Object.entries(set_aside))
      reasons.set(reason, (reasons.get(reason) ?? 0) + count);
  }
  const aside = [...reasons].map(([reason, count]) => nameReason(reason, count));
  const parts = [
    became > 0 ? `${became} became part of the chat` : '',
    merged > 0 ? `${merged} ${merged === 1 ? 'says' : 'say'} the same as another` : '',
    aside.length > 0 ? `kept aside: ${aside.join(', ')}` : '',
  ].filter((part) => part !== '');
  return `${countNoun(rows, 'row')}, none lost: ${parts.join('; ')}`;
}

const HEADINGS = ['FILE', 'MESSAGES', 'THREADS', 'ROWS', 'ASIDE', 'RESULT'] as const;
/** Below so many columns of the terminal the table leaves these out. */
const LEFT_OUT: readonly (readonly [below: number, heading: string])[] = [
  [66, 'THREADS'],
  [56, 'ROWS'],
];

/** Of more chats, only those that failed are in the table. */
const MAX_LISTED = 50;

/** What became of several old chats: a table of them, and their sums. */
export function describeMigrations(results: readonly Migrated[], io: Io): string {
  const colors = colorsFor(io.stdout, io.env);
  // In a file or a pipe no name is cut.
  const width = io.stdout.isTTY === true ? widthOf(io.stdout) : Number.POSITIVE_INFINITY;
  const isShown = (_: string, column: number): boolean =>
    LEFT_OUT.every(([below, heading]) => width >= below || heading !== HEADINGS[column]);
  const listed = results.length > MAX_LISTED ? results.filter(({ ok }) => !ok).slice(0, MAX_LISTED) : results;
  const cells = [HEADINGS, ...listed.map(listCells)].map((row) => row.filter(isShown));
  const [head = '', ...rows] = alignTable(cells, width);
  const lines = [
    ...(listed.length > 0 ? [colors.bold(head)] : []),
    ...rows.map((row, i) => {
      const result = listed[i];
      if (result?.ok !== true) return colors.red(row);
      return result.plan.ledger.set_aside > 0 ? colors.yellow(row) : row;
    }),
    ...(listed.length > 0 ? [''] : []),
    ...wrapText(describeTotal(results), widthOf(io.stdout)),
  ];
  return `${lines.join('\n')}\n`;
}

function listCells(result: Migrated): readonly string[] {
  const name = nameFile(result.file);
  if (!result.ok) return [name, '', '', '', '', 'failed'];
  const { messages, threads, rows } = result.summary;
  const counts = [messages, threads, rows, result.plan.ledger.set_aside].map(String);
  const outcome = result.dryRun && result.outcome !== 'same' ? `not ${result.outcome}` : result.outcome;
  return [name, ...counts, outcome];
}

function describeTotal(results: readonly Migrated[]): string {
  const done = results.filter((result): result is Done => result.ok);
  const count = (outcome: string): number => done.filter((one) => one.outcome === outcome).length;
  const isDry = done.some(({ dryRun }) => dryRun);
  const not = isDry ? 'would be ' : '';
  const parts = [
    count('written') > 0 ? `${count('written')} ${not}written` : '',
    count('updated') > 0 ? `${count('updated')} ${not}updated` : '',
    count('same') > 0 ? `${count('same')} already there` : '',
    done.length < results.length ? `${results.length - done.length} failed` : '',
  ].filter((part) => part !== '');
  const total = `${countNoun(results.length, 'chat')}: ${parts.join(', ')}`;
  const rows = describeRows(done.map(({ summary }) => summary));
  const problems = done.reduce((sum, { plan }) => sum + plan.problems.length, 0);
  const odd =
    problems > 0
      ? `\n${countNoun(problems, 'oddity', 'oddities')} in the rows; --report FILE lists them`
      : '';
  return `${total}${rows === undefined ? '' : `\n${rows}`}${odd}`;
}

type CommitFailure = Extract<CommitResult, { ok: false }>;

const ALREADY = fail(
  'already_chatdoc',
  'this is a chatdoc document already: there is nothing to migrate; read it with chatdoc show',
);

/** Enough of a file to see that it is binary. */
const HEAD_BYTES = 65_536;

/** Why a chat was not migrated, for a person. */
export async function describeCommitFault(
  { code, path, message = code }: CommitFailure,
  { output }: { readonly output: string },
  source: string,
): Promise<Failure> {
  switch (code) {
    case 'unknown_format': {
      const head = await readHead(source);
      return isDocumentFile(head) ? ALREADY : describePlanFailure(head, { code, message });
    }
    case 'already_chatdoc':
      return ALREADY;
    case 'too_large':
      return fail(code, 'this file is too large to migrate: the most is 192 MB; split it into several chats');
    case 'ledger_mismatch':
    case 'incomplete':
    case 'invariant':
    case 'not_as_planned':
      return fail(
        code,
        `chatdoc found a fault of its own (${code}) and gave up: the chat is as it was; please report this`,
      );
    case 'other_document':
      return fail(code, `${output} is a document of another chat; name another place with --out`);
    case 'not_a_document':
      return fail(
        code,
        `${output} is there, and is no chatdoc document; it was left as it is: name another place with --out`,
      );
    case 'damaged':
    case 'later_version':
    case 'read_only': {
      const reason = code === 'later_version' ? 'is of a later version of chatdoc' : 'is damaged';
      const advice = code === 'later_version' ? 'update chatdoc' : `run chatdoc recover ${output} first`;
      return fail(code, `its document ${output} ${reason}; ${advice}`);
    }
    case 'bad_record':
      return fail(code, `${output}.migration.json is damaged; restore it, or move it away with the document`);
    case 'backup_damaged':
      return fail(
        code,
        `the copy of this chat beside ${output} (.backup) is not what it should be; move it away and run it again`,
      );
    case 'exists':
    case 'conflict':
    case 'other_generation':
      return fail(code, `another program is writing ${output}; run it again when it is done`);
    case 'disk_full':
      return fail(code, `${output} cannot be written: the disk is full; make room and run it again`);
    case 'not_found':
      return path === source
        ? fail('missing', 'this file has just been removed or renamed; name it again')
        : fail('no_folder', `${output} cannot be written: there is no such folder; create it, or use --out`);
    case 'forbidden':
      return path === source
        ? fail('unreadable', 'you may not read this file; ask its owner, or change its permissions')
        : fail(
            'unwritable',
            `${output} cannot be written: you may not write there; use --out for another place`,
          );
    case 'directory':
      return fail(code, `${output} is a folder; name another place with --out`);
    default:
      return describeFileFault({ code });
  }
}

/** Empty if it is gone meanwhile. */
async function readHead(path: string): Promise<Uint8Array> {
  const handle = await open(path, 'r').catch(() => undefined);
  if (handle === undefined) return new Uint8Array(0);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}

/**
 * Lines of columns, two spaces between them: the first aligned to the left and cut where all would be wider than
 * `width`, the last to the left, those between to the right.
 */
function alignTable(rows: readonly (readonly string[])[], width: number): readonly string[] {
  const count = rows[0]?.length ?? 0;
  const widths = Array.from({ length: count }, (_, column) =>
    Math.max(...rows.map((row) => stringWidth(row[column] ?? ''))),
  );
  const rest = widths.slice(1).reduce((sum, wide) => sum + wide + GAP.length, 0);
  const first = Math.min(widths[0] ?? 0, Math.max(width - rest, NARROWEST));
  return rows.map((row) =>
    row
      .map((cell, column) => {
        const text = column === 0 ? cutText(cell, first) : cell;
        const room = ' '.repeat((column === 0 ? first : (widths[column] ?? 0)) - stringWidth(text));
        return column === 0 || column === count - 1 ? text + room : room + text;
      })
      .join(GAP)
      .trimEnd(),
  );
}

const GAP = '  ';
const NARROWEST = 8;
