import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { gatherChats } from '../src/commit/index.js';
import { detectFormat, exportChat, planMigration } from '../src/index.js';
import {
  describeLike,
  isFolder,
  listBroken,
  listSamples,
  openPlans,
  readExpected,
  samplePath,
} from './helpers/import-samples.js';
import { expectPlan, readFixture } from './helpers/plans.js';

const SAMPLES = listSamples();

describe('IM samples of the formats that people have', () => {
  it.each(SAMPLES)('[IM1] %s shows what it should', async (sample) => {
    const expected = readExpected(sample);
    const bytes: Uint8Array[] = [];
    for (const input of expected.inputs) {
      const path = samplePath(sample, input);
      if (!isFolder(path)) bytes.push(new Uint8Array(readFileSync(path)));
      else for await (const chat of gatherChats(path)) if (chat.ok) bytes.push(chat.bytes);
    }
    for (const one of bytes) expect(detectFormat(one).format).toBe(expected.detect);
    if (!expected.accept) {
      for (const one of bytes) expect(planMigration(one).ok).toBe(false);
      return;
    }
    const plans = bytes.map(expectPlan);
    const chat = openPlans(...plans);
    expect(listBroken(chat)).toEqual([]);
    const wanted = expected.threads.map((thread) => ({ ...thread }));
    expect(describeLike(chat, expected)).toEqual(wanted);
    const problems: Record<string, number> = {};
    for (const plan of plans)
      for (const { code } of plan.problems) problems[code] = (problems[code] ?? 0) + 1;
    expect(problems).toEqual(expected.problems);
    const markdown = exportChat(chat, 'markdown');
    const texts = JSON.stringify(
      chat.threads().map(({ thread_id }) => chat.messages(thread_id).map(({ content }) => content)),
    );
    for (const hidden of expected.hidden) {
      expect(texts).not.toContain(hidden);
      expect(markdown).not.toContain(hidden);
      expect(JSON.stringify(plans.map(({ jsonl }) => jsonl))).toContain(hidden.slice(0, 8));
    }
    for (const never of expected.never) expect(plans.map(({ jsonl }) => jsonl).join('')).not.toContain(never);
  });

  it('[IM7] each sample has the lane that it always had', () => {
    const lanes: Record<string, string> = {};
    for (const sample of SAMPLES) {
      for (const input of readExpected(sample).inputs) {
        const path = samplePath(sample, input);
        const result = isFolder(path) ? undefined : planMigration(new Uint8Array(readFileSync(path)));
        if (result?.ok === true) lanes[`${sample}/${input}`] = result.plan.lane_id;
      }
    }
    // Never regenerated: a lane that changes here is a chat that two machines migrate differently.
    expect(lanes).toEqual(JSON.parse(new TextDecoder().decode(readFixture('import-lanes.json'))));
  });
});
