import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import * as Y from 'yjs';
import { deriveAnswerId } from '../src/index.js';
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
  docOf,
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
  say,
  send,
  syncAll,
  textOf,
  threadLine,
} from './world.js';

const T = idAt(0, 'thread');
const P = idAt(1, 'prompt');
const A = idAt(2, 'attempt');
const cut = (line: string): string => line.replace(/"\}$/, '","cut":true}');

/** Documents of all shapes: a conversation with open lines, damage, later schemas, redactions. */
function createDocuments(): readonly Replica[] {
  const { a, b, thread_id } = createPair();
  const prompt = ask(a.chat, thread_id, 'Ask 🎉');
  syncAll([a, b]);
  answer(a.chat, prompt.message_id).openPart().append('open');
  answer(b.chat, prompt.message_id).addPart({ kind: 'text', text: 'whole' });
  const secret = say(b.chat, thread_id, 'secret');
  syncAll([a, b]);
  a.chat.redact({ message_id: secret.message_id, by: 'ada' });
  const odd = replicaOf(
    ['no header', header({ lane: 'b' }), threadLine(T), 'not JSON', '{"type":"poll","x":1}'],
    [header({ lane: 'a', min_reader: 9 }), 'hidden', messageLine(P, T)],
    [
      header({ lane: 'c' }),
      header({ lane: 'd' }),
      messageLine(P, T, { content: 'x' }),
      messageLine(P, T, { content: 'yy' }),
    ],
  );
  return [a, reload(a.doc), odd, createReplica('empty')];
}

/** The digest by its definition, over a copy; `lost` are the lines that another of their id outranks. */
function digestOf(lines: readonly string[], lost: readonly string[] = []): string {
  const hash = (text: string): string => createHash('sha256').update(text).digest('hex');
  const lanes = new Map<string, Set<string>>();
  let lane = '';
  for (const line of lines) {
    if (line.startsWith('{"type":"lane","lane_id":"')) lane = line.slice(26, 52);
    lanes.set(lane, lanes.get(lane) ?? new Set());
    if (!lost.includes(line)) lanes.get(lane)?.add(line);
  }
  return hash(
    [...lanes.keys()]
      .sort()
      .map((id) => `${id} ${hash(textOf([...(lanes.get(id) ?? [])].sort()))}\n`)
      .join(''),
  );
}

describe('copies and digest', () => {
  it('[CP1] toJSONL is every lane in order, under its own header, verbatim', () => {
    const texts = [
      ['above any header', header({ lane: 'one' }), threadLine(T), ' { odd "spaces" } ', '{"type":"poll"}'],
      [header({ lane: 'two', min_reader: 7 }), 'of a later reader'],
      [header({ lane: 'three' }), messageLine(P, T, { z: 1, a: 2 })],
    ];
    const replica = replicaOf(...texts);
    const blocks = [texts[0]?.slice(1), texts[1], texts[2]] as string[][];
    blocks.sort((a, b) => (String(a[0]) < String(b[0]) ? -1 : 1));
    expect(replica.chat.toJSONL()).toBe(textOf(['above any header', ...blocks.flat()]));
    expect(createReplica().chat.toJSONL()).toBe('');
    expectSame([replica], { copies: false });
  });

  it('[CP1] open lines are closed as cut; a cut line that its lane holds longer or whole is left out', () => {
    const part = (text: string): string => partLine(A, 1, text);
    const base = [header(), threadLine(T), messageLine(P, T, { expects: 'answer' }), attemptLine(P, T, A)];
    const open = createReplica(
      'r',
      {},
      docOf(`${textOf(base)}${part('half\\u26').replace(/"\}$/, '')}`.replace('\\\\u', '\\u')),
    );
    expect(linesOf(open.chat).at(-1)).toBe(cut(part('half')));
    const copied = replicaOf(
      [...base, cut(part('ha'))],
      [header(), cut(part('half a'))],
      [header(), cut(part('half'))],
    );
    expect(linesOf(copied.chat).filter((line) => line.includes('"part"'))).toEqual([cut(part('half a'))]);
    const ended = replicaOf([...base, cut(part('half and more'))], [header(), part('half')]);
    expect(linesOf(ended.chat).filter((line) => line.includes('"part"'))).toEqual([part('half')]);
    const apart = replicaOf([...base, cut(part('half'))], [header({ lane: 'other' }), part('half')]);
    expect(linesOf(apart.chat).filter((line) => line.includes('"part"'))).toHaveLength(2);
    for (const replica of [open, copied, ended, apart]) expectSame([replica]);
  });

  it('[CP2] a copy of a copy is the copy, two imports give equal bytes, and a third writes nothing', () => {
    for (const { chat } of createDocuments()) {
      const jsonl = chat.toJSONL();
      const updates = [createReplica('one'), createReplica('two', { user_id: 'eve' })].map((replica) => {
        expect(replica.chat.importJSONL(jsonl)).toMatchObject({ ok: true });
        expect(replica.chat.toJSONL()).toBe(jsonl);
        expect(replica.chat.digest()).toBe(chat.digest());
        const bytes = bytesOf(replica.doc);
        expect(replica.chat.importJSONL(jsonl)).toEqual({ ok: true, lines: 0 });
        expect(bytesOf(replica.doc)).toBe(bytes);
        return bytes;
      });
      expect(updates[0]).toBe(updates[1]);
    }
  });

  it('[CP2] also where a copy is longer than one text', () => {
    const { chat } = createReplica();
    const id = chat.createThread({ created_by: 'ada' }).thread_id;
    for (let i = 0; i < 9; i += 1) say(chat, id, `${i}`.repeat(60_000));
    const copies = [createReplica('one'), createReplica('two')];
    for (const copy of copies) copy.chat.importJSONL(chat.toJSONL());
    expect(copies.map((copy) => copy.chat.toJSONL())).toEqual([chat.toJSONL(), chat.toJSONL()]);
    expect(new Set(copies.map(({ doc }) => bytesOf(doc))).size).toBe(1);
    syncAll(copies);
    expect(copies[1]?.chat.messages(id)).toEqual(chat.messages(id));
  });

  it('[CP2] a torn last line of the text is closed as cut', () => {
    const base = [header(), threadLine(T), messageLine(P, T, { expects: 'answer' }), attemptLine(P, T, A)];
    const { chat } = createReplica();
    expect(chat.importJSONL(`${textOf(base)}${partLine(A, 1, 'tor').slice(0, -2)}`)).toEqual({
      ok: true,
      lines: 4,
    });
    expect(chat.message(deriveAnswerId(P))?.content).toBe('tor');
    expect(linesOf(chat).at(-1)).toBe(cut(partLine(A, 1, 'tor')));
  });

  it('[CP3] a copy keeps headers: parts and finishes count for the same writer', () => {
    const { a, b, thread_id } = createPair();
    const prompt = ask(a.chat, thread_id);
    const writer = answer(a.chat, prompt.message_id);
    writer.addPart({ kind: 'text', text: 'mine' });
    writer.finish({ finish_reason: 'stop' });
    addText(a.doc, textOf([header({ writer: 'forger' }), partLine(writer.attempt, 2, ' forged')]));
    const copy = createReplica('copy', { user_id: 'eve' });
    copy.chat.importJSONL(a.chat.toJSONL());
    expect(copy.chat.message(writer.message_id)).toMatchObject({ content: 'mine', generating: false });
    expect(copy.chat.report().ignored).toHaveLength(1);
    const headers = (chat: Replica['chat']): string[] =>
      linesOf(chat).filter((line) => line.startsWith('{"type":"lane"'));
    expect(headers(copy.chat)).toEqual(headers(a.chat));
    // The author's header decides between lines, also in the copy.
    addText(
      a.doc,
      textOf([
        header({ lane: 'x' }),
        messageLine(prompt.message_id, thread_id, { content: 'forged, and longer than it' }),
      ]),
    );
    const again = createReplica('again');
    again.chat.importJSONL(a.chat.toJSONL());
    expect(again.chat.message(prompt.message_id)?.content).toBe('How?');
    send(a.doc, b.doc);
    expectSame([a, b]);
  });

  it('[CP4] an import takes its clientID from what it writes, and is refused where that is taken', () => {
    const jsonl = textOf([header(), threadLine(T)]);
    const probe = createReplica('probe');
    probe.chat.importJSONL(jsonl);
    const { client, key } = present(laneTexts(probe.doc)[0]);
    const bytes = (doc: Y.Doc, write: () => unknown): [unknown, boolean] => {
      const before = bytesOf(doc);
      const result = write();
      return [result, bytesOf(doc) === before];
    };
    const conflict = { ok: false, code: 'import_conflict', line: 1 };
    const stolen = createReplica('stolen');
    asPeer(stolen.doc, (map) => map.set('k', new Y.Text('x')), client);
    expect(bytes(stolen.doc, () => stolen.chat.importJSONL(jsonl))).toEqual([conflict, true]);
    const squatted = createReplica('squatted');
    asPeer(squatted.doc, (map) => map.set(key, new Y.Text('x')));
    expect(bytes(squatted.doc, () => squatted.chat.importJSONL(jsonl))).toEqual([conflict, true]);
    const headless = createReplica('headless');
    const none = { ok: false, code: 'import_no_header', line: 1 };
    expect(bytes(headless.doc, () => headless.chat.importJSONL(textOf([threadLine(T)])))).toEqual([
      none,
      true,
    ]);
    expect(bytes(headless.doc, () => headless.chat.importJSONL(''))).toEqual([{ ok: true, lines: 0 }, true]);
    const other = createReplica('other');
    other.chat.importJSONL(textOf([header(), threadLine(T), messageLine(P, T)]));
    expect(present(laneTexts(other.doc)[0]).client).not.toBe(client);
  });

  it('[CP1] a cut line is left out only where its lane holds a longer one that is read', () => {
    const whole = partLine(P, 1, 'Hello');
    const torn = whole.slice(0, -2);
    const replica = replicaOf([header(), threadLine(T), messageLine(P, T), cut(partLine(P, 1, 'Hel')), torn]);
    const copy = createReplica('copy');
    copy.chat.importJSONL(replica.chat.toJSONL());
    expect(copy.chat.digest()).toBe(replica.chat.digest());
    expect(copy.chat.message(P)?.content).toBe('Hel');
    expectSame([replica]);
  });

  it('[CP5] a line under another header of its lane is another: headers say whose it is', () => {
    const lines = [messageLine(P, T, { sender_id: 'ada' }), messageLine(P, T, { sender_id: 'bob', x: 1 })];
    const [a, b] = ['ada', 'bob'].map((user) => replicaOf([header({ user }), threadLine(T), ...lines])) as [
      Replica,
      Replica,
    ];
    const [ofA, ofB] = [a.chat.toJSONL(), b.chat.toJSONL()];
    a.chat.importJSONL(ofB);
    b.chat.importJSONL(ofA);
    expect(a.chat.digest()).toBe(b.chat.digest());
    expect(a.chat.message(P)?.sender_id).toBe(b.chat.message(P)?.sender_id);
    expect(a.chat.importJSONL(b.chat.toJSONL())).toEqual({ ok: true, lines: 0 });
  });

  it('[CP5] an import writes what the document lacks, and nothing else', () => {
    const { a, b, thread_id } = createPair();
    say(a.chat, thread_id, 'of both');
    const backup = a.chat.toJSONL();
    send(a.doc, b.doc);
    say(b.chat, thread_id, 'new in b');
    const lines = linesOf(b.chat).length;
    expect(b.chat.importJSONL(backup)).toEqual({ ok: true, lines: 0 });
    expect(linesOf(b.chat)).toHaveLength(lines);
    say(a.chat, thread_id, 'new in a');
    expect(b.chat.importJSONL(a.chat.toJSONL())).toEqual({ ok: true, lines: 1 });
    const contents = b.chat.messages(thread_id).map(({ content }) => content);
    expect(contents.sort()).toEqual(['new in a', 'new in b', 'of both']);
    expect(
      laneTexts(b.doc)
        .map(({ text }) => text)
        .join('')
        .split('of both'),
    ).toHaveLength(2);
    // The lane itself comes later: its line is there twice, and one entry.
    syncAll([a, b]);
    expect(b.chat.messages(thread_id)).toHaveLength(3);
    expect(b.chat.duplicates()).toEqual([]);
    expectSame([a, b]);
  });

  it('[DG1] the digest is SHA-256 over the sorted lines of each lane', () => {
    for (const { chat, doc } of createDocuments()) {
      const lost = chat.duplicates().map(({ line }) => line);
      expect(chat.digest()).toBe(digestOf(linesOf(chat), lost));
      expect(reload(doc).chat.digest()).toBe(chat.digest());
    }
    expect(createReplica().chat.digest()).toBe(createHash('sha256').update('').digest('hex'));
    const merged = [threadLine(T, { slot: { root_id: 'r', owner_id: 'o', provider: 'p', number: 1 } })];
    expect(replicaOf([header(), ...merged]).chat.digest()).toBe(digestOf([header(), ...merged]));
  });

  it('[DG1] lines that lost are left out; placement, copies and clients do not count', () => {
    const [winner, loser] = [
      messageLine(P, T, { content: 'longer' }),
      messageLine(P, T, { content: 'short' }),
    ];
    const lines = [header(), threadLine(T), winner];
    const clean = replicaOf(lines).chat.digest();
    expect(clean).toBe(digestOf(lines));
    expect(replicaOf(lines, [header(), loser]).chat.digest()).toBe(clean);
    expect(replicaOf(lines, lines, [header(), winner]).chat.digest()).toBe(clean);
    expect(replicaOf([header(), winner], [header(), threadLine(T)]).chat.digest()).toBe(clean);
    expect(replicaOf(lines, [header({ lane: 'other' }), winner]).chat.digest()).not.toBe(clean);
  });

  it('[DG1] open, torn, blanked and redacted lines count as they read', () => {
    const base = [header(), threadLine(T), messageLine(P, T, { expects: 'answer' }), attemptLine(P, T, A)];
    const open = createReplica('r', {}, docOf(textOf(base) + partLine(A, 1, 'so').slice(0, -2)));
    expect(open.chat.digest()).toBe(digestOf([...base, cut(partLine(A, 1, 'so'))]));
    const torn = createReplica('r', {}, docOf(`${textOf(base)}{"type":`));
    expect(torn.chat.digest()).toBe(digestOf([...base, '{"type":']));
    const message = (content: string): string => messageLine(idAt(3), T, { content });
    const redaction = entryLine('redaction', idAt(4), { message_id: idAt(3), by: 'ada', date: DATE });
    const blank = digestOf([...base, message(''), redaction]);
    const viewer = createReplica(
      'r',
      { readOnly: true },
      docOf(textOf([...base, message('SECRET'), redaction])),
    );
    expect(viewer.chat.digest()).toBe(blank);
    const writer = createReplica('r', {}, docOf(textOf([...base, message('SECRET')])));
    const before = writer.chat.digest();
    addText(writer.doc, textOf([header(), redaction]));
    expect(findText(writer.doc, idAt(3)).text).not.toContain('SECRET');
    expect(writer.chat.digest()).toBe(blank);
    expect(before).not.toBe(blank);
  });

  it("[DG1] the digest is kept incrementally: after every transaction it is a fresh load's", () => {
    const { a, b, thread_id } = createPair();
    let compared = 0;
    for (const { doc, chat } of [a, b]) {
      doc.on('afterTransaction', () => {
        compared += 1;
        expect(chat.digest()).toBe(reload(doc, 'law', { readOnly: true }).chat.digest());
      });
      chat.digest();
    }
    const prompt = ask(a.chat, thread_id);
    const writer = answer(a.chat, prompt.message_id);
    const part = writer.openPart();
    part.append('a');
    syncAll([a, b]);
    part.append('b');
    addText(
      b.doc,
      textOf([
        header({ user: 'ada' }),
        messageLine(prompt.message_id, thread_id, { content: 'another line of it' }),
      ]),
    );
    syncAll([a, b]);
    writer.finish({ finish_reason: 'stop' });
    b.chat.redact({ message_id: prompt.message_id, by: 'bob' });
    syncAll([a, b]);
    a.chat.configure({ thread_id, updated_by: 'ada', name: 'N' });
    syncAll([a, b]);
    expect(compared).toBeGreaterThan(10);
    expect(a.chat.digest()).toBe(b.chat.digest());
  });

  it('[DG2] other chosen lines give another digest, also where state vectors are equal', () => {
    const write = (content: string): Replica => {
      const doc = new Y.Doc();
      addText(doc, textOf([header(), threadLine(T), messageLine(P, T, { content })]), 99);
      return createReplica('r', {}, doc);
    };
    const [one, two] = [write('yes'), write('no!')];
    expect(Y.encodeStateVector(one.doc)).toEqual(Y.encodeStateVector(two.doc));
    expect(one.chat.digest()).not.toBe(two.chat.digest());
    const digests = [
      [header()],
      [header({ user: 'ada' })],
      [header(), threadLine(T)],
      [header(), threadLine(T), 'bad'],
      [header(), threadLine(T), '{"type":"poll"}'],
      [header(), threadLine(T), cut(messageLine(P, T))],
      [header({ min_reader: 3 }), threadLine(T)],
    ].map((lines) => replicaOf(lines).chat.digest());
    expect(new Set(digests).size).toBe(digests.length);
  });

  it('[DG3] the fold digest is equal for documents that read the same, and for no others', () => {
    const lines = [threadLine(T), messageLine(P, T, { content: 'x' })];
    const one = replicaOf([header(), ...lines]);
    const two = replicaOf(
      [header({ lane: 'b', writer: 'w2', user: 'bob' }), lines[0] as string],
      [header({ lane: 'c' }), lines[1] as string, 'bad'],
    );
    expect(one.chat.digest()).not.toBe(two.chat.digest());
    expect(one.chat.foldDigest()).toBe(two.chat.foldDigest());
    expect(one.chat.foldDigest()).toMatch(/^[0-9a-f]{64}$/);
    const before = one.chat.foldDigest();
    one.chat.annotate({ message_id: P, user_id: 'ada', key: 'k', value: 1 });
    expect(one.chat.foldDigest()).not.toBe(before);
    Y.applyUpdate(two.doc, Y.encodeStateAsUpdate(one.doc), NETWORK);
    expect(two.chat.foldDigest()).toBe(one.chat.foldDigest());
  });
});
