import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { checkLaws, expectConverged, type FoldLedger, readEverythingElse, type Seen } from './laws.js';
import type { Schedule } from './schedule.js';
import { closeWorld, createWorld, exchangeAll, isHostile, runStep, type World } from './schedule-run.js';

/** How often each interesting case came up: a suite that never met it has proved nothing about it. */
export class Sightings {
  readonly #counts = new Map<string, number>();

  add(name: string, count = 1): void {
    if (count > 0) this.#counts.set(name, (this.#counts.get(name) ?? 0) + count);
  }

  /** Those of `names` that never came up. */
  missing(...names: readonly string[]): string[] {
    return names.filter((name) => !this.#counts.has(name));
  }

  note({ texts, everything }: Seen): void {
    const messages = Object.values(everything.messages).filter((message) => message !== null);
    const attempts = messages.flatMap(({ attempt, alternates }) => (attempt ? [attempt, ...alternates] : []));
    const count = (name: string, list: readonly unknown[]): void => this.add(name, list.length);
    count('messages', messages);
    count('conflicts', Object.values(everything.conflicts).flat());
    count('duplicates', everything.duplicates);
    count('quarantined lines', everything.quarantine);
    count('ignored lines', everything.ignored);
    count('hidden lanes', everything.hidden);
    count('rolled back lanes', everything.rolledBack);
    count('unknown types', Object.keys(everything.unknown));
    count(
      'deletions',
      texts.filter(({ text }) => text.includes('\0')),
    );
    count(
      'open lines',
      texts.filter(({ text }) => !text.endsWith('\n')),
    );
    count(
      'redactions',
      messages.filter(({ redacted }) => redacted),
    );
    count(
      'revisions',
      messages.filter(({ history }) => history.length > 1),
    );
    count(
      'deleted messages',
      messages.filter(({ deleted }) => deleted),
    );
    count(
      'alternates',
      messages.filter(({ alternates }) => alternates.length > 0),
    );
    count(
      'problems',
      messages.filter(({ problem }) => problem !== undefined),
    );
    count(
      'replies',
      messages.filter(({ reply_to_message_id }) => reply_to_message_id !== undefined),
    );
    count(
      'open attempts',
      attempts.filter(({ state }) => state === 'open'),
    );
    count(
      'settled attempts',
      attempts.filter(({ state }) => state === 'settled'),
    );
    count(
      'interrupted attempts',
      attempts.filter(({ state }) => state === 'interrupted'),
    );
    count(
      'stop requests',
      attempts.filter(({ stop_requested }) => stop_requested),
    );
    count(
      'retried attempts',
      attempts.filter(({ epoch }) => epoch > 1),
    );
    count(
      'cut parts',
      attempts.flatMap(({ parts }) => parts).filter(({ open }) => open),
    );
    count('queued prompts', Object.values(everything.queues).flat());
    count(
      'slots',
      everything.threads.filter(({ slot }) => slot !== undefined),
    );
    count(
      'forks',
      everything.threads.filter(({ forked_from }) => forked_from !== undefined),
    );
    count('threads apart', everything.threads.slice(1));
    count(
      'read marks',
      Object.values(everything.marks).filter((mark) => mark !== null),
    );
    const { waiting } = everything;
    this.add(
      'waiting',
      Object.values(waiting).reduce((sum: number, one: number) => sum + one, 0),
    );
    for (const [id, { state }] of Object.entries(everything.states))
      if (id !== '') this.add(`state ${state}`);
  }
}

/** [OR3]: what was sent after seeing another never stands above it, unless it is the root. */
function checkSeen(world: World, { everything }: Seen): void {
  for (const ids of Object.values(everything.order)) {
    ids.forEach((id, at) => {
      if (at === 0) return;
      const below = new Set(ids.slice(at + 1));
      const wrong = (world.seen.get(id) ?? []).find((other) => below.has(other));
      expect(wrong, `[OR3] ${id} was sent after seeing it, and never stands above it`).toBeUndefined();
    });
  }
}

/** Runs a schedule and checks every law after every step on the replica that it touched, and convergence last. */
export function runChecked(schedule: Schedule, ledger: FoldLedger, sightings: Sightings): void {
  const world = createWorld(schedule);
  try {
    for (const step of schedule.steps) {
      const replica = runStep(world, step);
      if (replica === undefined) continue;
      sightings.note(checkLaws(replica.chat, replica.doc, ledger, replica.clock));
    }
    exchangeAll(world);
    for (const { chat, doc, clock } of world.replicas) {
      const seen = checkLaws(chat, doc, ledger, clock);
      sightings.note(seen);
      // A hostile line, or one client id sent twice with two targets, may move what was seen.
      if (seen.everything.duplicates.length === 0 && !schedule.steps.some(isHostile)) checkSeen(world, seen);
      readEverythingElse(chat, seen.everything.threads[0]?.thread_id ?? '7ZZZZZZZZZZZZZZZZZZZZZZZZZ');
    }
    expectConverged(world.replicas);
    for (const [step, count] of world.done) sightings.add(`step ${step}`, count);
  } finally {
    closeWorld(world);
  }
}

interface Regression {
  readonly name: string;
  /** What it guards, in a sentence. */
  readonly guards: string;
  readonly schedule: Schedule;
}

/** Schedules that once failed, smallest form. */
export function readRegressions(): Regression[] {
  const folder = join(import.meta.dirname, 'regressions');
  return readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .sort()
    .map((name) => ({
      name,
      ...(JSON.parse(readFileSync(join(folder, name), 'utf8')) as Omit<Regression, 'name'>),
    }));
}
