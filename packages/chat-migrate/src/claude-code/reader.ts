import type { Json, JsonObject } from '@chatdoc/schema';
import { MediaFilter } from '../conversations/media.js';
import type { Home, Piece, Spoken } from '../conversations/spoken.js';
import { ConversationWriter } from '../conversations/writer.js';
import { PlanDraft } from '../plan/draft.js';
import type { Reading } from '../plan/reading.js';
import { isJsonObject, omitKeys, readName } from '../source/json-value.js';
import { KnownRows } from '../source/known-rows.js';
import type { Progress } from '../source/progress.js';
import { iterateLineRows, type LineRow } from '../source/rows.js';
import { createFile, createPieces, readOtherBlocks } from './blocks.js';
import { chooseLines, type OwnLines } from './copies.js';
import { type LogLine, readLogLine } from './lines.js';
import { joinTexts, listBlocks, readUserLine } from './prompts.js';
import { isTitle, LogTitle } from './titles.js';

/** Reads sessions of Claude Code: the lines of one file, or of the files of a family one after the other. */
export function readClaudeCode(bytes: Uint8Array, progress: Progress): Reading {
  return new SessionReader(bytes, progress).read();
}

/** A session or a run of a subagent, as its lines describe it. */
interface Facts {
  readonly home: string;
  readonly isRun: boolean;
  readonly title: LogTitle;
  readonly legacy: Record<string, Json>;
  cwd?: string;
  model?: string;
  updated: number;
  task?: string;
}

const LEGACY_FIELDS = ['version', 'gitBranch', 'permissionMode', 'slug', 'entrypoint'] as const;

class SessionReader {
  readonly #bytes: Uint8Array;
  readonly #progress: Progress;
  readonly #draft = new PlanDraft();
  readonly #rows: LineRow[] = [];
  readonly #lines: LogLine[] = [];
  readonly #facts = new Map<string, Facts>();
  readonly #homes = new Map<LogLine, string>();
  /** Descriptions of calls, by the id of the call. */
  readonly #tasks = new Map<string, string>();
  readonly #spoken: Spoken[] = [];
  /** Of a line that is not a message, the one that its children follow. */
  readonly #through = new Map<string, string | undefined>();
  /** Whether the last of a home is by the model. */
  readonly #last = new Map<string, Spoken>();

  /** Lines of one API message, by home and id of it. */
  readonly #units = new Map<string, Spoken[]>();
  /** Ids of prompts that waited in the queue. */
  readonly #queued = new Set<string>();

  constructor(bytes: Uint8Array, progress: Progress) {
    this.#bytes = bytes;
    this.#progress = progress;
  }

  read(): Reading {
    this.#readLines();
    const own = chooseLines(this.#lines);
    this.#findHomes(own);
    this.#readSpoken(own);
    this.#markOpen();
    const writer = new ConversationWriter(this.#draft, 'claude-code', { isLinear: true });
    writer.write(this.#spoken, this.#createHomes());
    const identity = writer.identity();
    return { rows: this.#rows, draft: this.#draft, ...(identity === undefined ? {} : { identity }) };
  }

  #readLines(): void {
    const known = new KnownRows<LineRow>(
      ({ value, raw }) => (isJsonObject(value) ? (readName(value['uuid']) ?? raw.length) : raw.length),
      ({ text }) => text,
    );
    for (const row of iterateLineRows(this.#bytes)) {
      this.#rows.push(row);
      const { value } = row;
      const same = known.find(row);
      if (same !== undefined) this.#draft.merge(row, same);
      else if (isJsonObject(value)) this.#lines.push(readLogLine(row, value));
      else {
        const code = value === undefined ? 'not_json' : 'not_a_row';
        this.#draft.report(row, code, 'the line is not an object of JSON: it is kept as text');
        this.#draft.setAside(row, code);
      }
      row.release();
      this.#progress.advance(row.end);
    }
  }

  /** The thread of each line: its session, or the run of its agent. */
  #findHomes({ sessionOf, aliases }: OwnLines): void {
    const byKey = new Map<string, string>();
    for (const line of this.#lines) {
      const session = sessionOf(line);
      const { agent, isSidechain, key, parent } = line;
      const above = parent === undefined ? undefined : byKey.get(aliases.get(parent) ?? parent);
      const isRunAbove = above?.startsWith(`${session}/`) === true;
      const run = agent ?? (isRunAbove ? above?.slice(session.length + 1) : key);
      const home = isSidechain && run !== undefined ? `${session}/${run}` : session;
      this.#homes.set(line, home);
      if (key !== undefined && !byKey.has(key)) byKey.set(key, home);
    }
  }

  #readSpoken(own: OwnLines): void {
    const { chosen, aliases } = own;
    const before = new Map<string, string>();
    for (const [index, line] of this.#lines.entries()) {
      const { row, key } = line;
      const value = row.value;
      row.release();
      if (!isJsonObject(value)) continue;
      const home = this.#homes.get(line) ?? line.session;
      this.#learn(line, value, home);
      if (key === undefined) {
        this.#setAside(line, value, this.#isSummary(line, value, index, own) ? 'title' : 'bookkeeping');
        continue;
      }
      const winner = chosen.get(key);
      if (winner !== undefined && winner !== line) {
        this.#setAsideCopy(line, value, winner);
        continue;
      }
      const parent = this.#findParent(line, before.get(home), aliases, chosen);
      before.set(home, key);
      const spoken = this.#readLine(line, value, home, parent, index, chosen);
      if (spoken === undefined) this.#through.set(key, parent);
      else {
        if (spoken.by === 'aside') this.#through.set(key, parent);
        this.#spoken.push(spoken);
        this.#last.set(home, spoken);
        if (line.type === 'assistant') this.#addUnit(`${home} ${spoken.unit ?? ''}`, spoken);
      }
    }
  }

  #addUnit(unit: string, spoken: Spoken): void {
    const same = this.#units.get(unit);
    if (same === undefined) this.#units.set(unit, [spoken]);
    else same.push(spoken);
  }

  /** The line that this one follows; none for a first line whose parent is elsewhere. */
  #findParent(
    line: LogLine,
    before: string | undefined,
    aliases: ReadonlyMap<string, string>,
    chosen: ReadonlyMap<string, LogLine>,
  ): string | undefined {
    const { parent, row, isBoundary, key } = line;
    let given = parent === undefined ? undefined : (aliases.get(parent) ?? parent);
    if (given === undefined && isBoundary) given = before;
    if (given !== undefined && (given === key || !chosen.has(given))) {
      if (before !== undefined && !isBoundary)
        this.#draft.report(
          row,
          'orphan_reply',
          'the line that this one follows is not there: it follows the line before',
        );
      given = before;
    }
    return this.#lookThrough(given);
  }

  #lookThrough(key: string | undefined): string | undefined {
    const seen = new Set<string>();
    let at = key;
    while (at !== undefined && this.#through.has(at) && !seen.has(at)) {
      seen.add(at);
      at = this.#through.get(at);
    }
    return at;
  }

  /** Undefined where the line is not part of a message: it is set aside then. */
  #readLine(
    line: LogLine,
    value: JsonObject,
    home: string,
    parent: string | undefined,
    index: number,
    chosen: ReadonlyMap<string, LogLine>,
  ): Spoken | undefined {
    switch (line.type) {
      case 'user':
        return this.#readUser(line, value, home, parent, index);
      case 'assistant':
        return this.#readAssistant(line, value, home, parent);
      case 'attachment':
        return this.#readAttachment(line, value, home, parent, chosen);
      default:
        this.#setAside(line, value, 'bookkeeping');
        return undefined;
    }
  }

  #readUser(
    line: LogLine,
    value: JsonObject,
    home: string,
    parent: string | undefined,
    index: number,
  ): Spoken | undefined {
    const read = readUserLine(value);
    const message = isJsonObject(value['message']) ? value['message'] : {};
    const blocks = listBlocks(message['content']);
    const last = this.#last.get(home);
    if (read.kind === 'results') {
      const rest = readRest(value, message, true);
      const sender_id = last?.sender_id ?? 'assistant';
      return {
        ...this.#envelope(line, home, parent),
        by: 'model',
        sender_id,
        pieces: createPieces(line.key ?? '', blocks).filter(({ kind }) => kind === 'result'),
        rest,
      };
    }
    if (read.kind === 'interrupted' && last?.by === 'model') {
      const rest = readRest(value, message, true);
      return {
        ...this.#envelope(line, home, parent),
        by: 'model',
        sender_id: last.sender_id,
        pieces: [],
        end: 'stopped',
        rest,
        unit: last.unit,
      };
    }
    const isPrompt = read.kind === 'prompt' || (read.kind === 'command' && this.#isAnswered(index, home));
    if (!isPrompt) {
      this.#setAside(line, value, 'hidden');
      return undefined;
    }
    const isMarkup = read.kind === 'command' || (read.kind === 'prompt' && read.isCut);
    const files = blocks.filter(({ type }) => type === 'image' || type === 'document');
    const sender_id = home === line.session || !line.isSidechain ? 'user' : this.#findAgent(index, home);
    return {
      ...this.#envelope(line, home, parent),
      by: 'person',
      sender_id,
      text: read.text,
      pieces: files.map((block, at) => createFile(`${line.key ?? ''}/${at}`, block)),
      rest: readRest(value, message, isMarkup),
    };
  }

  /** Whether the agent said something after the line and before the next prompt of its thread. */
  #isAnswered(index: number, home: string): boolean {
    for (let at = index + 1; at < this.#lines.length; at += 1) {
      const line = this.#lines[at] as LogLine;
      if (this.#homes.get(line) !== home) continue;
      if (line.type === 'assistant') return true;
      if (line.type !== 'user') continue;
      const { value } = line.row;
      line.row.release();
      const read = isJsonObject(value) ? readUserLine(value).kind : 'hidden';
      if (read === 'prompt' || read === 'command') return false;
    }
    return false;
  }

  /** The model that wrote the prompt of a run is not named: that of its answers. */
  #findAgent(index: number, home: string): string {
    for (let at = index + 1; at < this.#lines.length; at += 1) {
      const line = this.#lines[at] as LogLine;
      if (this.#homes.get(line) !== home || line.type !== 'assistant') continue;
      const { value } = line.row;
      line.row.release();
      const model =
        isJsonObject(value) && isJsonObject(value['message'])
          ? readName(value['message']['model'])
          : undefined;
      if (model !== undefined && model !== SYNTHETIC) return model;
    }
    return 'agent';
  }

  #readAssistant(line: LogLine, value: JsonObject, home: string, parent: string | undefined): Spoken {
    const message = isJsonObject(value['message']) ? value['message'] : {};
    const { content, model, stop_reason, usage, id } = message;
    const unit = readName(id) ?? readName(value['requestId']) ?? line.key ?? '';
    const envelope = this.#envelope(line, home, parent);
    const isError = value['isApiErrorMessage'] === true || model === SYNTHETIC;
    const last = this.#last.get(home);
    if (isError) {
      const error = { message: joinTexts(content) };
      const sender_id = last?.by === 'model' ? last.sender_id : 'assistant';
      return {
        ...envelope,
        by: 'model',
        sender_id,
        pieces: [],
        end: 'error',
        error,
        unit,
        rest: readRest(value, message, true),
      };
    }
    const blocks = typeof content === 'string' ? [{ type: 'text', text: content }] : listBlocks(content);
    const isEnd = typeof stop_reason === 'string' && ENDS.has(stop_reason);
    const counts = isJsonObject(usage)
      ? Object.entries(usage).filter(([, count]) => typeof count === 'number')
      : [];
    return {
      ...envelope,
      by: 'model',
      sender_id: readName(model) ?? 'assistant',
      pieces: this.#mergeStream(unit, home, createPieces(line.key ?? '', blocks)),
      unit,
      ...(isEnd ? { end: 'stop' } : {}),
      ...(counts.length === 0 ? {} : { usage: Object.fromEntries(counts) }),
      rest: readRest(value, message, false),
    };
  }

  /** A text that begins with an earlier one of its API message is that one, further on: the earlier is dropped. */
  #mergeStream(unit: string, home: string, pieces: Spoken['pieces']): Spoken['pieces'] {
    const earlier = this.#units.get(`${home} ${unit}`) ?? [];
    const before = earlier.flatMap((one) => one.pieces.map((piece) => ({ one, piece })));
    return pieces.flatMap((piece): Spoken['pieces'] => {
      if (piece.kind === 'result') return [piece];
      const { text } = piece;
      if (piece.kind === 'tool_call' || piece.kind === 'file' || text === undefined) return [piece];
      const same = before.find(
        ({ piece: other }) =>
          other.kind === piece.kind &&
          other.text !== undefined &&
          (text.startsWith(other.text) || other.text.startsWith(text)),
      );
      const ordinal = before.filter(({ piece: other }) => other.kind === piece.kind).length;
      if (same === undefined) return [{ ...piece, key: `${unit}/${piece.kind}/${ordinal}` }];
      const old = same.piece as Piece;
      const longer = text.length >= (old.text ?? '').length ? text : old.text;
      replacePiece(same.one, old, { ...old, text: longer });
      return [];
    });
  }

  #readAttachment(
    line: LogLine,
    value: JsonObject,
    home: string,
    parent: string | undefined,
    chosen: ReadonlyMap<string, LogLine>,
  ): Spoken | undefined {
    const attachment = isJsonObject(value['attachment']) ? value['attachment'] : {};
    const { type, commandMode, origin, prompt, source_uuid } = attachment;
    const kind = isJsonObject(origin) ? origin['kind'] : 'human';
    if (type !== 'queued_command' || commandMode !== 'prompt' || kind !== 'human') {
      this.#setAside(line, value, type === 'queued_command' ? 'hidden' : 'bookkeeping');
      return undefined;
    }
    const source = readName(source_uuid);
    if (source !== undefined && (this.#queued.has(source) || chosen.has(source))) {
      this.#setAside(line, value, 'copy');
      return undefined;
    }
    if (source !== undefined) this.#queued.add(source);
    const files = listBlocks(prompt).filter(({ type: block }) => block === 'image' || block === 'document');
    const envelope = this.#envelope(line, home, parent);
    return {
      ...envelope,
      by: parent === undefined ? 'person' : 'aside',
      sender_id: 'user',
      text: joinTexts(prompt),
      pieces: files.map((block, at) => createFile(`${line.key ?? ''}/${at}`, block)),
      legacy: { ...envelope.legacy, ...(source === undefined ? {} : { source }) },
      rest: new MediaFilter().stripMembers(omitKeys(value, QUEUED_FIELDS) ?? {}),
    };
  }

  #envelope(
    line: LogLine,
    home: string,
    parent: string | undefined,
  ): Pick<Spoken, 'row' | 'key' | 'parent' | 'home' | 'time'> & { readonly legacy: JsonObject } {
    const key = line.key ?? '';
    return { row: line.row, key, parent, home, time: line.time, legacy: { uuid: key } };
  }

  #setAside({ row, time = 0 }: LogLine, value: JsonObject, reason: string): void {
    this.#draft.setAside(row, reason, time, new MediaFilter().strip(value));
  }

  /** A copy has nothing of its own but its envelope. */
  #setAsideCopy(line: LogLine, value: JsonObject, winner: LogLine): void {
    const original = winner.row.value;
    winner.row.release();
    const isSame =
      isJsonObject(original) && JSON.stringify(original['message']) === JSON.stringify(value['message']);
    const rest = isSame ? { ...omitKeys(value, CONTENT_FIELDS), copy_of: winner.uuid ?? '' } : value;
    this.#setAside(line, rest, 'copy');
  }

  /** Takes settings and titles from a line. */
  #learn(line: LogLine, value: JsonObject, home: string): void {
    if (home === '') return;
    let facts = this.#facts.get(home);
    if (facts === undefined) {
      facts = { home, isRun: home.includes('/'), title: new LogTitle(), legacy: {}, updated: 0 };
      this.#facts.set(home, facts);
    }
    if (line.isCopy || line.session !== line.origin) return;
    facts.updated = Math.max(facts.updated, line.time ?? 0);
    facts.title.add(line.type, value);
    const cwd = readName(value['cwd']);
    if (cwd !== undefined) facts.cwd = cwd;
    for (const field of LEGACY_FIELDS)
      if (readName(value[field]) !== undefined) facts.legacy[field] = value[field] as Json;
    if (line.type === 'last-prompt' && value['leafUuid'] !== undefined)
      facts.legacy['leaf'] = value['leafUuid'];
    const message = isJsonObject(value['message']) ? value['message'] : {};
    const model = readName(message['model']);
    if (model !== undefined && model !== SYNTHETIC) facts.model = model;
    for (const { type, id, input } of listBlocks(message['content'])) {
      const description = isJsonObject(input) ? readName(input['description']) : undefined;
      if (type === 'tool_use' && typeof id === 'string' && description !== undefined)
        this.#tasks.set(id, description);
    }
    this.#learnTask(line, value, message);
  }

  /** The result of a call that ran a subagent names it. */
  #learnTask({ session }: LogLine, { toolUseResult }: JsonObject, message: JsonObject): void {
    const agent = isJsonObject(toolUseResult) ? readName(toolUseResult['agentId']) : undefined;
    const call = listBlocks(message['content']).flatMap(({ tool_use_id }) => readName(tool_use_id) ?? [])[0];
    if (agent === undefined || call === undefined) return;
    const home = `${session}/${agent}`;
    const known = this.#facts.get(home);
    const facts = known ?? { home, isRun: true, title: new LogTitle(), legacy: {}, updated: 0 };
    facts.legacy['tool_call'] = call;
    const name = this.#tasks.get(call);
    if (name !== undefined) facts.task = name;
    this.#facts.set(home, facts);
  }

  /** A summary names a line of its session, or one of another; without a session it is of the lines around it. */
  #isSummary(
    { type, session }: LogLine,
    value: JsonObject,
    index: number,
    { aliases, chosen }: OwnLines,
  ): boolean {
    if (!isTitle(type)) return false;
    if (session !== '') return true;
    const leaf = readName(value['leafUuid']);
    const key = leaf === undefined ? undefined : (aliases.get(leaf) ?? leaf);
    const named = key === undefined ? undefined : chosen.get(key);
    const hasSession = (line: LogLine): boolean => line.session !== '';
    const near =
      this.#lines.find((line, at) => at > index && hasSession(line)) ?? this.#lines.find(hasSession);
    const home = named === undefined ? near?.session : this.#homes.get(named);
    const facts = home === undefined ? undefined : this.#facts.get(home);
    if (facts !== undefined) facts.title.add(type, value);
    else if (home !== undefined) {
      const title = new LogTitle();
      title.add(type, value);
      this.#facts.set(home, { home, isRun: home.includes('/'), title, legacy: {}, updated: 0 });
    }
    return true;
  }

  /** The last text of an answer that may still be written. */
  #markOpen(): void {
    for (const last of this.#last.values()) {
      const piece = last.pieces.at(-1);
      if (last.by !== 'model' || last.end !== undefined || piece?.kind !== 'text') continue;
      replacePiece(last, piece, { ...piece, isOpen: true });
    }
  }

  #createHomes(): readonly Home[] {
    const spoken = new Set(this.#spoken.map(({ home }) => home));
    return [...this.#facts.values()]
      .filter(({ home }) => spoken.has(home))
      .map(({ home, isRun, title, legacy, cwd, model, updated, task }) => {
        const name = title.read() ?? task;
        const acp_config = {
          ...(cwd === undefined ? {} : { cwd }),
          ...(model === undefined ? {} : { model }),
        };
        return {
          key: home,
          purpose: isRun ? 'run' : 'chat',
          ...(name === undefined ? {} : { name }),
          isNamedByPrompt: true,
          updated,
          config: {
            ...(Object.keys(acp_config).length === 0 ? {} : { acp_config }),
            ...(isRun ? {} : { session: { provider: 'claude-code', session_id: home } }),
          },
          ...(Object.keys(legacy).length === 0 ? {} : { legacy }),
          rows: [],
        };
      });
  }
}

const SYNTHETIC = '<synthetic>';
const ENDS: ReadonlySet<string> = new Set(['end_turn', 'stop_sequence', 'max_tokens', 'refusal']);
const CONTENT_FIELDS: ReadonlySet<string> = new Set(['message', 'toolUseResult']);
const QUEUED_FIELDS: ReadonlySet<string> = new Set(['uuid', 'attachment', 'timestamp', 'type']);
const LINE_FIELDS: ReadonlySet<string> = new Set(['uuid', 'timestamp', 'type', 'message']);
const MESSAGE_FIELDS: ReadonlySet<string> = new Set(['content', 'role', 'type', 'model']);

function replacePiece(node: Spoken, old: Piece, piece: Piece): void {
  const pieces = node.pieces as (typeof old)[];
  pieces[pieces.indexOf(old)] = piece;
}

/** Columns that the entries do not have; the content too where a message shows another text. */
function readRest(line: JsonObject, message: JsonObject, withContent: boolean): JsonObject {
  const { content } = message;
  const inner = omitKeys(message, MESSAGE_FIELDS) ?? {};
  const others =
    withContent && typeof content === 'string'
      ? content
      : withContent
        ? keepTexts(content)
        : readOtherBlocks(content);
  const hasOthers = typeof others === 'string' || others.length > 0;
  const rest = {
    ...omitKeys(line, LINE_FIELDS),
    ...(Object.keys(inner).length === 0 && !hasOthers
      ? {}
      : { message: { ...inner, ...(hasOthers ? { content: others } : {}) } }),
  };
  const { toolUseResult } = line;
  const isRepeated =
    toolUseResult !== undefined &&
    listBlocks(content).some((block) => JSON.stringify(block['content']) === JSON.stringify(toolUseResult));
  return new MediaFilter().stripMembers((isRepeated ? omitKeys(rest, REPEATED) : rest) ?? {});
}

const REPEATED: ReadonlySet<string> = new Set(['toolUseResult']);

/** Texts beside results, and whatever no part has. */
function keepTexts(content: Json | undefined): readonly JsonObject[] {
  const texts = listBlocks(content).filter(({ type }) => type === 'text');
  return [...texts, ...readOtherBlocks(content)];
}
