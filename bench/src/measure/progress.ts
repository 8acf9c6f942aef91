const started = performance.now();

/** One line a step, with the seconds since the start; on stderr, so that the table can be piped. */
export function progress(text: string): void {
  const seconds = ((performance.now() - started) / 1_000).toFixed(0).padStart(4);
  process.stderr.write(`${seconds} s  ${text}\n`);
}

export function elapsedSeconds(): number {
  return (performance.now() - started) / 1_000;
}

export function formatCount(count: number): string {
  return count.toLocaleString('en-US');
}
