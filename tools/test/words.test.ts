import { describe, expect, it } from 'vitest';
import { PHRASES } from '../glossary.js';
import { findNames, findPhrases } from '../words.js';

const phrases = (text: string, path = 'packages/chat-sync/src/a.ts'): string[] =>
  findPhrases({ path, text }).map(({ key }) => key);
const names = (...lines: [path: string, text: string][]): string[] =>
  findNames(lines.map(([path, text]) => ({ path: `packages/${path}`, text }))).map(
    ({ group, key }) => `${group} ${key}`,
  );

describe('words', () => {
  it.each([
    ['Gives', '/** Gives the exit code. */'],
    ['unless given', '5 unless given.'],
    ['the result ends', 'The result ends it.'],
    ['is no, are no', 'This is no lane.\n * They are no\n * lanes.'],
    ['stand', 'It stands in a file. They stood above it.'],
    ['says, tells, told', 'The file says so much, as it was told.'],
    ['What …', '/** What a part holds. */\n/**\n * What else.\n */'],
    ['whoever', 'Whoever asks.'],
    ['anew', 'Read anew.'],
    ['apart', 'Edited apart.'],
    ['for ever', 'Gone for ever.'],
    ['but for', 'All but for one.'],
    ['meanwhile', 'Meanwhile, another one.'],
    ['mend', 'It is mended.'],
    ['all well', 'All is well.'],
    ['who only', 'Who only needs the document.'],
    ['one … a line', 'An entry a line, and one `Chat` a document.'],
    ['has got its', 'It has got its name.'],
    ["somebody else's", "It is somebody else's now."],
    ['that means anything', 'In no order that means anything.'],
    ['that nobody may', 'One that nobody may use again.'],
    ['say not what', 'They say not what they are.'],
    ['asks leave', 'What the agent asks leave for.'],
    ['so, at the end', 'It finds two bugs in a small app so.'],
  ])('finds "%s"', (phrase, text) => {
    expect(new Set(phrases(text))).toContain(phrase);
  });

  it('each phrase of the table has a sentence above', () => {
    expect(PHRASES.map(({ phrase }) => phrase)).toHaveLength(24);
  });

  it('leaves English alone', () => {
    const text = [
      'There is no lane here, and there are no others.',
      'It is no longer open; there is no more.',
      'The two lines stand for one. This understands it, instead.',
      'It stays so. Say so.',
      'Apart from that, the recommended amendment is fine, if so.',
      'A person may say what they like. Given a line, it returns one with a line.',
      '/** Whatever was written. */ const isNot = island;',
    ];
    expect(text.flatMap((line) => phrases(line))).toEqual([]);
  });

  it('names the place and what to write', () => {
    expect(findPhrases({ path: 'docs/a.md', text: 'One.\nIt is\nno lane.\n' })).toEqual([
      { group: 'docs', key: 'is no, are no', text: 'docs/a.md:2 "is no": write "is not a, are not"' },
    ]);
  });

  it('finds a word of the glossary in another meaning, among exported names', () => {
    expect(
      names(
        ['chat-sync/src/a.ts', 'export class Ledger {}\nexport type SessionId = string;\nclass Claim {}'],
        ['chat-migrate/src/a.ts', 'export interface LedgerRow {}'],
        ['chat-schema/src/a.ts', 'export function filterRows() {}\nexport type LegacyRowEntry = 1;'],
        ['chat-turns/src/a.ts', 'export async function listenTo() {}\nexport const MOST_GAPS = 1;'],
      ),
    ).toEqual([
      'chat-sync name Ledger',
      'chat-sync name SessionId',
      'chat-schema name filterRows',
      'chat-turns name listenTo',
      'chat-turns name MOST_GAPS',
    ]);
  });

  it('has three words for outcomes, but in a harness faults are made', () => {
    expect(
      names(
        ['chat-sync/src/a.ts', 'export type FileFault = 1;\nexport function findFault() {}'],
        ['chat-sync/src/testing/a.ts', 'export type DiskFault = 1;'],
      ),
    ).toEqual(['chat-sync name FileFault']);
  });

  it('finds public types with one name in two files', () => {
    const text = 'export interface FlushResult {}\nexport type Range = 1;\nexport function flush() {}';
    const list = `export {\n  flush,\n  type FlushResult,\n} from './a.js';`;
    expect(
      names(
        ['chat-sync/src/a.ts', text],
        ['chat-sync/src/index.ts', list],
        ['chat-turns/src/a.ts', text],
        ['chat-turns/src/index.ts', list],
        ['chat-cli/src/a.ts', text],
      ),
    ).toEqual(['chat-sync twice FlushResult', 'chat-turns twice FlushResult']);
  });
});
