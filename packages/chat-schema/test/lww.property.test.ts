import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as Y from 'yjs';
import { createParts } from '../../../tools/parts.js';
import { type Chat, openChat } from '../src/index.js';
import { checkLaws, FoldLedger, readingEnvironment } from './laws.js';
import { DATE, idAt, laneHeader, laneUpdate, messageLine, START, threadLine } from './raw.js';
import { parameters } from './schedule.js';
import { NETWORK, seededEnvironment } from './schedule-run.js';

const { test, all } = createParts();
const ledger = new FoldLedger();
const sightings = { conflicts: 0, resolved: 0, cycles: 0, backwards: 0 };

interface Peer {
  readonly doc: Y.Doc;
  readonly chat: Chat;
  clock: number;
}

/** Replicas whose clocks are hours apart. */
function createPeers(hours: readonly number[]): Peer[] {
  return hours.map((hour, at) => {
    const doc = new Y.Doc();
    doc.clientID = at + 1;
    const peer = { doc, clock: START + hour * 3_600_000 } as Peer & { chat: Chat };
    peer.chat = openChat(doc, {
      environment: seededEnvironment(at + 1, () => ++peer.clock),
      user_id: `u${at}`,
    });
    return peer;
  });
}

function sync(to: Peer, from: Peer): void {
  Y.applyUpdate(to.doc, Y.encodeStateAsUpdate(from.doc), NETWORK);
}

const FIELDS = ['name', 'thread_color', 'agent_kind'] as const;
const write = fc.record({
  at: fc.nat({ max: 2 }),
  field: fc.constantFrom(...FIELDS),
  value: fc.option(fc.constantFrom('a', 'b', 'c'), { nil: null, freq: 5 }),
  sync: fc.option(fc.nat({ max: 2 }), { nil: null }),
});

describe('last writer', () => {
  test('[LW1] a write made after seeing another always shows, whatever the clocks', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: -40, max: 40 }), { minLength: 3, maxLength: 3 }),
        fc.array(write, { maxLength: 14 }),
        (hours, writes) => {
          const peers = createPeers(hours);
          const first = peers[0] as Peer;
          const { thread_id } = first.chat.createThread({ created_by: 'ada' });
          for (const peer of peers.slice(1)) sync(peer, first);
          for (const step of writes) {
            const peer = peers[step.at] as Peer;
            if (step.sync !== null && step.sync !== step.at) sync(peer, peers[step.sync] as Peer);
            const conflicts = peer.chat.conflicts(thread_id).filter(({ field }) => field === step.field);
            const others = FIELDS.filter((field) => field !== step.field);
            const before = others.map((field) => peer.chat.config(thread_id)[field]);
            const stamp = peer.chat.config(thread_id).updated_at ?? '';
            peer.chat.configure({ thread_id, updated_by: `u${step.at}`, [step.field]: step.value });
            const config = peer.chat.config(thread_id);
            expect(config[step.field], '[LW1]').toBe(step.value ?? undefined);
            expect(
              others.map((field) => config[field]),
              '[LW4]',
            ).toEqual(before);
            expect(
              peer.chat.conflicts(thread_id).filter(({ field }) => field === step.field),
              '[LW3] gone after the next write',
            ).toEqual([]);
            if ((config.updated_at ?? '') < stamp) sightings.backwards += 1;
            sightings.conflicts += conflicts.length;
            sightings.resolved += conflicts.length > 0 ? 1 : 0;
            checkLaws(peer.chat, peer.doc, ledger, peer.clock);
          }
          for (const to of peers) for (const from of peers) if (to !== from) sync(to, from);
          for (const to of peers) for (const from of peers) if (to !== from) sync(to, from);
          for (const { chat } of peers) {
            expect(chat.config(thread_id)).toEqual(first.chat.config(thread_id));
            expect(chat.conflicts(thread_id)).toEqual(first.chat.conflicts(thread_id));
          }
        },
      ),
      parameters(60, 20),
    );
  });

  test('[LW1] an edit, a variable, an annotation and an activation made after seeing another show', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: -40, max: 40 }), { minLength: 2, maxLength: 2 }),
        fc.array(
          fc.record({
            at: fc.nat({ max: 1 }),
            kind: fc.nat({ max: 4 }),
            text: fc.string({ maxLength: 3 }),
            sync: fc.boolean(),
          }),
          {
            maxLength: 12,
          },
        ),
        (hours, steps) => {
          const peers = createPeers(hours);
          const [a, b] = peers as [Peer, Peer];
          const key = { root_id: 'r', owner_id: 'o', provider: 'p' };
          const threads = [1, 2].map((number) =>
            a.chat.createThread({ created_by: 'ada', purpose: 'chat', slot: { ...key, number } }),
          );
          const thread_id = threads[0]?.thread_id as string;
          const { message_id } = a.chat.send({ thread_id, sender_id: 'ada', content: '' });
          sync(b, a);
          for (const { at, kind, text, sync: hears } of steps) {
            const [peer, other] = at === 0 ? [a, b] : [b, a];
            if (hears) sync(peer, other);
            if (kind === 0) {
              peer.chat.edit({ message_id, author_id: 'ada', content: text });
              expect(peer.chat.message(message_id)?.content).toBe(text);
            } else if (kind === 1) {
              peer.chat.setVariables({ scope: 'user', scope_id: 's', values: { a: text } });
              expect(peer.chat.variables('user', 's')['a']).toBe(text);
            } else if (kind === 2) {
              peer.chat.annotate({ message_id, user_id: 'ada', key: 'feedback', value: text });
              expect(peer.chat.annotations({ message_id }).map(({ value }) => value)).toEqual([text]);
            } else if (kind === 3) {
              const chosen = threads[text.length % 2]?.thread_id as string;
              peer.chat.activate({ thread_id: chosen });
              expect(peer.chat.activeThread({ ...key, purpose: 'chat' })).toBe(chosen);
            } else {
              peer.chat.setState({ thread_id, state: text.length > 1 ? 'error' : 'idle' });
              expect(peer.chat.state(thread_id).state).toBe(text.length > 1 ? 'error' : 'idle');
            }
            checkLaws(peer.chat, peer.doc, ledger, peer.clock);
          }
        },
      ),
      parameters(50, 20),
    );
  });

  test('[LW2] of forged cycles of replaces the greatest wins, the same for any order of arrival', () => {
    const types = [
      'thread_config',
      'revision',
      'annotation',
      'thread_state',
      'variables',
      'activation',
    ] as const;
    const entry = fc.record({
      minute: fc.integer({ min: 0, max: 30 }),
      replaces: fc.array(fc.nat({ max: 6 }), { maxLength: 3 }),
      value: fc.constantFrom('a', 'b', null),
      pin: fc.boolean(),
    });
    fc.assert(
      fc.property(
        fc.constantFrom(...types),
        fc.array(entry, { minLength: 1, maxLength: 6 }),
        fc.shuffledSubarray([0, 1, 2, 3, 4, 5, 6], { minLength: 7 }),
        (type, entries, arrival) => {
          const thread_id = idAt(0, 'thread');
          const message_id = idAt(1, 'message');
          const ids = entries.map(({ minute }, at) => idAt(minute, `e${at}`));
          const lines = entries.map(({ replaces, value, pin }, at) => {
            const named = replaces.map((to) => ids[to] ?? idAt(9, 'absent'));
            return forge(type, { id: ids[at] as string, thread_id, message_id, replaces: named, value, pin });
          });
          if (entries.some(({ replaces }, at) => replaces.some((to) => entries[to]?.replaces.includes(at))))
            sightings.cycles += 1;
          const updates = lines.map((line, at) => laneUpdate(at + 1, laneHeader(`l${at}`), [line]));
          updates.push(
            laneUpdate(99, laneHeader('base'), [
              threadLine(thread_id, { slot: { root_id: 'r', owner_id: 'o', provider: 'p', number: 1 } }),
              messageLine(message_id, thread_id),
            ]),
          );
          const doc = new Y.Doc();
          const chat = openChat(doc, { environment: readingEnvironment(START), readOnly: true });
          for (const at of arrival) {
            const update = updates[at];
            if (update === undefined) continue;
            Y.applyUpdate(doc, update);
            checkLaws(chat, doc, ledger);
          }
          chat.close();
        },
      ),
      parameters(100, 20),
    );
  });

  it('[LW3] the runs above met what they are about', async () => {
    await all();
    expect(Object.entries(sightings).filter(([, count]) => count === 0)).toEqual([]);
  });
});

interface Forged {
  readonly id: string;
  readonly thread_id: string;
  readonly message_id: string;
  readonly replaces: readonly string[];
  readonly value: string | null;
  readonly pin: boolean;
}

function forge(type: string, { id, thread_id, message_id, replaces, value, pin }: Forged): object {
  switch (type) {
    case 'thread_config':
      return {
        type,
        id,
        thread_id,
        replaces,
        updated_at: DATE,
        updated_by: 'u',
        ...(pin ? { pin } : { name: value }),
      };
    case 'revision':
      return {
        type,
        id,
        message_id,
        replaces,
        author_id: 'u',
        date: DATE,
        deleted: pin,
        content: value ?? '',
      };
    case 'annotation':
      return { type, id, message_id, replaces, user_id: 'u', key: pin ? 'a' : 'b', value };
    case 'thread_state':
      return { type, id, thread_id, replaces, state: pin ? 'error' : 'complete', updated_at: DATE };
    case 'variables':
      return { type, id, replaces, scope: 'user', scope_id: 's', values: { [pin ? 'a' : 'b']: value } };
    default:
      return { type, id, thread_id, replaces, slot: { root_id: 'r', owner_id: 'o', provider: 'p' } };
  }
}
