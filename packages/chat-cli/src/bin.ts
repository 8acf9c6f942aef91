#!/usr/bin/env node
import { systemEnvironment, systemTimers } from '@chatdoc/schema';
import { isClosed } from './io.js';
import { run } from './run.js';

// A reader that stops reading ends the output, not the work.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error) => {
    if (!isClosed(error)) process.exitCode = 2;
  });
}

/** For the disk to answer, and the connections to close, after the last word. */
const GRACE_MS = 2000;
// Libraries below print raw exceptions there; what a person has to know the program says itself.
Object.assign(console, { error: () => {}, warn: () => {}, log: () => {} });

process.exitCode = await run(process.argv.slice(2), {
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  cwd: process.cwd(),
  env: process.env,
  timers: systemTimers,
  now: systemEnvironment.now,
  untilStopped: () =>
    new Promise((resolve) => {
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
    }),
});
// A disk that never answers must not keep the program.
(systemTimers.setTimer(() => process.exit(), GRACE_MS) as NodeJS.Timeout).unref();
