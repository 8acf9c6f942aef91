import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Counters, check, countFindings, createLeaseRule, RULES, watch } from '../src/index.js';
import { BREAKERS } from './breakers.js';
import { openReplicas, type Replica, run, send, steps } from './schedule.js';

const runs = (numRuns: number): { readonly seed: number; readonly numRuns: number } => ({
  seed: Number(process.env['CHATDOC_SEED'] ?? 20261121),
  numRuns: Math.ceil(numRuns * Number(process.env['CHATDOC_RUNS'] ?? 1)),
});

const isLive = (attempt: string): boolean => attempt.charCodeAt(25) % 2 === 0;
const rules = [...RULES, createLeaseRule(isLive)];
const met = new Set<string>();

describe('the counters of a watcher', () => {
  it('[WA1] are those of a check after every transaction, whatever happens', () => {
    fc.assert(
      fc.property(steps, fc.boolean(), (schedule, everyStep) => {
        const replicas = openReplicas(3);
        const watchers = replicas.map(({ chat }) => watch(chat, { isLive }));
        for (const [at, step] of schedule.entries()) {
          run(replicas, step);
          if (!everyStep && at % 7 !== 0) continue;
          for (const [which, { chat }] of replicas.entries()) {
            const counted = watchers[which]?.counters() as Counters;
            expect(counted).toEqual(countFindings(check(chat, rules)));
            for (const [name, count] of Object.entries(counted)) if (count > 0) met.add(name);
          }
        }
        for (const [which, { chat }] of replicas.entries()) {
          const late = watch(chat, { isLive });
          expect(watchers[which]?.counters()).toEqual(late.counters());
        }
      }),
      runs(60),
    );
  });

  it('[WA1] are those of a check of each broken document, opened late or watched while it breaks', () => {
    for (const { open, damage } of BREAKERS) {
      const { chat, doc } = open();
      const counted = watch(chat, { isLive }).counters();
      expect(counted, damage).toEqual(countFindings(check(chat, rules)));
      for (const [name, count] of Object.entries(counted)) if (count > 0) met.add(name);
      const [replica] = openReplicas(1) as [Replica];
      const watcher = watch(replica.chat, { isLive });
      watcher.counters();
      send(doc, replica.doc);
      expect(watcher.counters(), damage).toEqual(countFindings(check(replica.chat, rules)));
    }
  });

  it('[WA1] the documents above met every counter', () => {
    expect(Object.keys(countFindings([])).filter((name) => !met.has(name))).toEqual([]);
  });
});
