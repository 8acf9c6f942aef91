import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as Y from 'yjs';
import { ChatOrigin, deriveAnswerId } from '../src/index.js';
import {
  addText,
  answer,
  ask,
  asPeer,
  attemptLine,
  bytesOf,
  createPair,
  createReplica,
  DATE,
  deleteText,
  entryLine,
  expectSame,
  findText,
  header,
  idAt,
  laneTexts,
  linesOf,
  messageLine,
  NETWORK,
  partLine,
  present,
  type Replica,
  reload,
  replicaOf,
  runs,
  say,
  send,
  syncAll,
  textAt,
  textOf,
  threadLine,
} from './world.js';

const T = idAt(0, 'thread');
const M = idAt(1, 'message');
const redaction = (of: string): string =>
  entryLine('redaction', idAt(50, of), { message_id: of, by: 'ada', date: DATE });

/** Everything that stands in the document, deleted characters aside. */
const visible = (doc: Y.Doc): string =>
  laneTexts(doc)
    .map(({ text }) => text)
    .join('');
const holdsBytes = (doc: Y.Doc, text: string): boolean =>
  Buffer.from(Y.encodeStateAsUpdate(doc)).includes(text);

describe('redaction and damage', () => {
  it('[RX1] redact deletes the texts of a message, its revisions and its attempts; lines stay JSON', () => {
    const { a, b, thread_id } = createPair();
    const prompt = ask(a.chat, thread_id, 'SECRET one');
    a.chat.edit({ message_id: prompt.message_id, author_id: 'ada', content: 'SECRET two' });
    const [one, two] = [answer(a.chat, prompt.message_id), answer(a.chat, prompt.message_id)];
    one.openPart({ title: 'SECRET title' }).append('SECRET three');
    one.addPart({
      kind: 'tool_call',
      part_id: 'call',
      state: 'done',
      input: { query: ['SECRET in'] },
      output: 'SECRET out',
    });
    two.addPart({ kind: 'reasoning', text: 'SECRET thought', data: { a: { b: 'SECRET data' } } });
    two.finish({ finish_reason: 'error', error: { message: 'SECRET error' }, acp_usage: { unit: 'tokens' } });
    a.chat.edit({ message_id: one.message_id, author_id: 'ada', content: 'SECRET edit' });
    say(a.chat, thread_id, 'KEPT');
    syncAll([a, b]);
    expect(holdsBytes(b.doc, 'SECRET')).toBe(true);
    b.chat.redact({ message_id: prompt.message_id, by: 'bob' });
    expect(visible(b.doc)).toContain('SECRET three');
    expect(b.chat.redact({ message_id: one.message_id, by: 'bob' })).toMatchObject({
      redacted: true,
      content: '',
    });
    syncAll([a, b]);
    for (const { doc, chat } of [a, b]) {
      expect(holdsBytes(doc, 'SECRET')).toBe(false);
      expect(chat.toJSONL()).not.toContain('SECRET');
      for (const line of linesOf(chat)) expect(() => JSON.parse(line), line).not.toThrow();
      expect(chat.damage()).toEqual([]);
      const message = present(chat.message(one.message_id));
      expect(message).toMatchObject({
        redacted: true,
        sender_id: 'agent',
        date: DATE,
        prompt_id: prompt.message_id,
      });
      expect([message.attempt, ...message.alternates].map((each) => each?.runner_id)).toEqual([
        'runner',
        'runner',
      ]);
      expect(message.alternates.flatMap(({ parts }) => parts).map(({ part_id }) => part_id)).toContain(
        'call',
      );
      expect(chat.messages(thread_id).at(-1)?.content).toBe('KEPT');
    }
    expectSame([a, b]);
  });

  it('[RX1] a redaction of a message that streams empties it, and what follows', () => {
    const { a, b, thread_id } = createPair();
    const writer = answer(a.chat, ask(a.chat, thread_id).message_id);
    const part = writer.openPart();
    part.append('SECRET');
    syncAll([a, b]);
    b.chat.redact({ message_id: writer.message_id, by: 'bob' });
    part.append(' SECRET more');
    syncAll([a, b]);
    part.append(' SECRET still');
    writer.finish({ finish_reason: 'stop' });
    syncAll([a, b]);
    for (const { doc, chat } of [a, b]) {
      expect(chat.message(writer.message_id)).toMatchObject({
        content: '',
        redacted: true,
        generating: false,
      });
      expect(holdsBytes(doc, 'SECRET')).toBe(false);
    }
    expectSame([a, b]);
  });

  it('[RX2] the fold blanks what a redaction names, whatever the bytes say', () => {
    const [prompt, attempt] = [idAt(2), idAt(3)];
    const reply = deriveAnswerId(prompt);
    const doc = new Y.Doc();
    addText(
      doc,
      textOf([
        header(),
        threadLine(T),
        messageLine(M, T, { content: 'SECRET', legacy: { note: 'SECRET' } }),
        entryLine('revision', idAt(4), { message_id: M, author_id: 'ada', date: DATE, content: 'SECRET' }),
        messageLine(prompt, T, { expects: 'answer', content: 'open' }),
        attemptLine(prompt, T, attempt),
        partLine(attempt, 1, 'SECRET', { title: 'SECRET' }),
        entryLine('finish', idAt(5), { attempt, finish_reason: 'error', error: { message: 'SECRET' } }),
        redaction(M),
        redaction(reply),
      ]),
    );
    const { chat } = createReplica('viewer', { readOnly: true }, doc);
    expect(visible(doc)).toContain('SECRET');
    expect(JSON.stringify(chat.messages(T))).not.toContain('SECRET');
    expect(chat.messages(T).map(({ redacted }) => redacted)).toEqual([true, false, true]);
    expect(chat.message(M)?.history.map(({ content }) => content)).toEqual(['', '']);
    expect(chat.message(prompt)?.content).toBe('open');
    const before = chat.digest();
    const other = reload(doc, 'writer');
    send(doc, other.doc);
    expect(other.chat.digest()).toBe(before);
  });

  it('[RX1] of several messages in one lane it takes the text of each and no other, also in one transaction', () => {
    for (const redactAll of [
      (chat: Replica['chat'], doc: Y.Doc, ids: readonly string[]) =>
        doc.transact(() => ids.map((message_id) => chat.redact({ message_id, by: 'ada' }))),
      // All at once, by a replica that hears of it.
      (chat: Replica['chat'], doc: Y.Doc, ids: readonly string[]) => {
        addText(doc, textOf([header({ lane: 'redactions' }), ...ids.map(redaction)]));
        expect(chat.quarantine()).toEqual([]);
      },
    ]) {
      const [secret, other, kept] = [idAt(1), idAt(2), idAt(3)];
      // The text of the first moves the lines of the second, which end where that of the third begins.
      const { chat, doc } = replicaOf([
        header(),
        threadLine(T),
        messageLine(secret, T, { content: 'SECRET of length' }),
        messageLine(other, T, { content: 'SECRET' }),
        entryLine('finish', idAt(4), { attempt: other, finish_reason: 'stop' }),
        messageLine(kept, T, { content: 'kept' }),
      ]);
      redactAll(chat, doc, [secret, other]);
      expect(chat.messages(T).map(({ content }) => content)).toEqual(['', '', 'kept']);
      expect(chat.quarantine()).toEqual([]);
      expect(holdsBytes(doc, 'SECRET')).toBe(false);
      expectSame([{ chat, doc }]);
    }
  });

  it('[RX1] it takes the text of legacy rows that are about the message, wherever they stand, and of no other', () => {
    const row = (tag: string, fields: Record<string, unknown>): string =>
      entryLine('legacy_row', idAt(6, tag), { ...fields, reason: 'columns' });
    const doc = new Y.Doc();
    const other = idAt(2);
    addText(
      doc,
      textOf([
        header(),
        threadLine(T),
        messageLine(M, T, { content: 'SECRET' }),
        row('own', { message_id: M, row: { note: 'SECRET', list: [1, 'SECRET'] } }),
        row('text', { message_id: M, row: 'SECRET' }),
        row('other', { message_id: other, row: { note: 'kept' } }),
        row('none', { row: { note: 'kept' } }),
      ]),
    );
    const viewer = reload(doc, 'viewer', { readOnly: true });
    const { chat } = createReplica('writer', { user_id: 'ada' }, doc);
    const rows = (of: typeof chat): string[] =>
      of.legacyRows().map((each) => `${each.reason} ${JSON.stringify(each.row)}`);
    expect(rows(chat)).toContain('columns {"note":"SECRET","list":[1,"SECRET"]}');
    const late = reload(doc, 'late');
    chat.redact({ message_id: M, by: 'ada' });
    const blank = [
      'columns ""',
      'columns {"note":"","list":[1,""]}',
      'columns {"note":"kept"}',
      'columns {"note":"kept"}',
    ];
    expect(rows(chat).sort()).toEqual(blank);
    expect(holdsBytes(doc, 'SECRET')).toBe(false);
    expect(chat.quarantine()).toEqual([]);
    // [RX2]: the reader holds the bytes, and shows nothing of them.
    addText(viewer.doc, textOf([header({ lane: 'two' }), redaction(M)]));
    expect(rows(viewer.chat).sort()).toEqual(blank);
    expect(viewer.chat.at(idAt(7)).legacyRows()).toHaveLength(4);
    // [RX3]: a row that comes after its redaction is blanked by who may write.
    addText(
      doc,
      textOf([
        header({ lane: 'three', writer: 'three' }),
        row('late', { message_id: M, row: { more: 'SECRET' } }),
      ]),
    );
    expect(rows(chat)).toContain('columns {"more":""}');
    expect(holdsBytes(doc, 'SECRET')).toBe(false);
    send(doc, late.doc);
    expectSame([{ chat, doc }, late]);
  });

  it('[LN11] text that comes behind a deletion in an open line is read as a fresh document reads it', () => {
    const { a, b, thread_id } = createPair();
    const writer = a.chat.openMessage({ thread_id, sender_id: 'ada' });
    const part = writer.openPart();
    part.append('one ');
    syncAll([a, b]);
    deleteText(b.doc, 'one ');
    expect(b.chat.message(writer.message_id)?.parts).toMatchObject([{ text: '' }]);
    // The writer has not heard of it.
    part.append('two ');
    send(a.doc, b.doc);
    expect(b.chat.message(writer.message_id)?.parts).toEqual([]);
    expect(b.chat.quarantine()).toMatchObject([{ reason: 'torn' }]);
    expectSame([b], { copies: false });
  });

  it('[RX3] a replica that may write deletes unblanked text again, after the transaction that brought it', () => {
    const { a, b, thread_id } = createPair();
    const { message_id } = say(a.chat, thread_id, 'SECRET');
    a.chat.redact({ message_id, by: 'ada' });
    const origins: unknown[] = [];
    a.doc.on('afterTransaction', (transaction) => origins.push(transaction.origin));
    addText(
      b.doc,
      textOf([
        header({ writer: 'late' }),
        partLine(message_id, 1, 'SECRET late'),
        messageLine(message_id, thread_id, { content: 'SECRET copy' }),
      ]),
    );
    send(b.doc, a.doc);
    expect(a.chat.message(message_id)?.content).toBe('');
    expect(visible(a.doc)).not.toContain('SECRET');
    expect(origins[0]).toBe(NETWORK);
    expect(origins).toHaveLength(2);
    expect(origins[1]).toBeInstanceOf(ChatOrigin);
    syncAll([a, b]);
    expect(visible(b.doc)).not.toContain('SECRET');
    const settled = bytesOf(a.doc);
    syncAll([a, b]);
    expect(bytesOf(a.doc)).toBe(settled);
    expectSame([a, b]);
  });

  it('[RD1] a redaction of a line beyond all limits stops no read', () => {
    const long = messageLine(idAt(1), T, { content: 'x'.repeat(16 * 1024 * 1024) });
    const redaction = entryLine('redaction', idAt(2), { message_id: idAt(1), by: 'bob', date: DATE });
    const { chat } = replicaOf([header(), threadLine(T), long], [header({ lane: 'b' }), redaction]);
    expect(chat.digest()).toHaveLength(64);
    expect(chat.message(idAt(1))).toMatchObject({ content: '', redacted: true });
  });

  it('[RX3] a redaction that comes before what it names takes it when it comes', () => {
    const { doc, chat } = createReplica();
    addText(doc, textOf([header(), threadLine(T), redaction(M)]));
    addText(doc, textOf([header({ lane: 'late' }), messageLine(M, T, { content: 'SECRET' })]));
    expect(chat.message(M)).toMatchObject({ content: '', redacted: true });
    expect(visible(doc)).not.toContain('SECRET');
    expectSame([{ doc, chat }]);
  });

  /** A writer, and two who hold all it wrote when a peer deletes from it. */
  function createWitnesses(): {
    witnesses: Replica[];
    key: string;
    line: string;
    thread_id: string;
    doc: Y.Doc;
  } {
    const { a, b, thread_id } = createPair();
    const c = createReplica('c');
    say(a.chat, thread_id, 'first');
    const { message_id } = say(a.chat, thread_id, 'second');
    say(a.chat, thread_id, 'third');
    syncAll([a, b, c]);
    const { key } = findText(a.doc, 'second');
    const line = present(
      linesOf(a.chat).find((each) => each.includes(message_id) && each.includes('second')),
    );
    return { witnesses: [a, b, c], key, line, thread_id, doc: a.doc };
  }

  it('[RX4] what a deletion took and no redaction covers is kept aside with its header, and listed', () => {
    const { witnesses, line, thread_id, doc } = createWitnesses();
    const [a, b] = witnesses as [Replica, Replica, Replica];
    deleteText(doc, line.slice(30, -2));
    expect(a.chat.messages(thread_id).map(({ content }) => content)).toEqual(['first', 'third']);
    const [damaged] = a.chat.damage();
    expect(damaged).toMatchObject({ line, header: { type: 'lane', user_id: 'ada' } });
    expect(damaged?.lane_id).toBe(damaged?.header?.lane_id);
    expect(a.chat.report().damaged).toBe(1);
    syncAll(witnesses);
    expect(b.chat.damage()).toEqual(a.chat.damage());
    expect(reload(doc).chat.damage()).toEqual([]);
    expectSame(witnesses, { copies: false });
  });

  it('[RX4] any deletion of whole lines, halves or pieces, with or without newlines, is kept aside and rehosted', () => {
    const seen = { whole: 0, piece: 0 };
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(), fc.nat(400), fc.boolean()), { minLength: 1, maxLength: 4 }),
        fc.boolean(),
        (cuts, isOneTransaction) => {
          const { witnesses, key, thread_id, doc } = createWitnesses();
          const [a] = witnesses as [Replica, Replica, Replica];
          const before = a.chat.messages(thread_id);
          const text = textAt(doc, key);
          const header = text.toString().indexOf('\n') + 1;
          const cut = ([at, length, isLine]: [number, number, boolean]): void => {
            const characters = text.toString();
            if (characters.length <= header) return;
            let from = header + (at % (characters.length - header));
            let to = Math.min(characters.length, from + length + 1);
            if (isLine) {
              from = Math.max(header, characters.lastIndexOf('\n', from - 1) + 1);
              to =
                characters.indexOf('\n', to - 1) < 0
                  ? characters.length
                  : characters.indexOf('\n', to - 1) + 1;
            }
            seen[isLine ? 'whole' : 'piece'] += 1;
            text.delete(from, to - from);
          };
          if (isOneTransaction) doc.transact(() => cuts.forEach(cut));
          else for (const each of cuts) cut(each);
          syncAll(witnesses);
          expect(a.chat.damage().length).toBeGreaterThan(0);
          a.chat.rehost();
          expect(a.chat.messages(thread_id)).toEqual(before);
          expect(a.chat.damage()).toEqual([]);
        },
      ),
      runs(150),
    );
    expect(Math.min(seen.whole, seen.piece)).toBeGreaterThan(0);
  });

  it('[RX4] a lane whose map key was replaced or deleted is kept aside', () => {
    for (const harm of ['replace', 'delete'] as const) {
      const { witnesses, key, line, doc } = createWitnesses();
      const before = linesOf(present(witnesses[1]).chat).filter((each) => !each.startsWith('{"type":"lane"'));
      asPeer(doc, (map) => (harm === 'delete' ? map.delete(key) : map.set(key, new Y.Text(''))));
      syncAll(witnesses);
      for (const { chat } of witnesses) {
        expect(chat.damage().map((each) => each.line)).toEqual([...before].sort());
        expect(chat.damage().map((each) => each.line)).toContain(line);
        expect(chat.threads()).toEqual([]);
      }
    }
  });

  it('[RX4] what a redaction covers is no damage, and is forgotten', () => {
    const { witnesses, line, thread_id, doc } = createWitnesses();
    const { chat } = present(witnesses[0]);
    const { message_id } = JSON.parse(line) as { message_id: string };
    deleteText(doc, 'second');
    deleteText(doc, '"sender_id":"ada"');
    expect(chat.damage().length).toBeGreaterThan(0);
    addText(doc, textOf([header(), redaction(message_id)]));
    for (const { line: kept } of chat.damage()) expect(kept).not.toContain('second');
    expect(chat.rescued()).not.toContain('second');
    expect(chat.messages(thread_id).length).toBeGreaterThan(0);
  });

  it('[RX4] what stands in the document again is no longer listed', () => {
    const { witnesses, line, doc } = createWitnesses();
    const { chat } = present(witnesses[0]);
    const copy = chat.toJSONL();
    deleteText(doc, line.slice(30, -2));
    expect(chat.damage()).toHaveLength(1);
    expect(chat.importJSONL(copy)).toMatchObject({ ok: true, lines: 1 });
    expect(chat.damage()).toEqual([]);
    expect(chat.rescued()).toBe('');
  });

  it('[RX4] an open line that was lost is kept as it was cut', () => {
    const { a, b, thread_id } = createPair();
    const writer = answer(a.chat, ask(a.chat, thread_id).message_id);
    writer.openPart().append('half a sen');
    syncAll([a, b]);
    const { key } = findText(b.doc, 'half a sen');
    asPeer(b.doc, (map) => map.delete(key));
    const kept = b.chat.damage().find(({ line }) => line.includes('"part"'));
    expect(kept?.line).toMatch(/"text":"half a sen","cut":true\}$/);
    b.chat.rehost();
    syncAll([a, b]);
    expect(a.chat.message(writer.message_id)?.content).toBe('half a sen');
    expect(a.chat.damage()).toEqual([]);
    expectSame([a, b]);
  });

  it('[RX5] rescued is JSONL of what is aside, under its own headers', () => {
    const { witnesses, line, doc } = createWitnesses();
    const { chat } = present(witnesses[0]);
    expect(chat.rescued()).toBe('');
    deleteText(doc, line.slice(30, -2));
    const [laneLine] = linesOf(chat).filter((each) => each.startsWith('{"type":"lane"'));
    expect(chat.rescued()).toBe(`${laneLine}\n${line}\n`);
  });

  it('[RX5] rehosting on any number of replicas at once gives one state, and nothing once it is there', () => {
    const { witnesses, key, thread_id, doc } = createWitnesses();
    const before = present(witnesses[0]).chat.messages(thread_id);
    const digest = present(witnesses[0]).chat.digest();
    asPeer(doc, (map) => map.delete(key));
    syncAll(witnesses);
    for (const { chat } of witnesses) expect(chat.rehost()).toBe(4);
    // They wrote the same structs: there is nothing to exchange.
    expect(new Set(witnesses.map((each) => bytesOf(each.doc))).size).toBe(1);
    syncAll(witnesses);
    for (const { chat } of witnesses) {
      expect(chat.messages(thread_id)).toEqual(before);
      expect(chat.digest()).toBe(digest);
      expect(chat.damage()).toEqual([]);
    }
    expect(new Set(witnesses.map((each) => bytesOf(each.doc))).size).toBe(1);
    expect(laneTexts(doc)).toHaveLength(1);
    const settled = bytesOf(doc);
    expect(present(witnesses[0]).chat.rehost()).toBe(0);
    expect(bytesOf(doc)).toBe(settled);
    expectSame(witnesses);
    // Lost again, it comes back again.
    asPeer(doc, (map) => map.delete(present(laneTexts(doc)[0]).key));
    syncAll(witnesses);
    for (const { chat } of witnesses) expect(chat.rehost()).toBe(4);
    syncAll(witnesses);
    expect(present(witnesses[2]).chat.messages(thread_id)).toEqual(before);
    expectSame(witnesses);
  });

  it('[RX5] replicas that hold different parts of what was lost give one state', () => {
    const { a, b, thread_id } = createPair();
    const c = createReplica('c');
    const writer = answer(a.chat, ask(a.chat, thread_id).message_id);
    const part = writer.openPart();
    part.append('half');
    syncAll([a, b, c]);
    part.append(' a sentence');
    send(a.doc, b.doc);
    const digest = b.chat.digest();
    const { key } = findText(b.doc, 'half');
    const update = asPeer(c.doc, (map) => map.delete(key));
    Y.applyUpdate(a.doc, update, NETWORK);
    Y.applyUpdate(b.doc, update, NETWORK);
    for (const { chat } of [a, b, c]) chat.rehost();
    syncAll([a, b, c]);
    expect(c.chat.message(writer.message_id)?.content).toBe('half a sentence');
    expect([a, b, c].map(({ chat }) => chat.digest())).toEqual([digest, digest, digest]);
    expectSame([a, b, c]);
  });

  it('[RX5] a line that damage cut out of its lane counts once it is rehosted', () => {
    const { witnesses, line, thread_id, doc } = createWitnesses();
    deleteText(doc, line.slice(30, -2));
    syncAll(witnesses);
    for (const { chat } of witnesses) chat.rehost();
    syncAll(witnesses);
    const contents = present(witnesses[1])
      .chat.messages(thread_id)
      .map(({ content }) => content);
    expect(contents).toEqual(['first', 'second', 'third']);
    expectSame(witnesses, { copies: false });
    const replica = replicaOf([header(), threadLine(T)]);
    expect(replica.chat.rehost()).toBe(0);
  });

  it('[RX6] ✗ a redaction within another transaction is one update, whatever that writes and redacts', () => {
    const op = fc.record({
      op: fc.constantFrom('say', 'edit', 'stream', 'redact'),
      at: fc.nat(5),
    });
    let redacted = 0;
    fc.assert(
      fc.property(fc.array(op, { maxLength: 12 }), fc.nat(2), (ops, before) => {
        const { a, b, thread_id } = createPair();
        const messages: string[] = [];
        const gone = new Set<string>();
        const speak = (): void => {
          const text = `SECRET ${messages.length}`;
          messages.push(say(a.chat, thread_id, text).message_id);
        };
        for (let n = 0; n < before; n += 1) speak();
        syncAll([a, b]);
        const updates: Uint8Array[] = [];
        a.doc.on('update', (update) => updates.push(update));
        a.doc.transact(() => {
          a.doc.getText('editor').insert(0, 'x');
          for (const { op, at } of ops) {
            const message_id = messages[at % Math.max(1, messages.length)];
            if (op === 'say') speak();
            else if (op === 'stream') {
              const writer = a.chat.openMessage({ thread_id, sender_id: 'ada' });
              writer.openPart().append('SECRET stream');
              messages.push(writer.message_id);
            } else if (message_id === undefined || (op === 'edit' && gone.has(message_id))) continue;
            else if (op === 'edit') a.chat.edit({ message_id, author_id: 'ada', content: 'SECRET edit' });
            else {
              a.chat.redact({ message_id, by: 'ada' });
              gone.add(message_id);
            }
          }
        });
        redacted += gone.size;
        expect(updates).toHaveLength(1);
        for (const update of updates) Y.applyUpdate(b.doc, update, NETWORK);
        expect(b.chat.damage()).toEqual([]);
        expect(b.chat.rehost()).toBe(0);
        for (const message_id of messages) {
          const { content, history } = present(b.chat.message(message_id));
          const texts = [content, ...history.map((version) => version.content)].join();
          expect(texts.includes('SECRET')).toBe(!gone.has(message_id));
        }
        if (gone.size === messages.length) expect(holdsBytes(b.doc, 'SECRET')).toBe(false);
        expectSame([a, b]);
      }),
      runs(300),
    );
    expect(redacted).toBeGreaterThan(20);
  });

  it('[RX6] ✗ rehost writes nothing while updates wait for others', () => {
    const { a, b, thread_id } = createPair();
    const c = createReplica('c');
    const { message_id } = say(a.chat, thread_id, 'SECRET');
    syncAll([a, b, c]);
    const waiting: Uint8Array[] = [];
    a.doc.on('update', (update) => waiting.push(update));
    say(a.chat, thread_id, 'before');
    a.chat.redact({ message_id, by: 'ada' });
    const [missing, redacts] = waiting.map((update) => present(update));
    // Its deletion is applied, its lines wait for those before.
    Y.applyUpdate(c.doc, present(redacts), NETWORK);
    expect(c.chat.damage()).toHaveLength(1);
    expect(c.chat.hasPending).toBe(true);
    expect(c.chat.rehost()).toBe(0);
    expect(holdsBytes(c.doc, 'SECRET')).toBe(false);
    Y.applyUpdate(c.doc, present(missing), NETWORK);
    expect(c.chat.hasPending).toBe(false);
    expect(c.chat.damage()).toEqual([]);
    expectSame([a, c]);
  });
});
