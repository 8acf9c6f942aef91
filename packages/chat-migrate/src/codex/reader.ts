import type { Json, JsonObject } from '@chatdoc/schema';
import { MediaFilter } from '../conversations/media.js';
import type { CallResult, End, Home, Piece, Spoken } from '../conversations/spoken.js';
import { ConversationWriter } from '../conversations/writer.js';
import { PlanDraft } from '../plan/draft.js';
import type { Reading } from '../plan/reading.js';
import { isJsonObject, readName } from '../source/json-value.js';
import type { Progress } from '../source/progress.js';
import { iterateLineRows, type LineRow } from '../source/rows.js';
import {
  createEventResult,
  createImages,
  createItem,
  cutContext,
  isInjected,
  joinTexts,
  readOtherFields,
} from './items.js';
import { type RolloutLine, readRolloutLine } from './lines.js';
import { type Rollout, Rollouts } from './rollouts.js';

/** Reads rollouts of Codex: the lines of one file, or of several, forks after what they were forked from. */
export function readCodex(bytes: Uint8Array, progress: Progress): Reading {
  return new RolloutReader(bytes, progress).read();
}

/** A turn as far as it is read. */
interface OpenTurn {
  readonly id: string;
  readonly session: Rollout;
  /** Whether it was copied from another file, with other times. */
  readonly isCopy: boolean;
  readonly stamp: number | undefined;
  /** Texts of items, and of events, that were seen. */
  readonly said: Set<string>;
  prompts: number;
  items: number;
  model: string | undefined;
}

class RolloutReader {
  readonly #bytes: Uint8Array;
  readonly #progress: Progress;
  readonly #draft = new PlanDraft();
  readonly #rows: LineRow[] = [];
  readonly #lines: RolloutLine[] = [];
  readonly #sessions = new Rollouts();
  readonly #spoken: Spoken[] = [];
  readonly #keys = new Map<string, number>();
  /** Prompts on the way to where the chat is, and the last node of each turn. */
  #path: { last: string }[] = [];
  #turn: OpenTurn | undefined;
  #turns = 0;
  #total: number | undefined;
  #hasPromptEvents = false;
  #hasTurnEvents = new Set<string>();

  constructor(bytes: Uint8Array, progress: Progress) {
    this.#bytes = bytes;
    this.#progress = progress;
  }

  read(): Reading {
    for (const row of iterateLineRows(this.#bytes)) {
      this.#rows.push(row);
      const { value } = row;
      if (isJsonObject(value)) this.#lines.push(readRolloutLine(row, value));
      else {
        const code = value === undefined ? 'not_json' : 'not_a_row';
        this.#draft.report(row, code, 'the line is not an object of JSON: it is kept as text');
        this.#draft.setAside(row, code);
      }
      row.release();
      this.#progress.advance(row.end);
    }
    this.#hasPromptEvents = this.#lines.some(({ payload }) => isPromptEvent(payload));
    for (const line of this.#lines) this.#readLine(line);
    this.#endLast();
    const writer = new ConversationWriter(this.#draft, 'codex', { isLinear: true });
    writer.write(this.#spoken, this.#createHomes());
    const identity = writer.identity();
    return { rows: this.#rows, draft: this.#draft, ...(identity === undefined ? {} : { identity }) };
  }

  #readLine(line: RolloutLine): void {
    const { type, payload } = line;
    switch (type) {
      case 'session_meta':
        if (this.#sessions.begin(payload, line.time)) this.#beginFile();
        this.#setAside(line, 'hidden');
        return;
      case 'turn_context':
        this.#readContext(line);
        return;
      case 'response_item':
        this.#readItem(line);
        return;
      case 'event_msg':
        this.#readEvent(line);
        return;
      default:
        this.#setAside(line, type === 'compacted' ? 'hidden' : 'bookkeeping');
        return;
    }
  }

  #beginFile(): void {
    this.#path = [];
    this.#turn = undefined;
    this.#turns = 0;
    this.#total = undefined;
  }

  #readContext(line: RolloutLine): void {
    const { payload, time } = line;
    this.#openTurn(readName(payload['turn_id']), time);
    const model = readName(payload['model']);
    if (this.#turn !== undefined && model !== undefined) this.#turn.model = model;
    this.#turn?.session.learn(payload, this.#turn.isCopy);
    this.#setAside(line, 'bookkeeping');
  }

  /** The turn of that id; without one a turn of its own per prompt. */
  #openTurn(id: string | undefined, time: number | undefined): OpenTurn {
    const open = this.#turn;
    if (open !== undefined && (id === undefined || open.id === id)) return open;
    if (id === undefined) this.#turns += 1;
    const name = id ?? `turn ${this.#turns}`;
    const { session, isCopy, stamp } = this.#sessions.ownerOf(id, time);
    const turn: OpenTurn = {
      id: name,
      session,
      isCopy,
      stamp,
      said: new Set(),
      prompts: 0,
      items: 0,
      model: open?.model,
    };
    this.#turn = turn;
    return turn;
  }

  #readItem(line: RolloutLine): void {
    const { payload } = line;
    const { type, role } = payload;
    if (type === 'message' && role !== 'assistant') {
      const text = cutContext(joinTexts(payload['content']));
      const isPrompt = role === 'user' && !this.#hasPromptEvents && text.trim() !== '' && !isInjected(text);
      if (isPrompt) this.#addPrompt(line, text, []);
      else this.#setAside(line, 'hidden');
      return;
    }
    const turn = this.#openTurn(undefined, line.time);
    const piece = createItem(this.#nextKey(turn), payload);
    if (piece === undefined) {
      this.#setAside(line, 'bookkeeping');
      return;
    }
    if (piece.kind === 'text' || piece.kind === 'reasoning') {
      if (turn.said.has(`${piece.kind} event ${piece.text}`)) {
        this.#setAside(line, 'repeated');
        return;
      }
      turn.said.add(`${piece.kind} ${piece.text}`);
    }
    this.#addStep(line, turn, piece, readOtherFields(payload));
  }

  #nextKey({ session, id, items }: OpenTurn): string {
    return `${session.id}/${id}/${items}`;
  }

  #readEvent(line: RolloutLine): void {
    const { payload, time } = line;
    const type = readName(payload['type']) ?? '';
    switch (type) {
      case 'task_started':
      case 'turn_started':
        this.#openTurn(readName(payload['turn_id']), time);
        this.#markTurnEvents();
        this.#setAside(line, 'bookkeeping');
        return;
      case 'user_message':
        this.#addPrompt(
          line,
          cutContext(readName(payload['message']) ?? ''),
          createImages('prompt', payload),
        );
        return;
      case 'agent_message':
        this.#readRepeated(line, 'text', readName(payload['message']) ?? '');
        return;
      case 'agent_reasoning':
        this.#readRepeated(line, 'reasoning', readName(payload['text']) ?? '');
        return;
      case 'item_completed':
        this.#readCompleted(line, isJsonObject(payload['item']) ? payload['item'] : {});
        return;
      case 'task_complete':
      case 'turn_complete':
        this.#endTurn(line, 'stop');
        return;
      case 'turn_aborted':
        this.#endTurn(line, 'stopped');
        return;
      case 'thread_rolled_back':
        this.#rollBack(payload['num_turns']);
        this.#setAside(line, 'bookkeeping');
        return;
      case 'thread_name_updated':
        this.#sessions.current()?.rename(readName(payload['thread_name']) ?? readName(payload['name']));
        this.#setAside(line, 'bookkeeping');
        return;
      case 'token_count':
        this.#readUsage(line);
        return;
      default: {
        const result = createEventResult(payload);
        if (result === undefined) {
          this.#setAside(line, 'bookkeeping');
          return;
        }
        this.#addStep(line, this.#openTurn(undefined, time), result, undefined);
        return;
      }
    }
  }

  #markTurnEvents(): void {
    if (this.#turn !== undefined) this.#hasTurnEvents.add(this.#turn.session.id);
  }

  #readCompleted(line: RolloutLine, item: JsonObject): void {
    const type = readName(item['type']) ?? '';
    const text = readName(item['text']) ?? joinTexts(item['content']);
    if (type === 'UserMessage') {
      this.#addPrompt(line, cutContext(text), []);
      return;
    }
    if (type === 'AgentMessage') {
      this.#readRepeated(line, 'text', text);
      return;
    }
    this.#setAside(line, 'bookkeeping');
    return;
  }

  /** A text of an event: of an item of the turn, or its own. */
  #readRepeated(line: RolloutLine, kind: 'text' | 'reasoning', text: string): void {
    const turn = this.#openTurn(undefined, line.time);
    if (text === '' || turn.said.has(`${kind} ${text}`) || this.#comesLater(line, kind, text)) {
      this.#setAside(line, 'repeated');
      return;
    }
    turn.said.add(`${kind} event ${text}`);
    turn.said.add(`${kind} ${text}`);
    this.#addStep(line, turn, { kind, key: this.#nextKey(turn), text }, undefined);
  }

  /** Whether an item of the same turn has the text: a summary of reasoning may be an event of its own before. */
  #comesLater(line: RolloutLine, kind: 'text' | 'reasoning', text: string): boolean {
    for (let at = this.#indexOf(line) + 1; at < this.#lines.length; at += 1) {
      const { type, payload } = this.#lines[at] as RolloutLine;
      if (type === 'turn_context' || isPromptEvent(payload) || ENDS.has(readName(payload['type']) ?? ''))
        return false;
      if (type !== 'response_item') continue;
      if (kind === 'text' && joinTexts(payload['content']) === text && payload['role'] === 'assistant')
        return true;
      if (kind === 'reasoning' && joinTexts(payload['summary']).includes(text)) return true;
    }
    return false;
  }

  #indexOf({ row }: RolloutLine): number {
    let low = 0;
    let high = this.#lines.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#lines[middle]?.row.row ?? 0) < row.row) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #addPrompt(line: RolloutLine, text: string, files: readonly Piece[]): void {
    const { payload } = line;
    const turn = this.#openTurn(readName(payload['turn_id']), line.time);
    // In the era without turns each prompt begins one.
    const own = turn.id.startsWith('turn ') && turn.prompts > 0 ? this.#nextTurn(line) : turn;
    const key = `${own.session.id}/${own.id}/prompt/${own.prompts}`;
    own.prompts += 1;
    own.said.clear();
    const parent = this.#path.at(-1)?.last;
    const rest =
      line.type === 'response_item' ? readOtherFields(payload) : readOtherFields(omitText(payload));
    const node: Spoken = {
      row: line.row,
      key,
      parent,
      by: 'person',
      home: own.session.id,
      time: own.stamp ?? line.time ?? own.session.time,
      ...(own.stamp === undefined ? {} : { stamp: own.stamp }),
      sender_id: 'user',
      text,
      pieces: files,
      legacy: { turn: own.id },
      ...(rest === undefined ? {} : { rest }),
    };
    this.#path.push({ last: key });
    this.#add(node, line);
  }

  #nextTurn(line: RolloutLine): OpenTurn {
    const model = this.#turn?.model;
    this.#turn = undefined;
    const turn = this.#openTurn(undefined, line.time);
    turn.model = model;
    return turn;
  }

  #addStep(
    line: RolloutLine,
    turn: OpenTurn,
    piece: Piece | CallResult | undefined,
    rest: JsonObject | undefined,
    more: Pick<Spoken, 'end' | 'usage'> = {},
  ): void {
    const key = this.#nextKey(turn);
    turn.items += 1;
    const time = turn.isCopy ? (turn.stamp ?? line.time) : (line.time ?? turn.session.time);
    const above = this.#path.at(-1);
    const node: Spoken = {
      row: line.row,
      key,
      parent: above?.last,
      by: 'model',
      home: turn.session.id,
      time,
      ...(turn.stamp === undefined ? {} : { stamp: turn.stamp }),
      ...(turn.isCopy ? { isCopy: true } : {}),
      sender_id: turn.model ?? 'codex',
      pieces: piece === undefined ? [] : [piece],
      unit: turn.id,
      legacy: { turn: turn.id },
      ...(rest === undefined ? {} : { rest }),
      ...more,
    };
    if (above === undefined) this.#path.push({ last: key });
    else above.last = key;
    this.#add(node, line);
  }

  /** A copy of a turn that is there already, in another file, has nothing new. */
  #add(node: Spoken, line: RolloutLine): void {
    const known = this.#keys.get(node.key);
    if (known === undefined) {
      this.#keys.set(node.key, this.#spoken.push(node) - 1);
      return;
    }
    const before = this.#spoken[known] as Spoken;
    if (before.isCopy === true && node.isCopy !== true) {
      this.#spoken[known] = node;
      this.#draft.setAside(
        before.row,
        'copy',
        before.time ?? 0,
        new MediaFilter().strip(before.row.value ?? null),
      );
    } else this.#setAside(line, 'copy');
  }

  #endTurn(line: RolloutLine, end: End): void {
    this.#markTurnEvents();
    const last = this.#spoken.at(-1);
    const turn = this.#turn;
    const isAnswer = turn !== undefined && turn.items > 0 && last?.home === turn.session.id;
    if (turn === undefined || !isAnswer) {
      this.#setAside(line, 'bookkeeping');
      return;
    }
    this.#addStep(line, turn, undefined, readOtherFields(line.payload), { end });
  }

  /** The tokens of a request to the model. They are repeated when only the limits changed. */
  #readUsage(line: RolloutLine): void {
    const { info } = line.payload;
    const usage = isJsonObject(info) ? info['last_token_usage'] : undefined;
    const total =
      isJsonObject(info) && isJsonObject(info['total_token_usage']) ? info['total_token_usage'] : undefined;
    const sum = total?.['total_tokens'];
    const turn = this.#turn;
    const isSame = typeof sum === 'number' && sum === this.#total;
    if (typeof sum === 'number') this.#total = sum;
    if (!isJsonObject(usage) || isSame || turn === undefined || turn.items === 0) {
      this.#setAside(line, 'bookkeeping');
      return;
    }
    this.#addUsage(line, turn, usage);
  }

  #addUsage(line: RolloutLine, turn: OpenTurn, usage: JsonObject): void {
    this.#addStep(line, turn, undefined, readOtherFields(line.payload), { usage });
  }

  #rollBack(turns: Json | undefined): void {
    const count = typeof turns === 'number' && turns > 0 ? Math.min(Math.floor(turns), this.#path.length) : 0;
    this.#path.length -= count;
    this.#turn = undefined;
  }

  /** Before there were events of turns, an answer was over when it was there. */
  #endLast(): void {
    const last = this.#spoken.at(-1);
    const piece = last?.pieces.at(-1);
    if (last === undefined || last.by !== 'model' || piece?.kind !== 'text') return;
    if (!this.#hasTurnEvents.has(last.home)) this.#spoken[this.#spoken.length - 1] = { ...last, end: 'stop' };
  }

  #setAside({ row, time = 0 }: RolloutLine, reason: string): void {
    const { value } = row;
    row.release();
    this.#draft.setAside(row, reason, time, value === undefined ? undefined : new MediaFilter().strip(value));
  }

  #createHomes(): readonly Home[] {
    const spoken = new Set(this.#spoken.map(({ home }) => home));
    return this.#sessions
      .list()
      .filter(({ id }) => spoken.has(id))
      .map((session) => session.toHome());
  }
}

const ENDS: ReadonlySet<string> = new Set([
  'task_complete',
  'turn_complete',
  'turn_aborted',
  'task_started',
  'turn_started',
]);

function isPromptEvent({ type, item }: JsonObject): boolean {
  if (type === 'user_message') return true;
  return type === 'item_completed' && isJsonObject(item) && item['type'] === 'UserMessage';
}

function omitText(event: JsonObject): JsonObject {
  const lists = ['images', 'local_images', 'text_elements', 'message', 'turn_id'];
  return Object.fromEntries(Object.entries(event).filter(([name]) => !lists.includes(name)));
}
