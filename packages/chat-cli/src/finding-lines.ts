import type { Severity } from '@chatdoc/integrity';
import type { Colors } from './io.js';
import { wrapText } from './wrap-text.js';

const LABELS: Readonly<Record<Severity, string>> = { error: 'error', warning: 'warning', info: 'note' };
const LABEL_WIDTH = 'warning'.length;

/** Something that is wrong, with how bad it is in front, wrapped. */
export function describeLine(
  severity: Severity,
  text: string,
  colors: Colors,
  width: number,
): readonly string[] {
  const label = LABELS[severity].padEnd(LABEL_WIDTH);
  const paint = severity === 'error' ? colors.red : severity === 'warning' ? colors.yellow : colors.dim;
  const wrapped = wrapText(text, width - LABEL_WIDTH - 4);
  return wrapped.map((line, i) => `  ${i === 0 ? paint(label) : ' '.repeat(LABEL_WIDTH)}  ${line}`);
}
