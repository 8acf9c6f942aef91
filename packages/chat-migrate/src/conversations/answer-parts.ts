import type { Json } from '@chatdoc/schema';
import type { PartEntry } from '@chatdoc/schema/internal';
import { deriveId, hashOfId } from '../plan/derive-id.js';
import { splitText } from '../plan/long-content.js';
import type { SourceRow } from '../source/rows.js';
import type { Piece, Spoken } from './spoken.js';

/** A part, and the rows that it comes from: of a tool call also that of its result. */
interface Draft {
  readonly piece: Piece;
  readonly rows: Set<SourceRow>;
  output?: Json | undefined;
  isFailed?: boolean;
  /** How many rows had a result of it. */
  results: number;
}

export interface RowPart {
  readonly rows: ReadonlySet<SourceRow>;
  readonly part: PartEntry;
}

/**
 * The parts of an attempt, in order. A result completes the call of its id, else the nearest one above it of its name, else
 * the nearest without a result; without a call it is one of its own. A call without result is `cancelled`: nothing is left open.
 */
export function createParts(attempt: string, nodes: readonly Spoken[]): readonly RowPart[] {
  const parts = numberParts(attempt, pairResults(nodes));
  return parts;
}

function pairResults(nodes: readonly Spoken[]): readonly Draft[] {
  const drafts: Draft[] = [];
  const calls = new Map<string, Draft>();
  const open: Draft[] = [];
  for (const { row, pieces } of nodes) {
    for (const piece of pieces) {
      if (piece.kind !== 'result') {
        const draft: Draft = { piece, rows: new Set([row]), results: 0 };
        drafts.push(draft);
        if (piece.kind !== 'tool_call') continue;
        if (piece.part_id !== undefined && !calls.has(piece.part_id)) calls.set(piece.part_id, draft);
        if (piece.state === undefined) open.push(draft);
        continue;
      }
      const { call, title, output, isFailed } = piece;
      const draft = call === undefined ? takeOpen(open, title) : calls.get(call);
      if (draft === undefined) {
        const key = call ?? `result-${drafts.length}`;
        const alone: Piece = { kind: 'tool_call', key, part_id: key, ...(title !== undefined && { title }) };
        const made: Draft = { piece: alone, rows: new Set([row]), output, isFailed, results: 1 };
        drafts.push(made);
        if (call !== undefined) calls.set(call, made);
        continue;
      }
      draft.rows.add(row);
      draft.results += 1;
      // The same result again in another shape has no more.
      if (draft.output === undefined || isRicher(output, draft.output)) draft.output = output;
      draft.isFailed = isFailed || draft.isFailed === true;
    }
  }
  return drafts;
}

function takeOpen(open: Draft[], title: string | undefined): Draft | undefined {
  const named = title === undefined ? -1 : open.map(({ piece }) => piece.title).lastIndexOf(title);
  const at = named >= 0 ? named : open.length - 1;
  return at < 0 ? undefined : open.splice(at, 1)[0];
}

function isRicher(output: Json, before: Json): boolean {
  return JSON.stringify(output).length > JSON.stringify(before).length;
}

function numberParts(attempt: string, drafts: readonly Draft[]): readonly RowPart[] {
  const parts: RowPart[] = [];
  let hasText = false;
  let place = 0;
  for (const draft of drafts) {
    const { piece, rows } = draft;
    const text = piece.kind === 'text' && hasText && piece.text !== '' ? `\n\n${piece.text}` : piece.text;
    hasText ||= piece.kind === 'text' && piece.text !== '';
    const [first, ...more] = text === undefined ? [undefined] : [...splitText(text)];
    const isDone = piece.output !== undefined || piece.state !== undefined;
    const rank = Math.min(draft.results + (isDone ? 1 : 0), RANKS - 1);
    const n = numberPart(place, piece.kind === 'tool_call' ? rank : 0, piece);
    parts.push({ rows, part: createPart(attempt, n, draft, first, more.length > 0) });
    place += 1;
    for (const [index, rest] of more.entries()) {
      const part: PartEntry = {
        type: 'part',
        attempt,
        n: numberPart(place, 0, piece),
        kind: piece.kind,
        text: rest,
        ...(piece.isOpen === true && index === more.length - 1 ? { cut: true } : {}),
      };
      parts.push({ rows, part });
      place += 1;
    }
  }
  return parts;
}

/** Of one call, the more results have come, the greater the number: the last part of an id counts. */
const RANKS = 8;
const HASHES = 2 ** 30;
const MAX_PLACES = 2 ** 20;

/** In the order of the answer: a revision of the source that has more gives earlier parts the numbers that they had. */
function numberPart(place: number, rank: number, { kind, key }: Piece): number {
  const order = Math.min(place, MAX_PLACES - 1) * RANKS + rank;
  return order * HASHES + hashOfId(deriveId(0, 'import_part', kind, key)) + 1;
}

function createPart(
  attempt: string,
  n: number,
  { piece, output = piece.output, isFailed = false }: Draft,
  text: string | undefined,
  isSplit: boolean,
): PartEntry {
  const { kind, title, input, data, part_id } = piece;
  const isCall = kind === 'tool_call';
  const state = piece.state ?? (isFailed ? 'failed' : output === undefined ? 'cancelled' : 'completed');
  return {
    type: 'part',
    attempt,
    n,
    kind,
    ...(part_id === undefined && !isCall ? {} : { part_id: part_id ?? piece.key }),
    ...(isCall ? { state } : {}),
    ...(title === undefined ? {} : { title }),
    ...(input === undefined ? {} : { input }),
    ...(output === undefined ? {} : { output }),
    ...(data === undefined ? {} : { data }),
    ...(text === undefined ? {} : { text }),
    ...(piece.isOpen === true && !isSplit ? { cut: true } : {}),
  };
}
