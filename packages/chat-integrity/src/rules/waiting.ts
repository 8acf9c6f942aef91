import { countMarks, type Mark, NO_MARKS, type Rule } from '../rule.js';

const WAITING: Rule<'message' | 'attempt' | 'thread'> = {
  id: 'IN9',
  name: 'waiting',
  counter: 'chat.integrity.waiting_entries',
  severity: 'warning',
  description:
    'What an entry is about is in the document: its message, its attempt, its thread or its prompt.',
  subjects: ['message', 'attempt', 'thread'],
  judge: (facts) => {
    const marks: Mark[] = [];
    if (facts.waiting > 0) marks.push(wait(facts.id, `are about ${facts.kind}s`, facts.waiting));
    if (facts.kind === 'message' && facts.prompt !== undefined && facts.prompt.thread === undefined)
      marks.push(wait(facts.prompt.id, 'answer prompts', 1));
    return marks.length === 0 ? NO_MARKS : marks;
  },
  /** With the ids of what is not in the document. */
  report: (marks) => {
    const count = countMarks(marks);
    const ids = [...new Set(marks.flatMap((mark) => mark.ids))].sort();
    return {
      ids,
      message: `${count} ${count === 1 ? 'entry' : 'entries'} ${marks[0]?.message}`,
      count,
    };
  },
  unrepaired: 'What they are about may still arrive, and then they count.',
};

function wait(id: string, how: string, count: number): Mark {
  return { ids: [id], message: `${how} that are not in the document`, count, group: how };
}

export const WAITING_RULES: readonly Rule[] = [WAITING];
