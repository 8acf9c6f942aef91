import { relative } from 'node:path';
import { check, type Finding, type RepairAction, RULES, type Rule, repair } from '@chatdoc/integrity';
import { type Chat, openChat } from '@chatdoc/schema';
import { readDocument } from '@chatdoc/sync';
import { EXIT, type ExitCode, exitCodeOf } from '../exit-codes.js';
import { colorsFor, type Io, widthOf, writeTo } from '../io.js';
import { nameFile, reportFailure } from '../say/failure.js';
import { describeLine } from '../say/findings.js';
import { fitHelp } from '../say/help.js';
import { countNoun, listSome } from '../say/nouns.js';
import { flatten } from '../say/plain-text.js';
import { wrapText } from '../say/wrap-text.js';
import { describeFileFault } from '../sources/document-faults.js';
import { describeOther, openDocument } from '../sources/open-document.js';
import { type Failure, fail, readSource } from '../sources/read-source.js';
import type { CommandSetting } from './setting.js';

/** Adds `chatdoc repair`. */
export function addRepair({ program, io, finish }: CommandSetting): void {
  program
    .command('repair')
    .summary('mend what can be mended safely')
    .description(
      'Appends entries to a document that mend what breaks its rules, where nobody can lose by it: no text is changed, and nothing is deleted. Any number of people may do it at once, and a second run writes nothing. Says how to take each repair back, and why the rest is left.',
    )
    .argument('<DOCUMENT...>', 'documents (.ychat)')
    .option('-n, --dry-run', 'say what would be written, and write nothing')
    .option('-r, --rules <RULES>', 'only these rules, by id or name, with commas between them')
    .showHelpAfterError('Run chatdoc repair --help to see how it is used.')
    .addHelpText('after', () =>
      fitHelp(
        `
A file of which bytes are damaged is for chatdoc recover, and an old chat for
chatdoc migrate.

Examples:
  $ chatdoc repair team.ychat --dry-run
  $ chatdoc repair team.ychat --rules IN1,IN11

Exit codes:
  0  no errors are left; there may be warnings and notes
  1  errors are left, or some of the files could not be repaired
  2  nothing was done: wrong usage, or none of the files could be`,
        io,
      ),
    )
    .action(async (files: string[], options: RepairCommandOptions) =>
      finish(await repairFiles(files, options, io)),
    );
}

interface RepairCommandOptions {
  readonly dryRun?: boolean;
  /** Ids or names, with commas between them. */
  readonly rules?: string;
}

interface Repaired {
  readonly ok: true;
  readonly actions: readonly RepairAction[];
  readonly lines: number;
  /** What is still wrong. */
  readonly left: readonly Finding[];
  /** Where bytes that were no frames are kept. */
  readonly aside: readonly string[];
}

/** Appends what can be mended safely, and says what cannot. */
async function repairFiles(
  files: readonly string[],
  options: RepairCommandOptions,
  io: Io,
): Promise<ExitCode> {
  const rules = chooseRules(options.rules);
  if ('code' in rules) return reportFailure('--rules', rules, io);
  const isDry = options.dryRun === true;
  let done = 0;
  let hasErrors = false;
  for (const file of files) {
    const repaired = isDry ? await planRepair(file, rules, io) : await repairFile(file, rules, io);
    if (!repaired.ok) {
      await reportFailure(file, repaired, io);
      continue;
    }
    done += 1;
    hasErrors ||= repaired.left.some(({ severity }) => severity === 'error');
    await writeTo(io.stdout, describeRepaired(file, repaired, isDry, io));
  }
  return hasErrors ? EXIT.findings : exitCodeOf(done, files.length - done);
}

function chooseRules(wanted: string | undefined): readonly Rule[] | Failure {
  if (wanted === undefined) return RULES;
  const names = wanted.split(',').map((name) => name.trim());
  const chosen = names.map((name) =>
    RULES.find((rule) => rule.id === name.toUpperCase() || rule.name === name.toLowerCase()),
  );
  const unknown = names[chosen.indexOf(undefined)];
  if (unknown === undefined) return RULES.filter((rule) => chosen.includes(rule));
  const mended = RULES.filter((rule) => rule.repair !== undefined).map(({ id, name }) => `${id} ${name}`);
  return fail('no_rule', `there is no rule ${unknown}; those with a repair are ${mended.join(', ')}`);
}

async function repairFile(file: string, rules: readonly Rule[], io: Io): Promise<Repaired | Failure> {
  const opened = await openDocument(file, io);
  if (!opened.ok) return opened;
  const { file: document } = opened;
  const repaired = repairChat(document.chat, rules);
  const flushed = await document.flush();
  await document.close();
  if (!flushed.ok) return describeFileFault(flushed);
  return repaired.ok ? { ...repaired, aside: document.aside } : repaired;
}

/** The same in memory: the file is only read. */
async function planRepair(file: string, rules: readonly Rule[], io: Io): Promise<Repaired | Failure> {
  const source = await readSource(file, io);
  if (!source.ok) return source;
  const read = readDocument(source.bytes);
  if (!read.ok) return read.code === 'not_a_document' ? describeOther(source.bytes) : describeFileFault(read);
  if (read.report.damaged_bytes + read.report.gaps > 0) return describeFileFault({ code: 'read_only' });
  read.chat.close();
  return repairChat(openChat(read.doc, { generation: read.generation }), rules);
}

function repairChat(chat: Chat, rules: readonly Rule[]): Repaired | Failure {
  const result = repair(chat, { rules });
  if (!result.ok) {
    return fail(
      result.code,
      'somebody has deleted the repairs of this document each time; serve it with chatdoc serve, which refuses that',
    );
  }
  const { actions, lines } = result;
  return { ok: true, actions, lines, left: check(chat, rules), aside: [] };
}

function describeRepaired(file: string, repaired: Repaired, isDry: boolean, io: Io): string {
  const { actions, lines, left, aside } = repaired;
  const colors = colorsFor(io.stdout, io.env);
  const width = widthOf(io.stdout);
  const count = countNoun(lines, 'line');
  const written = lines === 0 ? 'nothing to repair' : isDry ? `would write ${count}` : `${count} written`;
  const text = [`${colors.bold(nameFile(file))}: ${written}`];
  const add = (indent: number, said: string): void => {
    text.push(...wrapText(said, width - indent).map((line) => `${' '.repeat(indent)}${line}`));
  };
  for (const [rule, own] of groupByRule(actions)) {
    const { description = '', undo = '' } = own[0] ?? {};
    const sum = own.reduce((before, action) => before + action.lines, 0);
    add(2, `${nameRule(rule)}: ${countNoun(sum, 'line')} for ${listFirst(own)}`);
    add(4, description);
    add(4, `To take it back: ${undo}`);
  }
  for (const [rule, own] of groupByRule(left)) {
    const { severity = 'error' } = own[0] ?? {};
    const why = RULES.find(({ id }) => id === rule)?.unrepaired ?? 'A person has to decide.';
    const said = `${nameRule(rule)}: ${countNoun(own.length, 'finding')} left (${listFirst(own)}). ${why}`;
    text.push(...describeLine(severity, said, colors, width));
  }
  if (left.length === 0) text.push(`  ${colors.green('all well')}`);
  for (const path of aside) add(2, `an unfinished write is kept in ${nameFile(relative(io.cwd, path))}`);
  return `${text.join('\n')}\n`;
}

function groupByRule<T extends { readonly rule: string }>(
  all: readonly T[],
): ReadonlyMap<string, readonly T[]> {
  const groups = new Map<string, T[]>();
  for (const each of all) {
    const known = groups.get(each.rule);
    if (known === undefined) groups.set(each.rule, [each]);
    else known.push(each);
  }
  return groups;
}

function listFirst(all: readonly { readonly ids: readonly string[] }[]): string {
  return listSome(all.map(({ ids }) => flatten(ids[0] ?? '')));
}

function nameRule(id: string): string {
  return `${id} ${RULES.find((rule) => rule.id === id)?.name ?? ''}`.trimEnd();
}
