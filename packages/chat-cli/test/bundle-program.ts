import type { TestProject } from 'vitest/node';
import { bundle } from '../../../tools/bundle.js';

declare module 'vitest' {
  interface ProvidedContext {
    /** The program as one file. */
    readonly program: string;
  }
}

/** Once for all tests of the project, before they run. */
export async function setup({ provide }: TestProject): Promise<() => void> {
  const { file, remove } = await bundle(new URL('../src/bin.ts', import.meta.url));
  provide('program', file);
  return remove;
}
