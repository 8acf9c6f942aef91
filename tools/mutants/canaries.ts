import { startKillers } from './judge.js';
import type { Killer, Mutant } from './mutant.js';

const FILE = 'packages/chat-schema/src/entry/ulid.ts';
const KILLER: Killer = { file: 'packages/chat-schema/test/ids.test.ts', test: '[ID1]' };

/** Changes nothing: with it every killer must pass. */
export const HARMLESS: Mutant = {
  name: 'canary/harmless',
  file: FILE,
  find: 'export const ULID_LENGTH = 26;',
  replace: 'export const ULID_LENGTH = 20 + 6;',
  breaks: 'Nothing.',
  killers: [KILLER],
};

/** No test suite worth its name passes with it. */
export const FATAL: Mutant = {
  name: 'canary/fatal',
  file: FILE,
  find: "  if (value.length !== ULID_LENGTH) return { ok: false, reason: 'length' };\n",
  replace: "  if (value.length === ULID_LENGTH) return { ok: false, reason: 'length' };\n",
  breaks: 'No ULID is one.',
  killers: [KILLER],
};

/**
 * Whether the killers pass where nothing is wrong: what fails anyway catches nothing. Gives what is not so, a line
 * each.
 */
export async function checkKillers(killers: readonly Killer[], limit: number): Promise<string[]> {
  const run = { mutant: HARMLESS, killers, bail: false, workers: 2 };
  const ended = await startKillers(run, limit);
  if (!ended.ok) return [`the killers alone: ${ended.code}`];
  const { failed, empty, errors, isPlanted } = ended.result;
  return [
    ...failed.map(({ name, error }) => `fails without a mutant: ${name}: ${error}`),
    ...errors,
    ...empty.map(({ file, test }) => `no test "${test ?? ''}" in ${file}`),
    ...(isPlanted ? [] : ['the harmless mutant was not planted']),
  ];
}
