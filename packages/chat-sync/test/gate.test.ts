import { type Chat, formatDate } from '@chatdoc/schema';
import { deriveSlotThreadId } from '@chatdoc/schema/internal';
import { describe, expect, it } from 'vitest';
import * as Y from 'yjs';
import { countSteps } from '../../../tools/steps.js';
import { type Assertion, allowOwnName } from '../src/gate/assertions.js';
import {
  createServer,
  DOC_ID,
  findLane,
  forge,
  forgeLane,
  GENERATION,
  headerLine,
  idAt,
  join,
  Member,
  restart,
  type Server,
  START,
} from './hostile-world.js';

const DATE = formatDate(START);

function say(chat: Chat, user: string, content = 'x'): string {
  const { thread_id } = chat.threads()[0] ?? chat.createThread({ created_by: user });
  return chat.send({ thread_id, sender_id: user, content }).message_id;
}

/** More text for the lane that holds `needle`, under its own clientID, from whoever. */
function extend(server: Server, needle: string, user: string): Uint8Array {
  const { key, client, text } = findLane(server.doc, needle);
  const line = JSON.stringify({
    type: 'message',
    message_id: idAt(0, `more ${needle} ${user} ${text.length}`),
    thread_id: idAt(0, 'thread'),
    sender_id: user,
    date: DATE,
  });
  return forge(server.doc, (map) => (map.get(key) as Y.Text).insert(text.length, `${line}\n`), client);
}

describe('bindings', () => {
  it('[GT5] a clientID of the document is the user whom its header names, also after a restart', () => {
    const server = createServer();
    const ada = join(server, 'ada');
    say(ada.chat, 'ada', 'of ada');
    ada.send();
    for (let round = 0; round < 2; round += 1) {
      const mallory = server.gate.connect('mallory');
      const nobody = server.gate.connect();
      const again = server.gate.connect('ada');
      const update = extend(server, 'of ada', 'ada');
      expect(server.gate.check(update, mallory)).toMatchObject({ code: 'foreign_client' });
      if (round === 0) expect(server.gate.check(update, nobody)).toMatchObject({ code: 'foreign_client' });
      expect(server.gate.check(update, again), 'ada from elsewhere').toMatchObject({ ok: true });
      ada.disconnect();
      restart(server);
    }
  });

  it('[GT5] without authentication it is the connection that wrote first, while that is open', () => {
    const server = createServer();
    const first = join(server, 'first', null);
    say(first.chat, 'anyone', 'of first');
    first.send();
    const second = server.gate.connect();
    const update = extend(server, 'of first', 'anyone');
    expect(server.gate.check(update, second)).toMatchObject({ code: 'foreign_client' });
    expect(server.gate.check(update, server.gate.connect('ada'))).toMatchObject({ code: 'foreign_client' });
    first.disconnect();
    expect(server.gate.check(update, server.gate.connect('ada'))).toMatchObject({ code: 'foreign_client' });
    expect(server.gate.receive(update, second)).toMatchObject({ ok: true });
    // Now it is the second's.
    const more = extend(server, 'of first', 'anyone');
    expect(server.gate.check(more, server.gate.connect())).toMatchObject({ code: 'foreign_client' });
    expect(server.gate.check(more, second)).toMatchObject({ ok: true });
  });

  it('[GT5] a rule decides whether somebody unauthenticated writes in lanes that name a user', () => {
    const authorize = (assertion: Assertion): boolean =>
      assertion.action !== 'lane' && allowOwnName(assertion);
    const server = createServer({ authorize });
    const ada = join(server, 'ada');
    say(ada.chat, 'ada', 'of ada');
    ada.send();
    ada.disconnect();
    const update = extend(server, 'of ada', 'ada');
    expect(server.gate.check(update, server.gate.connect())).toMatchObject({ code: 'foreign_client' });
    const named = forgeLane(server.doc, 'ada', []);
    expect(server.gate.check(named, server.gate.connect())).toMatchObject({ code: 'user' });
  });

  it('[GT5] a pass binds a clientID before it is applied', () => {
    const server = createServer();
    const [a, b] = [server.gate.connect('ada'), server.gate.connect('bob')];
    const lane_id = idAt(0, 'reserved');
    const at = (user_id: string): Uint8Array =>
      forge(new Y.Doc(), (map) => map.set(lane_id, new Y.Text(`${headerLine({ lane_id, user_id })}\n`)), 77);
    expect(server.gate.check(at('ada'), a)).toMatchObject({ ok: true, outcome: 'pass' });
    expect(server.gate.check(at('bob'), b)).toMatchObject({ code: 'foreign_client' });
    expect(server.gate.isTaken(77, b)).toBe(true);
    expect(server.gate.isTaken(77, a)).toBe(false);
    server.gate.disconnect(a);
    expect(server.gate.check(at('bob'), b)).toMatchObject({ ok: true });
  });

  it('[GT6] a writer id is its user: a later lane of the same user may use it, nobody else', () => {
    const server = createServer();
    const lane = (user: string): Uint8Array => forgeLane(server.doc, user, [], { writer: 'w' });
    expect(server.gate.receive(lane('ada'), server.gate.connect('ada'))).toMatchObject({ ok: true });
    expect(server.gate.receive(lane('ada'), server.gate.connect('ada'))).toMatchObject({ ok: true });
    restart(server);
    expect(server.gate.receive(lane('bob'), server.gate.connect('bob'))).toMatchObject({ code: 'writer' });
    expect(server.gate.receive(lane('ada'), server.gate.connect('ada'))).toMatchObject({ ok: true });
  });
});

describe('what a verdict says', () => {
  it('[GT14] what lacks its start, and what comes at the wrong moment, asks for a sync', () => {
    const server = createServer();
    const ada = new Member(server, 'ada', 'ada');
    say(ada.chat, 'ada');
    say(ada.chat, 'ada');
    const principal = server.gate.connect('ada');
    const [first, second, third] = ada.outbox as [Uint8Array, Uint8Array, Uint8Array];
    const resync = { ok: false, reset: 'resync' };
    expect(server.gate.receive(third, principal)).toEqual({ ...resync, code: 'gap' });
    server.doc.transact(() => {
      expect(server.gate.receive(first, principal)).toEqual({ ...resync, code: 'busy' });
    });
    expect(server.gate.receive(first, principal)).toEqual({ ok: true, outcome: 'pass' });
    expect(server.gate.receive(first, principal)).toEqual({ ok: true, outcome: 'duplicate' });
    server.gate.disconnect(principal);
    expect(server.gate.receive(second, principal)).toEqual({ ...resync, code: 'disconnected' });
    expect(server.doc.store.pendingStructs).toBeNull();
  });

  it('[GT18] names the room for lines of another generation; anything else takes a fresh copy', () => {
    const server = createServer();
    const mallory = server.gate.connect('mallory');
    expect(server.gate.check(forgeLane(server.doc, 'mallory', [], { generation: 2 }), mallory)).toMatchObject(
      {
        ok: false,
        code: 'generation',
        reset: 'move',
        room: `${DOC_ID}.${GENERATION}`,
      },
    );
    expect(server.gate.check(forgeLane(server.doc, 'ada', []), mallory)).toMatchObject({
      ok: false,
      code: 'user',
      reset: 'reset',
    });
  });

  it('[GT18] names the entry that was refused, and how far its stamp is ahead', () => {
    const server = createServer();
    const mallory = server.gate.connect('mallory');
    const line = (id: string): object => ({
      type: 'message',
      message_id: id,
      thread_id: idAt(0, 'thread'),
      sender_id: 'ada',
      date: DATE,
    });
    const check = (...lines: (object | string)[]): unknown =>
      server.gate.check(forgeLane(server.doc, 'mallory', lines), mallory);
    expect(check(line(idAt(0, 'a')))).toEqual({
      ok: false,
      code: 'author',
      reset: 'reset',
      entry: { type: 'message', id: idAt(0, 'a') },
    });
    // The clock of this gate is a minute ahead of the hour.
    expect(check(line(idAt(10, 'a')))).toEqual({
      ok: false,
      code: 'future_stamp',
      reset: 'reset',
      entry: { type: 'message', id: idAt(10, 'a') },
      ahead_ms: 9 * 60_000,
    });
    expect(check('not a line')).toEqual({ ok: false, code: 'line', reset: 'reset' });
    const key = idAt(60, 'lane');
    const lane = forge(server.doc, (map) => map.set(key, new Y.Text(`${headerLine({ lane_id: key })}\n`)));
    expect(server.gate.check(lane, mallory)).toMatchObject({
      code: 'future_stamp',
      entry: { type: 'lane', id: key },
      ahead_ms: 59 * 60_000,
    });
    const foreign = forge(server.doc, (map) => map.set(idAt(0, 'empty'), new Y.Text()));
    expect(server.gate.check(foreign, mallory)).toEqual({ ok: false, code: 'header', reset: 'reset' });
  });
});

describe('assertions', () => {
  it('[GT9] a rule hears who does what to whose message, and reads the chat as it is before', () => {
    const heard: unknown[] = [];
    const onlyAuthorEdits = (assertion: Assertion): boolean => {
      const { user, action, author, own, entry, chat } = assertion;
      heard.push([user, action, author, own, entry?.type, chat.threads().length]);
      return action === 'edit' ? own : allowOwnName(assertion);
    };
    const server = createServer({ authorize: onlyAuthorEdits });
    const ada = join(server, 'ada');
    const message_id = say(ada.chat, 'ada');
    ada.send();
    const bob = join(server, 'bob');
    expect(heard).toEqual([
      ['ada', 'create_thread', 'ada', false, 'thread', 0],
      ['ada', 'send', 'ada', false, 'message', 1],
    ]);
    bob.chat.annotate({ message_id, user_id: 'bob', key: 'k', value: 1 });
    bob.send();
    ada.chat.edit({ message_id, author_id: 'ada', content: 'mine' });
    ada.send();
    bob.chat.edit({ message_id, author_id: 'bob', content: 'theirs' });
    expect(bob.flush()).toMatchObject([{ ok: false, code: 'author' }]);
    expect(heard.slice(2)).toEqual([
      ['bob', 'annotate', 'bob', false, 'annotation', 1],
      ['ada', 'edit', 'ada', true, 'revision', 1],
      ['bob', 'edit', 'bob', false, 'revision', 1],
    ]);
  });

  it('[GT9] a runner speaks as its agent where the rule lets it', () => {
    const authorize = (assertion: Assertion): boolean =>
      assertion.action === 'answer'
        ? assertion.user === 'runner' && assertion.author === 'agent'
        : allowOwnName(assertion);
    const server = createServer({ authorize });
    const ada = join(server, 'ada');
    const { thread_id } = ada.chat.createThread({ created_by: 'ada' });
    ada.chat.send({ thread_id, sender_id: 'ada', content: '?', expects: 'answer' });
    ada.send();
    for (const user of ['runner', 'mallory']) {
      const member = join(server, user);
      const prompt_id = member.chat.messageIds(thread_id)[0] as string;
      member.chat.openAttempt({ prompt_id, sender_id: 'agent', runner_id: 'r' });
      expect(member.flush()).toMatchObject([user === 'runner' ? { ok: true } : { code: 'author' }]);
    }
  });

  it('[GT9] scopes other than a user, activations and states name nobody: the rule decides', () => {
    const server = createServer();
    const ada = join(server, 'ada');
    const slot = { root_id: 'r', owner_id: 'o', provider: 'p' };
    const { thread_id } = ada.chat.createThread({ created_by: 'ada', slot });
    ada.chat.setVariables({ scope: 'org', scope_id: 'acme', values: { a: 1 } });
    ada.chat.activate({ thread_id });
    ada.chat.setState({ thread_id, state: 'idle' });
    ada.send();
    const deaf = createServer({ authorize: (assertion) => assertion.author !== null });
    for (const entry of [
      { type: 'variables', id: idAt(0, 'v'), scope: 'org', scope_id: 'acme', values: {} },
      { type: 'activation', id: idAt(0, 'a'), thread_id, slot },
      { type: 'thread_state', id: idAt(0, 's'), thread_id, state: 'idle', updated_at: DATE },
      { type: 'interrupt', id: idAt(0, 'i'), message_id: idAt(0, 'm'), attempt: idAt(0, 'a'), seen: 0 },
    ]) {
      const update = forgeLane(deaf.doc, 'ada', [entry]);
      expect(deaf.gate.check(update, deaf.gate.connect('ada')), entry.type).toMatchObject({ code: 'author' });
    }
  });

  it('[GT9] without authentication everybody speaks as anybody', () => {
    const server = createServer();
    const nobody = server.gate.connect();
    const update = forgeLane(server.doc, 'bob', [
      { type: 'thread', thread_id: idAt(0, 't'), created_at: DATE, created_by: 'ada', purpose: 'chat' },
    ]);
    expect(server.gate.receive(update, nobody)).toMatchObject({ ok: true });
  });
});

describe('ids', () => {
  it('[GT10] what everybody writes under one id passes from everybody: slot threads and interrupts', () => {
    const server = createServer();
    const slot = { root_id: 'r', owner_id: 'o', provider: 'p' };
    const [ada, bob] = [new Member(server, 'ada', 'ada'), new Member(server, 'bob', 'bob')];
    for (const member of [ada, bob]) {
      const { thread_id } = member.chat.createThread({ created_by: member.user as string, slot });
      expect(thread_id).toBe(deriveSlotThreadId({ ...slot, number: 1 }, 'chat'));
    }
    for (const member of [ada, bob]) expect(member.connect()).toMatchObject({ ok: true });
    const { thread_id } = ada.chat.threads()[0] as { thread_id: string };
    const { message_id } = ada.chat.send({ thread_id, sender_id: 'ada', content: '?', expects: 'answer' });
    ada.chat.openAttempt({ prompt_id: message_id, sender_id: 'ada', runner_id: 'r' });
    ada.send();
    const answer = ada.chat.messageIds(thread_id)[1] as string;
    for (const member of [ada, bob]) member.chat.interrupt({ message_id: answer });
    for (const member of [ada, bob]) member.send();
    expect(server.chat.message(answer)?.acp_interrupted).toBe(true);
  });

  it('[GT10] an interrupt whose id is not derived is an entry like any other', () => {
    const server = createServer();
    const entry = {
      type: 'interrupt',
      id: idAt(0, 'i'),
      message_id: idAt(0, 'm'),
      attempt: idAt(0, 'a'),
      seen: 0,
    };
    const lane = (user: string): Uint8Array => forgeLane(server.doc, user, [entry], { writer: user });
    expect(server.gate.receive(lane('ada'), server.gate.connect('ada'))).toMatchObject({ ok: true });
    expect(server.gate.receive(lane('bob'), server.gate.connect('bob'))).toMatchObject({ code: 'id_taken' });
  });

  it('[GT10] one user writes one message twice, from two devices', () => {
    const server = createServer();
    const owner = join(server, 'owner', 'ada');
    const { thread_id } = owner.chat.createThread({ created_by: 'ada' });
    owner.send();
    const devices = ['a', 'b'].map((seed) => join(server, seed, 'ada'));
    const once = { thread_id, sender_id: 'ada', content: 'once', client_message_id: '1', date: DATE };
    for (const { chat } of devices) chat.send(once);
    for (const device of devices) device.send();
    expect(server.chat.messageIds(thread_id)).toHaveLength(1);
  });
});

describe('redactions', () => {
  it('[GT11] one redacts own messages; then any peer may delete what still stands there', () => {
    const server = createServer();
    const ada = join(server, 'ada');
    const message_id = say(ada.chat, 'ada', 'secret one');
    ada.send();
    const bob = join(server, 'bob');
    bob.chat.edit({ message_id, author_id: 'bob', content: 'secret two' });
    // Redacted on another device before the edit has come there.
    ada.disconnect();
    ada.chat.redact({ message_id, by: 'ada' });
    bob.send();
    expect(ada.connect()).toMatchObject({ ok: true });
    ada.send();
    bob.send();
    expect(server.chat.toJSONL()).not.toContain('secret');
    expect(server.chat.message(message_id)?.redacted).toBe(true);
    expect(bob.chat.digest()).toBe(server.chat.digest());
  });

  it('[GT11] a message that was redacted offline comes with its text gone', () => {
    const server = createServer();
    for (const gc of [true, false]) {
      const ada = new Member(server, `ada ${gc}`, 'ada', gc);
      const message_id = say(ada.chat, 'ada', 'secret');
      ada.chat.redact({ message_id, by: 'ada' });
      expect(ada.connect()).toMatchObject({ ok: true });
      expect(server.chat.message(message_id)).toMatchObject({ redacted: true, content: '' });
    }
    expect(server.chat.quarantine()).toEqual([]);
  });

  it('[GT11] text that streams on while its message is redacted elsewhere passes, and is taken back', () => {
    const server = createServer();
    const [phone, laptop] = [join(server, 'phone', 'ada'), join(server, 'laptop', 'ada')];
    const { thread_id } = phone.chat.createThread({ created_by: 'ada' });
    const stream = phone.chat.openMessage({ thread_id, sender_id: 'ada' });
    const part = stream.openPart();
    part.append('secret ');
    phone.send();
    laptop.chat.redact({ message_id: stream.message_id, by: 'ada' });
    part.append('streams on');
    laptop.send();
    phone.send();
    part.append(' and on');
    stream.finish({ finish_reason: 'stop' });
    for (let round = 0; round < 2; round += 1) for (const member of [phone, laptop]) member.send();
    expect(server.chat.toJSONL()).not.toMatch(/secret|streams on|and on/);
    expect(phone.chat.digest()).toBe(server.chat.digest());
    expect(laptop.chat.digest()).toBe(server.chat.digest());
  });

  it('[GT8] [GT11] a stream goes on in a lane of which an earlier line is redacted meanwhile', () => {
    const server = createServer();
    const ada = join(server, 'ada');
    const message_id = say(ada.chat, 'ada', 'secret');
    const { thread_id } = ada.chat.threads()[0] as { thread_id: string };
    const stream = ada.chat.openMessage({ thread_id, sender_id: 'ada' });
    const part = stream.openPart();
    part.append('one');
    ada.send();
    expect(findLane(server.doc, 'secret').text).toContain('"text":"one');
    ada.chat.redact({ message_id, by: 'ada' });
    ada.send();
    part.append(' two');
    ada.send();
    stream.finish({ finish_reason: 'stop' });
    ada.send();
    expect(server.chat.message(stream.message_id)?.content).toBe('one two');
    expect(server.chat.toJSONL()).not.toContain('secret');
  });

  it('[GT11] a rule lets a moderator redact', () => {
    const authorize = (assertion: Assertion): boolean =>
      assertion.action === 'redact' ? assertion.user === 'mod' : allowOwnName(assertion);
    const server = createServer({ authorize });
    const ada = join(server, 'ada');
    const message_id = say(ada.chat, 'ada', 'rude');
    ada.send();
    const mod = join(server, 'mod');
    mod.chat.redact({ message_id, by: 'mod' });
    mod.send();
    expect(ada.chat.message(message_id)?.redacted).toBe(true);
    ada.chat.redact({ message_id: say(ada.chat, 'ada'), by: 'ada' });
    expect(ada.flush().at(-1)).toMatchObject({ code: 'redaction' });
  });
});

describe('imports', () => {
  const authorize = (assertion: Assertion): boolean =>
    assertion.action === 'import' ? assertion.user === 'admin' : allowOwnName(assertion);

  it('[GT12] who may import brings lanes of others, which nobody goes on in', () => {
    const server = createServer({ authorize });
    const elsewhere = join(createServer(), 'ada');
    say(elsewhere.chat, 'ada', 'of ada');
    const admin = join(server, 'admin');
    expect(admin.chat.importJSONL(elsewhere.chat.toJSONL())).toMatchObject({ ok: true });
    admin.send();
    expect(server.chat.digest()).toBe(elsewhere.chat.digest());
    for (const user of ['admin', 'ada']) {
      const update = extend(server, 'of ada', user);
      expect(server.gate.check(update, server.gate.connect(user))).toMatchObject({ code: 'foreign_client' });
    }
    restart(server);
    const update = extend(server, 'of ada', 'ada');
    expect(server.gate.check(update, server.gate.connect('ada'))).toMatchObject({ code: 'foreign_client' });
    // What was imported is whose header stands above it.
    const { message_id } = server.chat.messages(server.chat.threads()[0]?.thread_id ?? '')[0] as {
      message_id: string;
    };
    const ada = join(server, 'ada');
    ada.chat.redact({ message_id, by: 'ada' });
    ada.send();
    const mallory = join(server, 'mallory');
    expect(mallory.chat.message(message_id)?.redacted).toBe(true);
  });

  it('[GT12] and says which document this is, in a lane of its own', () => {
    const server = createServer({ authorize });
    const entry = { type: 'document', id: idAt(0, 'd'), doc_id: DOC_ID };
    const update = forgeLane(server.doc, 'admin', [entry]);
    const admin = server.gate.connect('admin');
    expect(server.gate.receive(update, admin)).toMatchObject({ ok: true });
    expect(server.chat.docId()).toBe(DOC_ID);
    const more = extend(server, DOC_ID, 'admin');
    expect(server.gate.check(more, admin)).toMatchObject({ ok: true });
  });
});

describe('what a host allows', () => {
  it('[GT2] other roots, with deletions and nested types, beside the chat', () => {
    const server = createServer({ others: ['notes'] });
    const ada = join(server, 'ada');
    const notes = ada.doc.getMap('notes');
    notes.set('a', new Y.Map([['b', new Y.Text('c')]]));
    say(ada.chat, 'ada');
    notes.delete('a');
    notes.set('d', 1);
    ada.send();
    const late = new Member(server, 'late', 'bob');
    late.doc.getMap('notes').set('x', new Y.Array());
    late.doc.getMap('notes').delete('x');
    expect(late.connect()).toMatchObject({ ok: true });
    expect(server.doc.getMap('notes').toJSON()).toEqual({ d: 1 });
    const { client } = findLane(server.doc, '"user_id":"ada"');
    const forged = forge(server.doc, (_, doc) => doc.getMap('notes').set('y', 1), client);
    expect(server.gate.check(forged, late.principal as never)).toMatchObject({ code: 'foreign_client' });
  });

  it('[GT7] lines and headers of later schemas', () => {
    const server = createServer({ allowLater: true });
    const later = [{ type: 'poll', id: idAt(0), question: '?' }];
    const ada = server.gate.connect('ada');
    expect(server.gate.receive(forgeLane(server.doc, 'ada', later), ada)).toMatchObject({ ok: true });
    const hidden = forgeLane(server.doc, 'ada', later, { min_reader: 3, schema_version: 3 });
    expect(server.gate.receive(hidden, ada)).toMatchObject({ ok: true });
    expect(server.chat.report().unknown_types).toEqual({ poll: 1 });
    // What readers do not fold is no redaction.
    const member = join(server, 'ada 2', 'ada');
    const message_id = say(member.chat, 'ada', 'shown');
    member.send();
    const redaction = { type: 'redaction', id: idAt(0, 'r'), message_id, by: 'ada', date: DATE };
    const unread = forgeLane(server.doc, 'ada', [redaction], { min_reader: 3 });
    expect(server.gate.receive(unread, ada)).toMatchObject({ ok: true });
    const { key, text } = findLane(server.doc, 'shown');
    const deletion = forge(server.doc, (map) => (map.get(key) as Y.Text).delete(text.indexOf('shown'), 5));
    expect(server.gate.check(deletion, ada)).toMatchObject({ code: 'deletion' });
    const deaf = createServer({ allowLater: true, authorize: ({ action }) => action !== 'later' });
    const update = forgeLane(deaf.doc, 'ada', later);
    expect(deaf.gate.check(update, deaf.gate.connect('ada'))).toMatchObject({ code: 'author' });
  });
});

describe('following the document', () => {
  it('[GT17] what the server writes itself counts at once', () => {
    const server = createServer();
    const ada = join(server, 'ada');
    const { thread_id } = ada.chat.createThread({ created_by: 'ada' });
    ada.send();
    const host = new Member(server, 'host', 'host');
    Y.applyUpdate(host.doc, Y.encodeStateAsUpdate(server.doc), 'server');
    const stream = host.chat.openMessage({ thread_id, sender_id: 'host' });
    const part = stream.openPart();
    for (const text of ['one ', 'two ', 'three']) part.append(text);
    Y.applyUpdate(server.doc, Y.encodeStateAsUpdate(host.doc));
    part.append(' four');
    const mallory = join(server, 'mallory');
    const own = forgeLane(server.doc, 'mallory', [
      { type: 'part', attempt: stream.message_id, n: 2, text: 'x' },
    ]);
    expect(server.gate.check(own, mallory.principal as never)).toMatchObject({ code: 'attempt' });
    const update = host.outbox.pop() as Uint8Array;
    expect(server.gate.check(update, mallory.principal as never)).toMatchObject({ code: 'foreign_client' });
    expect(server.gate.receive(update, server.gate.connect('host'))).toMatchObject({ ok: true });
    expect(server.chat.message(stream.message_id)?.content).toBe('one two three four');
  });

  it('[GT17] an open line that can take no text is left as it stands', () => {
    const server = createServer();
    const lane_id = idAt(0, 'torn');
    const text = `${headerLine({ lane_id, user_id: 'ada' })}\n{"type":"part","attempt":`;
    Y.applyUpdate(
      server.doc,
      forge(server.doc, (map) => map.set(lane_id, new Y.Text(text))),
    );
    const { client } = findLane(server.doc, lane_id);
    const more = forge(server.doc, (map) => (map.get(lane_id) as Y.Text).insert(text.length, 'x'), client);
    expect(server.gate.check(more, server.gate.connect('ada'))).toMatchObject({ code: 'open_line' });
  });

  it('[GT17] closed, it follows no more', () => {
    const server = createServer();
    const listeners = server.doc._observers.get('afterTransaction')?.size ?? 0;
    server.gate.close();
    expect(server.doc._observers.get('afterTransaction')?.size).toBe(listeners - 1);
  });
});

describe('costs', () => {
  it('[GT8] a token costs what it brings, however long the line and the document are', () => {
    const server = createServer();
    const ada = join(server, 'ada');
    const { thread_id } = ada.chat.createThread({ created_by: 'ada' });
    const part = ada.chat.openMessage({ thread_id, sender_id: 'ada' }).openPart();
    part.append('x');
    ada.send();
    const cost = (count: number): number => {
      for (let n = 0; n < count; n += 1) part.append('token ');
      const updates = ada.outbox.splice(0);
      return countSteps(() => {
        for (const update of updates) {
          if (!server.gate.receive(update, ada.principal as never).ok) throw new Error('refused');
        }
      });
    };
    const short = cost(100);
    part.append('y'.repeat(200_000));
    ada.send();
    const long = cost(100);
    // A line of 200 KB: were it read for every token, each would take as many steps more.
    expect(long).toBeLessThan(1.5 * short);
  });
});
