import { basename, resolve } from 'node:path';
import type { AgentCommand } from '@chatdoc/turns/acp';
import { parseArgsStringToArgv } from 'string-argv';
import which from 'which';
import type { Io } from './io.js';
import { flatten } from './plain-text.js';
import { type Failure, fail } from './read-source.js';

export type FoundAgent =
  | { readonly ok: true; readonly command: AgentCommand /** Of its program. */; readonly name: string }
  | Failure;

/** Takes a command apart as a shell would, quotes included, and finds its program before anything is asked of it. */
export async function findAgent(text: string, { cwd, env }: Io): Promise<FoundAgent> {
  const [program, ...args] = parseArgsStringToArgv(text);
  if (program === undefined)
    return fail('no_agent', 'it names no program; give the command that starts the agent');
  const isPath = /[\\/]/.test(program);
  const options = { path: env['PATH'] ?? '', nothrow: true } as const;
  const command = await which(isPath ? resolve(cwd, program) : program, options);
  if (command === null) {
    const place = isPath ? 'the folder that you are in' : 'that it is installed, and on the PATH';
    return fail('no_agent', `there is no program ${flatten(program)}; check its name and ${place}`);
  }
  const name = basename(program).replace(/\.(?:exe|cmd|bat|[cm]?js)$/i, '');
  return { ok: true, command: { command, args, cwd, env }, name };
}
