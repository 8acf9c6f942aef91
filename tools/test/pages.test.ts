import { describe, expect, it } from 'vitest';
import { findMissing } from '../pages.js';

const missing = (text: string): string[] =>
  findMissing(
    { path: 'docs/a.md', text },
    ['packages/x/src/lane/structs.ts'],
    (path) => path === 'packages/x/SPEC.md',
  ).map((hit) => hit.text);

describe('pages', () => {
  it('link to what exists, from their own folder', () => {
    expect(
      missing('[a](../packages/x/SPEC.md) [b](../packages/x/SPEC.md#rules) [c](https://x.org/y) [d](#here)'),
    ).toEqual([]);
    expect(missing('\n[a](SPEC.md)')).toEqual(['docs/a.md:2 SPEC.md does not exist']);
  });

  it('name sources by the end of their path', () => {
    expect(missing('`structs.ts`, `lane/structs.ts`, `x.y`, `new Chat()`, `entry/NAME.ts`')).toEqual([]);
    expect(missing('`tructs.ts` and `index/structs.ts`')).toEqual([
      'docs/a.md:1 tructs.ts does not exist',
      'docs/a.md:1 index/structs.ts does not exist',
    ]);
  });
});
