import { describe, expect, it } from 'vitest';
import { Awareness, applyAwarenessUpdate, encodeAwarenessUpdate } from 'y-protocols/awareness';
import * as Y from 'yjs';
import { filterAwarenessUpdate } from '../src/presence/presence-filter.js';
import { encodeStates } from './presence-room.js';

const all = (): boolean => true;
const read = (update: Uint8Array): unknown => {
  const awareness = new Awareness(new Y.Doc());
  awareness.setLocalState(null);
  applyAwarenessUpdate(awareness, update, 'test');
  const states = Object.fromEntries(awareness.states);
  awareness.destroy();
  return states;
};

describe('filterAwarenessUpdate', () => {
  it('[PR16] what may pass passes byte by byte, in order, whatever is dropped around it', () => {
    const odd = '{ "a" : 1e999,"a":-0, "b":"\\ud83d","constructor":{"toString":1} }';
    const update = encodeStates(
      { client: 5, clock: 1, json: odd },
      { client: 6, clock: 1, json: '{"other":1}' },
      { client: 7, clock: 1, json: '{' },
      { client: 5, clock: 2, json: 'null' },
    );
    const filtered = filterAwarenessUpdate(update, (client) => client === 5);
    expect(filtered).toEqual({
      ok: true,
      update: encodeStates({ client: 5, clock: 1, json: odd }, { client: 5, clock: 2, json: 'null' }),
      passed: [5, 5],
      dropped: [
        { client_id: 6, reason: 'not_allowed' },
        { client_id: 7, reason: 'not_json' },
      ],
    });
  });

  it('[PR16] the rule is asked with the state, and only for one that is whole', () => {
    const asked: unknown[] = [];
    const update = encodeStates(
      { client: 5, clock: 1, json: '{"a":1}' },
      { client: 6, clock: 1, json: '"x"' },
      { client: 7, clock: 3, json: 'null' },
    );
    filterAwarenessUpdate(update, (...each) => asked.push(each) > 0);
    expect(asked).toEqual([
      [5, { a: 1 }],
      [7, null],
    ]);
  });

  it('[PR16] an update of a real awareness passes as the same bytes', () => {
    const awareness = new Awareness(new Y.Doc());
    awareness.setLocalState({ name: 'Ådä 😀', cursor: [1, 2] });
    const update = encodeAwarenessUpdate(awareness, [awareness.clientID]);
    const filtered = filterAwarenessUpdate(update, all);
    expect(filtered).toEqual({ ok: true, update, passed: [awareness.clientID], dropped: [] });
    expect(read(update)).toEqual({ [awareness.clientID]: { name: 'Ådä 😀', cursor: [1, 2] } });
    awareness.destroy();
  });

  it('[PR16] with a rule of own clientIDs no peer changes or removes another’s state', () => {
    const server = new Awareness(new Y.Doc());
    server.setLocalState(null);
    applyAwarenessUpdate(server, encodeStates({ client: 5, clock: 1, json: '{"a":1}' }), 'five');
    for (const json of ['{"a":2}', 'null']) {
      const attack = encodeStates({ client: 5, clock: 9, json }, { client: 6, clock: 1, json: '{"b":1}' });
      const filtered = filterAwarenessUpdate(attack, (client) => client === 6);
      if (filtered.ok && filtered.update !== null) applyAwarenessUpdate(server, filtered.update, 'six');
      expect(filtered).toMatchObject({ passed: [6], dropped: [{ client_id: 5, reason: 'not_allowed' }] });
    }
    expect(Object.fromEntries(server.states)).toEqual({ 5: { a: 1 }, 6: { b: 1 } });
    server.destroy();
  });

  const deep = (levels: number): string => `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`;
  const drops: readonly (readonly [string, string, number, number])[] = [
    ['not_json', '{"a":', 5, 1],
    ['not_json', '', 5, 1],
    ['not_an_object', '5', 5, 1],
    ['not_an_object', '"x"', 5, 1],
    ['not_an_object', '[{}]', 5, 1],
    ['not_an_object', 'false', 5, 1],
    ['reserved_key', '{"__proto__":{}}', 5, 1],
    ['reserved_key', '{"a":[{"__proto__":1}]}', 5, 1],
    ['too_deep', deep(17), 5, 1],
    ['too_deep', deep(2_000), 5, 1],
    ['too_large', `{"a":"${'x'.repeat(16 * 1024 - 7)}"}`, 5, 1],
    ['out_of_range', '{}', 2 ** 32, 1],
    ['out_of_range', '{}', 5, 2 ** 32],
    ['out_of_range', 'null', 5, Number.MAX_SAFE_INTEGER],
  ];
  for (const [reason, json, client, clock] of drops) {
    it(`[PR17] ${reason}: ${json.slice(0, 24)} of ${client} at ${clock}`, () => {
      const good = { client: 9, clock: 1, json: '{"good":1}' };
      const filtered = filterAwarenessUpdate(encodeStates({ client, clock, json }, good), all);
      expect(filtered).toMatchObject({ passed: [9], dropped: [{ client_id: client, reason }] });
      expect(filterAwarenessUpdate(encodeStates({ client, clock, json }), all)).toMatchObject({
        update: null,
      });
    });
  }

  it('[PR17] the greatest that passes: 16 KiB, 16 levels, a clientID and a clock of 32 bits', () => {
    const largest = `{"a":"${'x'.repeat(16 * 1024 - 8)}"}`;
    const client = 2 ** 32 - 1;
    const update = encodeStates(
      { client, clock: client, json: largest },
      { client, clock: 0, json: deep(16) },
    );
    expect(filterAwarenessUpdate(update, all)).toMatchObject({ passed: [client, client], dropped: [] });
  });

  it('[PR17] bytes that are no UTF-8 are no JSON', () => {
    const update = encodeStates({ client: 5, clock: 1, json: '{"a":"b"}' });
    update[update.length - 4] = 0xff;
    expect(filterAwarenessUpdate(update, all)).toMatchObject({
      dropped: [{ client_id: 5, reason: 'not_json' }],
    });
  });

  it('[PR18] refused as a whole: cut, with bytes behind it, with too many states, too large', () => {
    const good = encodeStates({ client: 5, clock: 1, json: '{}' });
    const many = Array.from({ length: 257 }, (_, client) => ({ client, clock: 1, json: '{}' }));
    for (let length = 0; length < good.length; length += 1) {
      expect(filterAwarenessUpdate(good.subarray(0, length), all)).toEqual({ ok: false, code: 'malformed' });
    }
    expect(filterAwarenessUpdate(new Uint8Array([...good, 0]), all)).toMatchObject({ code: 'malformed' });
    expect(filterAwarenessUpdate(encodeStates(...many), all)).toMatchObject({ code: 'too_many_states' });
    expect(filterAwarenessUpdate(encodeStates(...many.slice(1)), all)).toMatchObject({ ok: true });
    expect(filterAwarenessUpdate(new Uint8Array(4_300_000), all)).toMatchObject({ code: 'too_large' });
    expect(filterAwarenessUpdate(encodeStates(), all)).toMatchObject({ ok: true, update: null, passed: [] });
    expect(filterAwarenessUpdate(good, all, { states: 0 })).toMatchObject({ code: 'too_many_states' });
    expect(filterAwarenessUpdate(good, all, { bytes: 1 })).toMatchObject({
      dropped: [{ reason: 'too_large' }],
    });
  });
});
