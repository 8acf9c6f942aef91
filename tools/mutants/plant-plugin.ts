import { join } from 'node:path';
import type { Plugin } from 'vite';
import { type Mutant, plant } from './mutant.js';

/**
 * Replaces the text as Vite loads the module: nothing on the disk changes, so that other runs beside this one see
 * nothing of it. `onPlanted` is called once the module has been loaded so.
 */
export function createPlantPlugin(root: string, mutant: Mutant, onPlanted: () => void): Plugin {
  const path = join(root, mutant.file);
  return {
    name: 'plant-mutant',
    // Before the types are taken out: the text is that of the file.
    enforce: 'pre',
    transform(code: string, id: string) {
      if (id.split('?')[0] !== path) return null;
      const planted = plant(mutant, code);
      onPlanted();
      return { code: planted, map: null };
    },
  };
}
