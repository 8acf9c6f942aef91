/**
 * Writes the golden documents that are not there yet; those that are stay as they are. From this package:
 *   node --conditions=@chatdoc/source --import tsx test/golden/write.ts
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import * as Y from 'yjs';
import { type Chat, deriveAnswerId, openChat } from '../../src/index.js';
import { deriveUlid } from '../../src/internal.js';
import { type Golden, readGolden } from './records.js';

const START = Date.UTC(2026, 10, 21, 12);
const DATE = new Date(START).toISOString();

const documents: Readonly<Record<string, { about: string; build: (doc: Y.Doc) => void }>> = {
  conversation: {
    about: 'Two people and an agent, written by the library: edits, conflicts, attempts, tools, a crash, annotations.',
    build: (doc) => {
      const [ada, bob] = [openPeer(1, 'ada'), openPeer(2, 'bob')];
      const sync = (): void => exchange(ada.doc, bob.doc);
      const slot = { root_id: 'file', owner_id: 'ada', provider: 'acp' };
      const { thread_id } = ada.chat.createThread({ created_by: 'ada', created_at: DATE, name: 'Plan 🎉', pin: true });
      const first = say(ada.chat, thread_id, 'Ship it? Ça va — "да" 漢字 🎉');
      sync();
      ada.chat.configure({ thread_id, updated_by: 'ada', updated_at: DATE, name: 'A', acp_config: { model: 'm', env: ['x'] } });
      bob.chat.configure({ thread_id, updated_by: 'bob', updated_at: DATE, name: 'B', thread_color: 'red' });
      const prompt = bob.chat.send({ thread_id, sender_id: 'bob', content: 'How?', date: DATE, expects: 'answer', reply_to_message_id: first, client_message_id: 'c1' });
      ada.chat.edit({ message_id: first, author_id: 'ada', content: 'Ship it.', date: DATE });
      sync();
      const by = { prompt_id: prompt.message_id, sender_id: 'agent', date: DATE };
      const one = ada.chat.openAttempt({ ...by, runner_id: 'r1', acp_thread_id: 's1' });
      const two = bob.chat.openAttempt({ ...by, runner_id: 'r2' });
      one.openPart({ kind: 'reasoning' }).append('thinking…');
      const part = one.openPart();
      part.append('Like \ud83c');
      part.append('\udf89 so.');
      two.addPart({ kind: 'tool_call', part_id: 't1', state: 'pending', title: 'Search', input: { q: 'x' } });
      two.addPart({ kind: 'tool_call', part_id: 't1', state: 'done', output: [1, null, 'ü'] });
      two.addPart({ kind: 'plan', data: { steps: ['a'] } });
      one.finish({ finish_reason: 'stop', acp_usage: { input_tokens: 7 } });
      sync();
      bob.chat.retry({ message_id: one.message_id, by: 'bob' });
      const third = bob.chat.openAttempt({ ...by, runner_id: 'r2' });
      third.openPart().append('Half a sen');
      sync();
      ada.chat.interrupt({ message_id: third.message_id });
      ada.chat.stop({ message_id: third.message_id, by: 'ada' });
      const cell = ada.chat.createThread({ created_by: 'ada', created_at: DATE, slot, purpose: 'run', template: { messages: ['{{x}}'] } });
      ada.chat.activate(cell);
      ada.chat.setState({ thread_id: cell.thread_id, state: 'error', updated_at: DATE });
      ada.chat.setVariables({ scope: 'user', scope_id: 'ada', values: { tone: 'dry', gone: null } });
      bob.chat.annotate({ message_id: first, user_id: 'bob', key: 'reaction:👍', value: true });
      ada.chat.annotate({ thread_id, user_id: 'ada', key: 'read', value: prompt.message_id });
      const gone = say(ada.chat, thread_id, 'A secret that was redacted');
      ada.chat.redact({ message_id: gone, by: 'ada', date: DATE });
      const streamed = bob.chat.openMessage({ thread_id, sender_id: 'bob', date: DATE });
      streamed.openPart().append('Still typ');
      sync();
      exchange(ada.doc, doc);
    },
  },
  'by-hand': {
    about: 'Lanes of other writers: later schemas, hidden lanes, quarantine, copies, duplicates, cycles, legacy rows.',
    build: (doc) => {
      const [thread, prompt, reply] = [id(0), id(1), id(2)];
      const message = (own: string, fields: object): object => ({ type: 'message', message_id: own, thread_id: thread, ...fields });
      const said = { sender_id: 'ada', date: DATE };
      const attempt = { prompt_id: prompt, attempt: id(3), epoch: 1, runner_id: 'r', sender_id: 'agent', date: DATE };
      layText(doc, 11, [
        header('one', { user_id: 'ada' }),
        { type: 'document', id: id(20), doc_id: id(21), migrated_from: { format: 'sqlite' } },
        { type: 'thread', thread_id: thread, root_message_id: prompt, created_at: DATE, created_by: 'ada', purpose: 'chat' },
        message(prompt, { ...said, expects: 'answer', content: 'short' }),
        message(reply, { reply_to_message_id: id(4), ...said, legacy: { row: 7 }, content: 'in a cycle' }),
        message(id(4), { after: reply, ...said, mood: 'later field', content: 'with it' }),
        message(deriveAnswerId(prompt), attempt),
        { type: 'part', attempt: id(3), n: 1, kind: 'text', text: 'cut o', cut: true },
        { type: 'thread_config', id: id(5), thread_id: thread, replaces: [id(6)], updated_at: DATE, updated_by: 'ada', name: 'five' },
        { type: 'thread_config', id: id(6), thread_id: thread, replaces: [id(5)], updated_at: DATE, updated_by: 'ada', name: 'six' },
        { type: 'poll', id: id(7), options: ['later type'] },
        { type: 'legacy_row', id: id(8), reason: 'no sender', row: { a: [1, 'ü'] } },
        '{"type":"message","message_id":"nope"}',
        `{"type":"stop","id":"${id(9)}","message_id":"${reply}","epoch":}`,
        `{"type":"revision","id":"${id(9)}","message_id":"${reply}","__proto__":1}`,
      ]);
      layText(doc, 12, [
        'above any header',
        header('two'),
        message(prompt, { ...said, content: 'longer, but not under its author' }),
        { type: 'part', attempt: id(3), n: 2, kind: 'text', text: 'of another writer' },
        { type: 'part', attempt: id(30), n: 1, kind: 'text', text: 'waits' },
        header('one', { user_id: 'ada' }),
        { type: 'part', attempt: id(3), n: 1, kind: 'text', text: 'cut off no more' },
        { type: 'finish', id: id(10), attempt: id(3), finish_reason: 'stop' },
        header('three', { min_reader: 3 }),
        message(id(11), { ...said, content: 'hidden' }),
      ]);
      doc.clientID = 13;
      (doc.getMap('chat').get('text 11') as Y.Text).insert(40, 'foreign');
    },
  },
};

function openPeer(seed: number, user_id: string): { doc: Y.Doc; chat: Chat } {
  const doc = new Y.Doc();
  let [count, time] = [0, START];
  const random = (bytes: number): Uint8Array => {
    count += 1;
    return new Uint8Array(createHash('sha256').update(`golden ${seed} ${count}`).digest().subarray(0, bytes));
  };
  const now = (): number => {
    time += 10;
    return time;
  };
  return { doc, chat: openChat(doc, { environment: { now, random }, user_id }) };
}

function say(chat: Chat, thread_id: string, content: string): string {
  return chat.send({ thread_id, sender_id: 'ada', content, date: DATE }).message_id;
}

function exchange(one: Y.Doc, two: Y.Doc): void {
  Y.applyUpdate(two, Y.encodeStateAsUpdate(one, Y.encodeStateVector(two)));
  Y.applyUpdate(one, Y.encodeStateAsUpdate(two, Y.encodeStateVector(one)));
}

const id = (minutes: number): string => deriveUlid(START + minutes * 60_000, 'golden', minutes);

function header(name: string, fields: object = {}): object {
  const [lane_id, writer_id] = [deriveUlid(START, 'lane', name), deriveUlid(START, 'writer', name)];
  return { type: 'lane', lane_id, schema_version: 2, min_reader: 2, generation: 0, writer_id, ...fields };
}

function layText(doc: Y.Doc, client: number, lines: readonly (string | object)[]): void {
  doc.clientID = client;
  const text = lines.map((line) => `${typeof line === 'string' ? line : JSON.stringify(line)}\n`).join('');
  doc.getMap('chat').set(`text ${client}`, new Y.Text(text));
}

const folder = fileURLToPath(new URL('v2/', import.meta.url));
mkdirSync(folder, { recursive: true });
for (const [name, { about, build }] of Object.entries(documents)) {
  const path = `${folder}${name}.json`;
  if (existsSync(path)) continue;
  const doc = new Y.Doc();
  build(doc);
  const stored = Buffer.from(Y.encodeStateAsUpdate(doc)).toString('base64');
  const fresh = new Y.Doc();
  Y.applyUpdate(fresh, Buffer.from(stored, 'base64'));
  const golden: Golden = { about, update: stored, expected: readGolden(openChat(fresh, { readOnly: true })) };
  writeFileSync(path, `${JSON.stringify(golden, null, 1)}\n`);
}
