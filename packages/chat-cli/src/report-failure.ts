import { EXIT, type ExitCode } from './exit-codes.js';
import { colorsFor, type Io, writeTo } from './io.js';
import { flatten } from './plain-text.js';

/** One line on standard error: which file, what is wrong, what to do. */
export async function reportFailure(
  file: string,
  { message }: { readonly message: string },
  io: Io,
): Promise<ExitCode> {
  const colors = colorsFor(io.stderr, io.env);
  const name = file === '-' ? 'standard input' : flatten(file);
  await writeTo(io.stderr, `${colors.red('chatdoc:')} ${name}: ${flatten(message)}\n`);
  return EXIT.nothing;
}
