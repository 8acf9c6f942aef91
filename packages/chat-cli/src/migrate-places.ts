import { basename, dirname, join, resolve } from 'node:path';
import { defaultOutput } from '@chatdoc/migrate/file';
import type { ChatSource } from './chat-sources.js';
import { type Failure, fail } from './read-source.js';
import { describeWriteError, findKind } from './write-file.js';

/** Where the document of a chat goes, as a person would name it, or why it cannot be made. */
export type Place =
  | { readonly file: string; readonly output: string }
  | { readonly file: string; readonly failure: Failure };

/** One place for each file, no two alike. */
export async function choosePlaces(
  sources: readonly ChatSource[],
  out: string | undefined,
  cwd: string,
): Promise<{ readonly ok: true; readonly places: readonly Place[] } | Failure> {
  let folder: string | undefined;
  if (out !== undefined) {
    const found = await findFolder(sources, out, cwd);
    if (typeof found === 'object') return found;
    if (!found) return { ok: true, places: sources.map((source) => ({ output: out, ...source })) };
    folder = out;
  }
  const named = sources.map((source) =>
    'failure' in source ? source : { file: source.file, output: nameDocument(source, folder) },
  );
  const owners = new Map<string, string[]>();
  for (const place of named) {
    if ('failure' in place) continue;
    const path = resolve(cwd, place.output);
    owners.set(path, [...(owners.get(path) ?? []), place.file]);
  }
  return { ok: true, places: named.map((place) => refuseShared(place, owners, cwd)) };
}

function refuseShared(place: Place, owners: ReadonlyMap<string, readonly string[]>, cwd: string): Place {
  if ('failure' in place) return place;
  const { file, output } = place;
  const other = owners.get(resolve(cwd, output))?.find((owner) => owner !== file);
  if (other === undefined) return place;
  const message = `this and ${other} would both become ${output}; migrate them one by one, each with --out FILE`;
  return { file, failure: fail('same_name', message) };
}

/** Whether `--out` names a folder: one that is there, one that ends in a slash, or any where there are more files. */
async function findFolder(
  sources: readonly ChatSource[],
  out: string,
  cwd: string,
): Promise<boolean | Failure> {
  try {
    const found = await findKind(resolve(cwd, out));
    if (found === 'directory') return true;
    const isMany = sources.length > 1 || sources.some((source) => 'within' in source);
    const mustBe = /[\\/]$/.test(out) || isMany;
    if (found === 'file' && mustBe)
      return fail('no_folder', `${out} is a file, and the chats need a folder; name another place`);
    return mustBe;
  } catch (error) {
    return describeWriteError(error, out);
  }
}

function nameDocument(source: Exclude<ChatSource, { failure: Failure }>, folder: string | undefined): string {
  const { file, within = basename(file) } = source;
  if (folder !== undefined) return join(folder, defaultOutput(within));
  return join(dirname(file), defaultOutput(basename(file)));
}
