import type { Readable } from 'node:stream';
import { type Entry, open, type ZipFile } from 'yauzl';

/** A file in a ZIP archive. */
interface ZipMember {
  readonly path: string;
  readonly size: number;
  read(): Promise<Readable>;
}

export interface OpenedZip {
  readonly members: readonly ZipMember[];
  close(): void;
}

const MAX_MEMBERS = 100_000;
/** How many times larger a member may be than its compressed bytes, beyond the first MB. */
const MAX_EXPANSION = 200;
const SLACK = 1024 * 1024;
const SYMLINK = 0o120000;
const KIND = 0o170000;

export class ZipRefused extends Error {}

/** Opens a ZIP archive. Absolute paths, `..`, links, too many members and bombs throw `ZipRefused`. */
export async function openZip(path: string): Promise<OpenedZip> {
  const zip = await new Promise<ZipFile>((resolve, reject) => {
    open(path, { lazyEntries: true, autoClose: false }, (error, opened) => {
      if (error !== null) reject(new ZipRefused('the ZIP archive is damaged or cut off'));
      else resolve(opened);
    });
  });
  try {
    const members = await listMembers(zip);
    return { members, close: () => zip.close() };
  } catch (error) {
    zip.close();
    throw error;
  }
}

async function listMembers(zip: ZipFile): Promise<readonly ZipMember[]> {
  if (zip.entryCount > MAX_MEMBERS) throw new ZipRefused('the ZIP archive has more than 100,000 members');
  const members: ZipMember[] = [];
  await new Promise<void>((resolve, reject) => {
    zip.on('entry', (entry: Entry) => {
      try {
        const member = createMember(zip, entry);
        if (member !== undefined) members.push(member);
        zip.readEntry();
      } catch (error) {
        reject(error);
      }
    });
    zip.on('end', () => resolve());
    // Names that leave the archive are an error of the library.
    zip.on('error', () => reject(new ZipRefused('the ZIP archive is damaged, or has a path that leaves it')));
    zip.readEntry();
  });
  return members;
}

function createMember(zip: ZipFile, entry: Entry): ZipMember | undefined {
  const { fileName, uncompressedSize, compressedSize, externalFileAttributes } = entry;
  if (fileName.endsWith('/')) return undefined;
  if (((externalFileAttributes >>> 16) & KIND) === SYMLINK)
    throw new ZipRefused('the ZIP archive has a link in it');
  if (uncompressedSize > compressedSize * MAX_EXPANSION + SLACK)
    throw new ZipRefused('a member of the ZIP archive is over 200 times its compressed size');
  return {
    path: fileName,
    size: uncompressedSize,
    read: () =>
      new Promise((resolve, reject) => {
        zip.openReadStream(entry, (error, stream) => {
          if (error !== null) reject(new ZipRefused('a member of the ZIP archive cannot be read'));
          else resolve(stream);
        });
      }),
  };
}
