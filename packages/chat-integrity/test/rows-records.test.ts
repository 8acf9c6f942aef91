import type { Message } from '@chatdoc/schema';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as Y from 'yjs';
import { createParts } from '../../../tools/parts.js';
import {
  chatScripts,
  HOSTILE_KINDS,
  type HostileLine,
  type HostileTargets,
  hostileRecords,
  type LineFate,
  NO_TARGETS,
  writeChat,
  writeDeepLine,
  writeHostileRecord,
  writeLongLine,
} from '../../chat-testkit/src/index.js';
import { check, type Finding, type Rule } from '../src/index.js';
import {
  closePeers,
  expectCounted,
  expectUsable,
  headerOf,
  laneIdOf,
  openPeers,
  type Peer,
  readEverything,
  readReports,
  runs,
  scale,
  textOf,
  updateOf,
} from './rows-world.js';

const { test, all } = createParts();
const RECORDS = 10_000;
const PER_RUN = 200;
const PER_LANE = 250;
const READ: ReadonlySet<LineFate> = new Set(['kept', 'contested']);
const met = new Map<string, number>();
const note = (name: string): void => {
  met.set(name, (met.get(name) ?? 0) + 1);
};

/** What a replica must list in quarantine, each line of a lane once. */
class Expected {
  readonly #lines = new Map<string, { lane_id: string | null; line: string; reason: string }>();
  readonly problems = new Set<string>();
  readonly forged = new Set<string>();
  readonly misfits = new Map<string, string>();
  readonly unknown = new Set<string>();
  duplicates = 0;

  add(lane: string | null, { line, fate, id, misfit }: HostileLine): void {
    note(fate);
    if (misfit !== undefined) this.misfits.set(id, misfit);
    if (fate === 'problem') this.problems.add(id);
    else if (fate === 'forged') this.forged.add(id);
    else if (fate === 'unknown') this.unknown.add(line);
    else if (fate === 'duplicate') this.duplicates += 1;
    else if (!READ.has(fate)) {
      const lane_id = fate === 'no_header' ? null : lane;
      const reason = fate === 'head' && lane === null ? 'no_header' : fate;
      this.#lines.set(`${lane_id} ${line}`, { lane_id, line, reason });
    }
  }

  /** Not one of the library: what it finds must be nothing. */
  misfitRule(): Rule<'lines'> {
    return {
      ...{
        id: 'misfit',
        name: 'misfit',
        severity: 'error',
        description: 'No reader is given what does not fit.',
      },
      subjects: ['lines'],
      judge: ({ entries }) =>
        entries
          .filter(
            ({ id, entry }) => (entry as Record<string, unknown>)[this.misfits.get(id) ?? ''] !== undefined,
          )
          .map(({ id }) => ({ ids: [id], message: `${this.misfits.get(id)} shows` })),
    };
  }

  quarantine(): readonly object[] {
    const key = ({ lane_id, line }: { lane_id: string | null; line: string }): string =>
      `${lane_id ?? ''} ${line}`;
    return [...this.#lines.values()].sort((a, b) => (key(a) < key(b) ? -1 : 1));
  }
}

const batches = fc.array(hostileRecords(), { minLength: 1, maxLength: 2.5 * PER_RUN, size: 'max' });

function idsOf(findings: readonly Finding[], rule: string): ReadonlySet<string | undefined> {
  return new Set(findings.filter((finding) => finding.rule === rule).map(({ ids }) => ids[0]));
}

function targetsOf({ chat }: Peer): HostileTargets {
  const threads = chat.threads().map(({ thread_id }) => thread_id);
  return { threads, messages: threads.flatMap((id) => chat.messageIds(id)) };
}

describe('invalid records through a live peer', () => {
  let records = 0;

  test('[HO1] [HO2] [HO3] read alike on all replicas, are counted exactly, and harm no other record', () => {
    fc.assert(
      fc.property(chatScripts(), batches, fc.boolean(), (script, hostile, apart) => {
        const peers = openPeers(2) as [Peer, Peer];
        const [first, second] = peers;
        first.chat.importJSONL(writeChat(script).toJSONL());
        const targets = apart ? NO_TARGETS : targetsOf(first);
        const honest = targetsOf(first).messages.map((id) => first.chat.message(id) as Message);
        const before = idsOf(check(first.chat), 'IN23');
        const unknown = first.chat.report().unknown_types;
        const expected = new Expected();
        const updates: Uint8Array[] = [];
        for (let from = 0; from < hostile.length; from += PER_LANE) {
          const some = hostile.slice(from, from + PER_LANE);
          const inLane: string[] = [];
          const above: string[] = [];
          for (const [at, record] of some.entries()) {
            records += 1;
            note(record.kind);
            for (const line of writeHostileRecord(record, from + at, targets)) {
              const isAbove = record.kind === 'no_header';
              (isAbove ? above : inLane).push(line.line);
              expected.add(isAbove ? null : laneIdOf(from), line);
            }
          }
          const text = textOf([...above, headerOf(from), ...inLane]);
          const update = updateOf(4_000_000_000 + from, `hostile ${from}`, text);
          updates.push(update);
          Y.applyUpdate(first.doc, update);
          // One of them after each transaction: a recount costs as much as the document is long.
          expectCounted(peers[(from / PER_LANE) % peers.length] as Peer);
        }
        // Delivered again, in another order and as a copy.
        for (const update of [...updates].reverse()) for (const { doc } of peers) Y.applyUpdate(doc, update);
        second.chat.importJSONL(first.chat.toJSONL());
        readEverything(
          second.chat,
          hostile.slice(0, 5).map(({ id }) => id),
        );
        const reports = readReports(first.chat);
        expect(readReports(second.chat), '[HO1] alike on all replicas').toEqual(reports);
        expect(reports.quarantine, '[HO1] quarantined, each once').toEqual(expected.quarantine());
        // What depends on the document alone is found on one replica, and counted on both.
        const { findings } = expectCounted(second);
        expect(first.watcher.counters(), '[HO2]').toEqual(second.watcher.counters());
        const misfits = check(second.chat, [expected.misfitRule()]);
        expect(misfits, '[HO1] fields that do not fit are left out').toEqual([]);
        const counts = Object.values(second.chat.report().unknown_types).reduce(
          (sum, count) => sum + count,
          0,
        );
        expect(counts).toBe(expected.unknown.size + Object.keys(unknown).length);
        const [problems, forgeries] = [idsOf(findings, 'IN23'), idsOf(findings, 'IN7')];
        const silent = [
          ...[...expected.problems].filter((id) => !problems.has(id)),
          ...[...expected.forged].filter((id) => !forgeries.has(id)),
        ];
        expect(silent, '[HO1] every problem and forgery is reported').toEqual([]);
        if (apart) {
          expect(problems.size).toBe(expected.problems.size + before.size);
          expect(reports.duplicates).toHaveLength(expected.duplicates);
          for (const { chat } of peers) {
            const now = honest.map(({ message_id }) => chat.message(message_id));
            expect(now, '[HO3] other records stay').toEqual(honest);
          }
        }
        if (apart) {
          for (const message of honest) expect(first.chat.message(message.message_id)).toBe(message);
        }
        expectUsable(peers);
        closePeers(peers);
      }),
      runs(RECORDS / PER_RUN),
    );
  });

  it('[HO1] lines of 10 MB, and 10,000 deep, are quarantined, and reading goes on beside them', () => {
    const peers = openPeers(3);
    const [first] = peers as [Peer];
    const whole = [writeLongLine('within', 4_194_304), writeDeepLine('within', 32)];
    const lines = [
      ...[...whole, writeLongLine('beyond', 4_194_305), writeLongLine('far beyond', 10 * 1024 * 1024)],
      ...[writeDeepLine('beyond', 33), writeDeepLine('far beyond', 10_000)],
    ];
    const text = textOf([headerOf('long'), ...lines.map(({ line }) => line)]);
    Y.applyUpdate(first.doc, updateOf(9, 'long', text));
    const expected = new Expected();
    for (const line of lines) expected.add(laneIdOf('long'), line);
    for (const peer of peers) {
      expect(peer.chat.quarantine()).toEqual(expected.quarantine());
      expect(
        peer.chat
          .legacyRows()
          .map(({ id }) => id)
          .sort(),
      ).toEqual(whole.map(({ id }) => id).sort());
      expect(expectCounted(peer).counters['chat.integrity.quarantined_lines']).toBe(4);
    }
    expectUsable(peers);
    closePeers(peers);
  });

  it('[HO1] the records above were as many as they say, of every kind, and met every fate', async () => {
    await all();
    expect(records).toBeGreaterThan(scale(RECORDS) * 0.9);
    const fates = [
      'problem',
      'duplicate',
      'unknown',
      'kept',
      'contested',
      'head',
      'not_json',
      'reserved_key',
    ];
    const names = [...HOSTILE_KINDS, ...fates, 'too_deep', 'too_long', 'no_header'];
    expect(names.filter((name) => !met.has(name))).toEqual([]);
  });
});
