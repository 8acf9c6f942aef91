import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isDue, runs, thin } from '../../../tools/amounts.js';
import { detectFormat, planMigration } from '../src/index.js';
import {
  isFolder,
  listBroken,
  listSamples,
  openPlans,
  readExpected,
  samplePath,
} from './helpers/import-samples.js';
import { RENDERINGS, TREE, type Tree } from './helpers/import-trees.js';
import { expectPlan } from './helpers/plans.js';

type Chat = ReturnType<typeof openPlans>;

/** Every text that a reader of the chat can find: of messages, alternates and parts. */
function listTexts(chat: Chat): readonly string[] {
  return chat
    .threads()
    .flatMap(({ thread_id }) =>
      chat
        .messages(thread_id)
        .flatMap(({ content, alternates }) => [content, ...alternates.map((attempt) => attempt.content)]),
    );
}

function prune(tree: Tree, count: number): Tree {
  return { ...tree, nodes: tree.nodes.slice(0, count) };
}

/** Unlike ids: two trees of one id would be one conversation. */
const TREES = fc.uniqueArray(TREE, { minLength: 1, maxLength: 3, selector: ({ id }) => id });

describe.each(RENDERINGS)('IM %s, generated', (format, render, { isSingle = false, isEmptyKnown = true }) => {
  it('[IM2] every text is readable once, and every row is counted', () => {
    fc.assert(
      fc.property(TREES, (all) => {
        const trees = isSingle ? all.slice(0, 1) : all;
        const { bytes, rows } = render(trees);
        expect(detectFormat(bytes).format).toBe(format);
        const plan = expectPlan(bytes);
        expect(plan.ledger.rows).toHaveLength(rows);
        const chat = openPlans(plan);
        expect(listBroken(chat)).toEqual([]);
        const texts = [...listTexts(chat)].filter((text) => text !== '').sort();
        expect(texts).toEqual(trees.flatMap(({ nodes }) => nodes.map(({ text }) => text)).sort());
      }),
      runs(300, 2),
    );
  });

  it('[IM3] what was exported earlier and what is exported later merge to what the later one shows', () => {
    fc.assert(
      fc.property(TREES, fc.nat({ max: 100 }), fc.boolean(), (all, share, isReversed) => {
        const trees = isSingle ? all.slice(0, 1) : all;
        const earlier = trees.map((tree) =>
          prune(tree, Math.max(isEmptyKnown ? 0 : 1, Math.ceil((tree.nodes.length * share) / 100))),
        );
        const later = expectPlan(render(trees).bytes);
        const plans = [expectPlan(render(earlier).bytes), later];
        const chat = openPlans(...(isReversed ? plans.reverse() : plans));
        expect(listBroken(chat)).toEqual([]);
        expect(listTexts(chat)).toEqual(listTexts(openPlans(later)));
        const before = chat.toJSONL();
        chat.importJSONL(later.jsonl);
        expect(chat.toJSONL()).toBe(before);
      }),
      runs(300, 2),
    );
  });
});

const FILES = listSamples().flatMap((sample) => {
  const { accept, inputs } = readExpected(sample);
  const paths = inputs.map((input) => samplePath(sample, input)).filter((path) => !isFolder(path));
  return accept ? paths.map((path) => [sample, new Uint8Array(readFileSync(path))] as const) : [];
});

/** Of the samples, those whose prefixes this run tries. */
const DUE = FILES.filter((_, index) => isDue(index));

/** Bytes that are no chat are refused; of all others the laws of plans hold, and the document is sound. */
function expectSound(bytes: Uint8Array): void {
  const result = planMigration(bytes);
  if (!result.ok) return;
  expect(listBroken(openPlans(expectPlan(bytes)))).toEqual([]);
}

describe('IM damaged files', () => {
  it.each(DUE)('[IM4] every prefix of %s is refused or sound, and merges with the whole', (sample, bytes) => {
    const whole = expectPlan(bytes);
    const isLines = sample.startsWith('claude-code') || sample.startsWith('codex');
    const ends = isLines
      ? [...bytes.keys()].filter((at) => bytes[at] === 10).map((at) => at + 1)
      : [...bytes.keys()].filter((at) => at % 64 === 63);
    for (const end of thin(ends)) {
      const prefix = bytes.slice(0, end);
      expectSound(prefix);
      expectSound(bytes.slice(0, end - 1 - (end % 7)));
      const result = planMigration(prefix);
      if (!result.ok || !isLines || result.plan.format !== whole.format) continue;
      const merged = openPlans(result.plan, whole);
      expect(listBroken(merged)).toEqual([]);
      expect(listTexts(merged)).toEqual(listTexts(openPlans(whole)));
    }
  });

  it('[IM4] mutations of samples are refused or sound', () => {
    const files = FILES.map(([, bytes]) => bytes);
    const edit = fc.record({ at: fc.nat(), kind: fc.nat({ max: 4 }), byte: fc.nat({ max: 255 }) });
    fc.assert(
      fc.property(
        fc.constantFrom(...files),
        fc.array(edit, { minLength: 1, maxLength: 4 }),
        (bytes, edits) => {
          let text = new TextDecoder('latin1').decode(bytes);
          for (const { at, kind, byte } of edits) text = mutate(text, at, kind, byte);
          expectSound(Uint8Array.from(text, (letter) => letter.charCodeAt(0)));
        },
      ),
      runs(20_000, 12),
    );
  });
});

const TOKENS = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?|true|false|null/g;
const VALUES = ['null', '"x"', '0', '{}', '[]', 'true', '-1e300', '"\\ud800"'];

/** Swaps a value or a key for another, repeats or drops a line, or changes a byte. */
function mutate(text: string, at: number, kind: number, byte: number): string {
  if (kind === 0) {
    const place = at % (text.length + 1);
    return `${text.slice(0, place)}${String.fromCharCode(byte)}${text.slice(place + 1)}`;
  }
  if (kind === 1) {
    const lines = text.split('\n');
    const line = lines[at % lines.length] ?? '';
    const place = byte % (lines.length + 1);
    return [...lines.slice(0, place), line, ...lines.slice(place)].join('\n');
  }
  const tokens = [...text.matchAll(TOKENS)];
  const token = tokens[at % Math.max(tokens.length, 1)];
  const other = tokens[byte % Math.max(tokens.length, 1)];
  if (token === undefined || other === undefined) return text;
  const value = kind === 2 ? (VALUES[byte % VALUES.length] ?? '') : other[0];
  return `${text.slice(0, token.index)}${value}${text.slice(token.index + token[0].length)}`;
}
