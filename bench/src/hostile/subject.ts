import { deriveAnswerId, type Slot } from '@chatdoc/schema';
import { ATTACKER, FORGED_DATE, type Forger, line } from './forge.js';

/** What the hostile lines are about: a thread of the attacker's with a prompt, and an attempt at its answer. */
export interface HostileSubject {
  readonly thread_id: string;
  readonly message_id: string;
  readonly answer_id: string;
  readonly attempt: string;
}

export const HOSTILE_SLOT: Slot = { root_id: 'root', owner_id: 'owner', provider: 'codex', number: 1 };

/** Scope of the variables that are forged. */
export const HOSTILE_SCOPE = 'org:hostile';

export function createSubject(forger: Forger): HostileSubject {
  const [thread_id, message_id, attempt] = [forger.id(), forger.id(), forger.id()];
  return { thread_id, message_id, answer_id: deriveAnswerId(message_id), attempt };
}

/** The lines that make the subject. */
export function subjectLines({
  thread_id,
  message_id,
  answer_id,
  attempt,
}: HostileSubject): readonly string[] {
  const from = { sender_id: ATTACKER, date: FORGED_DATE };
  return [
    line({
      type: 'thread',
      thread_id,
      created_at: FORGED_DATE,
      created_by: ATTACKER,
      purpose: 'chat',
      slot: HOSTILE_SLOT,
    }),
    line({ type: 'message', message_id, thread_id, ...from, expects: 'answer', content: 'Go on.' }),
    line({
      type: 'message',
      message_id: answer_id,
      thread_id,
      prompt_id: message_id,
      attempt,
      runner_id: 'runner-1',
      ...from,
    }),
  ];
}
