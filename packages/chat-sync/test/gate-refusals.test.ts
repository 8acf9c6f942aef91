import { type AttemptWriter, deriveAnswerId, formatDate } from '@chatdoc/schema';
import { describe, expect, it } from 'vitest';
import * as Y from 'yjs';
import type { GateOptions } from '../src/gate/gate.js';
import type { GateRefusalCode } from '../src/gate/refusal.js';
import {
  createServer,
  DOC_ID,
  findLane,
  forge,
  forgeLane,
  headerLine,
  idAt,
  join,
  type Member,
  type Server,
  START,
} from './hostile-world.js';

const DATE = formatDate(START);

interface World {
  readonly server: Server;
  readonly ada: Member;
  readonly mallory: Member;
  readonly thread_id: string;
  readonly message_id: string;
  readonly prompt_id: string;
  readonly stream: AttemptWriter;
}

/** Ada has a thread, a message, a prompt, and streams an answer in the name of her agent. */
function createWorld(options: Partial<GateOptions> = {}): World {
  const server = createServer(options);
  const ada = join(server, 'ada');
  const mallory = join(server, 'mallory');
  const { chat } = ada;
  const { thread_id } = chat.createThread({ created_by: 'ada' });
  const { message_id } = chat.send({ thread_id, sender_id: 'ada', content: 'of ada' });
  const prompt = chat.send({ thread_id, sender_id: 'ada', content: 'why?', expects: 'answer' });
  const stream = chat.openAttempt({ prompt_id: prompt.message_id, sender_id: 'ada', runner_id: 'r' });
  stream.openPart().append('streamed');
  ada.send();
  return { server, ada, mallory, thread_id, message_id, prompt_id: prompt.message_id, stream };
}

const message = (fields: object = {}): object => ({
  type: 'message',
  message_id: idAt(0, 'message of mallory'),
  thread_id: idAt(0, 'thread'),
  sender_id: 'mallory',
  date: DATE,
  content: 'x',
  ...fields,
});

/** A lane of mallory with these lines. */
const lane =
  (...lines: readonly (object | string)[]) =>
  ({ server }: World): Uint8Array =>
    forgeLane(server.doc, 'mallory', lines);

function textOf(map: Y.Map<unknown>, key: string): Y.Text {
  return map.get(key) as Y.Text;
}

/** What mallory sends, what the gate says, and the rule. `options` are the gate's. */
interface Case {
  readonly rule: string;
  readonly code: GateRefusalCode;
  readonly what: string;
  readonly make: (world: World) => Uint8Array;
  readonly options?: Partial<GateOptions>;
}

const cases: readonly Case[] = [
  {
    rule: 'GT2',
    code: 'unknown_root',
    what: 'another root',
    make: ({ server }) => forge(server.doc, (_, doc) => doc.getMap('other').set('a', 1)),
  },
  {
    rule: 'GT2',
    code: 'content',
    what: 'an entry that is no text',
    make: ({ server }) => forge(server.doc, (map) => map.set(idAt(0, 'k'), 'value')),
  },
  {
    rule: 'GT2',
    code: 'nothing',
    what: 'a struct whose parent is gone',
    make: ({ server }) => forge(server.doc, (_, doc) => Y.applyUpdate(doc, gcUpdate(7, 5))),
  },
  {
    rule: 'GT3',
    code: 'key',
    what: 'a key that is no ULID',
    make: ({ server }) => forge(server.doc, (map) => map.set('lane', new Y.Text('x'))),
  },
  {
    rule: 'GT3',
    code: 'key_taken',
    what: 'a text set on an existing key',
    make: ({ server }) =>
      forge(server.doc, (map) => map.set(findLane(server.doc, 'of ada').key, new Y.Text('x'))),
  },
  {
    rule: 'GT3',
    code: 'key_taken',
    what: 'a key set beside an existing one, as if unseen',
    make: ({ server }) =>
      forge(new Y.Doc(), (map) => map.set(findLane(server.doc, 'of ada').key, new Y.Text('x'))),
  },
  {
    rule: 'GT3',
    code: 'deletion',
    what: 'a lane deleted from the map',
    make: ({ server }) => forge(server.doc, (map) => map.delete(findLane(server.doc, 'of ada').key)),
  },
  {
    rule: 'GT3',
    code: 'future_stamp',
    what: 'a key of tomorrow',
    make: ({ server }) => forge(server.doc, (map) => map.set(idAt(1440, 'k'), new Y.Text('x'))),
  },
  {
    rule: 'GT3',
    code: 'key_taken',
    what: 'one key set twice by one update',
    make: () => {
      const lane_id = idAt(0, 'twice');
      const header = (writer: string): string => headerLine({ lane_id, user_id: 'mallory', writer });
      const lanes = ['one', 'two'].map((writer) =>
        forge(new Y.Doc(), (map) => map.set(lane_id, new Y.Text(`${header(writer)}\n`))),
      );
      return Y.mergeUpdates(lanes);
    },
  },
  {
    rule: 'GT4',
    code: 'not_appended',
    what: 'text before foreign text that a document holds',
    make: ({ server, mallory, thread_id }) => {
      mallory.chat.send({ thread_id, sender_id: 'mallory', content: 'of mallory' });
      mallory.send();
      const { key, client, text } = findLane(server.doc, 'of mallory');
      const foreign = forge(server.doc, (map) => textOf(map, key).insert(text.length, 'foreign'));
      Y.applyUpdate(server.doc, foreign, 'server');
      const line = `${JSON.stringify(message())}\n`;
      return forge(server.doc, (map) => textOf(map, key).insert(text.length, line), client);
    },
  },
  {
    rule: 'GT4',
    code: 'foreign_text',
    what: 'text in a lane of another',
    make: ({ server }) =>
      forge(server.doc, (map) => {
        const { key, text } = findLane(server.doc, 'of ada');
        textOf(map, key).insert(text.length, `${JSON.stringify(message())}\n`);
      }),
  },
  {
    rule: 'GT4',
    code: 'foreign_text',
    what: 'text at the start of a lane of another',
    make: ({ server }) =>
      forge(server.doc, (map) => textOf(map, findLane(server.doc, 'of ada').key).insert(0, 'x')),
  },
  {
    rule: 'GT4',
    code: 'not_appended',
    what: 'text within its own lane',
    make: (world) => {
      const { mallory, server } = world;
      mallory.chat.send({ thread_id: world.thread_id, sender_id: 'mallory', content: 'of mallory' });
      mallory.send();
      const { key, client } = findLane(server.doc, 'of mallory');
      return forge(server.doc, (map) => textOf(map, key).insert(5, 'x'), client);
    },
  },
  {
    rule: 'GT4',
    code: 'not_appended',
    what: 'text in a lane that its client has left',
    make: ({ server, mallory, thread_id }) => {
      for (let n = 0; n < 300; n += 1)
        mallory.chat.send({ thread_id, sender_id: 'mallory', content: `of mallory ${n}` });
      mallory.send();
      const { key, client, text } = findLane(server.doc, 'of mallory 7"');
      expect(findLane(server.doc, 'of mallory 299').client).toBe(client);
      return forge(
        server.doc,
        (map) => textOf(map, key).insert(text.length, `${JSON.stringify(message())}\n`),
        client,
      );
    },
  },
  {
    rule: 'GT5',
    code: 'foreign_client',
    what: "text under another's clientID",
    make: ({ server }) => {
      const { key, client, text } = findLane(server.doc, 'of ada');
      return forge(server.doc, (map) => textOf(map, key).insert(text.length, '{"type":"x"}\n'), client);
    },
  },
  {
    rule: 'GT5',
    code: 'foreign_client',
    what: "a lane of its own under another's clientID",
    make: ({ server }) => {
      const { client } = findLane(server.doc, 'of ada');
      const lane_id = idAt(0, 'stolen');
      const text = `${headerLine({ lane_id, user_id: 'mallory' })}\n`;
      return forge(server.doc, (map) => map.set(lane_id, new Y.Text(text)), client);
    },
  },
  {
    rule: 'GT6',
    code: 'header',
    what: 'a lane without text',
    make: ({ server }) => forge(server.doc, (map) => map.set(idAt(0, 'e'), new Y.Text())),
  },
  {
    rule: 'GT6',
    code: 'header',
    what: 'a lane without a header',
    make: ({ server }) =>
      forge(server.doc, (map) => map.set(idAt(0, 'n'), new Y.Text(`${JSON.stringify(message())}\n`))),
  },
  {
    rule: 'GT6',
    code: 'header',
    what: 'a header that does not end',
    make: ({ server }) =>
      forge(server.doc, (map) =>
        map.set(idAt(0, 'h'), new Y.Text(headerLine({ lane_id: idAt(0, 'h'), user_id: 'mallory' }))),
      ),
  },
  {
    rule: 'GT6',
    code: 'header',
    what: 'a header of another lane',
    make: ({ server }) => forgeLane(server.doc, 'mallory', [], { lane_id: idAt(0, 'of none') }).slice(),
  },
  {
    rule: 'GT6',
    code: 'header',
    what: 'a header that fails its schema',
    make: ({ server }) => forgeLane(server.doc, 'mallory', [], { writer_id: 'x' }),
  },
  {
    rule: 'GT6',
    code: 'generation',
    what: 'a header of another generation',
    make: ({ server }) => forgeLane(server.doc, 'mallory', [], { generation: 2 }),
  },
  {
    rule: 'GT6',
    code: 'user',
    what: 'a header of another user',
    make: ({ server }) => forgeLane(server.doc, 'ada', []),
  },
  {
    rule: 'GT6',
    code: 'user',
    what: 'a header of no user',
    make: ({ server }) => forgeLane(server.doc, undefined, []),
  },
  {
    rule: 'GT6',
    code: 'writer',
    what: "another's writer_id",
    make: ({ server }) => {
      const header = JSON.parse(findLane(server.doc, 'streamed').text.split('\n')[0] as string) as Record<
        string,
        unknown
      >;
      return forgeLane(server.doc, 'mallory', [], { writer_id: header['writer_id'] });
    },
  },
  {
    rule: 'GT6',
    code: 'unknown_type',
    what: 'a header for later readers',
    make: ({ server }) => forgeLane(server.doc, 'mallory', [], { min_reader: 3 }),
  },
  { rule: 'GT7', code: 'line', what: 'a line that is no JSON', make: lane('{"type":"message"') },
  { rule: 'GT7', code: 'line', what: 'a line without a type', make: lane({ a: 1 }) },
  {
    rule: 'GT7',
    code: 'line',
    what: 'a head that is not whole',
    make: lane({ ...message(), message_id: 'x' }),
  },
  {
    rule: 'GT7',
    code: 'line',
    what: 'a reserved key',
    make: lane(JSON.stringify(message()).replace('"content"', '"__proto__":{},"content"')),
  },
  {
    rule: 'GT7',
    code: 'line',
    what: 'nesting beyond 32',
    make: lane(message({ legacy: JSON.parse('['.repeat(40) + ']'.repeat(40)) as object })),
  },
  {
    rule: 'GT7',
    code: 'schema',
    what: 'a body that does not fit its schema',
    make: lane(message({ date: 'today' })),
  },
  {
    rule: 'GT7',
    code: 'schema',
    what: 'a second id behind the head',
    make: lane(
      JSON.stringify(message()).replace('"content"', `"message_id":"${idAt(0, 'other')}","content"`),
    ),
  },
  {
    rule: 'GT7',
    code: 'schema',
    what: 'a second number of a part',
    make: lane(`{"type":"part","attempt":"${idAt(0, 'message of mallory')}","n":10,"n":1,"text":"x"}`),
  },
  {
    rule: 'GT7',
    code: 'schema',
    what: 'an answer out of its head',
    make: lane(message({ attempt: idAt(0, 'a'), prompt_id: idAt(0, 'p') })),
  },
  {
    rule: 'GT7',
    code: 'schema',
    what: 'an answer whose id is not derived from its prompt',
    make: ({ server, thread_id, message_id }) =>
      forgeLane(server.doc, 'mallory', [
        {
          type: 'message',
          message_id,
          thread_id,
          prompt_id: idAt(0, 'p'),
          attempt: idAt(0, 'a'),
          sender_id: 'mallory',
          date: DATE,
        },
      ]),
  },
  {
    rule: 'GT7',
    code: 'unknown_type',
    what: 'a type of a later schema',
    make: lane({ type: 'poll', id: idAt(0) }),
  },
  {
    rule: 'GT7',
    code: 'future_stamp',
    what: 'a stamp six minutes ahead',
    make: lane(message({ message_id: idAt(7, 'f') })),
  },
  {
    rule: 'GT7',
    code: 'future_stamp',
    what: 'an attempt six minutes ahead',
    make: ({ server }) => forgeLane(server.doc, 'mallory', [attemptLine(idAt(0, 'p'), idAt(7, 'f'))]),
  },
  {
    rule: 'GT7',
    code: 'entry_size',
    what: 'an entry of 65 fields',
    make: lane(message(Object.fromEntries(Array.from({ length: 60 }, (_, i) => [`x${i}`, i])))),
  },
  {
    rule: 'GT7',
    code: 'entry_size',
    what: 'a value of 300 KB',
    make: lane(message({ legacy: 'x'.repeat(300_000) })),
  },
  { rule: 'GT7', code: 'surrogate', what: 'a raw surrogate', make: lane(message({ content: '😀' })) },
  {
    rule: 'GT8',
    code: 'open_line',
    what: 'an open line that is no part',
    make: ({ server }) => openLane(server, '{"type":"message","message_id":"'),
  },
  {
    rule: 'GT8',
    code: 'open_line',
    what: 'an open part whose text has not begun',
    make: ({ server }) => openLane(server, `${openPart()},"kind":"te`),
  },
  {
    rule: 'GT8',
    code: 'open_line',
    what: 'an open part that ends within an escape',
    make: ({ server }) => openLane(server, `${openPart()},"text":"a\\`),
  },
  {
    rule: 'GT8',
    code: 'open_line',
    what: 'an open part whose text is not its last string',
    make: ({ server }) => openLane(server, `${openPart()},"text":"a","title":"`),
  },
  {
    rule: 'GT8',
    code: 'surrogate',
    what: 'an open part with a raw surrogate',
    make: ({ server }) => openLane(server, `${openPart()},"text":"😀`),
  },
  ...['"', '","title":"', '\\', '\\x', '\\u12', '\u0001'].map((chunk) => ({
    rule: 'GT8',
    code: 'open_line' as const,
    what: `a chunk ${JSON.stringify(chunk)} for an open line`,
    make: ({ server, mallory }: World) => growLane(server, mallory, chunk),
  })),
  {
    rule: 'GT8',
    code: 'surrogate',
    what: 'a chunk with a raw surrogate',
    make: ({ server, mallory }) => growLane(server, mallory, '😀'),
  },
  {
    rule: 'GT8',
    code: 'line',
    what: 'an end of line that leaves no JSON',
    make: ({ server, mallory }) => growLane(server, mallory, '\n'),
  },
  { rule: 'GT9', code: 'author', what: 'a message of another', make: lane(message({ sender_id: 'ada' })) },
  ...(
    [
      { type: 'thread', thread_id: idAt(0, 't'), created_at: DATE, created_by: 'ada', purpose: 'chat' },
      {
        type: 'thread_config',
        id: idAt(0, 'c'),
        thread_id: idAt(0, 't'),
        updated_at: DATE,
        updated_by: 'ada',
      },
      {
        type: 'revision',
        id: idAt(0, 'r'),
        message_id: idAt(0, 'm'),
        author_id: 'ada',
        date: DATE,
        content: 'x',
      },
      { type: 'stop', id: idAt(0, 's'), message_id: idAt(0, 'm'), epoch: 1, by: 'ada' },
      { type: 'retry', id: idAt(0, 's'), message_id: idAt(0, 'm'), epoch: 2, by: 'ada' },
      { type: 'annotation', id: idAt(0, 'a'), message_id: idAt(0, 'm'), user_id: 'ada', key: 'k', value: 1 },
      { type: 'variables', id: idAt(0, 'v'), scope: 'user', scope_id: 'ada', values: {} },
    ] as const
  ).map((entry) => ({
    rule: 'GT9',
    code: 'author' as const,
    what: `a ${entry.type} of another`,
    make: lane(entry),
  })),
  {
    rule: 'GT10',
    code: 'id_taken',
    what: "a message under another's id",
    make: ({ server, thread_id, message_id }) =>
      forgeLane(server.doc, 'mallory', [message({ message_id, thread_id, content: 'x'.repeat(100) })]),
  },
  {
    rule: 'GT10',
    code: 'id_taken',
    what: "a thread under another's id",
    make: ({ server, thread_id }) =>
      forgeLane(server.doc, 'mallory', [
        { type: 'thread', thread_id, created_at: DATE, created_by: 'mallory', purpose: 'chat' },
      ]),
  },
  {
    rule: 'GT10',
    code: 'attempt',
    what: "a part of another's attempt",
    make: ({ server, stream }) =>
      forgeLane(server.doc, 'mallory', [{ type: 'part', attempt: stream.attempt, n: 2, text: 'x' }]),
  },
  {
    rule: 'GT10',
    code: 'attempt',
    what: "an open part of another's message",
    make: ({ server, message_id }) => openLane(server, `${openPart(message_id)},"text":"`),
  },
  {
    rule: 'GT10',
    code: 'attempt',
    what: "the finish of another's attempt",
    make: ({ server, stream }) =>
      forgeLane(server.doc, 'mallory', [
        { type: 'finish', id: idAt(0, 'f'), attempt: stream.attempt, finish_reason: 'stop' },
      ]),
  },
  {
    rule: 'GT10',
    code: 'attempt',
    what: "an answer that takes another's attempt",
    make: ({ server, stream }) =>
      forgeLane(server.doc, 'mallory', [attemptLine(idAt(0, 'p'), stream.attempt)]),
  },
  {
    rule: 'GT10',
    code: 'attempt',
    what: "an answer whose attempt is another's message",
    make: ({ server, message_id }) =>
      forgeLane(server.doc, 'mallory', [attemptLine(idAt(0, 'p'), message_id)]),
  },
  {
    rule: 'GT10',
    code: 'attempt',
    what: "a message whose id is another's attempt",
    make: ({ server, stream }) => forgeLane(server.doc, 'mallory', [message({ message_id: stream.attempt })]),
  },
  {
    rule: 'GT11',
    code: 'redaction',
    what: "a redaction of another's message",
    make: ({ mallory, message_id }) => {
      mallory.chat.redact({ message_id, by: 'mallory' });
      return mallory.outbox.pop() as Uint8Array;
    },
  },
  {
    rule: 'GT11',
    code: 'redaction',
    what: 'a redaction of an answer in which another has an attempt',
    make: ({ server, thread_id, prompt_id }) => {
      const own = { ...attemptLine(prompt_id, idAt(0, 'own attempt')), thread_id };
      const redaction = {
        type: 'redaction',
        id: idAt(0, 'x'),
        message_id: deriveAnswerId(prompt_id),
        by: 'mallory',
        date: DATE,
      };
      return forgeLane(server.doc, 'mallory', [own, redaction]);
    },
  },
  {
    rule: 'GT11',
    code: 'deletion',
    what: 'a deletion of text without a redaction',
    make: ({ server }) => deleteIn(server, 'of ada', 'of ada'),
  },
  {
    rule: 'GT11',
    code: 'deletion',
    what: 'a deletion of a line',
    make: ({ server }) =>
      deleteIn(server, 'of ada', findLane(server.doc, 'of ada').text.split('\n')[2] as string),
  },
  {
    rule: 'GT11',
    code: 'deletion',
    what: 'a deletion of a header',
    make: ({ server }) => deleteIn(server, 'of ada', '"user_id":"ada"'),
  },
  {
    rule: 'GT11',
    code: 'deletion',
    what: "a deletion beside a redacted message's text",
    make: (world) => {
      redactOwn(world);
      return deleteIn(world.server, `"message_id":"${world.message_id}","thread_id"`, '"sender_id":"ada"');
    },
  },
  {
    rule: 'GT11',
    code: 'deletion',
    what: 'half an escape of redacted text deleted',
    make: ({ server, ada, thread_id }) => {
      const { message_id } = ada.chat.send({ thread_id, sender_id: 'ada', content: 'half \\"' });
      ada.send();
      const redaction = { type: 'redaction', id: idAt(0, 'r'), message_id, by: 'ada', date: DATE };
      const lane_id = idAt(0, 'lane of ada');
      const header = headerLine({ lane_id, user_id: 'ada', writer: 'ada 2' });
      const only = forge(server.doc, (map) =>
        map.set(lane_id, new Y.Text(`${header}\n${JSON.stringify(redaction)}\n`)),
      );
      expect(server.gate.receive(only, ada.principal as never)).toMatchObject({ ok: true });
      return deleteIn(server, 'half ', '\\\\\\"', 3);
    },
  },
  {
    rule: 'GT11',
    code: 'deletion',
    what: 'new text that is deleted already, without a redaction',
    make: ({ server }) => deletedLane(server, message({ content: 'gone' }), 'gone'),
  },
  {
    rule: 'GT11',
    code: 'redaction',
    what: 'a redaction of an answer in which another has an attempt, by who was first',
    make: ({ server, mallory, ada, thread_id, prompt_id }) => {
      const asked = ada.chat.send({ thread_id, sender_id: 'ada', content: 'more?', expects: 'answer' });
      ada.send();
      for (const member of [mallory, ada]) {
        const user = member.user as string;
        member.chat.openAttempt({ prompt_id: asked.message_id, sender_id: user, runner_id: 'r' });
        member.send();
      }
      expect(asked.message_id).not.toBe(prompt_id);
      const message_id = deriveAnswerId(asked.message_id);
      return forgeLane(server.doc, 'mallory', [
        { type: 'redaction', id: idAt(0, 'x'), message_id, by: 'mallory', date: DATE },
      ]);
    },
  },
  {
    rule: 'GT11',
    code: 'deletion',
    what: 'a deletion of a newline',
    make: ({ server }) => {
      const { key, text } = findLane(server.doc, 'of ada');
      return forge(server.doc, (map) => textOf(map, key).delete(text.length - 1, 1));
    },
  },
  {
    rule: 'GT11',
    code: 'deletion',
    what: 'a deletion of foreign text that a document holds',
    make: ({ server }) => {
      const { key, text } = findLane(server.doc, 'of ada');
      const foreign = forge(server.doc, (map) => textOf(map, key).insert(text.length, 'foreign'));
      Y.applyUpdate(server.doc, foreign, 'server');
      return forge(server.doc, (map) => textOf(map, key).delete(text.length, 7));
    },
  },
  {
    rule: 'GT11',
    code: 'deletion',
    what: 'an open line whose text is deleted already, without a redaction',
    make: ({ server }) => deletedText(openLane(server, `${openPart()},"text":"gone`), 'gone'),
  },
  {
    rule: 'GT11',
    code: 'deletion',
    what: 'a chunk for an open line that is deleted already, without a redaction',
    make: ({ server, mallory }) => deletedText(growLane(server, mallory, 'gone'), 'gone', server.doc),
  },
  {
    rule: 'GT11',
    code: 'deletion',
    what: 'new text whose author is deleted already',
    make: ({ server }) => deletedLane(server, message({ content: 'gone' }), 'allory'),
  },
  {
    rule: 'GT12',
    code: 'import',
    what: 'a second header in a lane',
    make: ({ server }) =>
      forgeLane(server.doc, 'mallory', [headerLine({ lane_id: idAt(0, 'second'), user_id: 'ada' })]),
  },
  {
    rule: 'GT12',
    code: 'import',
    what: 'a rolled-back lane',
    make: ({ server }) => forgeLane(server.doc, 'mallory', [], { rolled_back: 'x' }),
  },
  {
    rule: 'GT12',
    code: 'import',
    what: 'a document entry',
    make: lane({ type: 'document', id: idAt(0, 'd'), doc_id: DOC_ID, rolled_back: { from: 0, to: 9 } }),
  },
  {
    rule: 'GT12',
    code: 'import',
    what: 'a legacy row',
    make: lane({ type: 'legacy_row', id: idAt(0, 'd'), row: 1 }),
  },
  {
    rule: 'GT12',
    code: 'header',
    what: "a copy of another's lane",
    make: ({ mallory, server }) => {
      const other = createServer();
      const eve = join(other, 'eve');
      eve.chat.createThread({ created_by: 'eve' });
      mallory.chat.importJSONL(eve.chat.toJSONL());
      expect(server.doc.getMap('chat').size).toBeGreaterThan(0);
      return mallory.outbox.pop() as Uint8Array;
    },
  },
  {
    rule: 'GT13',
    code: 'too_large',
    what: 'an update beyond its bytes',
    make: lane(message({ content: 'x'.repeat(5000) })),
    options: { limits: { live: limitsOf({ bytes: 4096 }) } },
  },
  {
    rule: 'GT13',
    code: 'too_many_structs',
    what: 'an update beyond its structs',
    make: lane(),
    options: { limits: { live: limitsOf({ structs: 1 }) } },
  },
  {
    rule: 'GT13',
    code: 'too_many_clients',
    what: 'an update beyond its clients',
    make: lane(),
    options: { limits: { live: limitsOf({ clients: 0 }) } },
  },
  {
    rule: 'GT13',
    code: 'too_many_clients',
    what: 'a connection beyond its clients',
    make: lane(),
    options: { limits: { clients: 0 } },
  },
  {
    rule: 'GT13',
    code: 'too_many_deletions',
    what: 'an update beyond its deletions',
    make: ({ server }) => deleteIn(server, 'of ada', 'of ada'),
    options: { limits: { live: limitsOf({ deletions: 0 }) } },
  },
  {
    rule: 'GT13',
    code: 'too_many_rivals',
    what: 'many clients at one place',
    make: ({ server }) => {
      const doc = new Y.Doc();
      const copies = [1, 2, 3].map((client) =>
        forge(server.doc, (map) => map.set('k', new Y.Text('x')), client),
      );
      for (const copy of copies) Y.applyUpdate(doc, copy);
      return Y.encodeStateAsUpdate(doc);
    },
    options: { limits: { live: limitsOf({ rivals: 1 }) } },
  },
  {
    rule: 'GT13',
    code: 'clock_jump',
    what: 'a struct that claims many clocks',
    make: () => gcUpdate(7, 2_000_000),
  },
  {
    rule: 'GT13',
    code: 'too_deep',
    what: 'deep types in another root',
    make: ({ server }) => forge(server.doc, (_, doc) => nest(doc.getMap('other'), 40)),
    options: { others: ['other'] },
  },
  {
    rule: 'GT13',
    code: 'malformed',
    what: 'bytes behind an update',
    make: (world) => new Uint8Array([...lane()(world), 0]),
  },
  {
    rule: 'GT14',
    code: 'gap',
    what: 'an update whose start is missing',
    make: ({ mallory, thread_id }) => {
      mallory.chat.send({ thread_id, sender_id: 'mallory', content: '1' });
      mallory.chat.send({ thread_id, sender_id: 'mallory', content: '2' });
      return mallory.outbox.pop() as Uint8Array;
    },
  },
];

function limitsOf(limits: object): never {
  const all = { bytes: 1e6, structs: 1e5, clients: 64, deletions: 1e4, jump: 1e6, depth: 32, rivals: 64 };
  return { ...all, ...limits } as never;
}

function nest(map: Y.Map<unknown>, depth: number): void {
  const inner = new Y.Map<unknown>();
  map.set('a', inner);
  if (depth > 0) nest(inner, depth - 1);
}

/** One GC struct. */
function gcUpdate(client: number, length: number): Uint8Array {
  const bytes: number[] = [1, 1, client, 0, 0];
  let rest = length;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest & 127) | 128);
  return new Uint8Array([...bytes, rest, 0]);
}

function openPart(attempt = idAt(0, 'message of mallory')): string {
  return `{"type":"part","attempt":"${attempt}","n":1`;
}

let opened = 0;

/** A lane of mallory that ends with an open line. */
function openLane({ doc }: Server, open: string): Uint8Array {
  opened += 1;
  const lane_id = idAt(0, `open ${opened}`);
  const text = `${headerLine({ lane_id, user_id: 'mallory' })}\n${open}`;
  return forge(doc, (map) => map.set(lane_id, new Y.Text(text)));
}

/** More for an open line of mallory's. */
function growLane(server: Server, mallory: Member, chunk: string): Uint8Array {
  const open = openLane(server, `${openPart()},"text":"growing `);
  expect(server.gate.receive(open, mallory.principal as never)).toMatchObject({ ok: true });
  const { key, client, text } = findLane(server.doc, 'growing ');
  return forge(server.doc, (map) => textOf(map, key).insert(text.length, chunk), client);
}

function attemptLine(prompt_id: string, attempt: string): object {
  const ids = { message_id: deriveAnswerId(prompt_id), thread_id: idAt(0, 'thread'), prompt_id, attempt };
  return { type: 'message', ...ids, epoch: 1, runner_id: 'm', sender_id: 'mallory', date: DATE };
}

function deleteIn({ doc }: Server, needle: string, what: string, length = what.length): Uint8Array {
  const { key, text } = findLane(doc, needle);
  expect(text).toContain(what);
  return forge(doc, (map) => textOf(map, key).delete(text.indexOf(what), length));
}

/** A new lane of mallory, part of which is deleted as it comes. */
function deletedLane(server: Server, entry: object, what: string): Uint8Array {
  return deletedText(forgeLane(server.doc, 'mallory', [entry]), what);
}

/** What `update` adds to `base`, with `what` deleted by the same update. */
function deletedText(update: Uint8Array, what: string, base = new Y.Doc()): Uint8Array {
  const rogue = new Y.Doc();
  Y.applyUpdate(rogue, Y.encodeStateAsUpdate(base));
  Y.applyUpdate(rogue, update);
  const { key, text } = findLane(rogue, what);
  textOf(rogue.getMap('chat'), key).delete(text.lastIndexOf(what), what.length);
  return Y.encodeStateAsUpdate(rogue, Y.encodeStateVector(base));
}

function redactOwn({ ada, message_id }: World): void {
  ada.chat.redact({ message_id, by: 'ada' });
  ada.send();
}

describe('refusals', () => {
  for (const { rule, code, what, make, options } of cases) {
    it(`[${rule}] refuses ${what} as ${code}, and changes nothing`, () => {
      const plain = createWorld();
      const world = options === undefined ? plain : createWorld();
      const { server, mallory, ada } = world;
      const bytes = make(world);
      const gate = options === undefined ? server.gate : createServer(options).gate;
      const before = server.chat.digest();
      const state = Y.encodeStateAsUpdate(server.doc);
      const principal = options === undefined ? (mallory.principal as never) : gate.connect('mallory');
      expect(gate.receive(bytes, principal)).toMatchObject({ ok: false, code });
      expect(server.chat.digest()).toBe(before);
      expect(Y.encodeStateAsUpdate(server.doc)).toEqual(state);
      expect(server.doc.store.pendingStructs).toBeNull();
      // Others go on, and so does the sender with what it may write.
      ada.chat.send({ thread_id: world.thread_id, sender_id: 'ada', content: 'goes on' });
      world.stream.finish({ finish_reason: 'stop' });
      ada.send();
      expect(server.chat.digest()).toBe(ada.chat.digest());
    });
  }

  it('[GT15] every code is one of those above, but those that the gate is closed or busy with', () => {
    const refused = new Set<string>([...cases.map(({ code }) => code), 'busy', 'disconnected']);
    const known: Record<GateRefusalCode, true> = {
      ...{ too_large: true, too_many_structs: true, too_many_clients: true, too_many_deletions: true },
      ...{
        too_many_rivals: true,
        clock_jump: true,
        too_deep: true,
        malformed: true,
        gap: true,
        unknown_root: true,
        content: true,
      },
      ...{ line: true, schema: true, unknown_type: true, future_stamp: true, entry_size: true },
      ...{ surrogate: true, open_line: true, deletion: true, busy: true, disconnected: true },
      ...{ foreign_client: true, key: true, key_taken: true, foreign_text: true, not_appended: true },
      ...{ header: true, generation: true, user: true, writer: true, import: true, id_taken: true },
      ...{ attempt: true, author: true, redaction: true, nothing: true },
    };
    expect([...refused].sort()).toEqual(Object.keys(known).sort());
  });
});
