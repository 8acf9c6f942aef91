import { describe, expect, it } from 'vitest';
import { check, RULES } from '../src/index.js';
import { BREAKERS, HARMLESS } from './breakers.js';

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

describe('no rule', () => {
  for (const { name, open } of HARMLESS) {
    it(`[CK3] finds anything in ${name}`, () => {
      expect(check(open().chat)).toEqual([]);
    });
  }
});
