import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { runs, scale } from '../../../tools/amounts.js';
import { renderTranscript } from '../src/index.js';
import { openSource } from '../src/sources/open-source.js';
import { createAgentChat } from './agent-chat.js';
import { listControls } from './controls.js';

const RUNS = 80;
const lines = createAgentChat().chat.toJSONL().split('\n').slice(0, -1);
const thread = lines.find((text) => text.startsWith('{"type":"thread",'));
const EVIL = fc.constantFrom(
  '\u001b[2J',
  '\u009b',
  '\u202e',
  '\ud83d',
  '\u0000',
  '世',
  '\n\n',
  '\\u001b',
  '"',
  '',
);

/** A line of a real document with some values replaced, or with characters replaced. */
const line = fc.oneof(
  fc.constantFrom(...lines),
  fc
    .tuple(
      fc.constantFrom(...lines),
      fc.dictionary(
        fc.constantFrom(
          'content',
          'sender_id',
          'date',
          'title',
          'state',
          'text',
          'kind',
          'error',
          'name',
          'created_by',
          'finish_reason',
          'slot',
        ),
        fc.oneof(EVIL, fc.jsonValue()),
      ),
    )
    .map(([text, fields]) => JSON.stringify({ ...JSON.parse(text), ...fields })),
  fc
    .tuple(fc.constantFrom(...lines), fc.nat(400), fc.nat(9), EVIL)
    .map(
      ([text, at, length, evil]) => text.slice(0, at) + evil.replaceAll('\n', '') + text.slice(at + length),
    ),
);

describe('a hostile document', () => {
  it('[CL6] [CL28] is read and printed, and no control character of it comes through', () => {
    let shown = 0;
    fc.assert(
      fc.property(fc.array(line, { maxLength: 40 }), fc.integer({ min: 0, max: 130 }), (body, width) => {
        const opened = openSource(Buffer.from(`${lines[0]}\n${thread}\n${body.join('\n')}`));
        if (!opened.ok) return;
        const text = renderTranscript(opened.chat, { width });
        expect(listControls(text)).toEqual([]);
        if (text.includes(' UTC')) shown += 1;
      }),
      runs(RUNS),
    );
    expect(shown).toBeGreaterThan(scale(RUNS) / 4);
  });

  it('[CL9] of any bytes is opened, or refused with a reason', () => {
    const outcomes = new Set<string>();
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array({ maxLength: 400 }),
          fc.json().map((text) => Buffer.from(text)),
          fc.array(line, { maxLength: 5 }).map((body) => Buffer.from(body.join('\n'))),
        ),
        (bytes) => {
          const opened = openSource(bytes);
          outcomes.add(opened.ok ? opened.format : opened.code);
          if (opened.ok) expect(renderTranscript(opened.chat)).toMatch(/\n$/);
          else expect(opened.message.length).toBeGreaterThan(10);
        },
      ),
      runs(2 * RUNS),
    );
    expect(outcomes.size).toBeGreaterThan(3);
  });
});
