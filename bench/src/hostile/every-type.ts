import { deriveInterruptId, type EntryType } from '@chatdoc/schema/internal';
import { ATTACKER, FORGED_DATE, type Forger, line } from './forge.js';
import { HOSTILE_SCOPE, HOSTILE_SLOT, type HostileSubject } from './subject.js';

type LineAt = (forger: Forger, subject: HostileSubject, n: number) => string;

/** For every entry type its line number n, all about one subject, none of which replaces another. */
export const LINE_OF: Readonly<Record<EntryType, LineAt>> = {
  lane: (forger) => line(forger.header()),
  document: (forger) => line({ type: 'document', id: forger.id(), doc_id: forger.id() }),
  thread: (_, { thread_id }, n) =>
    line({
      type: 'thread',
      thread_id,
      created_at: FORGED_DATE,
      created_by: `${ATTACKER} ${n}`,
      purpose: 'chat',
      slot: HOSTILE_SLOT,
    }),
  thread_config: (forger, { thread_id }, n) =>
    line({
      type: 'thread_config',
      id: forger.id(),
      thread_id,
      updated_at: FORGED_DATE,
      updated_by: ATTACKER,
      name: `Name ${n}`,
    }),
  message: (forger, { thread_id }, n) =>
    line({
      type: 'message',
      message_id: forger.id(),
      thread_id,
      sender_id: ATTACKER,
      date: FORGED_DATE,
      content: `Message ${n}`,
    }),
  part: (_, { attempt }, n) => line({ type: 'part', attempt, n: n + 1, text: 't' }),
  finish: (forger, { attempt }) => line({ type: 'finish', id: forger.id(), attempt, finish_reason: 'stop' }),
  stop: (forger, { answer_id }, n) =>
    line({ type: 'stop', id: forger.id(), message_id: answer_id, epoch: n + 1, by: ATTACKER }),
  retry: (forger, { answer_id }, n) =>
    line({ type: 'retry', id: forger.id(), message_id: answer_id, epoch: n + 2, by: ATTACKER }),
  interrupt: (_, { answer_id, attempt }, n) =>
    line({
      type: 'interrupt',
      id: deriveInterruptId(attempt, n),
      message_id: answer_id,
      attempt,
      seen: n,
    }),
  revision: (forger, { message_id }, n) =>
    line({
      type: 'revision',
      id: forger.id(),
      message_id,
      author_id: ATTACKER,
      date: FORGED_DATE,
      content: `Version ${n}`,
    }),
  redaction: (forger, { message_id }) =>
    line({ type: 'redaction', id: forger.id(), message_id, by: ATTACKER, date: FORGED_DATE }),
  activation: (forger, { thread_id }) => {
    const { number: _, ...slot } = HOSTILE_SLOT;
    return line({ type: 'activation', id: forger.id(), thread_id, slot });
  },
  variables: (forger, _, n) =>
    line({
      type: 'variables',
      id: forger.id(),
      scope: 'org',
      scope_id: HOSTILE_SCOPE,
      values: { name: n },
    }),
  annotation: (forger, { message_id }, n) =>
    line({
      type: 'annotation',
      id: forger.id(),
      message_id,
      user_id: ATTACKER,
      key: 'feedback',
      value: n,
    }),
  thread_state: (forger, { thread_id }) =>
    line({
      type: 'thread_state',
      id: forger.id(),
      thread_id,
      state: 'running',
      updated_at: FORGED_DATE,
    }),
  legacy_row: (forger, { message_id }, n) =>
    line({ type: 'legacy_row', id: forger.id(), message_id, row: { n } }),
};
