import { timeOfUlid } from '@chatdoc/schema';
import { type ActivationEntry, deriveUlid } from '@chatdoc/schema/internal';
import type { Repair } from './repair-step.js';

/** More activations at once than this are not an accident, and their ids would not fit one entry. */
const MAX_HEADS = 1000;

/**
 * The thread that shows already becomes the one that everybody agreed on. An activation that a repair wrote is
 * never confirmed by another: two versions that choose differently must come to rest.
 */
export const CONFIRM_ACTIVE: Repair<'slot'> = {
  kind: 'append',
  description:
    'Activates the thread of the slot that is active already, in answer to all that were activated separately.',
  undo: 'Activate another thread of the slot.',
  plan: ({ heads }) => {
    const [shown] = heads;
    if (shown === undefined || heads.length > MAX_HEADS) return [];
    if (heads.some(({ entry }) => (entry as { readonly repaired?: unknown }).repaired === true)) return [];
    const { thread_id, slot } = shown.entry;
    if (thread_id === undefined || slot === undefined) return [];
    const replaces = heads.map(({ id }) => id).sort();
    const entry: ActivationEntry & { readonly repaired: true } = {
      type: 'activation',
      id: deriveUlid(timeOfUlid(shown.id), 'confirm active', thread_id, ...replaces),
      thread_id,
      replaces,
      slot: { root_id: slot.root_id, owner_id: slot.owner_id, provider: slot.provider },
      repaired: true,
    };
    return [{ ids: [thread_id, ...replaces], entry }];
  },
};
