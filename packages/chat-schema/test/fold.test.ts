import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as Y from 'yjs';
import { deriveAnswerId } from '../src/index.js';
import { deriveLegacyThreadId, deriveSlotThreadId, deriveUlid, formatUlid } from '../src/internal.js';
import {
  addText,
  answer,
  ask,
  attemptLine,
  configLine,
  createPair,
  createReplica,
  DATE,
  docOf,
  entryLine,
  expectSame,
  header,
  idAt,
  linesOf,
  MINUTE,
  messageLine,
  NETWORK,
  partLine,
  present,
  readRecords,
  replicaOf,
  runs,
  say,
  syncAll,
  textOf,
  threadLine,
} from './world.js';

const T = idAt(0, 'thread');
const M = idAt(1, 'message');

/** Two people and an agent, apart and together, with every kind of entry. Gives the updates as they came. */
function converse(): {
  updates: Uint8Array[];
  docs: Y.Doc[];
  thread_id: string;
  digest: string;
  jsonl: string;
} {
  const { a, b, thread_id } = createPair();
  const updates: Uint8Array[] = [Y.encodeStateAsUpdate(a.doc)];
  for (const { doc } of [a, b]) {
    doc.on('update', (update: Uint8Array, origin: unknown) => {
      if (origin !== NETWORK) updates.push(update);
    });
  }
  const prompt = ask(a.chat, thread_id, 'Why?');
  say(b.chat, thread_id, 'At the same time');
  syncAll([a, b]);
  const [one, two] = [answer(a.chat, prompt.message_id), answer(b.chat, prompt.message_id)];
  const part = one.openPart();
  part.append('Beca');
  two.addPart({ kind: 'tool_call', part_id: 'c1', state: 'done', input: { q: 1 } });
  part.append('use 🎉');
  a.chat.edit({ message_id: prompt.message_id, author_id: 'ada', content: 'Why not?' });
  b.chat.edit({ message_id: prompt.message_id, author_id: 'bob', content: 'Why ever?' });
  b.chat.configure({ thread_id, updated_by: 'bob', name: 'B' });
  a.chat.configure({ thread_id, updated_by: 'ada', name: 'A' });
  syncAll([a, b]);
  one.finish({ finish_reason: 'stop' });
  b.chat.retry({ message_id: prompt.message_id, by: 'bob' });
  b.chat.annotate({ message_id: one.message_id, user_id: 'bob', key: 'reaction:👍', value: true });
  a.chat.setVariables({ scope: 'user', scope_id: 'ada', values: { tone: 'dry' } });
  say(a.chat, thread_id, 'Thanks');
  syncAll([a, b]);
  expectSame([a, b]);
  return { updates, docs: [a.doc, b.doc], thread_id, digest: a.chat.digest(), jsonl: a.chat.toJSONL() };
}

describe('the fold', () => {
  it('[FD1] any order, grouping and repetition of updates gives the same, after each transaction', () => {
    const { updates, digest, jsonl } = converse();
    const order = fc.shuffledSubarray([...updates.keys()], { minLength: updates.length });
    fc.assert(
      fc.property(
        order,
        fc.array(fc.nat(updates.length - 1), { maxLength: 6 }),
        fc.nat(4),
        (first, again, group) => {
          const replica = createReplica('late');
          const rest = [...first, ...again];
          while (rest.length > 0) {
            const some = rest.splice(0, 1 + group).map((at) => present(updates[at]));
            const update = group % 2 === 0 ? some : [Y.mergeUpdates(some)];
            replica.doc.transact(() => {
              for (const each of update) Y.applyUpdate(replica.doc, each, NETWORK);
            }, NETWORK);
            if (rest.length % 5 === 0) expectSame([replica], { copies: false });
          }
          expect(replica.chat.digest()).toBe(digest);
          expect(replica.chat.toJSONL()).toBe(jsonl);
          expectSame([replica]);
        },
      ),
      runs(12),
    );
  });

  it('[FD2] entries count the same wherever they stand, under their own header', () => {
    const [prompt, attempt] = [idAt(1), idAt(3)];
    const one = [
      threadLine(T),
      messageLine(prompt, T, { expects: 'answer', content: '?' }),
      configLine(idAt(2), T, { name: 'N' }),
    ];
    const two = [
      attemptLine(prompt, T, attempt),
      partLine(attempt, 1, 'so'),
      entryLine('finish', idAt(4), { attempt, finish_reason: 'stop' }),
    ];
    const headers = [header({ lane: 'one', writer: 'w1' }), header({ lane: 'two', writer: 'w2' })] as const;
    const apart = replicaOf([headers[0], ...one], [headers[1], ...two]);
    const layouts = [
      [[headers[1], ...two, headers[0], ...one]],
      [[headers[0], ...one, headers[1], ...two]],
      [...one.map((each) => [headers[0], each]), ...two.map((each) => [headers[1], each])],
      [
        [headers[1], ...[...two].reverse()],
        [headers[0], ...[...one].reverse()],
      ],
      [
        [headers[0], ...one, headers[1], ...two],
        [headers[1], ...two],
        [headers[0], ...one],
      ],
    ];
    const ids = [T, prompt, deriveAnswerId(prompt)];
    expect(apart.chat.message(deriveAnswerId(prompt))).toMatchObject({ content: 'so', generating: false });
    for (const texts of layouts) {
      const other = replicaOf(...texts);
      expect(readRecords(other.chat, ids)).toEqual(readRecords(apart.chat, ids));
      expect(other.chat.digest()).toBe(apart.chat.digest());
      expect(other.chat.foldDigest()).toBe(apart.chat.foldDigest());
      expect(other.chat.report().ignored).toEqual([]);
      expectSame([other]);
    }
  });

  it('[FD3] byte-equal lines are one entry', () => {
    const attempt = idAt(2);
    const lines = [
      threadLine(T),
      messageLine(M, T, { expects: 'answer', content: 'once' }),
      attemptLine(M, T, attempt),
      partLine(attempt, 1, 'part'),
      entryLine('annotation', idAt(3), { message_id: M, user_id: 'ada', key: 'k', value: 1 }),
    ];
    const once = replicaOf([header(), ...lines]);
    const thrice = replicaOf([header(), ...lines, ...lines], [header({ lane: 'copy' }), header(), ...lines]);
    expect(thrice.chat.messages(T)).toEqual(once.chat.messages(T));
    expect(thrice.chat.duplicates()).toEqual([]);
    expect(thrice.chat.annotations({ message_id: M })).toEqual(once.chat.annotations({ message_id: M }));
    expectSame([thrice]);
  });

  /** In the order of preference: every line beats all after it. */
  const ranked = [
    ['under its author', header({ lane: 'z', user: 'ada' }), messageLine(M, T, { content: 'ada' })],
    ['longest', header({ lane: 'a', user: 'eve' }), messageLine(M, T, { content: 'the longest of all' })],
    ['smallest', header({ lane: 'c' }), messageLine(M, T, { content: 'aaaa' })],
    ['greater', header({ lane: 'b' }), messageLine(M, T, { content: 'bbbb' })],
    ['shorter', header({ lane: 'a0' }), messageLine(M, T, { content: 'bbb' })],
    [
      'quarantined',
      header({ lane: 'a1', user: 'ada' }),
      messageLine(M, T, { content: 'x'.repeat(50) }).replace(':"x', ':x'),
    ],
  ] as const;

  it('[FD4] of different lines with one id one is chosen, by what it says and never by lane', () => {
    ranked.forEach(([name, top, best], i) => {
      if (name === 'quarantined') return;
      for (const [other, lane, worse] of ranked.slice(i + 1)) {
        for (const texts of [
          [
            [top, best],
            [lane, worse],
          ],
          [
            [lane, worse],
            [top, best],
          ],
          [[top, best, lane, worse]],
          [[lane, worse, top, best]],
        ]) {
          const replica = replicaOf([header(), threadLine(T)], ...texts);
          const what = `${name} before ${other}`;
          expect(replica.chat.message(M)?.content, what).toBe(
            (JSON.parse(best) as { content: string }).content,
          );
          const lost = replica.chat.duplicates().map(({ line }) => line);
          expect(lost, what).toEqual(other === 'quarantined' ? [] : [worse]);
          expectSame([replica]);
        }
      }
    });
  });

  it('[FD4] uncut before cut, a longer cut before a shorter, whoever wrote it', () => {
    const attempt = idAt(3);
    const cut = (text: string): string => partLine(attempt, 1, text).replace('"}', '","cut":true}');
    const whole = partLine(attempt, 1, 'wh');
    const base = [
      header(),
      threadLine(T),
      messageLine(M, T, { expects: 'answer' }),
      attemptLine(M, T, attempt),
    ];
    const read = (...lines: string[]): string | undefined => {
      const replica = replicaOf([...base, ...lines]);
      expectSame([replica], { copies: false });
      return replica.chat.message(deriveAnswerId(M))?.content;
    };
    expect(read(cut('longer than whole'), whole)).toBe('wh');
    expect(read(whole, cut('longer than whole'))).toBe('wh');
    expect(read(cut('who'), cut('w'), cut('wh'))).toBe('who');
    const laneTwo = header({ lane: 'two', user: 'ada' });
    const own = messageLine(idAt(5), T, { content: 'short', cut: true });
    const other = messageLine(idAt(5), T, { content: 'not the author but longer', cut: true });
    const replica = replicaOf([header(), threadLine(T), other], [laneTwo, own]);
    expect(replica.chat.message(idAt(5))?.content).toBe('not the author but longer');
  });

  it('[FD4] ids are compared within type and subject', () => {
    const replica = replicaOf([
      header(),
      threadLine(T),
      messageLine(M, T, { content: 'a message' }),
      messageLine(idAt(2), T, { content: 'another' }),
      entryLine('revision', idAt(3), { message_id: M, author_id: 'ada', date: DATE, content: 'one' }),
      entryLine('revision', idAt(3), { message_id: idAt(2), author_id: 'ada', date: DATE, content: 'two' }),
      entryLine('annotation', idAt(3), { message_id: M, user_id: 'ada', key: 'k', value: 1 }),
      entryLine('variables', M, { scope: 'user', scope_id: 'ada', values: { a: 1 } }),
    ]);
    expect(replica.chat.messages(T).map(({ content }) => content)).toEqual(['one', 'two']);
    expect(replica.chat.variables('user', 'ada')).toEqual({ a: 1 });
    expect(replica.chat.annotations({ message_id: M })).toHaveLength(1);
    expect(replica.chat.duplicates()).toEqual([]);
    expectSame([replica]);
  });

  it('[FD5] the thread lines of one slot thread merge', () => {
    const slot = { root_id: 'r', owner_id: 'ada', provider: 'p', number: 1 };
    const id = deriveSlotThreadId(slot, 'chat');
    const early = threadLine(id, { created_at: '2026-11-20T00:00:00.000Z', created_by: 'zoe', slot });
    const smaller = threadLine(id, { created_at: '2026-11-20T00:00:00.000Z', created_by: 'abe', slot });
    const late = threadLine(id, { created_by: 'ada the author, with a longer line', slot });
    const replica = replicaOf(
      [header({ user: 'zoe' }), early],
      [header({ lane: 'b' }), late],
      [header({ lane: 'c' }), smaller],
    );
    expect(replica.chat.thread(id)).toMatchObject({ created_by: 'abe' });
    expect(replica.chat.threads()).toHaveLength(1);
    expect(replica.chat.duplicates()).toEqual([]);
    expectSame([replica]);
  });

  it('[FD5] the thread lines of one thread of a legacy chat merge, if its id derives from its name', () => {
    const names = ['t1', 'legacy-thread-1772013600000'];
    const ids = [
      ...names.map((thread_id) => ({ id: deriveLegacyThreadId(thread_id), legacy: { thread_id } })),
      { id: deriveUlid(0, 'jupyter_thread', 'c'), legacy: { chat_id: 'c' } },
    ];
    for (const { id, legacy } of ids) {
      const early = threadLine(id, { created_at: '2026-11-20T00:00:00.000Z', created_by: 'zoe', legacy });
      const late = threadLine(id, { created_by: 'ada the author, with a longer line', legacy });
      const replica = replicaOf([header({ user: 'zoe' }), late], [header({ lane: 'b' }), early]);
      expect(replica.chat.thread(id)).toMatchObject({ created_by: 'zoe' });
      expect(replica.chat.duplicates()).toEqual([]);
      expectSame([replica]);
    }
    expect(ids[1]?.id.slice(0, 10)).toBe(formatUlid(1_772_013_600_000, new Uint8Array(10)).slice(0, 10));
    const [early, late] = ['2026-11-20T00:00:00.000Z', '2026-11-21T00:00:00.000Z'].map((created_at) =>
      threadLine(T, { created_at, legacy: { thread_id: 't1' } }),
    );
    const other = replicaOf([header(), early ?? ''], [header({ lane: 'b' }), late ?? '']);
    expect(other.chat.duplicates()).toHaveLength(1);
    expectSame([other]);
  });

  it('[FD6] what refers to what is not there is waiting, and counts once the target comes', () => {
    const [prompt, attempt] = [idAt(1), idAt(2)];
    const { doc, chat } = createReplica();
    const dangling = [
      messageLine(prompt, T, { content: '?', expects: 'answer' }),
      configLine(idAt(4), T, { name: 'early' }),
      partLine(attempt, 1, 'part'),
      entryLine('finish', idAt(5), { attempt, finish_reason: 'stop' }),
      entryLine('revision', idAt(6), { message_id: idAt(9), author_id: 'ada', date: DATE, content: 'x' }),
    ];
    addText(doc, textOf([header(), ...dangling]));
    expect(chat.waiting()).toEqual({
      messages_without_thread: 1,
      parts_without_attempt: 2,
      entries_about_absent_messages: 1,
      config_without_thread: 1,
    });
    expect([chat.quarantine(), chat.damage()]).toEqual([[], []]);
    expectSame([{ doc, chat }]);
    addText(doc, textOf([header(), threadLine(T), attemptLine(prompt, T, attempt), messageLine(idAt(9), T)]));
    expect(Object.values(chat.waiting())).toEqual([0, 0, 0, 0]);
    expect(chat.config(T).name).toBe('early');
    expect(chat.message(deriveAnswerId(prompt))).toMatchObject({ content: 'part', generating: false });
    expect(chat.message(idAt(9))?.content).toBe('x');
    expectSame([{ doc, chat }]);
  });

  it('[FD7] all document ids are aliases, and the smallest shows', () => {
    const ids = [idAt(3), idAt(1), idAt(2)] as const;
    expect(createReplica().chat.docId()).toBeNull();
    const replica = replicaOf(
      [header(), entryLine('document', idAt(4), { doc_id: ids[0] })],
      [
        header({ lane: 'b' }),
        ...ids.slice(1).map((doc_id, i) => entryLine('document', idAt(5 + i), { doc_id })),
      ],
    );
    expect(replica.chat.docId()).toBe(ids[1]);
    expectSame([replica]);
  });

  it('[FD10] rollbacks lists the generations that were taken back, each once, in order', () => {
    const entry = (n: number, rolled_back: unknown): string =>
      entryLine('document', idAt(n), { doc_id: idAt(1), rolled_back });
    const replica = replicaOf(
      [header(), entry(2, { from: 1, to: 3 }), entry(3, { from: 0, to: 2 }), entry(4, { from: -1 })],
      [header({ lane: 'b' }), entry(5, { to: 3, from: 1 }), entry(6, undefined)],
    );
    expect(replica.chat.rollbacks()).toEqual([
      { from: 0, to: 2 },
      { from: 1, to: 3 },
    ]);
    expectSame([replica]);
  });

  it('[FD8] records are frozen at every depth, and the same object until something in them changes', () => {
    const { a, b, thread_id } = createPair();
    const { message_id } = ask(a.chat, thread_id);
    a.chat.configure({ thread_id, updated_by: 'ada', acp_config: { env: { deep: [1] } } });
    a.chat.annotate({ message_id, user_id: 'ada', key: 'k', value: { deep: [1] } });
    a.chat.setVariables({ scope: 'user', scope_id: 'ada', values: { v: [{ deep: 1 }] } });
    answer(a.chat, message_id).addPart({ kind: 'tool_call', input: { deep: [1] }, output: [{ deep: 1 }] });
    const read = (): readonly unknown[] => [
      a.chat.threads(),
      a.chat.thread(thread_id),
      a.chat.config(thread_id),
      a.chat.conflicts(thread_id),
      a.chat.messageIds(thread_id),
      a.chat.messages(thread_id),
      a.chat.message(deriveAnswerId(message_id)),
      a.chat.state(thread_id),
      a.chat.annotations({ message_id }),
      a.chat.variables('user', 'ada'),
    ];
    const expectFrozen = (value: unknown): void => {
      if (typeof value !== 'object' || value === null) return;
      expect(Object.isFrozen(value)).toBe(true);
      for (const inner of Object.values(value)) expectFrozen(inner);
    };
    const before = read();
    before.forEach(expectFrozen);
    for (const [i, value] of read().entries()) expect(value, `read ${i}`).toBe(before[i]);
    // Something else changes.
    const other = b.chat.createThread({ created_by: 'bob' });
    syncAll([a, b]);
    say(a.chat, other.thread_id, 'elsewhere');
    // The list of threads has another, and variables are folded again.
    for (const [i, value] of read().entries()) if (i > 0 && i < 9) expect(value, `read ${i}`).toBe(before[i]);
    a.chat.edit({ message_id, author_id: 'ada', content: 'new' });
    expect(a.chat.messages(thread_id)).not.toBe(before[5]);
    expect(a.chat.message(deriveAnswerId(message_id))).toBe(before[6]);
    expect(a.chat.messageIds(thread_id)).toBe(before[4]);
  });

  it('[FD9] no operation on messages, parts or attempts changes a config', () => {
    const { a, b, thread_id } = createPair();
    const config = { name: 'Agent', acp_config: { model: 'm' }, session: { chain: 's1' }, agent_kind: 'acp' };
    a.chat.configure({ thread_id, updated_by: 'ada', ...config });
    const before = JSON.stringify(a.chat.config(thread_id));
    const snapshot = a.chat.config(thread_id);
    a.clock.time += MINUTE;
    const first = ask(a.chat, thread_id);
    const { message_id } = first;
    a.chat.edit({ message_id, author_id: 'eve', content: '{"name":"gone","acp_config":null}' });
    const attempt = answer(a.chat, message_id);
    attempt.openPart().append('text');
    a.chat.interrupt({ message_id: attempt.message_id });
    a.chat.retry({ message_id, by: 'ada' });
    a.chat.stop({ message_id, by: 'ada' });
    attempt.finish({ finish_reason: 'stop', acp_thread_id: 'other session' });
    a.chat.annotate({ thread_id, user_id: 'ada', key: 'name', value: 'gone' });
    a.chat.setState({ thread_id, state: 'idle' });
    a.chat.delete({ message_id, author_id: 'ada' });
    a.chat.redact({ message_id, by: 'ada' });
    addText(a.doc, textOf([header(), messageLine(idAt(3), thread_id, { name: 'gone', acp_config: null })]));
    syncAll([a, b]);
    expect(JSON.stringify(a.chat.config(thread_id))).toBe(before);
    expect(a.chat.config(thread_id)).toBe(snapshot);
    expect(JSON.stringify(b.chat.config(thread_id))).toBe(before);
    expect(linesOf(a.chat).length).toBeGreaterThan(10);
    expect(docOf().getMap('chat').size).toBe(0);
  });
});
