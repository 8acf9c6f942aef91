import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as Y from 'yjs';
import { isDue, mayMiss } from '../../../tools/amounts.js';
import { createParts } from '../../../tools/parts.js';
import { extractTexts } from '../../chat-testkit/src/index.js';
import { openChat } from '../src/index.js';
import { checkLaws, FoldLedger, readingEnvironment } from './laws.js';
import { hostileSchedule, parameters } from './schedule.js';
import { runChecked, Sightings } from './schedule-check.js';

const { test, all } = createParts();
const ledger = new FoldLedger();
const sightings = new Sightings();

describe('hostile writers', () => {
  test('[RD1] no read throws on what raw Yjs brings, and every replica reads the same', () => {
    fc.assert(
      fc.property(hostileSchedule(), (schedule) => {
        runChecked(schedule, ledger, sightings);
      }),
      parameters(50, 6),
    );
  });

  it('[LN7] a line is too long at 4,194,305 code units, and not at one less; an open one is torn', () => {
    const doc = new Y.Doc();
    const chat = openChat(doc, { environment: readingEnvironment(0), readOnly: true });
    const lane =
      '{"type":"lane","lane_id":"01KAJ8Z0000000000000000000","schema_version":2,"min_reader":2,"generation":0,"writer_id":"01KAJ8Z0000000000000000000"}';
    const line = (id: string, length: number): string => {
      const head = `{"type":"legacy_row","id":"${id}","row":"`;
      return `${head}${'x'.repeat(length - head.length - 2)}"}`;
    };
    const long = line('01KAJ8Z0000000000000000001', 4_194_304);
    const tooLong = line('01KAJ8Z0000000000000000002', 4_194_305);
    doc.getMap('chat').set('lane', new Y.Text(`${lane}\n${long}\n${tooLong}\n${tooLong}`));
    expect(chat.legacyRows().map(({ id }) => id)).toEqual(['01KAJ8Z0000000000000000001']);
    expect(
      chat
        .quarantine()
        .map(({ reason }) => reason)
        .sort(),
    ).toEqual(['too_long', 'torn']);
    // The oracle takes long for 12 MB.
    if (isDue(1)) checkLaws(chat, doc, ledger);
    expect(extractTexts(doc)).toHaveLength(1);
  });

  it('[RD1] the schedules above met what they are about', async () => {
    await all();
    const missing = sightings.missing(
      ...['step foreign', 'step steal', 'step damage', 'step replace', 'step value', 'step lane'],
      ...[
        'duplicates',
        'quarantined lines',
        'ignored lines',
        'hidden lanes',
        'rolled back lanes',
        'unknown types',
        'deletions',
      ],
      ...['open lines', 'problems', 'waiting', 'alternates', 'conflicts', 'interrupted attempts'],
    );
    expect(missing.length, missing.join()).toBeLessThanOrEqual(mayMiss(19));
  });
});
