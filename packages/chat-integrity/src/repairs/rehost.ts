import type { Repair } from './repair-step.js';

export const REHOST: Repair = {
  kind: 'rehost',
  description:
    'Writes the lost lines that this replica holds into the document again, under their own headers.',
  undo: 'The lines are the ones that their writers wrote; redact a message to take its text out.',
};
