import { describeFault, type FileEnvironment, type FileFault, readFile } from '@chatdoc/sync/file';
import { MAX_BYTES, type PlanRefusal } from '../plan/plan.js';

export type ReadLegacyFile =
  | { readonly ok: true; readonly bytes: Uint8Array }
  | FileFault
  | { readonly ok: false; readonly code: PlanRefusal; readonly message: string };

/** All bytes of a legacy file. Of one that is too large to be planned, none is read. */
export async function readLegacyFile(path: string, environment: FileEnvironment): Promise<ReadLegacyFile> {
  try {
    const { size } = await environment.fileSystem.stat(path);
    if (size > MAX_BYTES) {
      const message = `expected at most ${MAX_BYTES} bytes, got ${size}`;
      return { ok: false, code: 'too_large', message };
    }
  } catch (error) {
    return describeFault(error);
  }
  return readFile(path, environment);
}
