import type { Timers } from '@chatdoc/schema';
import picocolors from 'picocolors';

export type Colors = ReturnType<typeof picocolors.createColors>;

/** Where text goes: `process.stdout`, or a list in a test. */
export interface OutputStream {
  write(text: string, done: (error?: Error | null) => void): unknown;
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  readonly rows?: number | undefined;
}

/** Everything that the program takes from the world but files. */
export interface Io {
  readonly stdin: AsyncIterable<Uint8Array | string>;
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  /** Relative names of files start here, and agents work here. */
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly timers: Timers;
  /** Milliseconds since 1970. */
  now(): number;
  /** Resolves when the program is asked to end, as by Ctrl-C, which from the call on does not end it by itself. */
  untilStopped(): Promise<void>;
}

const CLOSED: ReadonlySet<unknown> = new Set(['EPIPE', 'ERR_STREAM_DESTROYED', 'ERR_STREAM_WRITE_AFTER_END']);

/** Waits until the text is written. A reader that has gone, such as `head`, is no error. */
export function writeTo(stream: OutputStream, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(text, (error) => {
      if (error === undefined || error === null || isClosed(error)) resolve();
      else reject(error);
    });
  });
}

export function isClosed(error: Error): boolean {
  return 'code' in error && CLOSED.has(error.code);
}

/** Colours for a terminal, and none for anything else or where `NO_COLOR` says so. */
export function colorsFor(stream: OutputStream, env: Io['env']): Colors {
  return picocolors.createColors(usesColor(stream, env));
}

export function usesColor(stream: OutputStream, env: Io['env']): boolean {
  return stream.isTTY === true && (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb';
}

const PLAIN_WIDTH = 80;
const MIN_WIDTH = 40;
const MAX_WIDTH = 100;

/** Columns to wrap at: those of the terminal, as far as lines stay readable. Some terminals say that they have none. */
export function widthOf({ isTTY, columns }: OutputStream): number {
  if (isTTY !== true || columns === undefined || !(columns > 0)) return PLAIN_WIDTH;
  return Math.min(Math.max(columns, MIN_WIDTH), MAX_WIDTH);
}
