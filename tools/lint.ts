import { main as checkPages } from './pages.js';
import { main as checkCitations } from './spec-citations.js';
import { main as checkStructure } from './structure.js';
import { main as checkUnused } from './unused.js';
import { main as checkWords } from './words.js';
import { ROOT } from './workspace.js';

/** The checks of `pnpm lint` that are written here, in one process. Exit code 1 if one of them fails. */

const codes = [
  checkCitations(ROOT, console.log, console.error),
  checkWords(ROOT, [], console.log, console.error),
  checkUnused(ROOT, [], console.log, console.error),
  checkStructure(ROOT, ['--check'], console.log, console.error),
  checkPages(ROOT, [], console.log, console.error),
];
process.exitCode = Math.max(...codes);
