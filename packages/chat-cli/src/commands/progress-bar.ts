import { Presets, SingleBar } from 'cli-progress';
import type { Io } from '../io.js';

/** How far a piece of work is, on a terminal alone. */
interface ProgressBar {
  /** `done` of the total; what is under way is shown beside it. */
  advance(done: number, what: string): void;
  /** Takes the bar away. */
  end(): void;
}

const NONE: ProgressBar = { advance: () => undefined, end: () => undefined };
const WIDEST = 40;
/** Around the bar, and for what is under way. */
const REST = 30;

export function createProgressBar(total: number, { stderr: stream, env }: Io): ProgressBar {
  const { isTTY, columns = 80 } = stream;
  if (isTTY !== true || env['TERM'] === 'dumb' || total === 0) return NONE;
  const size = Math.max(5, Math.min(WIDEST, columns - REST));
  const bar = new SingleBar(
    {
      stream: stream as unknown as NodeJS.WritableStream,
      format: '{bar} {percentage}% {what}',
      barsize: size,
      clearOnComplete: true,
      // What is under way is cut, so no line wraps; and Ctrl-C has to end the program, in any case.
      linewrap: true,
      gracefulExit: false,
    },
    Presets.shades_classic,
  );
  bar.start(total, 0, { what: '' });
  return {
    advance: (done, what) => bar.update(done, { what }),
    end: () => bar.stop(),
  };
}
