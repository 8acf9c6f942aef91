import { deriveAnswerId, type Entry } from '@chatdoc/schema';
import * as Y from 'yjs';
import { type Attacker, type CreateAttack, createAttacker, inOneUpdate } from './attack.js';
import { LINE_OF } from './every-type.js';
import { ATTACKER, FORGED_DATE, FORGED_TIME, fill, line } from './forge.js';
import { HOSTILE_SCOPE, HOSTILE_SLOT } from './subject.js';

const FROM = { sender_id: ATTACKER, date: FORGED_DATE };
const DAY_MS = 24 * 3_600_000;

/** An attack of several updates: what each call writes goes alone. */
function inUpdates(write: (attacker: Attacker, bytes: number, send: () => void) => void): CreateAttack {
  return (bytes) => {
    const attacker = createAttacker();
    const updates: Uint8Array[] = [];
    write(attacker, bytes, () => updates.push(attacker.lane.take()));
    return { updates, subject: attacker.subject };
  };
}

function messageLine(
  { forger, subject }: Attacker,
  more: Partial<Extract<Entry, { type: 'message' }>> = {},
): string {
  const { thread_id } = subject;
  return line({ type: 'message', message_id: forger.id(), thread_id, ...FROM, content: 'x', ...more });
}

function redactionLine({ forger }: Attacker, message_id: string): string {
  return line({ type: 'redaction', id: forger.id(), message_id, by: ATTACKER, date: FORGED_DATE });
}

function revisionLine({ forger, subject }: Attacker, id: string = forger.id(), content = 'x'): string {
  const { message_id } = subject;
  return line({ type: 'revision', id, message_id, author_id: ATTACKER, date: FORGED_DATE, content });
}

function toolLine({ subject }: Attacker, n: number, part_id: string): string {
  const call = { kind: 'tool_call', part_id, state: 'running', title: 'run', output: `line ${n}` };
  return line({ type: 'part', attempt: subject.attempt, n: n + 1, ...call });
}

/** Ids of messages, and their lines. */
function messages(
  attacker: Attacker,
  bytes: number,
): { readonly ids: readonly string[]; readonly lines: readonly string[] } {
  const ids: string[] = [];
  const lines = fill(bytes, () => {
    const message_id = attacker.forger.id();
    ids.push(message_id);
    return messageLine(attacker, { message_id });
  });
  return { ids: ids.slice(0, lines.length), lines };
}

/** What once brought a reader down, or would bring down one that reads a whole subject, text or list for each line. */
export const BOMBS: Readonly<Record<string, CreateAttack>> = {
  'revisions and a redaction': inOneUpdate((attacker, bytes) => [
    ...fill(bytes, () => revisionLine(attacker)),
    redactionLine(attacker, attacker.subject.message_id),
  ]),

  'a redaction of each message': inOneUpdate((attacker, bytes) => {
    const { ids, lines } = messages(attacker, bytes / 2);
    return [...lines, ...ids.map((id) => redactionLine(attacker, id))];
  }),

  'redactions, each an update': inUpdates((attacker, bytes, send) => {
    const { ids, lines } = messages(attacker, bytes / 2);
    attacker.lane.append(lines);
    send();
    // The envelope of an update is about 40 bytes.
    for (const id of ids.slice(0, bytes / 2 / 200)) {
      attacker.lane.append([redactionLine(attacker, id)]);
      send();
    }
  }),

  'parts after parts': inUpdates(({ forger, subject, lane }, bytes, send) => {
    const lines = fill(bytes, (n) => LINE_OF.part(forger, subject, n));
    for (const half of [lines.slice(0, lines.length / 2), lines.slice(lines.length / 2)]) {
      lane.append(half);
      send();
    }
  }),

  'stops of one millisecond': inOneUpdate(({ forger }, bytes) =>
    fill(bytes, () => {
      const [id, message_id] = [forger.idAt(FORGED_TIME), forger.idAt(FORGED_TIME)];
      return line({ type: 'stop', id, message_id, epoch: 1, by: ATTACKER });
    }),
  ),

  'updates of one tool call': inOneUpdate((attacker, bytes) =>
    fill(bytes, (n) => toolLine(attacker, n, 'call')),
  ),

  'tool calls': inOneUpdate((attacker, bytes) => fill(bytes, (n) => toolLine(attacker, n, `call ${n}`))),

  'heads of five kinds': inOneUpdate(({ forger, subject }, bytes) => {
    const types = ['revision', 'thread_config', 'thread_state', 'variables', 'annotation'] as const;
    return fill(bytes, (n) => types.map((type) => LINE_OF[type](forger, subject, n)));
  }),

  'names of variables': inOneUpdate(({ forger }, bytes) =>
    fill(bytes, (n) => variablesLine(forger.id(), { [`name ${n}`]: n })),
  ),

  'names of variables, 500 a line': inOneUpdate(({ forger }, bytes) =>
    fill(bytes, (n) => {
      const names = Array.from({ length: 500 }, (_, i) => [`name ${500 * n + i}`, i] as const);
      return variablesLine(forger.id(), Object.fromEntries(names));
    }),
  ),

  'answers that name one attempt': inOneUpdate((attacker, bytes) => {
    const { forger, subject } = attacker;
    const { attempt } = subject;
    const parts = fill(bytes / 2, (n) => LINE_OF.part(forger, subject, n));
    const answers = fill(bytes / 2, () => {
      const prompt_id = forger.id();
      const answer = { message_id: deriveAnswerId(prompt_id), prompt_id, attempt, runner_id: 'runner-1' };
      return messageLine(attacker, { ...answer, content: undefined });
    });
    return [...parts, ...answers];
  }),

  'attempts at one answer': inOneUpdate((attacker, bytes) => {
    const { answer_id: message_id, message_id: prompt_id } = attacker.subject;
    return fill(bytes, (n) => {
      const attempt = { attempt: attacker.forger.id(), epoch: n + 2, runner_id: 'runner-1' };
      return messageLine(attacker, { message_id, prompt_id, ...attempt, content: undefined });
    });
  }),

  'revisions, each twice': inOneUpdate((attacker, bytes) =>
    fill(bytes, () => {
      const id = attacker.forger.id();
      return [revisionLine(attacker, id, 'one'), revisionLine(attacker, id, 'other')];
    }),
  ),

  'messages, each twice': inOneUpdate((attacker, bytes) =>
    fill(bytes, () => {
      const message_id = attacker.forger.id();
      return ['one', 'other'].map((content) => messageLine(attacker, { message_id, content }));
    }),
  ),

  'one message again and again': inOneUpdate((attacker, bytes) => {
    const message_id = attacker.forger.id();
    return fill(bytes, (n) => messageLine(attacker, { message_id, content: `${n}` }));
  }),

  'a chain of messages, the last first': inOneUpdate((attacker, bytes) => chain(attacker, bytes, false)),

  'a ring of messages': inOneUpdate((attacker, bytes) => chain(attacker, bytes, true)),

  'a chain of replies': inOneUpdate((attacker, bytes) => {
    let reply_to_message_id = attacker.subject.message_id;
    return fill(bytes, () => {
      const message_id = attacker.forger.id();
      const reply = messageLine(attacker, { message_id, reply_to_message_id });
      reply_to_message_id = message_id;
      return reply;
    });
  }),

  'messages of threads that are not there': inOneUpdate((attacker, bytes) =>
    fill(bytes, () => messageLine(attacker, { thread_id: attacker.forger.id() })),
  ),

  threads: inOneUpdate(({ forger }, bytes) => fill(bytes, () => threadLine(forger.id()))),

  'threads of one slot': inOneUpdate(({ forger }, bytes) =>
    fill(bytes, (n) => threadLine(forger.id(), { slot: { ...HOSTILE_SLOT, number: n + 2 } })),
  ),

  'a chain of forks': inOneUpdate(({ forger, subject }, bytes) => {
    let { thread_id } = subject;
    return fill(bytes, () => {
      const forked_from = { thread_id };
      thread_id = forger.id();
      return threadLine(thread_id, { forked_from });
    });
  }),

  'stamps of the future': inOneUpdate((attacker, bytes) =>
    fill(bytes, (n) =>
      messageLine(attacker, { message_id: attacker.forger.idAt(FORGED_TIME + 900 * DAY_MS + n) }),
    ),
  ),

  lanes: (bytes) => {
    const { forger, subject, lane } = createAttacker();
    lane.doc.transact(() => {
      for (let n = 0; n < bytes / 250; n += 1) {
        const header = forger.header();
        lane.doc.getMap('chat').set(header.lane_id, new Y.Text(`${line(header)}\n`));
      }
    });
    return { updates: [lane.take()], subject };
  },

  'lines that are broken': inOneUpdate((_, bytes) =>
    fill(bytes, (n) => `{"type":"message","message_id":${n}`),
  ),

  'one long line': inOneUpdate((attacker, bytes) => [
    messageLine(attacker, { content: 'x'.repeat(bytes - 500) }),
  ]),

  'a line that grows': inUpdates(({ subject, lane }, bytes, send) => {
    const { attempt } = subject;
    const opened = line({ type: 'part', attempt, n: 1, text: '' });
    lane.text.insert(lane.text.length, opened.slice(0, -'"}'.length));
    send();
    for (let sent = 0; sent < bytes; sent += 250) {
      lane.text.insert(lane.text.length, 'x'.repeat(220));
      send();
    }
  }),

  'holes in a lane': inUpdates((attacker, bytes, send) => {
    attacker.lane.append(messages(attacker, bytes).lines);
    send();
    attacker.lane.doc.transact(() => cut(attacker, bytes / 100));
    send();
  }),

  'holes in a lane, each an update': inUpdates((attacker, bytes, send) => {
    attacker.lane.append(messages(attacker, bytes).lines);
    send();
    cut(attacker, bytes / 1_000, send);
  }),

  'text of another in every line': inUpdates((attacker, bytes, send) => {
    const { lane } = attacker;
    const { clientID } = lane.doc;
    lane.append(messages(attacker, bytes * 0.8).lines);
    lane.doc.transact(() => {
      lane.doc.clientID = clientID + 1;
      for (let at = lane.text.length - 50; at > 0; at -= 200) lane.text.insert(at, 'y');
      lane.doc.clientID = clientID;
    });
    send();
  }),
};

function variablesLine(id: string, values: Readonly<Record<string, number>>): string {
  return line({ type: 'variables', id, scope: 'org', scope_id: HOSTILE_SCOPE, values });
}

function threadLine(thread_id: string, more: Partial<Extract<Entry, { type: 'thread' }>> = {}): string {
  const created = { created_at: FORGED_DATE, created_by: ATTACKER };
  return line({ type: 'thread', thread_id, ...created, purpose: 'chat', ...more });
}

/** Messages that each come after the next one; as a ring the last comes after the first. */
function chain(attacker: Attacker, bytes: number, isRing: boolean): readonly string[] {
  const { ids, lines } = messages(attacker, bytes * 0.8);
  return lines.map((_, n) => {
    const after = ids[n + 1] ?? (isRing ? ids[0] : undefined);
    return messageLine(attacker, { message_id: ids[n] ?? '', ...(after === undefined ? {} : { after }) });
  });
}

/** Takes single characters away, spread over the lane. */
function cut({ lane }: Attacker, count: number, send?: () => void): void {
  const step = Math.floor(lane.text.length / count);
  for (let at = lane.text.length - 2; at > 1_000; at -= step) {
    lane.text.delete(at, 1);
    send?.();
  }
}
