import type { Plan } from './plan.js';
import type { Measured } from './report/figure.js';
import { benchAppend } from './rows/append.js';
import { benchBundle } from './rows/bundle.js';
import { benchFiles } from './rows/files.js';
import { benchHeap } from './rows/heap.js';
import { benchHostile, benchPairs } from './rows/hostile.js';
import { benchIntegrity } from './rows/integrity.js';
import { benchMerge } from './rows/merge.js';
import { benchMigrate } from './rows/migrate.js';
import { benchOpen } from './rows/open.js';
import { benchPage } from './rows/page.js';
import { benchPaint } from './rows/paint.js';
import { benchRead } from './rows/read.js';
import { benchSize } from './rows/size.js';
import { benchStream } from './rows/stream.js';
import { benchThreads } from './rows/threads.js';
import { benchToken } from './rows/token.js';
import { benchTurns } from './rows/turns.js';
import { benchWhole } from './rows/whole.js';
import { benchWrites } from './rows/writes.js';

/** The parts of the bench by the name that `--only` takes, in the order in which they run. */
export const SECTIONS: Readonly<Record<string, (plan: Plan) => Measured | Promise<Measured>>> = {
  open: benchOpen,
  heap: benchHeap,
  size: benchSize,
  paint: benchPaint,
  read: benchRead,
  threads: benchThreads,
  page: benchPage,
  token: benchToken,
  append: benchAppend,
  writes: benchWrites,
  merge: benchMerge,
  hostile: benchHostile,
  pairs: benchPairs,
  stream: benchStream,
  turns: benchTurns,
  migrate: benchMigrate,
  files: benchFiles,
  integrity: benchIntegrity,
  bundle: benchBundle,
  whole: benchWhole,
};
