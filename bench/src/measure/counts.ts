import { COST, type Cost } from '@chatdoc/schema/internal';

/** Runs it once, not timed, and returns what it made the library do: exact, and the same on every machine. */
export function count(run: () => unknown): Cost {
  const before = { ...COST };
  run();
  const spent = { ...COST };
  for (const name of Object.keys(spent) as (keyof Cost)[]) spent[name] -= before[name];
  return spent;
}
