/** Milliseconds since some time. */
export type Clock = () => number;

/** What somebody waits. */
export const wallClock: Clock = () => performance.now();

/** Of all threads of the process: work for which it matters less what else the machine does. */
export const cpuClock: Clock = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
};

let usual: Clock = wallClock;

/** The clock of the rows that name none. */
export function usualClock(): Clock {
  return usual;
}

/** For a busy machine. */
export function useCpuClock(): void {
  usual = cpuClock;
}
