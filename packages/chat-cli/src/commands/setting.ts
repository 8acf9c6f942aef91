import type { Command } from 'commander';
import type { ExitCode } from '../exit-codes.js';
import type { Io } from '../io.js';

/** What commands are added to, and where their exit code goes. */
export interface CommandSetting {
  readonly program: Command;
  readonly io: Io;
  finish(code: ExitCode): void;
}
