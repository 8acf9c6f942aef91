import type { PlanSummary } from '@chatdoc/migrate';
import { colorsFor, type Io, widthOf } from './io.js';
import { countNoun, nameReason } from './nouns.js';
import { FORMAT_NAMES, type OpenedChat } from './open-source.js';
import { flatten } from './plain-text.js';
import { describeProblems } from './problem-lines.js';
import type { Failure } from './read-source.js';
import { wrapText } from './wrap-text.js';

/** One file as the report tells it. */
export type Migrated =
  | {
      readonly file: string;
      readonly ok: true;
      readonly output: string;
      /** `same`: a document with this content was there. `planned`: a dry run. */
      readonly outcome: 'written' | 'same' | 'planned';
      readonly summary: PlanSummary;
      readonly plan: NonNullable<OpenedChat['plan']>;
    }
  | (Failure & { readonly file: string });

const OUTCOMES = {
  written: '',
  same: ' (already there, with this content)',
  planned: ' (not written: dry run)',
} as const;

/** What became of one old chat, for a person. */
export function describeMigration(result: Extract<Migrated, { ok: true }>, io: Io): string {
  const { file, output, outcome, summary, plan } = result;
  const colors = colorsFor(io.stdout, io.env);
  const lines = [`${colors.bold(flatten(file))} -> ${colors.bold(flatten(output))}${OUTCOMES[outcome]}`];
  const add = (text: string, paint: (line: string) => string = String): void => {
    for (const [i, line] of wrapText(text, widthOf(io.stdout) - 4).entries()) {
      lines.push(`  ${i === 0 ? '' : '  '}${paint(line)}`);
    }
  };
  if (summary.rows === 0) add('the file is empty: a chat in which nobody has written');
  else add(`${FORMAT_NAMES[summary.format]}: ${describeContent(summary)}`);
  const rows = describeRows(summary);
  if (rows !== undefined) add(rows);
  for (const problem of describeProblems(plan.problems)) add(problem, colors.yellow);
  return `${lines.join('\n')}\n`;
}

function describeContent({ messages, threads }: { messages: number; threads: number }): string {
  return `${countNoun(messages, 'message')} in ${countNoun(threads, 'thread')}`;
}

/** Every row, and where it went. */
function describeRows({
  rows,
  became,
  merged,
  set_aside,
}: Extract<Migrated, { ok: true }>['summary']): string | undefined {
  if (rows === 0) return undefined;
  const aside = Object.entries(set_aside).map(([reason, count]) => nameReason(reason, count));
  const parts = [
    became > 0 ? `${became} became part of the chat` : '',
    merged > 0 ? `${merged} ${merged === 1 ? 'says' : 'say'} the same as another` : '',
    aside.length > 0 ? `kept aside: ${aside.join(', ')}` : '',
  ].filter((part) => part !== '');
  return `${countNoun(rows, 'row')}, none lost: ${parts.join('; ')}`;
}
