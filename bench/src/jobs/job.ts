import { readFileSync, writeFileSync } from 'node:fs';

/** Runs a job on the input that `runFresh` gave this process, and answers with the result. */
export async function answer<I, O>(run: (input: I) => O | Promise<O>): Promise<void> {
  const input = JSON.parse(process.argv[2] ?? 'null') as I;
  process.stdout.write(JSON.stringify(await run(input)));
}

/** What the process holds now, in bytes. */
export function readResident(): number {
  return process.memoryUsage().rss;
}

/**
 * Begins to measure the peak of what the process holds; the result reads it, in bytes. Where the peak can't be
 * set back (only Linux can), it is that since the start of the process.
 */
export function watchPeak(): () => number {
  try {
    writeFileSync('/proc/self/clear_refs', '5');
    return () => readHighWater() ?? process.resourceUsage().maxRSS * 1_024;
  } catch {
    return () => process.resourceUsage().maxRSS * 1_024;
  }
}

function readHighWater(): number | undefined {
  const found = /VmHWM:\s+(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8'));
  return found?.[1] === undefined ? undefined : Number(found[1]) * 1_024;
}
