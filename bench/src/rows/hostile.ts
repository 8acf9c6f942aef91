import { type CreateAttack, everyType, listPairs, ofTypes } from '../hostile/attack.js';
import { BOMBS } from '../hostile/bombs.js';
import { measureWay, prepareAttack, type WayResult } from '../hostile/measure.js';
import type { Way } from '../jobs/hostile.js';
import { progress } from '../measure/progress.js';
import type { Plan } from '../plan.js';
import { type Detail, type Figure, judge, type Measured } from '../report/figure.js';
import { TARGETS } from '../targets.js';

const BYTES = 1_000_000;
const WAYS: readonly Way[] = ['client', 'subscribed client', 'gate', 'gate and subscribed chat'];
/** Listed of the pairs: those that cost the most. */
const PAIRS_LISTED = 15;
const MB = 1_000_000;

const LIMITS = {
  ms: TARGETS.hostile_time.limit,
  peak: TARGETS.hostile_memory.limit * MB,
  growth: TARGETS.hostile_growth.limit,
};

interface AttackResult {
  readonly name: string;
  readonly ways: readonly WayResult[];
}

/** One update of 1 MB of each entry type about one subject, and every named bomb, taken in four ways. */
export async function benchHostile(plan: Plan): Promise<Measured> {
  const bytes = plan.amount(BYTES);
  const attacks = Object.entries({ ...everyType(), ...BOMBS }).filter(([name]) => plan.wants(name));
  const results = await measureAll(attacks, WAYS, bytes);
  return {
    figures: judgeAll(results, bytes),
    details: [listResults('Hostile updates', results)],
  };
}

/** The same of each pair of entry types about one subject; by a subscribed client only. */
export async function benchPairs(plan: Plan): Promise<Measured> {
  const bytes = plan.amount(BYTES);
  const pairs = listPairs().map((types) => [types.join(' and '), ofTypes(types)] as const);
  const attacks = pairs.filter(([name]) => plan.wants(name));
  const results = await measureAll(attacks, ['subscribed client'], bytes);
  const dearest = [...results].sort((a, b) => timeOf(b) - timeOf(a)).slice(0, PAIRS_LISTED);
  return {
    figures: judgeAll(results, bytes, `pairs of ${results.length}`),
    details: [listResults(`Hostile pairs of types, the dearest ${dearest.length}`, dearest)],
  };
}

async function measureAll(
  attacks: readonly (readonly [string, CreateAttack])[],
  ways: readonly Way[],
  bytes: number,
): Promise<readonly AttackResult[]> {
  const results: AttackResult[] = [];
  for (const [name, create] of attacks) {
    progress(`hostile: ${name}, ${results.length + 1} of ${attacks.length}`);
    const measured: WayResult[] = [];
    const prepared = prepareAttack(create, [bytes / 4, bytes / 2, bytes].map(Math.round));
    for (const way of ways) measured.push(await measureWay(prepared, way, LIMITS));
    const result = { name, ways: measured };
    const times = measured.map(sayTime).join(' / ');
    progress(`hostile: ${name}: ${times} ms, ${whole(peakOf(result) / MB)} MB`);
    results.push(result);
  }
  return results;
}

function judgeAll(results: readonly AttackResult[], bytes: number, what?: string): readonly Figure[] {
  const worst = (
    target: 'hostile_time' | 'hostile_memory' | 'hostile_growth',
    of: (each: AttackResult) => number,
  ): Figure => {
    const { limit } = TARGETS[target];
    const dearest = results.reduce((a, b) => (of(b) > of(a) ? b : a));
    const over = results.filter((each) => of(each) > limit).length;
    const note = `(${dearest.name}; ${over} of ${results.length} over)`;
    return judge(target, bytes, of(dearest), { note, ...(what === undefined ? {} : { what }) });
  };
  return [
    worst('hostile_time', timeOf),
    worst('hostile_memory', (each) => peakOf(each) / MB),
    worst('hostile_growth', growthOf),
  ];
}

function timeOf({ ways }: AttackResult): number {
  return Math.max(...ways.map(({ ms }) => ms.at(-1) ?? Number.NaN));
}

function peakOf({ ways }: AttackResult): number {
  return Math.max(...ways.map(({ peak }) => peak.at(-1) ?? Number.NaN));
}

function growthOf({ ways }: AttackResult): number {
  return Math.max(...ways.map(({ growth = Number.POSITIVE_INFINITY }) => growth));
}

function listResults(title: string, results: readonly AttackResult[]): Detail {
  const ways = results[0]?.ways.map(({ way }) => way) ?? [];
  return {
    title,
    head: ['attack', ...ways.map((way) => `${way}, ms`), 'peak, MB', 'growth', 'gate', 'throws'],
    rows: results.map((each) => [
      each.name,
      ...each.ways.map(sayTime),
      whole(peakOf(each) / MB),
      Number.isFinite(growthOf(each)) ? growthOf(each).toFixed(1) : '–',
      each.ways.find(({ way }) => way === 'gate')?.refusal ?? '',
      [...new Set(each.ways.flatMap(({ thrown }) => thrown))].join(', '),
    ]),
  };
}

/** Of the greatest size, in ms. */
function sayTime({ ms, ended }: WayResult): string {
  return ended === undefined ? whole(ms.at(-1)) : ended.replaceAll('_', ' ');
}

function whole(value: number | undefined): string {
  return value === undefined || !Number.isFinite(value) ? '–' : value.toFixed(0);
}
