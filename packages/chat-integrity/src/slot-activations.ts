import { findHeads, type Thread } from '@chatdoc/schema';
import type { Survey, SurveyedEntry } from './survey.js';

/** Activations that count, by the slot that their thread is in. */
export function groupActivations(survey: Survey): Map<string, SurveyedEntry<'activation'>[]> {
  const bySlot = new Map<string, SurveyedEntry<'activation'>[]>();
  for (const activation of survey.entries('activation')) {
    const thread = survey.chat.thread(activation.entry.thread_id ?? '');
    if (thread?.slot === undefined || !isInSlot(thread, activation)) continue;
    const slot = slotKey(thread.slot, thread.purpose);
    const known = bySlot.get(slot);
    if (known === undefined) bySlot.set(slot, [activation]);
    else known.push(activation);
  }
  return bySlot;
}

/** Those that no other replaces, the one that shows first. */
export function findActivationHeads(
  activations: readonly SurveyedEntry<'activation'>[],
): readonly SurveyedEntry<'activation'>[] {
  const replacing = activations.map((activation) => ({
    id: activation.id,
    replaces: activation.entry.replaces,
    activation,
  }));
  return findHeads(replacing).map(({ activation }) => activation);
}

export function slotKey(slot: NonNullable<Thread['slot']>, purpose: string): string {
  return JSON.stringify([slot.root_id, slot.owner_id, slot.provider, purpose]);
}

export function isInSlot(
  { slot }: { readonly slot?: Thread['slot'] | undefined },
  { entry }: SurveyedEntry<'activation'>,
): boolean {
  if (slot === undefined || entry.slot === undefined) return false;
  const { root_id, owner_id, provider } = entry.slot;
  return slot.root_id === root_id && slot.owner_id === owner_id && slot.provider === provider;
}
