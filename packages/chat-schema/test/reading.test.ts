import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as Y from 'yjs';
import { type ChatChange, ChatOrigin, type ChatReader, type TextDelta } from '../src/index.js';
import {
  addText,
  answer,
  ask,
  asPeer,
  attemptLine,
  configLine,
  createPair,
  createReplica,
  DATE,
  entryLine,
  expectSame,
  findText,
  header,
  idAt,
  linesOf,
  messageLine,
  NETWORK,
  partLine,
  present,
  type Replica,
  readRecords,
  reload,
  replicaOf,
  runs,
  say,
  send,
  syncAll,
  textOf,
  threadLine,
} from './world.js';

const T = idAt(0, 'thread');
const P = idAt(1, 'prompt');

/** Keeps what the chat tells its subscribers. */
function listen({ chat }: Replica): ChatChange[] {
  const changes: ChatChange[] = [];
  chat.subscribe((change) => changes.push(change));
  return changes;
}

const textOfDeltas = (changes: readonly ChatChange[], message_id: string): string =>
  changes
    .flatMap(({ deltas }) => deltas)
    .filter((delta: TextDelta) => delta.message_id === message_id)
    .map(({ text }) => text)
    .join('');

describe('reading and watching', () => {
  it('[RD1] no read throws on lines that are damaged anywhere', () => {
    const whole = textOf([
      header(),
      threadLine(T, {
        slot: { root_id: 'r', owner_id: 'o', provider: 'p', number: 1 },
        forked_from: { thread_id: T },
      }),
      configLine(idAt(2), T, { name: 'N', acp_config: { a: 1 }, replaces: [idAt(9)] }),
      messageLine(P, T, { expects: 'answer', content: '🎉', reply_to_message_id: P }),
      attemptLine(P, T, idAt(3)),
      partLine(idAt(3), 1, 'text'),
      entryLine('finish', idAt(4), { attempt: idAt(3), finish_reason: 'stop', error: { a: 1 } }),
      entryLine('annotation', idAt(5), { thread_id: T, user_id: 'ada', key: 'read', value: P }),
      entryLine('variables', idAt(6), { scope: 'user', scope_id: 'ada', values: { a: 1 } }),
      entryLine('redaction', idAt(7), { message_id: P, by: 'ada', date: DATE }),
    ]);
    const junk = fc.constantFrom(
      '',
      '\0',
      '"',
      '}',
      '{',
      '\n',
      'null',
      '[]',
      '{}',
      '-1',
      '1e999',
      '"__proto__":{},',
      '\\',
      'x',
    );
    const damage = fc.tuple(fc.nat(whole.length), fc.nat(12), junk);
    fc.assert(
      fc.property(fc.array(damage, { minLength: 1, maxLength: 6 }), fc.boolean(), (damages, open) => {
        let text = open ? whole.slice(0, -1) : whole;
        for (const [at, length, insert] of damages)
          text = text.slice(0, at) + insert + text.slice(at + length);
        const { doc, chat } = createReplica('reader');
        addText(doc, textOf([header({ lane: 'good' }), threadLine(T), messageLine(idAt(8), T)]));
        addText(doc, text);
        expectSame([{ doc, chat }], { copies: false });
        chat.damage();
        chat.rescued();
        readRecords(chat.at(idAt(5)), [T, P]);
      }),
      runs(60),
    );
  });

  it('[RD1] no read throws on fields of any type', () => {
    const types = [
      'thread',
      'thread_config',
      'message',
      'revision',
      'redaction',
      'activation',
      'annotation',
      'stop',
      'retry',
    ];
    const more = ['thread_state', 'interrupt', 'variables', 'document', 'legacy_row', 'finish', 'part'];
    const keys = [
      'date',
      'content',
      'replaces',
      'slot',
      'values',
      'epoch',
      'seen',
      'key',
      'user_id',
      'created_at',
      'name',
    ];
    const rest = [
      'purpose',
      'forked_from',
      'n',
      'text',
      'error',
      'doc_id',
      'scope',
      'value',
      'kind',
      'continues',
      'updated_at',
    ];
    const body = fc.dictionary(fc.constantFrom(...keys, ...rest), fc.jsonValue({ maxDepth: 2 }), {
      maxKeys: 5,
    });
    const line = fc.tuple(fc.constantFrom(...types, ...more), body).map(([type, fields]) => {
      const ids: Record<string, object> = {
        thread: { thread_id: T },
        message: { message_id: P, thread_id: T },
        part: { attempt: P, n: 1 },
        finish: { id: idAt(4), attempt: P },
      };
      const about = ['thread_config', 'activation', 'thread_state'].includes(type)
        ? { thread_id: T }
        : { message_id: P };
      const own = ids[type] ?? {
        id: idAt(3),
        ...(['variables', 'document', 'legacy_row'].includes(type) ? {} : about),
      };
      return JSON.stringify({ type, ...own, ...fields, ...own });
    });
    fc.assert(
      fc.property(fc.array(line, { minLength: 1, maxLength: 8 }), (lines) => {
        const replica = replicaOf([header(), ...lines]);
        expectSame([replica], { copies: false });
        readRecords(replica.chat.at(idAt(3)), [T, P]);
      }),
      runs(80),
    );
  });

  it('[RD1] what is no text of characters in the map is no lane', () => {
    const { doc, chat } = createReplica();
    asPeer(doc, (map) => {
      map.set('number', 5);
      map.set('json', { type: 'lane' });
      map.set('map', new Y.Map());
      map.set('array', new Y.Array());
      map.set('doc', new Y.Doc());
      map.set('xml', new Y.XmlElement('p'));
      const rich = new Y.Text(textOf([header(), threadLine(T)]));
      map.set('rich', rich);
      rich.format(0, 5, { bold: true });
      rich.insertEmbed(3, { image: 1 });
    });
    asPeer(doc, (map) => map.set('number', 6));
    expect(chat.threads().map(({ thread_id }) => thread_id)).toEqual([T]);
    expectSame([{ doc, chat }]);
  });

  it('[RD2] subscribers are called once a transaction, after the index is current, with what changed', () => {
    const { a, b, thread_id } = createPair();
    const seen: { change: ChatChange; contents: string[] }[] = [];
    const end = b.chat.subscribe((change) =>
      seen.push({ change, contents: b.chat.messages(thread_id).map(({ content }) => content) }),
    );
    const one = say(a.chat, thread_id, 'one');
    const two = say(a.chat, thread_id, 'two');
    a.chat.configure({ thread_id, updated_by: 'ada', name: 'N' });
    send(a.doc, b.doc);
    expect(seen).toHaveLength(1);
    expect(seen[0]).toMatchObject({
      contents: ['one', 'two'],
      change: {
        messages: [one.message_id, two.message_id],
        threads: [thread_id],
        local: false,
        origin: NETWORK,
      },
    });
    b.doc.transact(() => {
      say(b.chat, thread_id, 'three');
      b.chat.edit({ message_id: one.message_id, author_id: 'bob', content: 'uno' });
    }, 'embedder');
    expect(seen).toHaveLength(2);
    expect(seen[1]).toMatchObject({
      contents: ['uno', 'two', 'three'],
      change: { local: true, origin: 'embedder' },
    });
    expect(seen[1]?.change.messages).toContain(one.message_id);
    b.chat.setVariables({ scope: 'user', scope_id: 'ada', values: { a: 1 } });
    expect(seen[2]?.change).toMatchObject({ document: true, messages: [], threads: [] });
    b.chat.annotate({ message_id: two.message_id, user_id: 'ada', key: 'k', value: 1 });
    expect(seen[3]?.change.messages).toEqual([two.message_id]);
    expect(seen[3]?.change.origin).toBeInstanceOf(ChatOrigin);
    b.doc.getMap('other').set('a', 1);
    send(a.doc, b.doc);
    expect(seen).toHaveLength(4);
    end();
    say(b.chat, thread_id, 'unheard');
    expect(seen).toHaveLength(4);
  });

  it('[RD2] a stop or retry of an answer that nobody has begun names the thread whose state it changes', () => {
    const { a, b, thread_id } = createPair();
    const prompt = ask(a.chat, thread_id);
    ask(a.chat, thread_id);
    say(a.chat, thread_id, 'later');
    syncAll([a, b]);
    const threads: (readonly string[])[] = [];
    b.chat.subscribe((change) => threads.push(change.threads));
    for (const act of ['stop', 'retry'] as const) {
      a.chat[act]({ message_id: prompt.message_id, by: 'ada' });
      send(a.doc, b.doc);
      expect(threads.pop()).toEqual([thread_id]);
      expect(b.chat.queue(thread_id)).toHaveLength(act === 'stop' ? 1 : 2);
    }
  });

  it('[RD2] each of several subscribers is told, and may end while it is', () => {
    const { chat } = createReplica();
    const calls: string[] = [];
    const end = chat.subscribe(() => {
      calls.push('first');
      end();
    });
    chat.subscribe(() => calls.push('second'));
    chat.createThread({ created_by: 'ada' });
    chat.createThread({ created_by: 'ada' });
    expect(calls).toEqual(['first', 'second', 'second']);
  });

  it('[RD2] the deltas of streamed text make up the text, for the writer and for others', () => {
    const piece = fc.array(fc.constantFrom('a', '"', '\\', '\n', 'é', '漢', '🎉', '\ud83d', '\udf89'), {
      minLength: 1,
      maxLength: 6,
    });
    fc.assert(
      fc.property(fc.array(fc.tuple(piece, fc.boolean()), { minLength: 1, maxLength: 8 }), (pieces) => {
        const { a, b, thread_id } = createPair();
        const heard = [listen(a), listen(b)];
        const writer = answer(a.chat, ask(a.chat, thread_id).message_id);
        const part = writer.openPart();
        let text = '';
        for (const [units, sync] of pieces) {
          part.append(units.join(''));
          text += units.join('');
          expect(textOfDeltas(heard[0] ?? [], writer.message_id)).toBe(text);
          if (sync) send(a.doc, b.doc);
        }
        part.close('!');
        send(a.doc, b.doc);
        for (const changes of heard) expect(textOfDeltas(changes, writer.message_id)).toBe(`${text}!`);
        const named = heard.flat().flatMap(({ deltas }) => deltas);
        expect(new Set(named.map(({ n }) => n))).toEqual(new Set([1]));
        expect(new Set(named.map(({ attempt }) => attempt))).toEqual(new Set([writer.attempt]));
      }),
      runs(25),
    );
  });

  it('[RD3] a streamed flush changes the snapshot of one message', () => {
    const { a, b, thread_id } = createPair();
    const writers = ['1', '2'].map((content) => answer(a.chat, ask(a.chat, thread_id, content).message_id));
    const parts = writers.map((writer) => writer.openPart());
    for (const part of parts) part.append('x');
    send(a.doc, b.doc);
    for (const { chat } of [a, b]) {
      const ids = chat.messageIds(thread_id);
      const before = chat.messages(thread_id);
      const config = chat.config(thread_id);
      const thread = chat.thread(thread_id);
      const state = chat.state(thread_id);
      parts[0]?.append(' more');
      send(a.doc, b.doc);
      const after = chat.messages(thread_id);
      expect(after).not.toBe(before);
      expect(chat.messageIds(thread_id)).toBe(ids);
      expect([chat.config(thread_id), chat.thread(thread_id), chat.state(thread_id)]).toEqual([
        config,
        thread,
        state,
      ]);
      expect(chat.thread(thread_id)).toBe(thread);
      expect(chat.state(thread_id)).toBe(state);
      const changed = after.filter((message, i) => message !== before[i]).map(({ message_id }) => message_id);
      expect(changed).toEqual([writers[0]?.message_id]);
    }
  });

  it('[RD4] at(stamp) reads the entries whose stamp is at most it', () => {
    const { chat, doc, clock } = createReplica();
    const { thread_id } = chat.createThread({ created_by: 'ada', name: 'Old' });
    const prompt = ask(chat, thread_id);
    clock.time += 1000;
    const writer = answer(chat, prompt.message_id);
    writer.addPart({ kind: 'text', text: 'answer' });
    clock.time += 1000;
    writer.finish({ finish_reason: 'stop' });
    const finished = say(chat, thread_id, 'mark').message_id;
    clock.time += 1000;
    chat.edit({ message_id: prompt.message_id, author_id: 'ada', content: 'edited' });
    chat.configure({ thread_id, updated_by: 'ada', name: 'New' });
    const contents = (past: ChatReader): string[] => past.messages(thread_id).map(({ content }) => content);
    expect(contents(chat.at(thread_id))).toEqual([]);
    expect(chat.at(thread_id).config(thread_id)).toEqual({ thread_id });
    expect(contents(chat.at(prompt.message_id))).toEqual(['How?']);
    expect(chat.at(prompt.message_id).config(thread_id).name).toBe('Old');
    expect(chat.at(prompt.message_id).queue(thread_id)).toEqual([prompt.message_id]);
    // Of an answer the attempt dates line and parts, not the derived id; its finish has an id of its own.
    const begun = chat.at(writer.attempt);
    expect(contents(begun)).toEqual(['How?', 'answer']);
    expect(begun.message(writer.message_id)?.generating).toBe(true);
    expect(begun.state(thread_id).state).toBe('running');
    expect(chat.at(finished).message(writer.message_id)?.generating).toBe(false);
    expect(contents(chat.at(finished))).toEqual(['How?', 'answer', 'mark']);
    expect(contents(chat.at('7ZZZZZZZZZZZZZZZZZZZZZZZZZ'))).toEqual(['edited', 'answer', 'mark']);
    expectSame([{ chat, doc }]);
  });

  it('[RD4] an interrupt is dated by its attempt', () => {
    const attempt = idAt(3);
    const replica = replicaOf([
      header(),
      threadLine(T),
      messageLine(P, T, { expects: 'answer' }),
      attemptLine(P, T, attempt),
    ]);
    const { message_id } = present(replica.chat.messages(T)[1]);
    replica.chat.interrupt({ message_id });
    expect(replica.chat.at(P).message(message_id)).toBeUndefined();
    expect(replica.chat.at(attempt).message(message_id)?.acp_interrupted).toBe(true);
  });

  it('[RD4] the past has no calls that write, and follows what is still to come of it', () => {
    const { a, b, thread_id } = createPair();
    const now = say(a.chat, thread_id, 'now').message_id;
    const early = say(b.chat, thread_id, 'at the same time').message_id;
    const until = present([now, early].sort()[1]);
    const past = a.chat.at(until);
    expect(past.messageIds(thread_id)).toEqual([now]);
    syncAll([a, b]);
    expect([...past.messageIds(thread_id)].sort()).toEqual([now, early].sort());
    for (const name of ['send', 'edit', 'createThread', 'redact', 'importJSONL', 'rehost', 'openAttempt']) {
      expect(name in past, name).toBe(false);
    }
  });

  it('[RD6] an older client leaves every byte of later entries and fields', () => {
    const { a, b, thread_id } = createPair();
    const late = idAt(1, 'late');
    const later = [
      header({ lane: 'later', schema_version: 3, capabilities: ['x'] }),
      '{"type":"poll","id":"x","weird":  [1,  2]}',
      messageLine(late, thread_id, { priority: { level: 'high' }, content: 'of tomorrow' }),
      partLine(late, 1, 'y', { kind: 'hologram', depth: 3 }),
      configLine(idAt(2), thread_id, { name: 'later', theme: { dark: true } }),
    ];
    addText(a.doc, textOf(later));
    syncAll([a, b]);
    b.chat.configure({ thread_id, updated_by: 'bob', name: 'now' });
    b.chat.edit({ message_id: late, author_id: 'bob', content: 'edited' });
    b.chat.annotate({ message_id: late, user_id: 'bob', key: 'k', value: 1 });
    const private_ = say(b.chat, thread_id, 'private');
    b.chat.redact({ message_id: private_.message_id, by: 'bob' });
    b.chat.importJSONL(textOf([header({ lane: 'import' }), threadLine(T)]));
    syncAll([a, b]);
    for (const { doc, chat } of [a, b, reload(b.doc)]) {
      expect(findText(doc, '"poll"').text).toBe(textOf(later));
      for (const line of later) expect(linesOf(chat)).toContain(line);
      expect(chat.message(late)).toMatchObject({ content: 'edited', schema_version: 3 });
    }
    expectSame([a, b]);
    const copy = createReplica('copy');
    copy.chat.importJSONL(a.chat.toJSONL());
    for (const line of later) expect(linesOf(copy.chat)).toContain(line);
  });
});
