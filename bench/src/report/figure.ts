import type { Ratio } from '../measure/pair.js';
import { TARGETS, type Target, type TargetId, type Unit } from '../targets.js';

/** One figure. With a limit it is judged: at most that. */
export interface Figure {
  readonly target?: TargetId;
  readonly work: string;
  /** Of messages, writes or bytes; null where it does not depend on them. */
  readonly size: number | null;
  readonly value: number;
  readonly unit: Unit;
  readonly low?: number;
  readonly high?: number;
  readonly limit?: number;
  /** What the value alone does not say: which of several was the worst, or that it was given up. */
  readonly note?: string;
}

/** A table of its own, for what is too much for one line. */
export interface Detail {
  readonly title: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** Results of a section. */
export interface Measured {
  readonly figures: readonly Figure[];
  readonly details?: readonly Detail[];
}

/** A figure with a target: judged at the size that the target names. `what` tells several rows of one target apart. */
export function judge(
  target: TargetId,
  size: number | null,
  measured: Ratio | number,
  { what, note }: { readonly what?: string; readonly note?: string | undefined } = {},
): Figure {
  const { work, unit, limit, at }: Target = TARGETS[target];
  const spread = typeof measured === 'number' ? { value: measured } : measured;
  return {
    target,
    work: what === undefined ? work : `${work}: ${what}`,
    size,
    ...spread,
    unit,
    ...(at === undefined || at === size ? { limit } : {}),
    ...(note === undefined ? {} : { note }),
  };
}

/** A ratio without a target. */
export function ratio(work: string, size: number | null, measured: Ratio): Figure {
  return figure(work, size, measured, 'x');
}

/** A figure without a target. */
export function figure(work: string, size: number | null, measured: Ratio | number, unit: Unit): Figure {
  const spread = typeof measured === 'number' ? { value: measured } : measured;
  return { work, size, ...spread, unit };
}

export function isMissed({ limit, value }: Figure): boolean {
  return limit !== undefined && !(value <= limit);
}

/** Targets that none of the figures is judged by. */
export function listUnmeasured(figures: readonly Figure[]): readonly Target[] {
  const judged = new Set(figures.filter((each) => each.limit !== undefined).map((each) => each.target));
  return (Object.keys(TARGETS) as TargetId[]).filter((id) => !judged.has(id)).map((id) => TARGETS[id]);
}
