import { defineEntry, type EntryDefinition, ROLE } from './define.js';
import { id, json, literal, name, number, optional, text } from './field.js';
import type { Json } from './json.js';

export const PART_KINDS = ['text', 'reasoning', 'tool_call', 'plan', 'file'] as const;
export type PartKind = (typeof PART_KINDS)[number];

export interface PartEntry {
  readonly type: 'part';
  readonly attempt: string;
  /** 1, 2, 3 … within the attempt. */
  readonly n: number;
  /** Defaults to `text`. */
  readonly kind?: string | undefined;
  readonly part_id?: string | undefined;
  readonly state?: string | undefined;
  /** The number of the part that this one goes on, after its lane was lost. */
  readonly continues?: number | undefined;
  readonly title?: string | undefined;
  readonly input?: Json | undefined;
  readonly output?: Json | undefined;
  readonly data?: Json | undefined;
  readonly text?: string | undefined;
  /** A copy of a line that was still open. */
  readonly cut?: true | undefined;
}

export const part: EntryDefinition<PartEntry> = defineEntry<PartEntry>()(
  'part',
  {
    attempt: id,
    n: number,
    kind: optional(name),
    part_id: optional(name),
    state: optional(name),
    continues: optional(number),
    title: optional(text),
    input: optional(json),
    output: optional(json),
    data: optional(json),
    text: optional(text),
    cut: optional(literal(true)),
  },
  {
    head: { own: 'attempt', about: 'self', role: ROLE.attempt },
    unordered: ['input', 'output', 'data'],
    private: ['title', 'input', 'output', 'data', 'text'],
  },
);
