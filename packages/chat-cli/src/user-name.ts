import type { Io } from './io.js';

/** Who writes: as named, or as the system calls whoever runs the program. */
export function nameUser(named: string | undefined, { env }: Io): string {
  const names = [named, env['CHATDOC_USER'], env['USER'], env['USERNAME']];
  return names.find((name) => name !== undefined && name.trim() !== '') ?? 'user';
}
