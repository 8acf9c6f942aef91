import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { PAGE, renderPage } from '../../../tools/rules-page.js';
import { COUNTERS, createLeaseRule, RULES } from '../src/index.js';

describe('docs/rules.md', () => {
  it('[CK8] says what the rules say: else run tools/rules-page.ts', () => {
    expect(readFileSync(PAGE, 'utf8')).toBe(renderPage());
  });

  it('[CK8] names each rule, its counter, and its repair or why it has none', () => {
    const page = renderPage();
    for (const rule of [...RULES, createLeaseRule(() => true)]) {
      for (const said of [
        rule.id,
        rule.name,
        rule.description,
        COUNTERS[rule.id],
        rule.repair?.undo ?? rule.unrepaired,
      ])
        expect(page).toContain(said ?? 'a rule without repair and reason');
    }
  });
});
