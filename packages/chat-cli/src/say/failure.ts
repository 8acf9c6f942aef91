import { EXIT, type ExitCode } from '../exit-codes.js';
import { colorsFor, type Io, writeTo } from '../io.js';
import { flatten } from './plain-text.js';

/** As a person would name it, and safe to print. */
export function nameFile(file: string): string {
  if (file === '-') return 'standard input';
  return file === '' ? "''" : flatten(file);
}

/** What to do with a second file of one document. */
export const COPY_ADVICE =
  'chatdoc merge brings back what it has more, chatdoc detach makes it a document of its own';

/** One line on standard error: which file, what is wrong, what to do. */
export async function reportFailure(
  file: string,
  { message }: { readonly message: string },
  io: Io,
): Promise<ExitCode> {
  const colors = colorsFor(io.stderr, io.env);
  const name = nameFile(file);
  await writeTo(io.stderr, `${colors.red('chatdoc:')} ${name}: ${flatten(message)}\n`);
  return EXIT.nothing;
}
