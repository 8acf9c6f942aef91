import type { Pick } from '../schedule/pick.js';
import type { Fault } from '../schedule/schedule.js';
import type { StrangerKind } from '../subject/application.js';
import { killReplica } from './crash.js';
import type { Link } from './network.js';
import type { Replica } from './replica.js';
import { visit } from './visit.js';
import type { World } from './world.js';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const FAR = [365 * DAY, 20 * 365 * DAY, 2 ** 48 - 1, Number.NaN];
/** Steps by which a message is late, times their virtual length. */
const MAX_DELAY = 2000;

type Apply = <S>(world: World<S>, replica: Replica<S>, number: number, pick: Pick) => boolean;

/** Does it, and gives whether there was anything to do it to. */
export function applyFault<S>(
  world: World<S>,
  name: string,
  replica: Replica<S>,
  number: number,
  pick: Pick,
): boolean {
  return APPLY[name as Fault]?.(world, replica, number, pick) ?? false;
}

/** A fault of a message that is on its way, on the connection of that number or the next with any. */
function onMessage(change: (link: Link, at: number, pick: Pick, now: number) => boolean): Apply {
  return (world, _replica, number, pick) => {
    const { links } = world.network;
    for (let tried = 0; tried < links.length; tried += 1) {
      const link = links[(number + tried) % links.length] as Link;
      if (link.queue.length > 0) return change(link, pick.below(link.queue.length), pick, world.now);
    }
    return false;
  };
}

function replaceBytes(link: Link, at: number, bytes: Uint8Array): boolean {
  const packet = link.queue[at];
  if (packet === undefined) return false;
  packet.bytes = bytes;
  return true;
}

function corrupt(bytes: Uint8Array, pick: Pick): Uint8Array {
  const damaged = bytes.slice();
  for (let times = 1 + pick.below(3); times > 0; times -= 1) {
    const at = pick.below(damaged.length);
    damaged[at] = (damaged[at] ?? 0) ^ (1 << pick.below(8));
  }
  return damaged;
}

const setClock =
  (choose: (pick: Pick, skew: number) => number): Apply =>
  (world, replica, _number, pick) => {
    const before = replica.skew;
    replica.skew = choose(pick, before);
    if (Number.isNaN(replica.skew)) world.mark('a clock gave no number');
    return !Object.is(replica.skew, before);
  };

const stranger =
  (kind: StrangerKind): Apply =>
  (world, replica, _number, pick) =>
    visit(world, replica, kind, pick);

const APPLY: Readonly<Record<Fault, Apply>> = {
  drop: onMessage((link, at) => link.queue.splice(at, 1).length > 0),
  duplicate: onMessage((link, at) => {
    const packet = link.queue[at];
    if (packet === undefined) return false;
    link.queue.push({ ...packet });
    return true;
  }),
  reorder: onMessage((link, at) => {
    const [packet] = link.queue.splice(at, 1);
    if (packet === undefined) return false;
    if (at === link.queue.length) link.queue.unshift(packet);
    else link.queue.push(packet);
    return link.queue.length > 1;
  }),
  delay: onMessage((link, at, pick, now) => {
    const packet = link.queue[at];
    if (packet === undefined) return false;
    packet.held = now + 100 + pick.below(MAX_DELAY);
    return true;
  }),
  replay: (world, _replica, number, pick) => {
    const { links } = world.network;
    const link = links[number % links.length];
    const bytes = link === undefined ? undefined : pick.one(link.sent);
    if (link === undefined || bytes === undefined || !world.network.isOpen(link.from, link.to)) return false;
    link.queue.push({ bytes, held: 0 });
    return true;
  },
  partition: (world, _replica, _number, pick) => {
    const { network, replicas } = world;
    // One side is the replicas whose bit is set; never none and never all.
    const side = 1 + pick.below(2 ** replicas.length - 2);
    let closed = 0;
    for (const { from, to } of network.links) {
      const isApart = ((side >> from) & 1) !== ((side >> to) & 1);
      if (from < to && isApart && network.close(from, to)) closed += 1;
    }
    return closed > 0;
  },
  one_way: (world, _replica, number) => {
    const { network } = world;
    const link = network.links[number % network.links.length];
    if (link === undefined || link.isBlocked || !network.isOpen(link.from, link.to)) return false;
    link.isBlocked = true;
    return true;
  },
  corrupt: onMessage((link, at, pick) =>
    replaceBytes(link, at, corrupt(link.queue[at]?.bytes ?? new Uint8Array(1), pick)),
  ),
  truncate: onMessage((link, at, pick) => {
    const bytes = link.queue[at]?.bytes ?? new Uint8Array();
    return replaceBytes(link, at, bytes.slice(0, pick.below(bytes.length)));
  }),
  garbage: (world, _replica, number, pick) => {
    const { links } = world.network;
    const link = links[number % links.length];
    if (link === undefined || !world.network.isOpen(link.from, link.to)) return false;
    const length = pick.below(200);
    const bytes = Uint8Array.from({ length }, () => pick.below(256));
    link.queue.push({ bytes, held: 0 });
    return true;
  },
  crash: (world, replica, _number, pick) => killReplica(world, replica, 'crash', pick),
  torn: (world, replica, _number, pick) => killReplica(world, replica, 'torn', pick),
  restore: (world, replica, _number, pick) => killReplica(world, replica, 'restore', pick),
  clock_back: setClock((pick, skew) => (Number.isNaN(skew) ? 0 : skew - (1000 + pick.below(999) * 10_000))),
  clock_day: setClock((pick) => (pick.below(2) === 0 ? DAY : -DAY)),
  clock_far: setClock((pick) => pick.one(FAR) ?? 0),
  older: stranger('older'),
  newer: stranger('newer'),
  hostile: stranger('hostile'),
};
