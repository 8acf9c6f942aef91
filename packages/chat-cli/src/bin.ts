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
