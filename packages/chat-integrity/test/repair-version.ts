import { RULES, type Rule } from '../src/index.js';

/** Another version of the library: it stands in with other words, and activates the smallest thread instead of the one that shows. */
export const OTHER_VERSION: readonly Rule[] = RULES.map((rule): Rule => {
  const way = rule.repair;
  if (way?.kind !== 'append') return rule;
  const plan: typeof way.plan = (facts, chat) =>
    way.plan(facts, chat).map((step) => {
      if (step.entry.type === 'thread') return { ...step, entry: { ...step.entry, created_by: 'version 0' } };
      if (step.entry.type !== 'activation') return step;
      const thread_id = chat
        .threads()
        .filter(({ slot }) => slot?.provider === 'codex')
        .map((thread) => thread.thread_id)
        .sort()[0];
      const id = step.entry.id.replace(/.$/, (last) => (last === '0' ? '1' : '0'));
      return { ...step, entry: { ...step.entry, id, thread_id: thread_id ?? step.entry.thread_id } };
    });
  return { ...rule, repair: { ...way, plan } };
});
