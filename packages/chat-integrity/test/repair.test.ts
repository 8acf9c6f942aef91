import { type Chat, ChatDocError, deriveAnswerId, openChat } from '@chatdoc/schema';
import { deriveInterruptId } from '@chatdoc/schema/internal';
import { describe, expect, it } from 'vitest';
import * as Y from 'yjs';
import {
  check,
  countFindings,
  createLeaseRule,
  type RepairResult,
  RULES,
  repair,
  watch,
} from '../src/index.js';
import { BREAKERS } from './breakers.js';
import {
  header,
  healthyLines,
  idAt,
  jsonl,
  message,
  type OpenDocument,
  openWith,
  stillEnvironment,
  thread,
} from './documents.js';
import { bytesOf, EVERYTHING, openDamaged } from './repair-documents.js';

const rulesOf = (result: RepairResult): readonly string[] =>
  result.ok ? result.actions.map(({ rule }) => rule) : [result.code];

const MENDED = new Map([
  ['IN1', ['IN24']],
  ['IN11', []],
  ['IN19', []],
]);

function countByRule(chat: Chat): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { rule, count } of check(chat)) counts.set(rule, (counts.get(rule) ?? 0) + count);
  return counts;
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

  it('[RP1] a document broken by all breakers at once is reported completely, repaired where safe, and usable before and after', () => {
    const [{ chat, doc }] = openDamaged(EVERYTHING, 1) as [OpenDocument];
    const use = (content: string): void => {
      const { thread_id } = chat.threads()[0] as { thread_id: string };
      const { message_id } = chat.send({ thread_id, sender_id: 'ada', content });
      chat.edit({ message_id, author_id: 'ada', content: `${content}!` });
      expect(chat.message(message_id)?.content).toBe(`${content}!`);
    };
    use('Before');
    const found = countByRule(chat);
    for (const { id } of RULES) {
      const breakers = BREAKERS.filter(({ rule }) => rule === id).length;
      expect(found.get(id) ?? 0, id).toBeGreaterThanOrEqual(breakers);
    }
    expect(watch(chat).counters()).toEqual(countFindings(check(chat)));
    const lines = chat.toJSONL().split('\n');
    expect(new Set(rulesOf(repair(chat)))).toEqual(new Set(['IN1', 'IN11', 'IN19']));
    const left = countByRule(chat);
    expect([...found.keys()].filter((rule) => !left.has(rule)).sort()).toEqual(['IN1', 'IN11', 'IN19']);
    const after = new Set(chat.toJSONL().split('\n'));
    expect(lines.filter((line) => !after.has(line))).toEqual([]);
    use('After');
    const written = bytesOf(doc);
    expect(rulesOf(repair(chat))).toEqual([]);
    expect(bytesOf(doc)).toBe(written);
  });

  it('[RP6] concurrent repair on five replicas equals repair on one: lines, digest and bytes', () => {
    const [single] = openDamaged(EVERYTHING, 1) as [OpenDocument];
    expect(repair(single.chat).ok).toBe(true);
    const replicas = openDamaged(EVERYTHING, 5);
    for (const { chat } of replicas) repair(chat);
    for (const { doc: from } of replicas) {
      for (const { doc: to } of replicas) Y.applyUpdate(to, Y.encodeStateAsUpdate(from));
    }
    for (const { chat, doc } of replicas) {
      expect(chat.toJSONL()).toBe(single.chat.toJSONL());
      expect(chat.digest()).toBe(single.chat.digest());
      expect(bytesOf(doc)).toBe(bytesOf(single.doc));
    }
  });

  it('[RP6] where only some replicas hold what was lost, all end with the same lines and digest', () => {
    const [single] = openDamaged(EVERYTHING, 1) as [OpenDocument];
    const held = openDamaged(EVERYTHING, 2);
    const late = [1, 2].map((): OpenDocument => {
      const doc = new Y.Doc();
      Y.applyUpdate(doc, Y.encodeStateAsUpdate((held[0] as OpenDocument).doc));
      return { doc, chat: openChat(doc, { environment: stillEnvironment() }) };
    });
    repair(single.chat);
    expect(late.flatMap(({ chat }) => rulesOf(repair(chat)))).not.toContain('IN19');
    for (const { chat } of held) expect(rulesOf(repair(chat))).toContain('IN19');
    const replicas = [...held, ...late];
    for (const { doc: from } of replicas) {
      for (const { doc: to } of replicas) Y.applyUpdate(to, Y.encodeStateAsUpdate(from));
    }
    for (const { chat } of replicas) {
      expect(chat.toJSONL()).toBe(single.chat.toJSONL());
      expect(chat.digest()).toBe(single.chat.digest());
    }
  });

  it('[RP9] interrupts an attempt that nobody runs after its last part, once, and gives way to a runner that writes on', () => {
    const { chat, doc } = openWith(message(idAt(21), 21, { expects: 'answer' }));
    const attempt = chat.openAttempt({ prompt_id: idAt(21), sender_id: 'bot', runner_id: 'laptop' });
    const part = attempt.openPart();
    part.append('Two tests');
    part.close();
    const rules = [...RULES, createLeaseRule(() => false)];
    const { message_id } = attempt;
    expect(repair(chat)).toEqual({ ok: true, actions: [], lines: 0 });
    expect(repair(chat, { rules: [...RULES, createLeaseRule(() => true)] })).toMatchObject({ lines: 0 });
    const planned = repair(chat, { rules, dryRun: true });
    const result = repair(chat, { rules });
    expect(result).toEqual(planned);
    expect(result).toMatchObject({
      actions: [{ rule: 'IN28', ids: [attempt.attempt, message_id], lines: 1 }],
    });
    expect(chat.message(message_id)).toMatchObject({ acp_interrupted: true, content: 'Two tests' });
    expect(chat.toJSONL()).toContain(`"id":"${deriveInterruptId(attempt.attempt, 1)}"`);
    expect(check(chat, rules)).toEqual([]);
    const written = bytesOf(doc);
    expect(rulesOf(repair(chat, { rules }))).toEqual([]);
    expect(bytesOf(doc)).toBe(written);
    attempt.openPart().append(' and a flag');
    expect(chat.message(message_id)).toMatchObject({
      acp_interrupted: false,
      generating: true,
      content: 'Two tests and a flag',
    });
    attempt.finish({ finish_reason: 'stop' });
    expect(chat.message(message_id)?.attempt?.state).toBe('settled');
    expect(rulesOf(repair(chat, { rules }))).toEqual([]);
  });

  it('[RP9] of an attempt whose prompt was stopped settles it, and a recovery elsewhere writes the same entry', () => {
    const { chat, doc } = openWith(message(idAt(21), 21, { expects: 'answer' }));
    const { attempt, message_id } = chat.openAttempt({
      prompt_id: idAt(21),
      sender_id: 'bot',
      runner_id: 'laptop',
    });
    const there = new Y.Doc();
    Y.applyUpdate(there, Y.encodeStateAsUpdate(doc));
    openChat(there).interrupt({ message_id });
    expect(rulesOf(repair(chat, { rules: [createLeaseRule(() => false)] }))).toEqual(['IN28']);
    Y.applyUpdate(doc, Y.encodeStateAsUpdate(there));
    const interrupts = new Set(chat.toJSONL().match(/\{"type":"interrupt".*/g));
    expect(interrupts.size).toBe(1);
    expect(chat.duplicates()).toEqual([]);
    chat.stop({ message_id, by: 'ada' });
    expect(chat.message(message_id)?.attempt).toMatchObject({ attempt, finish_reason: 'stopped' });
  });

  it('[RP9] writes nothing the second time also where another message names the attempt', () => {
    const [prompt, other, attempt] = [idAt(21), idAt(22), idAt(23)];
    const fields = { attempt, epoch: 1, runner_id: 'laptop' };
    const part = { type: 'part', attempt, n: 1, kind: 'text', text: 'Two tests' };
    const { chat, doc } = openWith(
      message(prompt, 21, { expects: 'answer' }),
      message(deriveAnswerId(prompt), 23, { prompt_id: prompt, ...fields }),
      part,
    );
    const forged = message(deriveAnswerId(other), 24, { prompt_id: other, ...fields });
    chat.importJSONL(jsonl(header('b'), [message(other, 22, { expects: 'answer' }), forged]));
    const rules = [createLeaseRule(() => false)];
    expect(rulesOf(repair(chat, { rules }))).toEqual(['IN28', 'IN28']);
    expect(chat.message(deriveAnswerId(prompt))?.acp_interrupted).toBe(true);
    const written = bytesOf(doc);
    expect(rulesOf(repair(chat, { rules }))).toEqual([]);
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
