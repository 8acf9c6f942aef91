import type { Finding } from '@chatdoc/integrity';
import { renderTranscript } from 'chatdoc';
import type { Demo } from './demo.js';
import type { Claim, Happening } from './log.js';
import { formatCount, shorten } from './migration.js';

export interface Look {
  readonly color: boolean;
  readonly width: number;
}

/** More messages than this, and only the thread of the story is printed. */
const MOST_MESSAGES = 60;
/** Of a longer transcript, the end. */
const MOST_LINES = 120;

/** All that the demo prints: what happened, what holds, the transcript, and the numbers. */
export function renderReport(demo: Demo, look: Look): string {
  const paint = createPainter(look.color);
  const lines = [paint('bold', 'chatdoc demo: an old chat on two machines, and no server'), ''];
  lines.push(...wrap(describeFile(demo), '  ', '  ', look.width), '');
  let number = 0;
  for (const { title, lines: told } of demo.scenes) {
    number += 1;
    lines.push(...wrap(title, `${number}  `, '   ', look.width).map((text) => paint('bold', text)), '');
    for (const line of told) lines.push(...renderLine(line, look, paint));
    lines.push('');
  }
  lines.push(paint('bold', `${number + 1}  What a reader sees now`), '', ...cutTranscript(demo, look), '');
  lines.push(paint('bold', `${number + 2}  In numbers`), '', ...renderNumbers(demo, look.width, paint), '');
  const failed = demo.claims.filter(({ holds }) => !holds).length;
  const verdict =
    failed === 0 ? 'hold' : `were made, and ${failed} of them ${failed === 1 ? 'does' : 'do'} not hold`;
  lines.push(paint(failed === 0 ? 'green' : 'red', `${demo.claims.length} claims ${verdict}`));
  return `${lines.join('\n')}\n`;
}

function describeFile({ file, format, rows }: Demo): string {
  const origin = {
    corpus: ', a real chat with its words replaced letter by letter',
    fixture: ', written for this demo: rows of every generation from 2013 to 2026 in one file',
    given: '',
  }[file.origin];
  const size = `${formatCount(file.bytes.length)} bytes, ${formatCount(rows)} rows`;
  return `${printable(file.path)}: ${format} format, ${size}${origin}`;
}

function renderLine(line: Happening | Claim, { width }: Look, paint: Painter): readonly string[] {
  if (line.kind === 'happening') {
    const [first = '', ...rest] = wrap(
      printable(line.text),
      `  ${line.where.padEnd(8)} `,
      ' '.repeat(11),
      width,
    );
    const end = line.where.length + 2;
    return [`${paint('dim', first.slice(0, end))}${first.slice(end)}`, ...rest];
  }
  const mark = line.holds ? paint('green', '✓') : paint('red', '✗');
  const [first = '', ...rest] = wrap(printable(line.text), '    ', '    ', width);
  return [`  ${mark} ${first.slice(4)}`, ...rest];
}

function cutTranscript({ desktop, thread_id, messages }: Demo, { color, width }: Look): readonly string[] {
  const options = { color, width, ...(messages > MOST_MESSAGES && { thread_id }) };
  const lines = renderTranscript(desktop.chat, options).trimEnd().split('\n');
  if (lines.length <= MOST_LINES) return lines;
  return [`… ${lines.length - MOST_LINES} lines above`, ...lines.slice(-MOST_LINES)];
}

function renderNumbers(demo: Demo, width: number, paint: Painter): readonly string[] {
  const { summary, bytes, findings } = demo;
  const aside = demo.rows - summary.became - summary.merged;
  const numbers: readonly (readonly [string, string])[] = [
    [
      'rows in',
      `${demo.rows}: ${summary.became} became records, ${summary.merged} merged, ${aside} set aside`,
    ],
    ['entries', `${demo.entries.migrated} migrated, ${demo.entries.end} at the end`],
    [
      'messages',
      `${demo.kept} of ${summary.messages} migrated ones kept as they were, ${demo.messages} at the end`,
    ],
    ['duplicates', `${demo.duplicates} lines of one id that differ`],
    ['conflicts', `${demo.conflicts.found} found, ${demo.conflicts.left} left`],
    [
      'bytes',
      `${formatCount(bytes.file)} in the file, ${formatCount(bytes.migrated)} migrated, ${formatCount(bytes.end)} at the end`,
    ],
    ['sent', `${formatCount(bytes.sent)} bytes, both ways, after the time apart`],
    ['digests', demo.digestsEqual ? `equal: ${shorten(desktopDigest(demo))}` : 'different'],
    ...listFindings(findings),
  ];
  return numbers.flatMap(([name, value]) => {
    const [first = '', ...rest] = wrap(value, `  ${name.padEnd(12)}`, ' '.repeat(14), width);
    return [`${paint('dim', first.slice(0, 14))}${first.slice(14)}`, ...rest];
  });
}

function listFindings(findings: readonly Finding[]): readonly (readonly [string, string])[] {
  if (findings.length === 0) return [['findings', 'none']];
  return findings.map(({ severity, rule, message }, n) => [
    n === 0 ? 'findings' : '',
    `${severity} ${rule}: ${printable(message)}`,
  ]);
}

function desktopDigest({ desktop }: Demo): string {
  return desktop.chat.digest();
}

type Painter = (style: 'bold' | 'dim' | 'green' | 'red', text: string) => string;

function createPainter(color: boolean): Painter {
  const codes = { bold: [1, 22], dim: [2, 22], green: [32, 39], red: [31, 39] } as const;
  return (style, text) => (color ? `\u001b[${codes[style][0]}m${text}\u001b[${codes[style][1]}m` : text);
}

/** What stands in a chat or a path may move the cursor, or worse. */
function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}]+/gu, ' ');
}

function wrap(text: string, first: string, rest: string, width: number): readonly string[] {
  const lines: string[] = [];
  let line = first;
  for (const word of text.split(' ')) {
    const empty = line === first || line === rest;
    if (!empty && line.length + 1 + word.length > width) {
      lines.push(line);
      line = rest;
    }
    line += line === first || line === rest ? word : ` ${word}`;
  }
  return [...lines, line];
}
