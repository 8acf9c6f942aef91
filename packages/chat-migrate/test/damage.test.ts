import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { scale, thin } from '../../../tools/amounts.js';
import { planMigration } from '../src/index.js';

const ROWS = 18;
const token = (row: number): string => `text-${String(row).padStart(2, '0')}`;
const dateOf = (row: number): string => new Date(Date.UTC(2024, 4, 1, 10, row)).toISOString();

/** A chat of about 4 KB in which every row says something that no other says. */
const CHAT: Uint8Array = new TextEncoder().encode(
  Array.from({ length: ROWS }, (_, row) => {
    const fields = {
      date: dateOf(row),
      sender_id: '01234567-89ab-4cde-8f01-23456789abcd',
      event: 'chat',
      history: [
        { author_id: '01234567-89ab-4cde-8f01-23456789abcd', content: `${token(row)} é`, date: dateOf(row) },
      ],
      ...(row % 3 > 0 && { reply_to: dateOf(row - (row % 3)) }),
    };
    return `${JSON.stringify(fields)}\n`;
  }).join(''),
);

/**
 * What the file holds, judged without the library: lines that are JSON objects, and the words of those that stand in
 * it as they were written.
 */
function scan(bytes: Uint8Array): { readonly lines: number; readonly whole: ReadonlySet<string> } {
  const lines = new TextDecoder()
    .decode(bytes)
    .split('\n')
    .filter((line) => line.trim() !== '');
  return { lines: lines.length, whole: new Set(lines) };
}

const LINES = new TextDecoder().decode(CHAT).split('\n').slice(0, -1);

/** Plans damaged bytes; gives how many rows' words are gone, for those that the damage has not touched none. */
function planDamaged(bytes: Uint8Array): { readonly lost: number; readonly isPlanned: boolean } {
  const { lines, whole } = scan(bytes);
  const result = planMigration(bytes);
  if (!result.ok) {
    expect(result.code, 'a typed answer').toBe('unknown_format');
    expect(LINES.filter((line) => whole.has(line))).toEqual([]);
    return { lost: ROWS, isPlanned: false };
  }
  const { ledger, problems, jsonl } = result.plan;
  expect(ledger.rows.length, '[LG1] every line is accounted for').toBe(lines);
  let lost = 0;
  for (const [row, line] of LINES.entries()) {
    const isThere = jsonl.includes(token(row));
    if (!isThere) lost += 1;
    if (whole.has(line)) expect(isThere, '[RW1] a row that is whole is read').toBe(true);
  }
  if (ledger.rows.some(({ reason }) => reason === 'not_json')) {
    expect(problems.some(({ code, line }) => code === 'not_json' && line > 0)).toBe(true);
  }
  return { lost, isPlanned: true };
}

describe('a chat of 4 KB, damaged in every way', () => {
  const digest = createHash('sha256').update(CHAT).digest('hex');

  it('[RW1] [PL7] cut at every byte: every row that is whole is read', () => {
    let planned = 0;
    const ends = thin([...CHAT.keys(), CHAT.length]);
    for (const end of ends) {
      const { lost, isPlanned } = planDamaged(CHAT.subarray(0, end));
      if (!isPlanned) continue;
      planned += 1;
      const whole = LINES.filter((_, row) => end >= offsetOf(row + 1) - 1).length;
      expect(lost).toBeLessThanOrEqual(ROWS - whole);
    }
    expect(CHAT.length).toBeGreaterThan(4000);
    expect(planned).toBeGreaterThan(ends.length * 0.9);
    expect(createHash('sha256').update(CHAT).digest('hex')).toBe(digest);
  });

  it('[RW1] [PL7] every single bit flipped: at most two rows are harmed, and none is lost from sight', () => {
    const bytes = Uint8Array.from(CHAT);
    const harmed = [0, 0, 0];
    const places = thin([...bytes.keys()]);
    const bits = thin([0, 1, 2, 3, 4, 5, 6, 7]);
    for (const at of places) {
      for (const bit of bits) {
        bytes[at] = (bytes[at] ?? 0) ^ (1 << bit);
        const { lost, isPlanned } = planDamaged(bytes);
        expect(isPlanned).toBe(true);
        expect(lost, `byte ${at}, bit ${bit}`).toBeLessThanOrEqual(2);
        harmed[lost] = (harmed[lost] ?? 0) + 1;
        bytes[at] = CHAT[at] ?? 0;
      }
    }
    expect((harmed[0] ?? 0) + (harmed[1] ?? 0) + (harmed[2] ?? 0)).toBe(bits.length * places.length);
    // The words themselves were hit, and newlines between two rows.
    expect(harmed[1]).toBeGreaterThan(scale(100));
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(digest);
  });
});

function offsetOf(row: number): number {
  return new TextEncoder().encode(LINES.slice(0, row).join('\n')).length + (row > 0 ? 1 : 0);
}
