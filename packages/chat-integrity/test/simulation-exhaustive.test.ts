import { describe, expect, it } from 'vitest';
import { scale } from '../../../tools/amounts.js';
import {
  chatApplication,
  type ExhaustiveOptions,
  exhaustPairs,
  exhaustTriples,
  LawBroken,
} from '../src/testing/index.js';
import { notesApplication } from './testing-subjects.js';

/** Every command but those that only read, or write the same as another. */
const COMMANDS = [
  ...['send', 'ask', 'reply', 'resend', 'edit', 'delete', 'redact', 'annotate', 'thread', 'fork', 'slot'],
  ...['activate', 'configure', 'variables', 'state', 'answer', 'stream', 'stop', 'retry', 'interrupt'],
];

/** A prompt that is answered, one that waits, messages, and threads of a slot. */
const PREPARE: ExhaustiveOptions['prepare'] = [
  ['slot', [0, 0]],
  ['slot', [1, 0]],
  ['ask', [0]],
  ['answer', [0]],
  ['stream', [0, 0, 0]],
  ['ask', [0, 5]],
  ['send', [0, 7]],
  ['reply', [0, 1]],
];

describe('small cases, all of them', () => {
  const application = chatApplication();

  it('[HA12] every pair of twenty commands, in every order of arrival, reads the same on both replicas', () => {
    const commands = COMMANDS.slice(0, scale(COMMANDS.length, 10));
    const { cases, idle } = exhaustPairs(application, {
      commands,
      prepare: PREPARE,
      picks: [0, 1, 1],
    });
    expect(idle).toEqual([]);
    expect(cases).toBeGreaterThan(2.5 * commands.length ** 2);
  });

  it('[HA12] every three of fifteen commands on three replicas, in every order of arrival', () => {
    const commands = COMMANDS.filter(
      (name) => !['variables', 'thread', 'slot', 'resend', 'state'].includes(name),
    );
    const some = commands.slice(0, scale(commands.length, 4));
    const { cases, idle } = exhaustTriples(application, {
      commands: some,
      prepare: PREPARE,
      picks: [0, 1, 1],
    });
    expect(idle).toEqual([]);
    expect(cases).toBeGreaterThanOrEqual(6 * some.length ** 3);
  });

  it('[HA12] finds two writes that depend on their order, and names commands that did nothing', () => {
    const commands = ['write', 'drop'];
    const prepare = [['write', [0]]] as const;
    const good = exhaustTriples(notesApplication(), { commands, prepare, picks: [0, 3, 0] });
    expect(good).toEqual({ cases: 48, idle: [] });
    expect(exhaustPairs(notesApplication(), { commands, prepare, picks: [0, 0, 0] }).idle).toEqual(['drop']);
    const order: string[] = [];
    const inOrderOfArrival = notesApplication({
      open: ({ doc, environment }) => {
        const map = doc.getMap<string>('notes');
        order.length = 0;
        map.observe((event) => void order.push(...event.keysChanged));
        return { map, createKey: () => [...environment.random(8)].join('.') };
      },
      read: () => order,
    });
    expect(() => exhaustTriples(inOrderOfArrival, { commands, prepare, picks: [0, 3, 0] })).toThrow(
      LawBroken,
    );
  });
});
