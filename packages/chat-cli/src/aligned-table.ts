import stringWidth from 'string-width';
import { cutText } from './wrap-text.js';

/**
 * Lines of columns, two spaces between them: the first aligned to the left and cut where all would be wider than
 * `width`, the last to the left, those between to the right.
 */
export function alignTable(rows: readonly (readonly string[])[], width: number): readonly string[] {
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
