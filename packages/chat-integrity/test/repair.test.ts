import { type Chat, ChatDocError, deriveAnswerId, deriveUlid, openChat, timeOfUlid } from '@chatdoc/schema';
import { describe, expect, it } from 'vitest';
import * as Y from 'yjs';
import { check, type RepairResult, RULES, repair } from '../src/index.js';
import { BREAKERS } from './breakers.js';
import {
  header,
  healthyLines,
  idAt,
  jsonl,
  message,
  openText,
  openWith,
  stillEnvironment,
  thread,
} from './documents.js';

const bytesOf = (doc: Y.Doc): string => Buffer.from(Y.encodeStateAsUpdate(doc)).toString('base64');
const rulesOf = (result: RepairResult): readonly string[] =>
  result.ok ? result.actions.map(({ rule }) => rule) : [result.code];
const ULIDS = /[0-7][0-9A-HJKMNP-TV-Z]{25}/g;

const MENDED = new Map([
  ['IN1', ['IN24']],
  ['IN11', []],
  ['IN19', []],
]);

const KEPT = new Set(openWith().chat.toJSONL().match(ULIDS));
for (const id of [...KEPT]) KEPT.add(deriveAnswerId(id));

/** Gives the ids that a breaker adds to the healthy document their time and names of their own. Slots have theirs. */
function moveIds(text: string, breaker: number): string {
  return text.replace(ULIDS, (id) =>
    KEPT.has(id) || timeOfUlid(id) === 0 ? id : deriveUlid(timeOfUlid(id), 'moved', breaker, id),
  );
}

describe('repair', () => {
  for (const { rule, damage, open } of BREAKERS) {
    it(`[RP1] after ${damage}, mends ${rule} if it can, writes nothing else, and nothing the second time`, () => {
      const { chat, doc } = open();
      const before = chat.toJSONL();
      const result = repair(chat);
      expect(rulesOf(result)).toEqual(MENDED.has(rule) ? [rule] : []);
      expect(check(chat).map((finding) => finding.rule)).toEqual(MENDED.get(rule) ?? [rule]);
      const after = new Set(chat.toJSONL().split('\n'));
      expect(before.split('\n').filter((line) => !after.has(line))).toEqual([]);
      const written = bytesOf(doc);
      expect(rulesOf(repair(chat))).toEqual([]);
      expect(bytesOf(doc)).toBe(written);
    });
  }

  it('[RP2] says of each action what it mended, what it wrote and how to take it back', () => {
    const { chat } = openWith(message(idAt(21), 21, { thread_id: idAt(20) }));
    const result = repair(chat);
    const action = RULES.find(({ id }) => id === 'IN1')?.repair;
    expect(result).toEqual({
      ok: true,
      lines: 1,
      actions: [
        { rule: 'IN1', ids: [idAt(20)], lines: 1, description: action?.description, undo: action?.undo },
      ],
    });
    expect(Object.isFrozen(result)).toBe(true);
    for (const { repair: way, unrepaired, id } of RULES) {
      expect(way === undefined, id).toBe(unrepaired !== undefined);
      for (const said of [unrepaired, way?.description, way?.undo]) {
        if (said !== undefined) expect(said).toMatch(/^[A-Z].*\.$/);
      }
    }
  });

  it('[RP2] the line that stands in for a thread gives way to the thread', () => {
    const late = thread(idAt(20), { created_by: 'b' });
    const { chat } = openWith(message(idAt(21), 21, { thread_id: idAt(20), content: 'Found again' }));
    expect(chat.messages(idAt(20))).toHaveLength(1);
    expect(chat.threads()).toHaveLength(1);
    repair(chat);
    expect(chat.thread(idAt(20))?.created_by).toBe('');
    expect(chat.threads()).toHaveLength(2);
    chat.importJSONL(jsonl(header('late'), [late]));
    expect(chat.thread(idAt(20))?.created_by).toBe('b');
    expect(check(chat)).toEqual([]);
  });

  it('[RP3] a dry run says what would be written, and writes nothing, also where it may not', () => {
    for (const { open } of BREAKERS) {
      const { chat, doc } = open();
      const before = bytesOf(doc);
      const planned = repair(chat, { dryRun: true });
      expect(bytesOf(doc)).toBe(before);
      expect(repair(chat)).toEqual(planned);
    }
    const { doc } = openWith(message(idAt(21), 21, { thread_id: idAt(20) }));
    const chat = openChat(doc, { environment: stillEnvironment(), readOnly: true });
    expect(rulesOf(repair(chat, { dryRun: true }))).toEqual(['IN1']);
    expect(repair(chat)).toEqual({ ok: false, code: 'read_only' });
  });

  it('[RP3] runs the repairs of the rules that it is given', () => {
    const { chat } = openWith(message(idAt(21), 21, { thread_id: idAt(20) }));
    expect(rulesOf(repair(chat, { rules: RULES.filter(({ id }) => id !== 'IN1') }))).toEqual([]);
    expect(rulesOf(repair(chat))).toEqual(['IN1']);
  });

  it('[RP4] is refused inside an observer and inside a transaction, where nothing is written', () => {
    const { chat, doc } = openWith(message(idAt(21), 21, { thread_id: idAt(20) }));
    const results: RepairResult[] = [];
    const lines = chat.report().lines;
    const observe = (): void => void results.push(repair(chat), repair(chat, { dryRun: true }));
    doc.once('afterTransaction', observe);
    doc.getMap('chat').observeDeep(() => observe());
    chat.createThread({ created_by: 'ada' });
    doc.transact(observe);
    expect(results.length).toBeGreaterThanOrEqual(6);
    for (const result of results) expect(result).toEqual({ ok: false, code: 'in_transaction' });
    expect(chat.report().lines).toBe(lines + 2);
  });

  it('[RP5] writes its lane again where that was lost for good, and gives up as a value', () => {
    const { doc, chat } = openWith(message(idAt(21), 21, { thread_id: idAt(20) }));
    let now: Chat = chat;
    for (let round = 1; round <= 16; round += 1) {
      expect(rulesOf(repair(now)), `${round}`).toEqual(['IN1']);
      now.close();
      const map = doc.getMap('chat');
      for (const [key, text] of [...map]) if (String(text).includes('"cut":true')) map.delete(key);
      now = openChat(doc, { environment: stillEnvironment() });
    }
    expect(repair(now)).toEqual({ ok: false, code: 'import_conflict' });
  });

  it('[RP1] a document that every breaker broke is reported, mended where that is safe, and usable throughout', () => {
    const { chat, doc } = openText();
    for (const [at, { open }] of BREAKERS.entries()) chat.importJSONL(moveIds(open().chat.toJSONL(), at));
    const peer = new Y.Doc();
    chat.importJSONL(jsonl(header('gone'), [message(idAt(50), 50, { content: 'Gone in a moment' })]));
    Y.applyUpdate(peer, Y.encodeStateAsUpdate(doc));
    const map = peer.getMap('chat');
    for (const [key, text] of [...map]) if (String(text).includes('Gone in a moment')) map.delete(key);
    const [text] = [...map.values()].filter((value) => value instanceof Y.Text);
    text?.insert(0, 'forged\n');
    Y.applyUpdate(doc, Y.encodeStateAsUpdate(peer));
    const use = (content: string): void => {
      const { thread_id } = chat.threads()[0] as { thread_id: string };
      const { message_id } = chat.send({ thread_id, sender_id: 'ada', content });
      chat.edit({ message_id, author_id: 'ada', content: `${content}!` });
      expect(chat.message(message_id)?.content).toBe(`${content}!`);
    };
    use('Before');
    const found = new Set(check(chat).map(({ rule }) => rule));
    expect(RULES.map(({ id }) => id).filter((id) => !found.has(id))).toEqual([]);
    expect(new Set(rulesOf(repair(chat)))).toEqual(new Set(['IN1', 'IN11', 'IN19']));
    const left = new Set(check(chat).map(({ rule }) => rule));
    expect(['IN1', 'IN11', 'IN19'].filter((rule) => left.has(rule))).toEqual([]);
    expect([...found].filter((rule) => !left.has(rule)).sort()).toEqual(['IN1', 'IN11', 'IN19']);
    use('After');
    const written = bytesOf(doc);
    expect(rulesOf(repair(chat))).toEqual([]);
    expect(bytesOf(doc)).toBe(written);
  });

  it('[RP1] throws for a chat whose map is gone, as every write does', () => {
    const doc = new Y.Doc();
    const inner = doc.getMap('embedder').set('chat', new Y.Map());
    const chat = openChat(inner, { environment: stillEnvironment() });
    chat.importJSONL(jsonl(header('a'), [...healthyLines(), message(idAt(21), 21, { thread_id: idAt(20) })]));
    doc.getMap('embedder').delete('chat');
    expect(() => repair(chat)).toThrow(ChatDocError);
  });
});
