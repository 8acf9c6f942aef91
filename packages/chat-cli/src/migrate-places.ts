import { basename, dirname, join, resolve } from 'node:path';
import { type Failure, fail } from './read-source.js';
import { describeWriteError, findKind } from './write-file.js';

/** Where the document of a chat goes, as a person would name it. */
export interface Place {
  readonly file: string;
  readonly output: string;
}

const EXTENSION = /\.(?:chat|sage-chat|smc-chat|json|jsonl)$/i;

/** One place for each file, no two alike. */
export async function choosePlaces(
  files: readonly string[],
  out: string | undefined,
  cwd: string,
): Promise<{ readonly ok: true; readonly places: readonly Place[] } | Failure> {
  let folder: string | undefined;
  if (out !== undefined) {
    const found = await findFolder(files, out, cwd);
    if (typeof found === 'object') return found;
    if (!found) return { ok: true, places: files.map((file) => ({ file, output: out })) };
    folder = out;
  }
  const places = [...new Set(files)].map((file) => ({ file, output: nameDocument(file, folder) }));
  const owners = new Map<string, string>();
  for (const { file, output } of places) {
    const other = owners.get(resolve(cwd, output));
    if (other !== undefined)
      return fail(
        'same_name',
        `${other} and ${file} would both become ${output}; migrate them one by one, each with --out FILE`,
      );
    owners.set(resolve(cwd, output), file);
  }
  return { ok: true, places };
}

/** Whether `--out` names a folder: one that is there, one that ends in a slash, or any where there are more files. */
async function findFolder(files: readonly string[], out: string, cwd: string): Promise<boolean | Failure> {
  try {
    const found = await findKind(resolve(cwd, out));
    if (found === 'directory') return true;
    const mustBe = /[\\/]$/.test(out) || new Set(files).size > 1;
    if (found === 'file' && mustBe)
      return fail('no_folder', `${out} is a file, and the chats need a folder; name another place`);
    return mustBe;
  } catch (error) {
    return describeWriteError(error, out);
  }
}

function nameDocument(file: string, folder: string | undefined): string {
  const name = basename(file).replace(EXTENSION, '') || basename(file);
  return join(folder ?? dirname(file), `${name}.chatdoc.jsonl`);
}
