import * as Y from 'yjs';
import { extractTexts, headOf } from '../../chat-testkit/src/index.js';
import { deriveAnswerId } from '../src/index.js';
import { deriveInterruptId, deriveUlid } from '../src/internal.js';
import type { HeaderKind, HostileLine, HostileStep } from './schedule.js';
import { NETWORK, pick, type Replica, type World } from './schedule-run.js';

/**
 * A client that keeps no rule: it loads what a replica has, writes raw Yjs, and its update goes to everybody.
 */
export function runHostileStep(world: World, replica: Replica, step: HostileStep): boolean {
  const rogue = new Y.Doc();
  const random = (world.done.get('hostile') ?? 0) + 1;
  world.done.set('hostile', random);
  rogue.clientID = 4_000_000_000 + random;
  Y.applyUpdate(rogue, Y.encodeStateAsUpdate(replica.doc));
  const before = Y.encodeStateVector(rogue);
  let update: Uint8Array | undefined;
  rogue.on('update', (bytes: Uint8Array) => {
    update = update === undefined ? bytes : Y.mergeUpdates([update, bytes]);
  });
  const didSomething = write(rogue, replica, step, random);
  rogue.destroy();
  if (!didSomething || update === undefined || before.length === 0) return false;
  Y.applyUpdate(replica.doc, update, NETWORK);
  for (const other of world.replicas) if (other !== replica) other.inbox.push(update);
  return true;
}

function write(rogue: Y.Doc, replica: Replica, step: HostileStep, random: number): boolean {
  const map = rogue.getMap('chat');
  if (step.op === 'lane') {
    const view = readView(rogue);
    const lines = step.lines.map((line) => renderLine(line, view, random));
    const text = withHeader(step.header, lines, view, random) + (step.open ? '' : '\n');
    map.set(deriveUlid(0, 'hostile key', random), new Y.Text(text));
    return true;
  }
  const keys = [...map.keys()].sort();
  const key = pick(keys, step.lane);
  const text = key === undefined ? undefined : map.get(key);
  if (key === undefined) return false;
  if (step.op === 'value') {
    map.set(step.lane % 2 === 0 ? key : deriveUlid(0, 'value', random), step.lane);
    return true;
  }
  if (!(text instanceof Y.Text)) return false;
  switch (step.op) {
    case 'foreign':
      text.insert(step.offset % (text.length + 1), step.text);
      return true;
    case 'steal': {
      // Only of a client that this replica writes under: elsewhere two texts would share one clock, which no
      // replica could ever merge.
      const owner = map._map.get(key)?.id.client;
      if (owner === undefined || !replica.clients.has(owner)) return false;
      rogue.clientID = owner;
      text.insert(text.length, step.text);
      return true;
    }
    case 'damage': {
      const from = step.offset % (text.length + 1);
      const length = Math.min(step.length, text.length - from);
      if (length === 0) return false;
      text.delete(from, length);
      return true;
    }
    case 'replace':
      map.set(key, new Y.Text(step.lane % 2 === 0 ? '' : 'garbage\n'));
      return true;
  }
}

interface View {
  readonly lines: readonly string[];
  readonly headers: readonly string[];
  readonly threads: readonly string[];
  readonly messages: readonly string[];
  readonly prompts: readonly string[];
  readonly attempts: readonly string[];
  readonly entries: readonly string[];
}

/** A hostile client's own ids: of last year, of now, and of a far future. */
const OWN = Array.from({ length: 8 }, (_, at) =>
  deriveUlid(Date.UTC(2025 + (at % 4) * (at % 2 === 0 ? 1 : 40), 10, 20), 'hostile', at),
);
const ownId = (at: number): string => OWN[at % OWN.length] as string;

function readView(doc: Y.Doc): View {
  const lines = extractTexts(doc)
    .flatMap(({ text }) => text.split('\n').slice(0, -1))
    .sort();
  const heads = lines.map((line) => ({ line, head: headOf(line) }));
  const ids = (key: string): string[] => {
    const found = heads.map(({ head }) => head?.ids[key]).filter((id) => typeof id === 'string');
    return [...new Set([...found, ...OWN])].sort();
  };
  const prompts = heads.filter(({ line }) => line.includes('"expects":"answer"'));
  return {
    lines,
    headers: heads.filter(({ head }) => head?.type === 'lane').map(({ line }) => line),
    threads: ids('thread_id'),
    messages: ids('message_id'),
    prompts: [...new Set([...prompts.map(({ head }) => String(head?.ids['message_id'])), ...OWN])].sort(),
    attempts: ids('attempt'),
    entries: ids('id'),
  };
}

const DATE = '2026-11-21T00:00:00.000Z';

function renderLine(line: HostileLine, view: View, random: number): string {
  const from = (list: readonly string[], at: number): string => pick(list, at) ?? ownId(at);
  switch (line.kind) {
    case 'raw':
      return line.text;
    case 'deep':
      return `{"type":"legacy_row","id":"${ownId(line.levels)}","row":${'['.repeat(line.levels)}${']'.repeat(line.levels)}}`;
    case 'twist':
      return twist(from(view.lines, line.pick), line.how, random);
    case 'message':
      return JSON.stringify({
        type: 'message',
        message_id: ownId(line.own),
        thread_id: from(view.threads, line.thread),
        reply_to_message_id: from(view.messages, line.reply),
        after: from(view.messages, line.after),
        sender_id: 'mallory',
        date: DATE,
        content: `m${random}`,
      });
    case 'legacy_row':
      return JSON.stringify({
        type: 'legacy_row',
        id: ownId(line.own),
        ...(line.about && { message_id: from(view.messages, line.message) }),
        reason: 'columns',
        row: { note: `n${random}`, list: ['x', random] },
      });
    case 'attempt': {
      const prompt_id = from(view.prompts, line.message);
      const message_id = line.own % 3 === 0 ? ownId(line.own) : deriveAnswerId(prompt_id);
      const thread_id = from(view.threads, line.own);
      const attempt = line.own % 4 === 1 ? from(view.attempts, line.own) : ownId(line.own);
      const { epoch } = line;
      const rest = { runner_id: 'mallory', sender_id: 'mallory', date: DATE };
      return JSON.stringify({ type: 'message', message_id, thread_id, prompt_id, attempt, epoch, ...rest });
    }
    case 'part': {
      const { n } = line;
      const attempt = from(view.attempts, line.attempt);
      return JSON.stringify({ type: 'part', attempt, n, kind: 'text', continues: 1, text: `p${random}` });
    }
    case 'finish': {
      const attempt = from(view.attempts, line.attempt);
      return JSON.stringify({ type: 'finish', id: ownId(line.own), attempt, finish_reason: 'error' });
    }
    case 'retry':
    case 'stop':
    case 'redaction': {
      const message_id = from(view.messages, line.message);
      const { kind: type, epoch } = line;
      return JSON.stringify({ type, id: ownId(line.own), message_id, epoch, by: 'mallory', date: DATE });
    }
    case 'interrupt': {
      const message_id = from(view.messages, line.message);
      const attempt = from(view.attempts, line.own);
      const id = deriveInterruptId(attempt, line.own);
      return JSON.stringify({ type: 'interrupt', id, message_id, attempt, seen: line.epoch });
    }
    case 'thread':
      return JSON.stringify({
        type: 'thread',
        thread_id: from(view.threads, line.own),
        forked_from: { thread_id: from(view.threads, line.fork) },
        created_at: DATE,
        created_by: 'mallory',
        purpose: 'chat',
        ...(line.slot && { slot: { root_id: 'root', owner_id: 'owner', provider: 'claude', number: 99 } }),
      });
    default:
      return renderLastWriter(line, view, random);
  }
}

type LastWriterLine = Extract<HostileLine, { readonly replaces: readonly number[] }>;

function renderLastWriter(line: LastWriterLine, view: View, random: number): string {
  const id = ownId(line.own);
  const replaces = line.replaces.map((at) => pick([...OWN, ...view.entries], at));
  const message_id = pick(view.messages, line.subject);
  const thread_id = pick(view.threads, line.subject);
  const { kind: type } = line;
  switch (type) {
    case 'thread_config': {
      const fields = line.own % 2 === 0 ? { name: `n${random}` } : { name: null, pin: 'yes' };
      return JSON.stringify({
        type,
        id,
        thread_id,
        replaces,
        updated_at: DATE,
        updated_by: 'mallory',
        ...fields,
      });
    }
    case 'revision': {
      const attempt = pick(view.attempts, line.subject);
      const content = line.own % 3 === 0 ? 7 : `r${random}`;
      return JSON.stringify({
        type,
        id,
        message_id,
        attempt,
        replaces,
        author_id: 'mallory',
        date: DATE,
        content,
      });
    }
    case 'annotation':
      return JSON.stringify({
        type,
        id,
        thread_id,
        replaces,
        user_id: 'user0',
        key: 'read',
        value: message_id,
      });
    case 'thread_state':
      return JSON.stringify({ type, id, thread_id, replaces, state: 'error', updated_at: DATE });
    case 'activation': {
      const slot = { root_id: 'root', owner_id: 'owner', provider: line.own % 2 === 0 ? 'claude' : 'other' };
      return JSON.stringify({ type, id, thread_id, replaces, slot });
    }
    case 'variables':
      return JSON.stringify({
        type,
        id,
        replaces,
        scope: 'user',
        scope_id: 's',
        values: { a: `v${random}` },
      });
  }
}

/** Another body under the id of a line that is there. */
function twist(line: string, how: Extract<HostileLine, { kind: 'twist' }>['how'], random: number): string {
  if (!line.endsWith('}')) return line;
  const body = line.slice(0, -1);
  switch (how) {
    case 'copy':
      return line;
    case 'break':
      return body;
    case 'cut':
      return `${body},"cut":true}`;
    case 'longer':
      return `${body},"more":"${random}"}`;
    case 'shorter':
      return line.replace(/"(content|text|name)":"[^"\\]*"/, '"$1":""');
  }
}

function withHeader(kind: HeaderKind, lines: readonly string[], view: View, random: number): string {
  const known = pick(view.headers, random) ?? '';
  const known_writer = /"writer_id":"([^"]*)"/.exec(known)?.[1];
  const known_lane = /"lane_id":"([^"]*)"/.exec(known)?.[1];
  const header = (fields: object): string =>
    JSON.stringify({
      type: 'lane',
      lane_id: deriveUlid(Date.UTC(2026, 10, 20), 'hostile lane', random),
      schema_version: 2,
      min_reader: 2,
      generation: 0,
      writer_id: deriveUlid(Date.UTC(2026, 10, 20), 'hostile writer', random % 3),
      user_id: 'mallory',
      ...fields,
    });
  const all = (first: string): string => [first, ...lines].join('\n');
  switch (kind) {
    case 'good':
      return all(header({}));
    case 'same_writer':
      return all(header({ writer_id: known_writer ?? OWN[0] }));
    case 'same_lane':
      return all(header({ lane_id: known_lane ?? OWN[0] }));
    case 'hidden':
      return all(header({ min_reader: 99 }));
    case 'rolled_back':
      return all(header({ rolled_back: header({}) }));
    case 'bad':
      return all(header({ schema_version: 'two' }));
    case 'none':
      return lines.join('\n');
    case 'late':
      return [...lines.slice(0, 1), header({}), ...lines.slice(1)].join('\n');
  }
}
