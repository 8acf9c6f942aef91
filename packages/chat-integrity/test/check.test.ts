import { openChat } from '@chatdoc/schema';
import { describe, expect, it } from 'vitest';
import * as Y from 'yjs';
import { check, RULES, type Rule } from '../src/index.js';
import { BREAKERS } from './breakers.js';
import { header, healthyLines, idAt, jsonl, message, openText, ROOT, stillEnvironment } from './documents.js';

/** The damage of every breaker whose damage is text, in one document. */
function openAllDamage() {
  const texts = BREAKERS.filter(({ rule }) => rule !== 'IN17' && rule !== 'IN19').map(({ open }) =>
    open().chat.toJSONL(),
  );
  return openText(...texts);
}

describe('check', () => {
  it('[CK1] writes nothing, whatever it finds', () => {
    for (const { open } of BREAKERS) {
      const { doc, chat } = open();
      let updates = 0;
      doc.on('update', () => {
        updates += 1;
      });
      const before = Y.encodeStateAsUpdate(doc);
      check(chat);
      expect(updates).toBe(0);
      expect(Y.encodeStateAsUpdate(doc)).toEqual(before);
    }
  });

  it('[CK4] gives frozen findings in the order of the rules, and the same ones again', () => {
    const { chat } = openAllDamage();
    const findings = check(chat);
    const order = findings.map(({ rule }) => RULES.findIndex(({ id }) => id === rule));
    expect(order).toEqual([...order].sort((a, b) => a - b));
    expect(new Set(order).size).toBeGreaterThan(15);
    for (const finding of findings) {
      expect(Object.keys(finding)).toEqual(['rule', 'severity', 'ids', 'message', 'count']);
      expect(Object.isFrozen(finding)).toBe(true);
      expect(Object.isFrozen(finding.ids)).toBe(true);
    }
    expect(check(chat)).toEqual(findings);
  });

  it('[CK4] gives the same findings on a replica that got the same entries in another order', () => {
    const texts = BREAKERS.filter(({ rule }) => rule !== 'IN17' && rule !== 'IN19').map(({ open }) =>
      open().chat.toJSONL(),
    );
    const forward = openText(...texts);
    const backward = openText(...[...texts].reverse());
    expect(check(backward.chat)).toEqual(check(forward.chat));
  });

  it('[CK4] runs the rules that it is given, and no others', () => {
    const { chat } = openAllDamage();
    const rules = RULES.filter(({ name }) => name === 'reply_cycle');
    expect(new Set(check(chat, rules).map(({ rule }) => rule))).toEqual(new Set(['IN6']));
  });

  it('[CK4] runs a rule of the host beside its own', () => {
    const signed: Rule<'message'> = {
      id: 'AC1',
      name: 'sender_absent',
      severity: 'warning',
      description: 'Every message has a sender.',
      subjects: ['message'],
      judge: ({ id, message: record }) =>
        record?.sender_id === '' ? [{ ids: [id], message: 'nobody sent this message' }] : [],
    };
    const unsigned = message(idAt(21), 21, { sender_id: '' });
    const { chat } = openText(jsonl(header('a'), [...healthyLines(), unsigned]));
    expect(check(chat, [...RULES, signed])).toEqual([
      {
        rule: 'AC1',
        severity: 'warning',
        ids: [idAt(21)],
        message: 'nobody sent this message',
        count: 1,
      },
    ]);
  });

  it('[CK5] says nothing of what people wrote', () => {
    const SECRET = 'xyzzy';
    const { chat } = openText(
      jsonl(header('a'), [
        ...healthyLines(),
        message(idAt(21), 21, { content: SECRET, date: SECRET, [SECRET]: SECRET, sender_id: SECRET }),
        message(ROOT, 2, { content: SECRET }),
        `{"type":"message","message_id":"${SECRET}`,
        { type: 'finish', id: idAt(22), attempt: idAt(23), finish_reason: SECRET },
      ]),
    );
    const findings = check(chat);
    expect(findings.length).toBeGreaterThan(3);
    expect(JSON.stringify(findings)).not.toContain(SECRET);
  });

  it('[CK7] counts what is waiting as a warning, and forgets it once it comes', () => {
    const lines = healthyLines();
    const { chat } = openText(jsonl(header('a'), lines.slice(2)));
    expect(new Set(check(chat).map(({ severity }) => severity))).toEqual(new Set(['warning']));
    chat.importJSONL(jsonl(header('b'), lines.slice(0, 2)));
    expect(check(chat)).toEqual([]);
  });

  it('[CK1] reads a chat that may not be written', () => {
    const { doc } = openAllDamage();
    const copy = new Y.Doc();
    Y.applyUpdate(copy, Y.encodeStateAsUpdate(doc));
    const chat = openChat(copy, { environment: stillEnvironment(), readOnly: true });
    expect(check(chat).length).toBeGreaterThan(20);
  });
});
