import { FAULTS, type Fault } from '../schedule/schedule.js';
import type { Law } from '../simulation/law.js';
import { STRANGERS, type StrangerKind } from '../subject/application.js';
import type { Subject } from '../subject/subject.js';

/** A property with a name, and the faults under which it is to hold. */
export interface Guarantee {
  readonly name: string;
  readonly faults: readonly Fault[];
  /** Laws that are about something else. */
  readonly without?: readonly Law[];
  /** Runs each schedule twice. */
  readonly twice?: boolean;
  /** The part that a subject must have for it, if any. */
  readonly needs?: 'storage' | 'facts' | 'schemas' | 'hostile';
}

const JOURNAL: readonly Law[] = ['keeps what it acknowledged'];

/** All guarantees, in the order in which they are proved. */
export const GUARANTEES: readonly Guarantee[] = [
  { name: 'converges', faults: [], without: JOURNAL },
  {
    name: 'survives loss, repetition and reordering',
    faults: ['drop', 'duplicate', 'reorder', 'delay', 'replay'],
    without: JOURNAL,
  },
  { name: 'survives partitions', faults: ['partition', 'one_way'], without: JOURNAL },
  { name: 'survives crashes', faults: ['crash', 'torn'], needs: 'storage', without: JOURNAL },
  { name: 'survives an old snapshot', faults: ['crash', 'restore'], needs: 'storage', without: JOURNAL },
  { name: 'refuses damage', faults: ['corrupt', 'truncate', 'garbage'], without: JOURNAL },
  { name: 'clocks do not matter', faults: ['clock_back', 'clock_day', 'clock_far'], without: JOURNAL },
  { name: 'older and newer clients do no harm', faults: ['older', 'newer', 'partition'], needs: 'schemas' },
  { name: 'hostile peers do no harm', faults: ['hostile', 'partition'], needs: 'hostile' },
  {
    name: 'keeps what it acknowledged',
    faults: ['delay', 'partition', 'crash', 'restore', 'clock_back'],
    needs: 'facts',
  },
  { name: 'replays by seed', faults: FAULTS, twice: true, without: JOURNAL },
  { name: 'all of it at once', faults: FAULTS },
];

const OF_STORAGE: ReadonlySet<Fault> = new Set(['crash', 'torn', 'restore']);
const OF_STRANGERS: ReadonlySet<string> = new Set(STRANGERS);

/** The faults that this subject can meet. */
export function listFaults<S>(
  { application, storage }: Subject<S>,
  faults: readonly Fault[],
): readonly Fault[] {
  return faults.filter((fault) => {
    if (OF_STORAGE.has(fault)) return storage !== undefined;
    return !OF_STRANGERS.has(fault) || application.strangers?.[fault as StrangerKind] !== undefined;
  });
}

/** Why a guarantee does not apply to a subject; undefined where it does. */
export function findObstacle<S>(
  { application, storage }: Subject<S>,
  { needs }: Guarantee,
): string | undefined {
  const { facts, strangers = {} } = application;
  if (needs === 'storage' && storage === undefined) return 'no storage was given';
  if (needs === 'facts' && facts === undefined) return 'the application has no `facts`';
  if (needs === 'hostile' && strangers.hostile === undefined) return 'no hostile client was given';
  if (needs === 'schemas' && strangers.older === undefined && strangers.newer === undefined) {
    return 'no older or newer client was given';
  }
  return undefined;
}
