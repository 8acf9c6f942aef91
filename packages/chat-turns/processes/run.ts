import { randomInt } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Fleet, findPort, type Member, sleep } from './fleet.js';
import { findLost, judge } from './laws.js';
import { buildPrograms } from './programs.js';
import type { View } from './wire.js';

/** Within this after the last kill every turn settles, or waits where a person can see it, also on a slow machine. */
const SETTLE_MS = 600_000;

export interface Report {
  readonly broken: readonly string[];
  readonly counts: Readonly<Record<string, number>>;
}

/**
 * A hub with a document file, two runners and two people, each a process, of which a random one is
 * killed with signal 9 every few seconds. Then everything must come to rest, read the same everywhere, and keep the laws.
 *
 * @param pace What the time between two kills is multiplied by: of three seconds on average. Defaults to 1.
 */
export async function runProcesses(kills: number, pace = 1): Promise<Report> {
  const programs = await buildPrograms();
  const directory = await mkdtemp(join(tmpdir(), 'chatdoc-processes-'));
  const port = await findPort();
  const url = `ws://127.0.0.1:${port}`;
  const hub: Member = { name: 'hub', role: 'hub', args: [directory, String(port)] };
  const clients: readonly Member[] = [
    { name: 'one', role: 'backend', args: [url, 'one', '0'] },
    // Later than the other by less than an update takes on a bad day: both claim now and then.
    { name: 'two', role: 'backend', args: [url, 'two', '100'] },
    { name: 'ada', role: 'viewer', args: [url, 'ada'] },
    { name: 'bea', role: 'viewer', args: [url, 'bea'] },
  ];
  const fleet = new Fleet(programs);
  const broken: string[] = [];
  try {
    await fleet.start(hub);
    await Promise.all(clients.map((member) => fleet.start(member)));
    for await (const victims of killSome(fleet, [hub, ...clients], { kills, pace })) {
      // Now, before anybody who still has it can bring it again.
      if (victims.includes(hub)) broken.push(...(await findLost(directory, fleet.saved)));
    }
    fleet.order('viewer', { type: 'quiet' });
    const calm = await waitUntil(fleet, ({ busy }) => busy === 0);
    fleet.order('viewer', { type: 'tidy' });
    const done = calm.ok ? await waitUntil(fleet, ({ busy, held }) => busy === 0 && held === 0) : calm;
    if (!done.ok)
      broken.push(`not at rest${calm.ok ? ' after all was continued' : ''}: ${describe(done.views)}`);
    fleet.order('viewer', { type: 'quiet' });
    await fleet.end();
    const { digest, counts, ...judged } = await judge(directory, fleet.saved);
    if (done.views.some((view) => view.digest !== digest))
      broken.push('the file is not what the replicas show');
    const { hub: hubs, backend: backends, viewer: viewers } = fleet.kills;
    return {
      broken: [...broken, ...fleet.broken, ...judged.broken],
      counts: {
        'kills of the hub': hubs,
        'kills of backends': backends,
        'kills of viewers': viewers,
        ...countRefusals(fleet.refusals),
        ...counts,
        'writes confirmed': fleet.confirmed,
        'settled after, ms': calm.ms,
        'all done after, ms': done.ms,
      },
    };
  } finally {
    await fleet.end();
    for (const folder of [directory, programs]) await rm(folder, { recursive: true });
  }
}

function describe(views: readonly View[]): string {
  return views.map(({ digest, busy, held }) => `${digest.slice(0, 4)} ${busy} busy, ${held} held`).join('; ');
}

function countRefusals(codes: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = { 'refused by the hub': codes.length };
  for (const code of codes) counts[`refused: ${code}`] = (counts[`refused: ${code}`] ?? 0) + 1;
  return counts;
}

/** Kills one after the other, and now and then all at once. Gives those that it has killed, which come back later. */
async function* killSome(
  fleet: Fleet,
  members: readonly Member[],
  { kills, pace }: { readonly kills: number; readonly pace: number },
): AsyncGenerator<readonly Member[]> {
  const starting = new Set<Promise<unknown>>();
  const calm = (): Promise<void> => sleep(pace * randomInt(1_500, 4_500));
  let bag: (readonly Member[])[] = [];
  for (let kill = 0; kill < kills; kill += 1) {
    await calm();
    // Each before any comes again.
    if (bag.length === 0) bag = fillBag(members, kills);
    const [chosen = []] = bag.splice(randomInt(bag.length), 1);
    const victims = await fleet.kill(chosen);
    yield victims;
    const started = sleep(pace * randomInt(2_000)).then(() =>
      Promise.all(victims.map((each) => fleet.start(each))),
    );
    starting.add(started);
    void started.then(() => starting.delete(started));
  }
  await Promise.all(starting);
  await calm();
}

/** Each alone, or one of each role where that is more than there are kills; and all at once. */
function fillBag(members: readonly Member[], kills: number): (readonly Member[])[] {
  const roles = new Map<string, Member[]>();
  for (const member of members) roles.set(member.role, [...(roles.get(member.role) ?? []), member]);
  const few = [...roles.values()].flatMap((each) => each.slice(randomInt(each.length)).slice(0, 1));
  const alone = kills > members.length ? members : few;
  return [...alone.map((member) => [member]), members];
}

interface Waited {
  readonly ok: boolean;
  readonly ms: number;
  readonly views: readonly View[];
}

/** Until every replica shows it, and all show the same. */
async function waitUntil(fleet: Fleet, isDue: (view: View) => boolean): Promise<Waited> {
  const start = performance.now();
  for (;;) {
    const views = await fleet.look();
    const isSame = views.length === 4 && new Set(views.map(({ digest }) => digest)).size === 1;
    const ms = Math.round(performance.now() - start);
    if (isSame && views.every(isDue)) return { ok: true, ms, views };
    if (ms > SETTLE_MS) return { ok: false, ms, views };
    await sleep(200);
  }
}
