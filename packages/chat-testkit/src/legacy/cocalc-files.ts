import fc from 'fast-check';
import { type LegacyFile, type LegacyRow, toBytes } from './legacy-file.js';

/** The dialects of CoCalc chats, in the order of time. */
export const COCALC_GENERATIONS = [
  'A',
  'B',
  'C',
  'D',
  'E',
  'F',
  'G',
  'H',
  'I',
  'J',
  'between',
  'v2',
] as const;
export type CocalcGeneration = (typeof COCALC_GENERATIONS)[number];

const STARTS: Readonly<Record<CocalcGeneration, number>> = {
  A: Date.UTC(2013, 3, 1),
  B: Date.UTC(2015, 5, 1),
  C: Date.UTC(2016, 0, 4),
  D: Date.UTC(2016, 7, 1),
  E: Date.UTC(2018, 0, 1),
  F: Date.UTC(2022, 4, 1),
  G: Date.UTC(2023, 4, 1),
  H: Date.UTC(2024, 6, 1),
  I: Date.UTC(2025, 10, 20),
  between: Date.UTC(2026, 0, 10),
  v2: Date.UTC(2026, 2, 10),
  J: Date.UTC(2026, 3, 20),
};

const PEOPLE = ['11111111-1111-4111-8111-111111111111', '22222222-2222-4222-8222-222222222222'] as const;
const NAMES = ['Ada Example', 'Grace Example'] as const;
const WORDS = [
  'hello',
  'what is 1+1?',
  '👋 wave',
  'two\nlines',
  '<b>markup</b>',
  '\u0000 nul',
  '日本語',
  '"quoted"',
];

const spec = fc.record({
  generation: fc.constantFrom(...COCALC_GENERATIONS),
  /** None: two rows in one millisecond. */
  gap: fc.constantFrom(0, 1, 1000, 86_400_000),
  person: fc.nat(1),
  word: fc.constantFrom(...WORDS),
  edits: fc.nat(2),
  isDeleted: fc.integer({ min: 0, max: 5 }).map((n) => n === 0),
  form: fc.nat(3),
  reply: fc.nat(4),
  flavor: fc.nat(11),
});
type Spec = typeof spec extends fc.Arbitrary<infer T> ? T : never;

interface Root {
  readonly time: number;
  readonly thread: string;
}

/** Builds a file row by row, as its writers did: what replies names a root that is there. */
class ChatBuilder {
  readonly rows: LegacyRow[] = [];
  readonly #roots: Root[] = [];
  readonly #byTime = new Map<number, number[]>();
  readonly #byThread = new Map<string, number[]>();
  #time = 0;

  add(one: Spec, generation: CocalcGeneration): void {
    this.#time = Math.max(this.#time, STARTS[generation]) + one.gap;
    const index = this.rows.length;
    const at = { time: this.#time, index };
    // A partial row alone is not a chat: the first is a message.
    const other = index === 0 ? undefined : OTHERS[generation]?.(one, new Date(at.time).toISOString());
    if (other !== undefined) this.#push(at.time, { value: other, needs: [0], shown: [] });
    else if (generation === 'v2') this.#addV2(one, at);
    else this.#addMessage(one, generation, at);
  }

  #push(time: number, row: LegacyRow): void {
    this.#byTime.set(time, [...(this.#byTime.get(time) ?? []), this.rows.length]);
    this.rows.push(row);
  }

  #addMessage(
    one: Spec,
    generation: CocalcGeneration,
    { time, index }: { time: number; index: number },
  ): void {
    const iso = new Date(time).toISOString();
    const text = `${one.word} ${index}`;
    const sender_id = PEOPLE[one.person] ?? '';
    if (generation === 'A') {
      const mesg = { event: 'chat', content: text };
      this.#push(time, {
        value: { name: NAMES[one.person], color: '1f80d8', date: iso, mesg },
        needs: [],
        shown: [text],
      });
      return;
    }
    if (generation === 'B' || generation === 'C') {
      const value = { sender_id, date: iso, event: 'chat', payload: { content: text } };
      this.#push(time, { value, needs: [], shown: [text] });
      return;
    }
    const root =
      THREADED.has(generation) && one.reply > 2
        ? this.#roots[one.reply % Math.max(this.#roots.length, 1)]
        : undefined;
    if (root === undefined) this.#roots.push({ time, thread: '' });
    const isModel = root !== undefined && one.reply === 4;
    const sender = isModel ? 'openai-gpt-4' : sender_id;
    const { history, shown } = writeHistory(one, text, sender, time);
    const value = {
      date: writeDate(time, one.form),
      event: 'chat',
      history,
      sender_id: sender,
      editing: one.flavor % 3 === 0 ? { [sender_id]: 'FUTURE' } : {},
      ...(root === undefined ? {} : { reply_to: new Date(root.time).toISOString() }),
      ...(isModel ? { generating: one.flavor % 2 === 0 } : {}),
      ...DRESSES[generation]?.(one, sender_id, root === undefined),
    };
    this.#push(time, { value, needs: root === undefined ? [] : this.#siblings(root.time), shown });
  }

  /** All rows of a millisecond: a reply may mean either. */
  #siblings(time: number): readonly number[] {
    return this.#byTime.get(time) ?? [];
  }

  #addV2(one: Spec, { time, index }: { time: number; index: number }): void {
    const thread = `thread-${one.reply % 2}`;
    const members = this.#byThread.get(thread) ?? [];
    const [first] = members;
    const date = new Date(time).toISOString();
    const envelope = { thread_id: thread, schema_version: 2 };
    if (first !== undefined && one.flavor === 0) {
      const sender_id = `__thread_config__:${thread}`;
      const config = {
        name: `Name ${index}`,
        agent_kind: 'acp',
        acp_config: { model: 'gpt' },
        pin: null,
        archived_chat_rows: one.edits,
      };
      const value = {
        ...envelope,
        event: 'chat-thread-config',
        sender_id,
        date: new Date(0).toISOString(),
        updated_at: date,
        ...config,
      };
      this.#push(time, { value, needs: [first], shown: [] });
      return;
    }
    if (first !== undefined && one.flavor === 1) {
      const state = one.edits === 0 ? 'running' : 'complete';
      const value = {
        ...envelope,
        event: 'chat-thread-state',
        sender_id: `__thread_state__:${thread}`,
        date,
        state,
        updated_at: date,
      };
      this.#push(time, { value, needs: [first], shown: [] });
      return;
    }
    const text = `${one.word} ${index}`;
    const sender_id = one.flavor % 2 === 0 ? (PEOPLE[one.person] ?? '') : 'gpt-5.3-codex';
    const { history, shown } = writeHistory(one, text, sender_id, time);
    // The migration of 2026 blanked rows whose text was in their payload.
    const isBlanked = one.form === 3;
    const parent = one.flavor % 3 === 0 ? first : members.at(-1);
    const value = {
      ...envelope,
      date,
      event: 'chat',
      sender_id,
      message_id: `message-${index}`,
      history: isBlanked ? [] : history,
      ...(isBlanked ? { payload: { content: text } } : {}),
      ...(parent === undefined ? {} : { parent_message_id: `message-${parent}` }),
      ...(one.flavor > 8 ? { acp_state: 'running', acp_usage: { tokens: index }, generating: true } : {}),
    };
    this.#byThread.set(thread, [...members, index]);
    const needs = [first, parent].filter((needed) => needed !== undefined);
    this.#push(time, { value, needs, shown: isBlanked ? [text] : shown });
  }
}

const THREADED: ReadonlySet<CocalcGeneration> = new Set(['G', 'H', 'I', 'J', 'between']);

function writeDate(time: number, form: number): unknown {
  if (form === 1) return time;
  if (form === 2) return String(time);
  return new Date(time).toISOString();
}

/** Newest first, as in the file. */
function writeHistory(
  { edits, isDeleted }: Spec,
  text: string,
  author_id: string,
  time: number,
): { readonly history: readonly unknown[]; readonly shown: readonly string[] } {
  const contents = [text, ...Array.from({ length: edits }, (_, index) => `${text} edit ${index}`)];
  if (isDeleted) contents.push('');
  const versions = contents.map((content, index) => ({
    author_id,
    content,
    date: new Date(time + index).toISOString(),
  }));
  return { history: versions.reverse(), shown: contents.filter((content) => content !== '') };
}

type Columns = Readonly<Record<string, unknown>>;

/** The fields that each generation adds to a message row. */
const DRESSES: Partial<Record<CocalcGeneration, (one: Spec, person: string, isRoot: boolean) => Columns>> = {
  D: ({ flavor }) => (flavor < 3 ? { video_chat: { is_video_chat: false } } : {}),
  H: ({ flavor }, person) => ({
    ...(flavor < 4 ? { folding: [person] } : {}),
    ...(flavor > 7 ? { feedback: { [person]: flavor > 9 ? 'positive' : null } } : {}),
  }),
  I: ({ flavor }, person, isRoot) =>
    isRoot
      ? { name: `Thread ${flavor}`, pin: flavor % 2 === 0 ? true : 'true', [`read-${person}`]: flavor }
      : {},
  J: ({ flavor }, person, isRoot) =>
    isRoot
      ? {
          [`lastread-${person}`]: String(1_776_700_000_000 + flavor),
          ...(flavor < 6 ? { id: `cell-${flavor}`, path: 'a.ipynb' } : {}),
        }
      : {},
  between: ({ flavor }, person, isRoot) => ({
    schema_version: 1,
    editing: [person],
    ...(isRoot
      ? { thread_color: '#fff', agent_kind: 'acp', acp_config: { model: 'gpt', allowWrite: flavor > 5 } }
      : {
          acp_events: [{ type: 'event', flavor }],
          acp_usage: { tokens: flavor },
          acp_interrupted: flavor > 6,
        }),
  }),
};

/** Rows of each generation that are not messages. */
const OTHERS: Partial<Record<CocalcGeneration, (one: Spec, date: string) => Columns | undefined>> = {
  B: ({ flavor }, date) =>
    flavor < 2
      ? { sender_id: PEOPLE[0], date, event: 'start_video', payload: { room_id: 3.5e23 } }
      : undefined,
  D: ({ flavor }, date) =>
    flavor === 11
      ? { sender_id: PEOPLE[0], date, event: 'chat', history: [], video_chat: { is_video_chat: true } }
      : undefined,
  E: ({ flavor }, date) => (flavor === 0 ? { date, folding: [PEOPLE[0]] } : undefined),
  F: ({ flavor, gap, word }, date) =>
    flavor < 3
      ? { active: Date.parse(date), date: gap, event: 'draft', input: word, sender_id: PEOPLE[1] }
      : undefined,
  J: ({ flavor, word }, date) =>
    flavor > 9
      ? {
          event: 'coding-agent',
          session_id: 's',
          sender: 'user',
          content: word,
          msg_event: 'message',
          sender_id: PEOPLE[0],
          date,
        }
      : undefined,
};

function write(rows: readonly LegacyRow[]): Uint8Array {
  return toBytes(rows.map(({ value }) => JSON.stringify(value)).join('\n'));
}

function createFile(specs: readonly Spec[], generationOf: (one: Spec) => CocalcGeneration): LegacyFile {
  const builder = new ChatBuilder();
  const inOrder = [...specs].sort((a, b) => STARTS[generationOf(a)] - STARTS[generationOf(b)]);
  for (const one of inOrder) builder.add(one, generationOf(one));
  // Drafts and partial rows may say the same twice: each is a row.
  return { rows: builder.rows, write, count: (rows) => rows.length, isSet: true };
}

/** A chat of one generation, or of all of them. */
export function cocalcFiles(generation: CocalcGeneration | 'mixed'): fc.Arbitrary<LegacyFile> {
  return fc
    .array(spec, { minLength: 1, maxLength: 10 })
    .map((specs) => createFile(specs, (one) => (generation === 'mixed' ? one.generation : generation)));
}
