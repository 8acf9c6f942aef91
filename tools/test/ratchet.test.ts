import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Hit, runRatchet, shrinkCounts } from '../ratchet.js';

const hit = (group: string, key: string, text: string = key): Hit => ({ group, key, text });

describe('a ratchet', () => {
  let folder = '';
  let file = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'ratchet-'));
    file = join(folder, 'list.json');
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const run = (hits: readonly Hit[], ...args: string[]): { code: number; out: string[]; err: string[] } => {
    const [out, err]: [string[], string[]] = [[], []];
    const code = runRatchet({
      name: 'words',
      file,
      hits,
      args,
      out: (line) => out.push(line),
      err: (line) => err.push(line),
    });
    return { code, out, err };
  };
  const allow = (list: unknown): void => writeFileSync(file, JSON.stringify(list));

  it('passes what its list allows, and names each hit of a kind that occurs more often', () => {
    allow({ a: { x: 1 }, b: { x: 2 } });
    expect(run([hit('a', 'x')])).toEqual({
      code: 0,
      out: ['words: 1 known, 0 too many; 2 fewer than allowed: shorten the list with --update'],
      err: [],
    });
    expect(run([hit('a', 'x', 'one'), hit('a', 'x', 'two'), hit('b', 'x'), hit('b', 'y', 'three')])).toEqual({
      code: 1,
      out: ['words: 4 known, 3 too many; 1 fewer than allowed: shorten the list with --update'],
      err: ['one', 'two', 'three'],
    });
  });

  it('allows nothing without a list', () => {
    expect(run([]).code).toBe(0);
    expect(run([hit('a', 'x')])).toMatchObject({ code: 1, err: ['x'] });
    expect(existsSync(file)).toBe(false);
  });

  it('only ever gets shorter', () => {
    expect(run([hit('b', 'x'), hit('a', 'x'), hit('a', 'x')], '--update').code).toBe(0);
    expect(readFileSync(file, 'utf8')).toBe('{\n  "a": {\n    "x": 2\n  },\n  "b": {\n    "x": 1\n  }\n}\n');
    expect(run([hit('a', 'x'), hit('a', 'y')], '--update')).toMatchObject({ code: 1, err: ['y'] });
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({ a: { x: 1 } });
    expect(run([], '--update').code).toBe(0);
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({});
    expect(shrinkCounts({ a: { x: 1 } }, { a: { x: 5 } })).toEqual({ a: { x: 1 } });
  });

  it('lists the hits of some groups, or all', () => {
    const hits = [hit('a', 'x', 'one'), hit('b', 'x', 'two')];
    expect(run(hits, '--list', 'b').out).toEqual(['two', 'words: 1 in b']);
    expect(run(hits, '--list').out).toEqual(['one', 'two', 'words: 2 in the workspace']);
    expect(() => run(hits, '--all')).toThrow('expected --list or --update, got --all');
  });
});
