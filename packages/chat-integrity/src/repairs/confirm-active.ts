import { type ActivationEntry, deriveUlid, timeOfUlid } from '@chatdoc/schema';
import type { Repair, RepairStep } from '../repair-step.js';
import { findActivationHeads, groupActivations } from '../slot-activations.js';

/** More activations at once than this are no accident, and their ids would not fit one entry. */
const MOST_HEADS = 1000;

/**
 * The thread that shows already becomes the one that everybody agreed on. An activation that a repair wrote is
 * never confirmed by another: two versions that choose differently must come to rest.
 */
export const CONFIRM_ACTIVE: Repair = {
  kind: 'append',
  description:
    'Activates the thread of the slot that is active already, in answer to all that were activated apart.',
  undo: 'Activate another thread of the slot.',
  plan: (survey) =>
    [...groupActivations(survey).values()].flatMap((activations): RepairStep[] => {
      const heads = findActivationHeads(activations);
      const [shown] = heads;
      const threads = new Set(heads.map(({ entry }) => entry.thread_id));
      if (shown === undefined || threads.size < 2 || heads.length > MOST_HEADS) return [];
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
    }),
};
