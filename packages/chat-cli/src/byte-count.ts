const UNITS = ['bytes', 'KB', 'MB', 'GB'] as const;

/** `512 bytes`, `3.4 MB`: for a person, in powers of 1,000. */
export function countBytes(count: number): string {
  let value = count;
  let unit = 0;
  while (value >= 1000 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  if (unit === 0) return count === 1 ? '1 byte' : `${count} bytes`;
  return `${value < 9.95 ? value.toFixed(1) : String(Math.round(value))} ${UNITS[unit]}`;
}
