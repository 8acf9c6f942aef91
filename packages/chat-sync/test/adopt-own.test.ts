import { type Chat, deriveAnswerId, openChat, timeOfUlid } from '@chatdoc/schema';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as Y from 'yjs';
import { type AdoptedOwn, adoptOwn } from '../src/generation/adopt-own.js';
import { compactChat } from '../src/generation/generation.js';
import {
  createEnvironment,
  createServer,
  findLane,
  forge,
  join,
  Member,
  MINUTE,
  runs,
  type Server,
} from './hostile-world.js';

/** A client whose copy the gate has refused, and what it does to go on. */

let rebuilds = 0;

/** A fresh copy, and in it what the person wrote in the stale one; the gate takes it. */
function rebuild(
  server: Server,
  stale: Member,
  options: { readonly restamp?: boolean; readonly now?: number } = {},
): { readonly member: Member; readonly adopted: AdoptedOwn; readonly verdicts: unknown[] } {
  rebuilds += 1;
  const user = stale.user ?? null;
  const member = join(server, `rebuilt ${rebuilds}`, user);
  const { now, restamp = false } = options;
  const environment = createEnvironment(`adopt ${rebuilds}`);
  const adopted = adoptOwn({
    doc: member.doc,
    chat: member.chat,
    stale: stale.chat,
    user_id: stale.user,
    restamp,
    environment: now === undefined ? environment : { ...environment, now: () => now },
  });
  return { member, adopted, verdicts: member.flush() };
}

const contentsOf = (chat: Chat, thread_id: string): string[] =>
  chat.messages(thread_id).map(({ content }) => content ?? '');

const sizeOf = ({ doc }: Server): number => Y.encodeStateAsUpdate(doc).length;

interface World {
  readonly server: Server;
  readonly bob: Member;
  readonly ada: Member;
  readonly thread_id: string;
}

function createWorld(options: Parameters<typeof createServer>[0] = {}): World {
  const server = createServer(options);
  const bob = join(server, 'bob');
  const { thread_id } = bob.chat.createThread({ created_by: 'bob' });
  bob.chat.send({ thread_id, sender_id: 'bob', content: 'of bob' });
  bob.send();
  const ada = join(server, 'ada');
  ada.chat.send({ thread_id, sender_id: 'ada', content: 'of ada, confirmed' });
  ada.send();
  return { server, bob, ada, thread_id };
}

/** Something in ada's copy that the gate never takes, ahead of all that she writes. */
function spoil({ ada }: World): void {
  const foreign = forge(ada.doc, (map) => {
    const { key } = findLane(ada.doc, 'of ada, confirmed');
    (map.get(key) as Y.Text).insert(0, 'foreign');
  });
  Y.applyUpdate(ada.doc, foreign);
}

describe('a copy that was refused', () => {
  it('[GN9] gives its own unsent lines to a fresh copy, and the gate takes them', () => {
    const world = createWorld();
    const { server, ada, bob, thread_id } = world;
    ada.disconnect();
    spoil(world);
    const { message_id } = ada.chat.send({ thread_id, sender_id: 'ada', content: 'of ada, offline' });
    ada.chat.edit({ message_id, author_id: 'ada', content: 'of ada, edited' });
    const prompt = ada.chat.send({ thread_id, sender_id: 'ada', content: 'why?', expects: 'answer' });
    const attempt = ada.chat.openAttempt({ prompt_id: prompt.message_id, sender_id: 'ada', runner_id: 'r' });
    attempt.openPart({ text: 'because' });
    attempt.finish({ finish_reason: 'stop' });
    expect(ada.connect()).toMatchObject({ ok: false, reset: 'reset' });
    const { member, adopted, verdicts } = rebuild(server, ada);
    expect(adopted.left).toBe(0);
    expect(adopted.lines).toBeGreaterThan(4);
    for (const verdict of verdicts) expect(verdict).toMatchObject({ ok: true });
    bob.send();
    for (const chat of [server.chat, bob.chat, member.chat]) {
      expect(contentsOf(chat, thread_id)).toEqual([
        'of bob',
        'of ada, confirmed',
        'of ada, edited',
        'why?',
        'because',
      ]);
      expect(chat.message(deriveAnswerId(prompt.message_id))?.generating).toBe(false);
    }
    expect(server.chat.duplicates()).toEqual([]);
  });

  it('[GN9] adds nothing a second time, whether the first has come through or not', () => {
    const world = createWorld();
    const { server, ada, thread_id } = world;
    ada.disconnect();
    spoil(world);
    for (let n = 0; n < 5; n += 1) ada.chat.send({ thread_id, sender_id: 'ada', content: `offline ${n}` });
    ada.chat.openMessage({ thread_id, sender_id: 'ada' }).openPart().append('still open');
    expect(rebuild(server, ada).adopted.lines).toBe(7);
    const size = sizeOf(server);
    const again = rebuild(server, ada);
    expect(again.adopted).toEqual({ lines: 0, restamped: 0, left: 0 });
    expect(again.verdicts).toEqual([]);
    expect(sizeOf(server)).toBe(size);
  });

  it('[GN9] leaves what is not the person’s to write, and counts it', () => {
    const world = createWorld();
    const { server, ada, bob, thread_id } = world;
    ada.disconnect();
    bob.disconnect();
    bob.chat.send({ thread_id, sender_id: 'bob', content: 'of bob, offline' });
    Y.applyUpdate(ada.doc, Y.encodeStateAsUpdate(bob.doc));
    ada.chat.send({ thread_id, sender_id: 'ada', content: 'of ada, offline' });
    const { adopted, verdicts } = rebuild(server, ada);
    expect(adopted).toEqual({ lines: 1, restamped: 0, left: 1 });
    for (const verdict of verdicts) expect(verdict).toMatchObject({ ok: true });
    expect(contentsOf(server.chat, thread_id)).not.toContain('of bob, offline');
    expect(bob.connect()).toMatchObject({ ok: true });
    expect(contentsOf(server.chat, thread_id)).toContain('of bob, offline');
  });

  it('[GN9] [GN4] brings no redacted text, whichever side has redacted it', () => {
    const world = createWorld();
    const { server, ada, thread_id } = world;
    const here = ada.chat.send({ thread_id, sender_id: 'ada', content: 'secret here' });
    const there = ada.chat.send({ thread_id, sender_id: 'ada', content: 'secret there' });
    ada.send();
    ada.disconnect();
    const phone = join(server, 'phone', 'ada');
    phone.chat.redact({ message_id: there.message_id, by: 'ada' });
    phone.send();
    ada.chat.edit({ message_id: there.message_id, author_id: 'ada', content: 'secret edit' });
    const offline = ada.chat.send({ thread_id, sender_id: 'ada', content: 'secret offline' });
    for (const { message_id } of [here, offline]) ada.chat.redact({ message_id, by: 'ada' });
    const { member, verdicts } = rebuild(server, ada);
    for (const verdict of verdicts) expect(verdict).toMatchObject({ ok: true });
    expect(server.chat.toJSONL()).not.toContain('secret');
    for (const { message_id } of [here, there, offline]) {
      expect(server.chat.message(message_id)?.redacted).toBe(true);
    }
    expect(member.chat.digest()).toBe(server.chat.digest());
  });

  it('[GN9] of an older generation comes into the next one', () => {
    const { server, ada, thread_id } = createWorld();
    ada.disconnect();
    ada.chat.send({ thread_id, sender_id: 'ada', content: 'of ada, offline' });
    const next = compactChat(server.chat, { generation: 4, environment: createEnvironment('next') });
    const moved = createServer({ generation: 4 });
    Y.applyUpdate(moved.doc, Y.encodeStateAsUpdate(next.doc));
    const doc = new Y.Doc();
    Y.applyUpdate(doc, Y.encodeStateAsUpdate(moved.doc));
    const sent: Uint8Array[] = [];
    doc.on('update', (update: Uint8Array) => sent.push(update));
    const adopted = adoptOwn({
      doc,
      chat: openChat(doc, { generation: 4, user_id: 'ada' }),
      stale: ada.chat,
      user_id: 'ada',
      environment: createEnvironment('moved adopt'),
    });
    expect(adopted).toMatchObject({ lines: 1, left: 0 });
    const principal = moved.gate.connect('ada');
    for (const update of sent) expect(moved.gate.receive(update, principal)).toMatchObject({ ok: true });
    expect(contentsOf(moved.chat, thread_id)).toEqual(['of bob', 'of ada, confirmed', 'of ada, offline']);
  });
});

/** A member whose clock is ahead of everybody's by so much. */
function joinAhead(server: Server, seed: string, user: string, ahead: number): Member {
  const environment = createEnvironment(seed);
  const member = new Member(server, seed, user, true, {
    ...environment,
    now: () => environment.now() + ahead,
  });
  expect(member.connect()).toMatchObject({ ok: true });
  return member;
}

const HOUR = 60 * MINUTE;

describe('a clock that is wrong', () => {
  for (const [name, ahead] of [
    ['six minutes', 6 * MINUTE],
    ['an hour', HOUR],
    ['400 days', 400 * 24 * HOUR],
  ] as const) {
    it(`[GN10] ${name} ahead: an afternoon offline comes in under new stamps once the clock is right`, () => {
      const { server, bob, thread_id } = createWorld();
      const ada = joinAhead(server, `ahead ${name}`, 'ada', ahead);
      ada.disconnect();
      const { chat } = ada;
      const other = chat.createThread({ created_by: 'ada', name: 'Offline' }).thread_id;
      const first = chat.send({ thread_id: other, sender_id: 'ada', content: 'first' });
      const reply = chat.send({
        thread_id: other,
        sender_id: 'ada',
        content: 'reply',
        reply_to_message_id: first.message_id,
      });
      for (let n = 0; n < 20; n += 1) chat.send({ thread_id, sender_id: 'ada', content: `offline ${n}` });
      chat.edit({ message_id: first.message_id, author_id: 'ada', content: 'first, edited' });
      chat.edit({ message_id: first.message_id, author_id: 'ada', content: 'first, edited twice' });
      chat.annotate({ message_id: reply.message_id, user_id: 'ada', key: 'reaction:👍', value: true });
      const prompt = chat.send({ thread_id, sender_id: 'ada', content: 'why?', expects: 'answer' });
      const attempt = chat.openAttempt({ prompt_id: prompt.message_id, sender_id: 'ada', runner_id: 'r' });
      attempt.openPart({ text: 'because' }).append(' of that');
      const refused = ada.connect();
      expect(refused).toMatchObject({ ok: false, code: 'future_stamp', reset: 'reset' });
      if (refused.ok) throw new Error('expected a refusal');
      expect(refused.ahead_ms).toBeGreaterThan(ahead - 2 * MINUTE);
      expect(refused.ahead_ms).toBeLessThanOrEqual(ahead + MINUTE);
      expect(refused.entry).toMatchObject({ type: 'lane' });

      // Without new stamps the gate says no again.
      expect(rebuild(server, ada).verdicts).toMatchObject([{ ok: false, code: 'future_stamp' }]);
      const now = Date.UTC(2026, 10, 21, 12) + MINUTE;
      const { member, adopted, verdicts } = rebuild(server, ada, { restamp: true, now });
      for (const verdict of verdicts) expect(verdict).toMatchObject({ ok: true });
      expect(adopted).toMatchObject({ left: 0, restamped: 29 });
      bob.send();
      for (const { chat: read } of [server, bob, member]) {
        expect(contentsOf(read, thread_id)).toEqual([
          'of bob',
          'of ada, confirmed',
          ...Array.from({ length: 20 }, (_, n) => `offline ${n}`),
          'why?',
          'because of that',
        ]);
        const thread = read.threads().find((one) => one.thread_id !== thread_id);
        expect(read.config(thread?.thread_id ?? '').name).toBe('Offline');
        const [edited, answer] = read.messages(thread?.thread_id ?? '');
        expect(edited?.content).toBe('first, edited twice');
        expect(edited?.history).toHaveLength(3);
        expect(answer).toMatchObject({ content: 'reply', reply_to_message_id: edited?.message_id });
        expect(read.annotations({ message_id: answer?.message_id ?? '' })).toHaveLength(1);
        expect(read.report().future_stamps).toBe(0);
        for (const { message_id, date } of read.messages(thread_id)) {
          expect(timeOfUlid(message_id)).toBeLessThanOrEqual(now);
          expect(Date.parse(date)).toBeLessThanOrEqual(now);
        }
      }
      const size = sizeOf(server);
      const again = rebuild(server, ada, { restamp: true, now: now + HOUR });
      expect(again.adopted).toEqual({ lines: 0, restamped: 0, left: 0 });
      expect(sizeOf(server)).toBe(size);
    });
  }

  it('[GN10] what was written while the clock was right keeps its ids, and what is confirmed stays one', () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { minLength: 1, maxLength: 12 }), fc.nat(12), (wrong, confirmed) => {
        const { server, thread_id } = createWorld();
        let ahead = 0;
        const environment = createEnvironment(`mixed ${wrong.join()} ${confirmed}`);
        const clock = { ...environment, now: () => environment.now() + ahead };
        const ada = new Member(server, `mixed ${wrong.join()}`, 'ada', true, clock);
        expect(ada.connect()).toMatchObject({ ok: true });
        const kept: string[] = [];
        wrong.forEach((isWrong, n) => {
          if (n === confirmed) ada.disconnect();
          ahead = isWrong && n >= confirmed ? HOUR : 0;
          const { message_id } = ada.chat.send({ thread_id, sender_id: 'ada', content: `${n}` });
          if (ahead === 0 && !wrong.slice(0, n).some((one, at) => one && at >= confirmed))
            kept.push(message_id);
          if (ada.principal !== undefined) ada.send();
        });
        const now = Date.UTC(2026, 10, 21, 12) + MINUTE;
        const { verdicts } = rebuild(server, ada, { restamp: true, now });
        for (const verdict of verdicts) expect(verdict).toMatchObject({ ok: true });
        const said = contentsOf(server.chat, thread_id).slice(2);
        expect(said).toEqual(wrong.map((_, n) => `${n}`));
        for (const id of kept) expect(server.chat.message(id)).toBeDefined();
        expect(rebuild(server, ada, { restamp: true, now: now + HOUR }).adopted.lines).toBe(0);
      }),
      runs(40),
    );
  });
});
