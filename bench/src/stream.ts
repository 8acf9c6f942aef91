import { type Chat, openChat } from '@chatdoc/schema';
import * as Y from 'yjs';
import { ScriptedEnvironment } from './chat-document.js';
import type { Fixtures } from './fixtures.js';
import { AGENT, USER } from './generator.js';
import { countStructs, loadDoc } from './layouts.js';
import { pair, ratioOf, spreadOf, timedOn } from './measure.js';
import { progress } from './progress.js';
import { Prose } from './prose.js';
import { Random } from './random.js';
import { type Figure, figure, ratio } from './report.js';

const TOKENS = 8_000;
const TOKEN_LENGTH = 4;
/** What LA11 allows a streamed answer. */
const STRUCTS = 3;

interface Streamed {
  readonly updates: readonly Uint8Array[];
  readonly growth: number;
  readonly structs: number;
  /** Of the first stream. */
  readonly client: number;
}

/** 8,000 tokens of 4 characters, each in a transaction of its own, to a writer with an `update` listener. */
export function benchStream(fixtures: Fixtures, reps: number): readonly Figure[] {
  progress(`stream: ${TOKENS} tokens, 1 stream and 4 at once`);
  const random = new Random(4);
  const texts = Array.from({ length: 4 }, () => new Prose(random).ascii(TOKENS * TOKEN_LENGTH));
  const one = streamChat(undefined, texts.slice(0, 1));
  const four = streamChat(undefined, texts);
  const raw = streamText(undefined, texts[0] ?? '', one.client);
  const perToken = (streamed: Streamed, streams: number): number => sizeOf(streamed) / (TOKENS * streams);
  const length = TOKENS * TOKEN_LENGTH;
  const figures = [
    figure('stream: update bytes / Yjs, 1 stream', null, sizeOf(one) / sizeOf(raw), 'x', 1.05),
    figure(
      'stream: update bytes / Yjs, 4 streams at once',
      null,
      sizeOf(four) / (4 * sizeOf(raw)),
      'x',
      1.05,
    ),
    figure('stream: document growth / text, 1 stream', null, one.growth / length, 'x', 1.03),
    figure('stream: document growth / text, 4 streams at once', null, four.growth / (4 * length), 'x', 1.03),
    figure('stream: structs a stream, 1 stream', null, one.structs, '', STRUCTS),
    figure('stream: structs a stream, 4 streams at once', null, four.structs / 4, '', STRUCTS),
    figure('stream: update bytes a token, chatdoc', null, perToken(one, 1), 'B'),
    figure('stream: update bytes a token, Y.Text', null, perToken(raw, 1), 'B'),
  ];
  figures.push(...benchCpu('in an empty document', undefined, undefined, texts[0] ?? '', reps));
  const [chat, flat] = [fixtures.chat(10_000, 'many'), fixtures.flat(10_000, 'many')];
  figures.push(...benchCpu('at 10,000 messages, 100 clientIDs', chat, flat, texts[0] ?? '', reps));
  return figures;
}

function benchCpu(
  where: string,
  chat: Uint8Array | undefined,
  flat: Uint8Array | undefined,
  text: string,
  reps: number,
): readonly Figure[] {
  progress(`stream: ${reps} paired repetitions ${where}`);
  const beginning = Y.encodeStateAsUpdate(prepareChat(chat, 1).doc);
  const updates = streamChat(chat, [text]).updates;
  const rawUpdates = streamText(flat, text, 0x9000_0001).updates;
  const writers = pair(reps, [
    timedOn(
      'chatdoc',
      () => prepareChat(chat, 1),
      (chats) => writeStreams(chats, [text]),
    ),
    timedOn(
      'raw',
      () => docOf(flat),
      (doc) => writeText(doc, text),
    ),
  ]);
  const readers = pair(reps, [
    timedOn(
      'chatdoc',
      () => prepareReader(beginning),
      (doc) => applyAll(doc, updates),
    ),
    timedOn(
      'raw',
      () => docOf(flat),
      (doc) => applyAll(doc, rawUpdates),
    ),
  ]);
  const both = (side: string): readonly number[] =>
    (writers[side] ?? []).map((time, rep) => time + (readers[side]?.[rep] ?? Number.NaN));
  const micros = (times: readonly number[]): readonly number[] =>
    times.map((time) => (time * 1_000) / TOKENS);
  return [
    ratio(`stream: writer and reader CPU / Y.Text, ${where}`, null, ratioOf(both('chatdoc'), both('raw'))),
    ratio(`stream: writer CPU / Y.Text, ${where}`, null, ratioOf(writers['chatdoc'], writers['raw'])),
    ratio(`stream: reader CPU / Y.Text, ${where}`, null, ratioOf(readers['chatdoc'], readers['raw'])),
    figure(`stream: writer, a token, ${where}`, null, spreadOf(micros(writers['chatdoc'] ?? [])), 'µs'),
    figure(`stream: reader, a token, ${where}`, null, spreadOf(micros(readers['chatdoc'] ?? [])), 'µs'),
  ];
}

interface PreparedChat {
  readonly doc: Y.Doc;
  readonly chat: Chat;
  readonly prompts: readonly string[];
}

function prepareChat(base: Uint8Array | undefined, streams: number): PreparedChat {
  const doc = docOf(base);
  const chat = openChat(doc, { environment: new ScriptedEnvironment(5), user_id: AGENT });
  const { thread_id } = chat.createThread({ created_by: USER });
  const prompts = Array.from({ length: streams }, () => {
    const prompt = chat.send({ thread_id, sender_id: USER, content: 'Go on.', expects: 'answer' });
    return prompt.message_id;
  });
  return { doc, chat, prompts };
}

/** A replica that watches, and has what the writer began with. */
function prepareReader(beginning: Uint8Array): Y.Doc {
  const doc = loadDoc(beginning);
  openChat(doc).subscribe(() => undefined);
  return doc;
}

function docOf(base: Uint8Array | undefined): Y.Doc {
  return base === undefined ? new Y.Doc() : loadDoc(base);
}

/** Token by token, the streams in turn. Gives the updates. */
function writeStreams({ doc, chat, prompts }: PreparedChat, texts: readonly string[]): readonly Uint8Array[] {
  const updates = collectUpdates(doc);
  const streams = prompts.map((prompt_id) => {
    const attempt = chat.openAttempt({ prompt_id, sender_id: AGENT, runner_id: 'runner-1' });
    return { attempt, part: attempt.openPart() };
  });
  for (let at = 0; at < TOKENS * TOKEN_LENGTH; at += TOKEN_LENGTH) {
    for (let i = 0; i < streams.length; i += 1) {
      streams[i]?.part.append((texts[i] ?? '').slice(at, at + TOKEN_LENGTH));
    }
  }
  for (const { attempt, part } of streams) {
    part.close();
    attempt.finish({ finish_reason: 'stop' });
  }
  return updates;
}

function writeText(doc: Y.Doc, text: string): readonly Uint8Array[] {
  const updates = collectUpdates(doc);
  const stream = doc.getText('stream');
  for (let at = 0; at < text.length; at += TOKEN_LENGTH) stream.insert(at, text.slice(at, at + TOKEN_LENGTH));
  return updates;
}

function applyAll(doc: Y.Doc, updates: readonly Uint8Array[]): Y.Doc {
  for (const update of updates) Y.applyUpdate(doc, update);
  return doc;
}

function collectUpdates(doc: Y.Doc): Uint8Array[] {
  const updates: Uint8Array[] = [];
  doc.on('update', (update: Uint8Array) => updates.push(update));
  return updates;
}

function streamChat(base: Uint8Array | undefined, texts: readonly string[]): Streamed {
  const prepared = prepareChat(base, texts.length);
  const { doc, chat, prompts } = prepared;
  const known = new Set(doc.store.clients.keys());
  const streamed = grow(doc, () => writeStreams(prepared, texts));
  const messages = chat.messages(chat.message(prompts[0] ?? '')?.thread_id ?? '');
  for (const [i, prompt] of prompts.entries()) {
    const answer = messages.find((each) => each.prompt_id === prompt);
    if (answer === undefined || answer.content !== texts[i] || answer.generating)
      throw new Error('a stream was not read back');
  }
  const fresh = [...doc.store.clients.keys()].filter((client) => !known.has(client));
  return { ...streamed, client: fresh[0] ?? [...known][0] ?? 0 };
}

/** The raw floor, under the same clientID: its length is part of the bytes. */
function streamText(base: Uint8Array | undefined, text: string, client: number): Streamed {
  const doc = docOf(base);
  doc.clientID = client;
  return { ...grow(doc, () => writeText(doc, text)), client };
}

function grow(doc: Y.Doc, write: () => readonly Uint8Array[]): Omit<Streamed, 'client'> {
  const structs = countStructs(doc);
  const bytes = Y.encodeStateAsUpdate(doc).length;
  const updates = write();
  return {
    updates,
    growth: Y.encodeStateAsUpdate(doc).length - bytes,
    structs: countStructs(doc) - structs,
  };
}

function sizeOf({ updates }: Streamed): number {
  return updates.reduce((sum, update) => sum + update.length, 0);
}
