import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as Y from 'yjs';
import { createServer, join, type Member, restart, runs, type Server, scale } from './hostile-world.js';

/** What honest clients do: all of it passes, however it is cut into updates. */
interface Step {
  readonly who: number;
  readonly what: number;
  readonly pick: number;
  readonly text: string;
}

const step: fc.Arbitrary<Step> = fc.record({
  who: fc.nat(3),
  what: fc.nat(17),
  pick: fc.nat(1000),
  text: fc.oneof(
    fc.string({ unit: 'binary', maxLength: 12 }),
    fc.constantFrom(
      '"quoted" \\ and\nbroken',
      '😀😀',
      'тест',
      '\u0000\u001f',
      '\\u00',
      '\ud83d',
      '"}\n{"type":"lane"',
    ),
  ),
});

interface Seat {
  member: Member;
  process: number;
  stream: { append(text: string): void } | undefined;
  attempt: ReturnType<Member['chat']['openAttempt']> | undefined;
}

const USERS = ['ada', 'bob', 'ada', 'cy'];
const counts = new Map<string, number>();

function count(name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}

function takePart(seats: Seat[], server: Server, { who, what, pick, text }: Step): void {
  const seat = seats[who % seats.length] as Seat;
  const { member } = seat;
  const { chat } = member;
  const user = member.user ?? 'anyone';
  const thread = chat.threads()[pick % Math.max(1, chat.threads().length)];
  if (thread === undefined) {
    chat.createThread({ created_by: user });
    return;
  }
  const { thread_id } = thread;
  const ids = chat.messageIds(thread_id);
  const message = chat.message(ids[pick % Math.max(1, ids.length)] ?? '');
  switch (what) {
    case 0:
      chat.createThread({ created_by: user, name: text });
      break;
    case 1:
      chat.createThread({
        created_by: user,
        slot: { root_id: 'r', owner_id: user, provider: 'p' },
        purpose: 'run',
      });
      break;
    case 2:
      chat.send({ thread_id, sender_id: user, content: text, expects: 'answer' });
      break;
    case 3:
      chat.send({ thread_id, sender_id: user, content: text });
      break;
    case 4:
      if (message !== undefined)
        chat.edit({ message_id: message.message_id, author_id: user, content: text });
      break;
    case 5:
      // Not an answer: another may have begun to answer, too, and then it is not one's own.
      if (message?.sender_id === user && message.attempt === undefined && !message.redacted) {
        chat.redact({ message_id: message.message_id, by: user });
        count('redactions');
      }
      break;
    case 6: {
      const prompt = chat.queue(thread_id)[0];
      if (prompt !== undefined && (seat.attempt?.finished ?? true)) {
        seat.attempt = chat.openAttempt({ prompt_id: prompt, sender_id: user, runner_id: 'here' });
        seat.stream = seat.attempt.openPart();
      }
      break;
    }
    case 7:
    case 8:
    case 9:
      if (seat.attempt?.finished === false) {
        seat.stream?.append(text);
        count('tokens');
      }
      break;
    case 10:
      if (seat.attempt?.finished === false) {
        seat.attempt.addPart({ kind: 'tool_call', part_id: 'x', input: { text }, output: [text] });
        seat.stream = seat.attempt.openPart({ kind: 'reasoning' });
      }
      break;
    case 11:
      if (seat.attempt?.finished === false) seat.attempt.finish({ finish_reason: 'stop' });
      break;
    case 12:
      chat.configure({ thread_id, updated_by: user, name: text, acp_config: { text } });
      break;
    case 13:
      if (message !== undefined) {
        chat.annotate({ message_id: message.message_id, user_id: user, key: 'reaction', value: text });
        chat.setVariables({ scope: 'user', scope_id: user, values: { text } });
        if (message.attempt !== undefined) chat.stop({ message_id: message.message_id, by: user });
        if (message.attempt !== undefined) chat.retry({ message_id: message.message_id, by: user });
        if (message.attempt !== undefined) chat.interrupt({ message_id: message.message_id });
      }
      break;
    case 14:
      if (member.principal !== undefined) {
        member.disconnect();
        count('disconnects');
      } else {
        expect(member.connect()).toMatchObject({ ok: true });
        count('reconnects');
      }
      break;
    case 15: {
      // The process is gone, with what it had not sent; another begins with what the server has.
      member.disconnect();
      seat.process += 1;
      seats[who % seats.length] = createSeat(server, who % seats.length, seat.process, member.user ?? null);
      count('crashes');
      break;
    }
    case 16: {
      for (const { member: each } of seats) each.disconnect();
      restart(server);
      count('restarts');
      break;
    }
    default:
      if (message?.sender_id === user) chat.delete({ message_id: message.message_id, author_id: user });
  }
}

function createSeat(server: Server, at: number, process: number, user: string | null): Seat {
  const member = join(server, `member ${at} ${process}`, user, at % 2 === 0);
  return { member, process, stream: undefined, attempt: undefined };
}

function play(steps: readonly Step[], users: readonly (string | null)[]): void {
  const server = createServer();
  const seats = users.map((user, at) => createSeat(server, at, 0, user));
  for (const each of steps) {
    takePart(seats, server, each);
    for (const { member } of seats) member.send();
  }
  for (const { member } of seats) {
    member.disconnect();
    expect(member.connect()).toMatchObject({ ok: true });
  }
  for (const { member } of seats) member.send();
  const digest = server.chat.digest();
  for (const { member } of seats) expect(member.chat.digest()).toBe(digest);
  expect(server.chat.quarantine().filter(({ reason }) => reason !== 'not_json')).toEqual([]);
  expect(server.chat.damage()).toEqual([]);
  expect(server.doc.store.pendingStructs).toBeNull();
  // A gate that reads the document anew knows the same.
  restart(server);
  for (const { member } of seats) {
    member.disconnect();
    expect(member.connect()).toEqual({ ok: true, outcome: 'duplicate' });
    expect(Y.encodeStateVector(member.doc)).toEqual(Y.encodeStateVector(server.doc));
  }
}

describe('honest sessions', () => {
  it('[GT1] what authenticated clients write passes: streams, edits, redactions, reconnects, restarts', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 20, maxLength: 80 }), (steps) => play(steps, USERS)),
      runs(120, 25),
    );
    for (const name of ['tokens', 'redactions', 'disconnects', 'reconnects', 'crashes', 'restarts']) {
      expect(counts.get(name) ?? 0, name).toBeGreaterThanOrEqual(scale(20, 1));
    }
  });

  it('[GT1] so does what clients write whom nobody has authenticated', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 20, maxLength: 60 }), (steps) =>
        play(steps, [null, null, null]),
      ),
      runs(30),
    );
  });
});
