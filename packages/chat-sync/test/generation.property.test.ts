import { type Chat, openChat } from '@chatdoc/schema';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import * as Y from 'yjs';
import {
  adoptRolledBack,
  adoptStale,
  compactChat,
  listRolledBack,
  type NextGeneration,
  rollBackChat,
} from '../src/generation/generation.js';
import { createEnvironment, DOC_ID, runs, scale } from './fault-world.js';
import { createReplicas, linesOf, Replica, runSteps, type Step, steps, syncAll } from './generation-world.js';

const next = (generation: number, seed: string) => ({ generation, environment: createEnvironment(seed) });

/** All that any of these chats holds, imported into one: slow and obvious. */
function unionOf(...texts: readonly string[]): ReturnType<typeof openChat> {
  const chat = openChat(new Y.Doc());
  for (const text of texts) if (text !== '') chat.importJSONL(text);
  return chat;
}

function bytesOf(doc: Y.Doc): Buffer {
  return Buffer.from(Y.encodeStateAsUpdate(doc));
}

/** Lines that stand more than once under one lane in the texts of a document. */
function countTwice(doc: Y.Doc): number {
  const seen = new Set<string>();
  let twice = 0;
  for (const text of doc.getMap<Y.Text>('chat').values()) {
    let lane = '';
    for (const line of String(text).split('\n')) {
      if (line.startsWith('{"type":"lane"')) lane = line;
      else if (line.startsWith('{"type":') && seen.has(`${lane} ${line}`)) twice += 1;
      else seen.add(`${lane} ${line}`);
    }
  }
  return twice;
}

it('[GN1] [GN2] a compaction reads the same, is by one client, drops only what is superseded, and is the same anywhere', () => {
  let dropped = 0;
  let count = 0;
  fc.assert(
    fc.property(steps(40), (all) => {
      const replicas = createReplicas('gn1');
      runSteps(replicas, all);
      syncAll(replicas);
      const [a, b] = replicas as [Replica, Replica];
      const before = a.chat.toJSONL();
      const one = compactChat(a.chat, next(1, 'one'));
      const two = compactChat(b.chat, next(1, 'two'));
      expect(a.chat.toJSONL()).toBe(before);
      expect(bytesOf(one.doc).equals(bytesOf(two.doc))).toBe(true);
      expect(one.chat.foldDigest()).toBe(a.chat.foldDigest());
      expect(one.doc.store.clients.size).toBe(1);
      const old = linesOf(a.chat);
      const kept = linesOf(one.chat);
      for (const line of kept) expect(old).toContain(line);
      const gone = [...old].filter((line) => !kept.has(line));
      expect(gone.length).toBe(one.dropped);
      for (const line of gone) expect(line).toMatch(/^\w* \{"type":"(annotation|thread_state)"/);
      // Whoever brings them back changes nothing.
      one.chat.importJSONL(before);
      expect(one.chat.foldDigest()).toBe(a.chat.foldDigest());
      dropped += gone.length;
      count += 1;
    }),
    runs(300, 20),
  );
  expect(count).toBeGreaterThanOrEqual(scale(300, 20));
  expect(dropped).toBeGreaterThan(count / 3);
});

it('[GN2] what the shown one does not outrank by its id stays, so that a stale replica brings nothing back', () => {
  const at = (name: string, ahead: number): Chat => {
    const environment = createEnvironment(name);
    return openChat(new Y.Doc(), { environment: { ...environment, now: () => environment.now() + ahead } });
  };
  const react = (chat: Chat, value: string): void =>
    chat.annotate({ message_id, user_id: 'ada', key: 'reaction', value });
  const here = at('here', 0);
  const { thread_id } = here.createThread({ created_by: 'ada' });
  const { message_id } = here.send({ thread_id, sender_id: 'ada', content: 'hello' });
  // Further ahead than anybody follows.
  const ahead = at('ahead', 3_600_000);
  ahead.importJSONL(here.toJSONL());
  react(ahead, 'first');
  here.importJSONL(ahead.toJSONL());
  react(here, 'second');
  react(here, 'third');
  const compacted = compactChat(here, { generation: 1 });
  expect(compacted.dropped).toBe(0);
  adoptStale(compacted.chat, ahead, 0);
  expect(compacted.chat.annotations({ message_id }).map(({ value }) => value)).toEqual(['third']);
});

it('[GN3] [GN4] what a stale replica has more comes in once, counts, and brings no redacted text', () => {
  const totals = { adopted: 0, secrets: 0, count: 0 };
  fc.assert(
    fc.property(steps(25), steps(15), fc.boolean(), (all, later, isWritten) => {
      const replicas = createReplicas('gn3');
      runSteps(replicas, all);
      const [a, b, c] = replicas as [Replica, Replica, Replica];
      const compacted = compactChat(a.chat, next(1, 'next'));
      const current = new Replica('gn3 new', compacted.doc, 1);
      const before = a.chat.toJSONL();
      runSteps([b, c], later);
      if (isWritten) runSteps([current], later);
      const mine = current.chat.toJSONL();
      // In any order, and one of them through the other.
      if (!isWritten) c.pull(b);
      const adopted = adoptStale(current.chat, b.chat, 0);
      adoptStale(current.chat, c.chat, 0);
      // It has more only where the new one was damaged since.
      adoptStale(current.chat, a.chat, 0);
      const state = bytesOf(current.doc);
      for (const stale of [b, c, a])
        expect(adoptStale(current.chat, stale.chat, 0)).toEqual({ lines: 0, hidden: 0 });
      expect(bytesOf(current.doc).equals(state)).toBe(true);
      const oracle = unionOf(before, mine, b.chat.toJSONL(), c.chat.toJSONL());
      expect(current.chat.foldDigest()).toBe(oracle.foldDigest());
      expect(countTwice(current.doc)).toBe(0);
      // Damage may take the line that says what is redacted.
      const text = [...all, ...later].some(({ op }) => op === 'damage') ? '' : state.toString('utf8');
      for (const secret of [a, b, c, current].flatMap(({ secrets }) => secrets)) {
        expect(text).not.toContain(secret);
        totals.secrets += 1;
      }
      totals.adopted += adopted.lines;
      totals.count += 1;
    }),
    runs(300, 20),
  );
  expect(totals.count).toBeGreaterThanOrEqual(scale(300, 20));
  expect(totals.adopted).toBeGreaterThan(totals.count);
  expect(totals.secrets).toBeGreaterThan(totals.count / 10);
});

const WRITES = new Set(['thread', 'fork', 'send', 'prompt', 'edit', 'config', 'variable']);

/** What happens to a document over its generations, and to the replicas that stay behind. */
type Turn =
  | { readonly what: 'write'; readonly steps: readonly Step[] }
  | { readonly what: 'leave' }
  | { readonly what: 'compact' }
  | { readonly what: 'roll back'; readonly pick: number }
  | { readonly what: 'come back'; readonly pick: number; readonly steps: readonly Step[] }
  | { readonly what: 'adopt'; readonly pick: number };

const writes = steps(6).map((all) => all.filter(({ op }) => WRITES.has(op)));

const turns: fc.Arbitrary<Turn[]> = fc.array(
  fc.oneof(
    fc.record({ what: fc.constant('write' as const), steps: writes }),
    fc.record({ what: fc.constant('leave' as const) }),
    fc.record({ what: fc.constant('compact' as const) }),
    fc.record({ what: fc.constant('roll back' as const), pick: fc.nat(100) }),
    fc.record({ what: fc.constant('come back' as const), pick: fc.nat(100), steps: writes }),
    fc.record({ what: fc.constant('adopt' as const), pick: fc.nat(100) }),
  ),
  { minLength: 4, maxLength: 12, size: 'max' },
);

/** Sets of lines, and nothing else. */
interface Lines {
  readonly visible: ReadonlySet<string>;
  /** Under the lane from which they were taken. */
  readonly hidden: ReadonlySet<string>;
}

function readLines(replica: Replica): Lines {
  const visible = new Set<string>();
  const hidden = new Set<string>();
  const origins = new Map(listRolledBack(replica.chat).map(({ lane_id, origin_id }) => [lane_id, origin_id]));
  for (const line of linesOf(replica.chat)) {
    const lane = line.slice(0, 26);
    const origin = origins.get(lane);
    if (origin === undefined) visible.add(line);
    else hidden.add(`${origin}${line.slice(26)}`);
  }
  return { visible, hidden };
}

it('[GN5] F6: nothing that a rollback took back shows, whoever brings it back, and all of it is kept, listed and adoptable', () => {
  const totals = { schedules: 0, hidden: 0, adopted: 0, rollbacks: 0 };
  fc.assert(
    fc.property(turns, (all) => {
      let generation = 0;
      let current = createReplicas('gn5')[0] as Replica;
      const behind: { readonly replica: Replica; readonly generation: number }[] = [];
      const ranges: { from: number; to: number }[] = [];
      let lines: Lines = readLines(current);
      let names = 0;
      const leave = (): void => {
        names += 1;
        const doc = new Y.Doc();
        Y.applyUpdate(doc, Y.encodeStateAsUpdate(current.doc), 'net');
        behind.push({ replica: new Replica(`gn5 stale ${names}`, doc, generation), generation });
      };
      const go = ({ doc, generation: to }: NextGeneration): void => {
        generation = to;
        names += 1;
        current = new Replica(`gn5 next ${names}`, doc, to);
      };
      leave();
      for (const turn of all) {
        switch (turn.what) {
          case 'write': {
            const old = linesOf(current.chat);
            runSteps([current], turn.steps);
            const written = [...linesOf(current.chat)].filter((line) => !old.has(line));
            lines = { ...lines, visible: new Set([...lines.visible, ...written]) };
            break;
          }
          case 'leave':
            leave();
            break;
          case 'compact':
            go(compactChat(current.chat, next(generation + 1, `compact ${names}`)));
            break;
          case 'roll back': {
            const backup = behind[turn.pick % behind.length];
            if (backup === undefined) break;
            const range = { from: backup.generation, to: generation };
            lines = readLines(backup.replica);
            const options = { ...next(generation + 1, `back ${names}`), doc_id: DOC_ID, ...range };
            const known = lines.visible;
            leave();
            go(rollBackChat(backup.replica.chat, options));
            const said = [...readLines(current).visible].filter((line) => !known.has(line));
            expect(said).toHaveLength(1);
            lines = { ...lines, visible: new Set([...known, ...said]) };
            // Of the ranges that the backup knows, and this one.
            ranges.splice(0, ranges.length, ...current.chat.rollbacks());
            expect(ranges).toContainEqual(range);
            totals.rollbacks += 1;
            break;
          }
          case 'come back': {
            const stale = behind[turn.pick % behind.length];
            if (stale === undefined) break;
            runSteps([stale.replica], turn.steps);
            const theirs = readLines(stale.replica);
            const isTakenBack = ranges.some(
              ({ from, to }) => from <= stale.generation && stale.generation <= to,
            );
            const visible = new Set(lines.visible);
            const hidden = new Set([...lines.hidden, ...theirs.hidden]);
            for (const line of theirs.visible) {
              if (!isTakenBack) visible.add(line);
              else if (!visible.has(line)) hidden.add(line);
            }
            lines = { visible, hidden };
            adoptStale(current.chat, stale.replica.chat, stale.generation);
            const state = bytesOf(current.doc);
            expect(adoptStale(current.chat, stale.replica.chat, stale.generation).lines).toBe(0);
            expect(bytesOf(current.doc).equals(state)).toBe(true);
            ranges.splice(0, ranges.length, ...current.chat.rollbacks());
            break;
          }
          case 'adopt': {
            const listed = listRolledBack(current.chat);
            const one = listed[turn.pick % Math.max(1, listed.length)];
            if (one === undefined) break;
            const of = [...lines.hidden].filter((line) => line.startsWith(one.origin_id));
            totals.adopted += adoptRolledBack(current.chat, one.lane_id);
            lines = { ...lines, visible: new Set([...lines.visible, ...of]) };
            expect(listRolledBack(current.chat).find(({ lane_id }) => lane_id === one.lane_id)).toMatchObject(
              {
                adopted: true,
                lines: one.lines,
              },
            );
            expect(adoptRolledBack(current.chat, one.lane_id)).toBe(0);
          }
        }
        const found = readLines(current);
        expect([...found.visible].sort()).toEqual([...lines.visible].sort());
        expect([...found.hidden].sort()).toEqual([...lines.hidden].sort());
      }
      // What shows is what these lines say.
      const listed = listRolledBack(current.chat);
      const shown = new Replica('gn5 oracle', new Y.Doc());
      const hiddenLanes = new Set(listed.map(({ lane_id }) => lane_id));
      let isHidden = false;
      const text = current.chat
        .toJSONL()
        .split('\n')
        .filter((line) => {
          if (line.startsWith('{"type":"lane"')) isHidden = hiddenLanes.has(line.slice(25, 51));
          return !isHidden;
        })
        .join('\n');
      shown.chat.importJSONL(text);
      expect(current.chat.foldDigest()).toBe(shown.chat.foldDigest());
      totals.hidden += lines.hidden.size;
      totals.schedules += 1;
    }),
    runs(1000, 40),
  );
  expect(totals.schedules).toBeGreaterThanOrEqual(scale(1000, 40));
  expect(totals.hidden).toBeGreaterThan(totals.schedules / 2);
  expect(totals.adopted).toBeGreaterThan(totals.schedules / 10);
  expect(totals.rollbacks).toBeGreaterThan(totals.schedules / 2);
});

it('[GN6] a document of 2,000 clients has one after its compaction', () => {
  const doc = new Y.Doc();
  const first = openChat(doc, { environment: createEnvironment('client 0') });
  const { thread_id } = first.createThread({ created_by: 'ada' });
  first.close();
  const start = Y.encodeStateAsUpdate(doc);
  const updates = Array.from({ length: 1999 }, (_, n) => {
    const other = new Y.Doc();
    Y.applyUpdate(other, start);
    const chat = openChat(other, { environment: createEnvironment(`client ${n + 1}`) });
    chat.send({ thread_id, sender_id: 'ada', content: `message ${n}` });
    return Y.encodeStateAsUpdate(other);
  });
  doc.transact(() => {
    for (const update of updates) Y.applyUpdate(doc, update);
  });
  const chat = openChat(doc);
  expect(doc.store.clients.size).toBe(2000);
  const compacted = compactChat(chat, next(1, 'one'));
  expect(compacted.doc.store.clients.size).toBe(1);
  expect(compacted.chat.foldDigest()).toBe(chat.foldDigest());
});
