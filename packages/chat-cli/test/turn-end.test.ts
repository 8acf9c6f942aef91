import { describe, expect, it } from 'vitest';
import { describeTurnEnd } from '../src/turns/turn-end.js';

describe('a turn that failed', () => {
  const cases: readonly (readonly [code: string, expected: RegExp])[] = [
    ['acp_auth', /^the agent has to be logged in first, .* --retry .* \(by Key \(key\)\)$/],
    ['acp_version', /different versions of ACP; .* \(by Key \(key\)\)$/],
    ['openai_auth', /^the provider refuses the key; .* \(by Key \(key\)\)$/],
    ['openai_rate', /^the provider allows no more requests for now; .* \(by Key \(key\)\)$/],
    ['openai_failed', /^the provider failed; .* \(by Key \(key\)\)$/],
  ];

  it.each(cases)('[CL59] %s says what to do, and why', (code, expected) => {
    const end = { kind: 'failed', code, detail: 'by Key\n(key)' } as const;
    expect(describeTurnEnd(end)).toEqual({ ok: false, code, message: expect.stringMatching(expected) });
  });

  it('[CL59] an error of another kind is named, with its words', () => {
    const end = { kind: 'failed', code: '__proto__', detail: '\u001b[2Jgone' } as const;
    expect(describeTurnEnd(end)).toEqual({
      ok: false,
      code: 'failed',
      message: 'the turn failed (__proto__); --retry asks it again (\u241b[2Jgone)',
    });
  });

  it('[CL59] the words are cut where they are long, and left out where there are none', () => {
    const message = (detail: string): string =>
      describeTurnEnd({ kind: 'failed', code: 'refusal', detail })?.message ?? '';
    expect(message('')).toBe('the agent refuses to answer this');
    expect(message('x'.repeat(10_000)).length).toBeLessThan(600);
  });
});
