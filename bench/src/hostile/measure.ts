import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openChat } from '@chatdoc/schema';
import * as Y from 'yjs';
import { ScriptedEnvironment } from '../chat/chat-document.js';
import { USER } from '../chat/generator.js';
import type { HostileInput, HostileResult, Way } from '../jobs/hostile.js';
import { runFresh, scratchFolder } from '../measure/fresh.js';
import { type CreateAttack, packUpdates } from './attack.js';
import type { HostileSubject } from './subject.js';

/** Whatever takes longer, or more memory, is ended: the rest of the bench has to run too. */
const TIMEOUT_MS = 60_000;
const HEAP_MB = 1_500;
/** Times below that are the start of the process, not the attack. */
const LEAST_MS = 25;
const TRIES = 3;

/** One way of taking one attack, at n, 2n and 4n bytes. */
export interface WayResult {
  readonly way: Way;
  /** Of the three sizes; what was ended is infinite. */
  readonly ms: readonly number[];
  readonly peak: readonly number[];
  /** The greatest time(2n) / time(n); undefined where not even n ended. */
  readonly growth: number | undefined;
  readonly refusal?: string | undefined;
  readonly thrown: readonly string[];
  /** Why it was ended. */
  readonly ended?: 'timeout' | 'out_of_memory';
}

export interface Limits {
  readonly ms: number;
  readonly peak: number;
  readonly growth: number;
}

/** An attack of one size, ready to be taken. */
export interface PreparedAttack {
  readonly updates: string;
  readonly subject: HostileSubject;
}

/** Makes the attack at each size, smallest first. */
export function prepareAttack(create: CreateAttack, sizes: readonly number[]): readonly PreparedAttack[] {
  return sizes.map((bytes, n) => {
    const { updates, subject } = create(bytes);
    const file = join(scratchFolder(), `hostile.${n}`);
    writeFileSync(file, packUpdates(updates));
    return { updates: file, subject };
  });
}

/**
 * Runs the attack in a new process a size, the smallest first. Other work on the machine can only add, so what is
 * over a limit is run again, and the least counts.
 */
export async function measureWay(
  attacks: readonly PreparedAttack[],
  way: Way,
  limits: Limits,
): Promise<WayResult> {
  const runs = attacks.map((attack) => ({
    ms: Number.POSITIVE_INFINITY,
    peak: Number.POSITIVE_INFINITY,
    attack,
  }));
  let last: HostileResult | undefined;
  for (let attempt = 0; attempt < TRIES; attempt += 1) {
    for (const run of runs) {
      const input: HostileInput = { way, base: baseFile(), ...run.attack };
      const options = { timeoutMs: TIMEOUT_MS, heapMb: HEAP_MB };
      const fresh = await runFresh<HostileResult>('hostile', input, options);
      // Once it has ended by itself, it can: then another try only took longer.
      if (!fresh.ok && run.ms === Number.POSITIVE_INFINITY) return summarize(way, runs, last, fresh.code);
      if (!fresh.ok) break;
      last = fresh.result;
      run.ms = Math.min(run.ms, last.ms);
      run.peak = Math.min(run.peak, last.peak);
    }
    const { growth = 0, ms, peak } = summarize(way, runs, last);
    if (growth <= limits.growth && Math.max(...ms) <= limits.ms && Math.max(...peak) <= limits.peak) break;
  }
  return summarize(way, runs, last);
}

function summarize(
  way: Way,
  runs: readonly { readonly ms: number; readonly peak: number }[],
  last: HostileResult | undefined,
  ended?: 'timeout' | 'out_of_memory',
): WayResult {
  const ms = runs.map((run) => run.ms);
  const factors = ms.slice(1).map((time, n) => time / Math.max(ms[n] ?? 0, LEAST_MS));
  const known = factors.filter((factor) => !Number.isNaN(factor));
  return {
    way,
    ms,
    peak: runs.map((run) => run.peak),
    growth: known.length === 0 ? undefined : Math.max(...known),
    refusal: last?.refusal,
    thrown: last?.thrown ?? [],
    ...(ended === undefined ? {} : { ended }),
  };
}

let base: string | undefined;

/** A small chat of others, which is open when the attack comes. */
function baseFile(): string {
  if (base !== undefined) return base;
  const doc = new Y.Doc();
  const chat = openChat(doc, { environment: new ScriptedEnvironment(17), user_id: USER });
  const { thread_id } = chat.createThread({ created_by: USER, name: 'Thread' });
  for (let n = 0; n < 20; n += 1) chat.send({ thread_id, sender_id: USER, content: `Message ${n}` });
  base = join(scratchFolder(), 'hostile.base');
  writeFileSync(base, Y.encodeStateAsUpdate(doc));
  return base;
}
