import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { summarize } from '../src/index.js';
import { entriesOf, expectPlan, recordLines } from './helpers/plans.js';

const CORPUS = new URL('../../../../shared/corpus/', import.meta.url);
const isMissing = !existsSync(CORPUS);
const read = (name: string): Uint8Array => readFileSync(new URL(name, CORPUS));

const EXPECTED: Readonly<Record<string, readonly [rows: number, messages: number, setAside: number]>> = {
  'cocalc-v1/2013-large-paste.sage-chat': [6, 6, 0],
  'cocalc-v1/2013-side-chat-r1.smc-chat': [3, 3, 0],
  'cocalc-v1/2013-side-chat-r2.smc-chat': [8, 8, 0],
  'cocalc-v1/2013-side-chat-r3.smc-chat': [24, 24, 0],
  'cocalc-v1/2016-video-only.sage-chat': [3, 0, 3],
  'cocalc-v1/2024-drafts-and-roots.sage-chat': [4, 2, 2],
  'cocalc-v1/empty.sage-chat': [0, 0, 0],
  'jupyter/26-messages-one-deleted.chat': [32, 26, 5],
  'jupyter/agent-tool-calls.chat': [13, 8, 4],
  'jupyter/no-messages.chat': [1, 0, 0],
  'jupyter/notebook-attachment.chat': [15, 11, 2],
  'jupyter/personas.chat': [13, 6, 6],
  'jupyter/revision-1.chat': [4, 1, 2],
  'jupyter/revision-2.chat': [6, 2, 3],
};

interface JupyterFile {
  readonly messages: readonly { readonly body: string; readonly deleted?: boolean }[];
}

describe.skipIf(isMissing)('real legacy chats', () => {
  it('[RW3] the corpus is what this test knows', () => {
    const found = ['cocalc-v1', 'jupyter'].flatMap((folder) =>
      readdirSync(new URL(folder, CORPUS)).map((name) => `${folder}/${name}`),
    );
    expect(found.sort()).toEqual(Object.keys(EXPECTED).sort());
  });

  it.each(Object.entries(EXPECTED))('[LG1] %s is accounted for', (name, [rows, messages, setAside]) => {
    const plan = expectPlan(read(name));
    expect(plan.problems).toEqual([]);
    const { ledger } = plan;
    expect([ledger.rows.length, summarize(plan).messages, ledger.set_aside]).toEqual([
      rows,
      messages,
      setAside,
    ]);
  });

  it.each(Object.keys(EXPECTED).filter((name) => name.startsWith('jupyter')))(
    '[RW16] %s reads in the order of its list, without a link between messages',
    (name) => {
      const document = JSON.parse(new TextDecoder().decode(read(name))) as JupyterFile;
      const messages = entriesOf(expectPlan(read(name)), 'message');
      expect(messages.every(({ after }) => after === undefined)).toBe(true);
      expect(messages.map(({ content = '' }) => content)).toEqual(document.messages.map(({ body }) => body));
    },
  );

  it('[RW10] the sender of 2013 is the display name', () => {
    const senders = entriesOf(expectPlan(read('cocalc-v1/2013-side-chat-r3.smc-chat')), 'message');
    expect(new Set(senders.map(({ sender_id }) => sender_id)).size).toBe(2);
  });

  it.each([
    ['cocalc-v1/2013-side-chat-r1.smc-chat', 'cocalc-v1/2013-side-chat-r2.smc-chat'],
    ['cocalc-v1/2013-side-chat-r2.smc-chat', 'cocalc-v1/2013-side-chat-r3.smc-chat'],
    ['jupyter/revision-1.chat', 'jupyter/revision-2.chat'],
  ])('[PL3] the lines of %s are among those of %s', (earlier, later) => {
    const [first, second] = [expectPlan(read(earlier)), expectPlan(read(later))];
    const known = new Set(recordLines(second));
    expect(recordLines(first).filter((line) => !known.has(line))).toEqual([]);
    expect(known.size).toBeGreaterThan(recordLines(first).length);
    const docIds = [first, second].map((plan) => entriesOf(plan, 'document').map(({ doc_id }) => doc_id));
    expect(docIds[0]).toEqual(docIds[1]);
  });
});

if (isMissing) it.skip('[RW3] skipped: ../shared/corpus is missing', () => {});
