import { deriveAnswerId } from '@chatdoc/schema';
import { describe, expect, it } from 'vitest';
import { check, createLeaseRule, RULES } from '../src/index.js';
import { BREAKERS, HARMLESS } from './breakers.js';
import { idAt, message, openWith, thread } from './documents.js';

describe('each rule', () => {
  for (const { rule, damage, open, first } of BREAKERS) {
    it(`[${rule}] finds ${damage}, and no other rule does`, () => {
      const { chat } = open();
      const findings = check(chat);
      expect(findings.map((finding) => finding.rule)).toEqual([rule]);
      if (first !== undefined) expect(findings[0]?.ids[0] ?? '').toBe(first);
      expect(findings[0]?.severity).toBe(RULES.find(({ id }) => id === rule)?.severity);
    });
  }

  it('[CK6] has a breaker, an id and a name of its own, and a description', () => {
    const broken = new Set(BREAKERS.map(({ rule }) => rule));
    expect(RULES.map(({ id }) => id).filter((id) => !broken.has(id))).toEqual([]);
    expect(new Set(RULES.map(({ id }) => id)).size).toBe(RULES.length);
    expect(new Set(RULES.map(({ name }) => name)).size).toBe(RULES.length);
    for (const { id, name, description } of RULES) {
      expect(id).toMatch(/^IN[1-9][0-9]*$/);
      expect(name).toMatch(/^[a-z_]+$/);
      expect(description).toMatch(/^[A-Z].*\.$/);
    }
  });
});

describe('the lease rule', () => {
  it('[IN28] finds an open attempt that nobody runs, and no settled one', () => {
    const { chat } = openWith(message(idAt(21), 21, { expects: 'answer' }));
    const rules = [...RULES, createLeaseRule(() => false)];
    expect(check(chat, rules)).toEqual([]);
    const attempt = chat.openAttempt({ prompt_id: idAt(21), sender_id: 'bot', runner_id: 'laptop' });
    expect(check(chat, rules).map(({ rule, ids }) => [rule, ids])).toEqual([
      ['IN28', [attempt.attempt, attempt.message_id]],
    ]);
    expect(check(chat, [createLeaseRule((id) => id === attempt.attempt)])).toEqual([]);
    attempt.finish({ finish_reason: 'stop' });
    expect(check(chat, rules)).toEqual([]);
  });
});

describe('no rule', () => {
  for (const { name, open } of HARMLESS) {
    it(`[CK3] finds anything in ${name}`, () => {
      expect(check(open().chat)).toEqual([]);
    });
  }
});

it('[IN26] a thread in which an agent answers and nobody asks needs no settings', () => {
  const { chat } = openWith(
    thread(idAt(20)),
    message(deriveAnswerId(idAt(19)), 21, {
      thread_id: idAt(20),
      prompt_id: idAt(19),
      attempt: idAt(22),
      epoch: 1,
      runner_id: 'x',
    }),
  );
  expect(chat.message(deriveAnswerId(idAt(19)))?.attempt?.attempt).toBe(idAt(22));
  expect(check(chat).map(({ rule }) => rule)).not.toContain('IN26');
});
