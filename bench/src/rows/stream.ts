import { type Chat, openChat } from '@chatdoc/schema';
import * as Y from 'yjs';
import { ScriptedEnvironment } from '../chat/chat-document.js';
import { AGENT, USER } from '../chat/generator.js';
import { countStructs, loadDoc } from '../chat/layouts.js';
import { Prose } from '../chat/prose.js';
import { Random } from '../chat/random.js';
import { pair, ratioOf, spreadOf, timedOn } from '../measure/pair.js';
import { formatCount, progress } from '../measure/progress.js';
import type { Plan } from '../plan.js';
import { type Figure, figure, judge, type Measured, ratio } from '../report/figure.js';

const TOKENS = 8_000;
const TOKEN_LENGTH = 4;
const ONE = '1 stream';
const FOUR = '4 streams at once';

interface Streamed {
  readonly updates: readonly Uint8Array[];
  readonly growth: number;
  readonly structs: number;
  /** Of the first stream. */
  readonly client: number;
}

/** 8,000 tokens of 4 characters, each in a transaction of its own, to a writer with an `update` listener. */
export function benchStream({ fixtures, reps: repsOf, amount }: Plan): Measured {
  const reps = repsOf(7);
  const aged = amount(10_000);
  progress(`stream: ${TOKENS} tokens, 1 stream and 4 at once`);
  const random = new Random(4);
  const texts = Array.from({ length: 4 }, () => new Prose(random).ascii(TOKENS * TOKEN_LENGTH));
  const one = streamChat(undefined, texts.slice(0, 1));
  const four = streamChat(undefined, texts);
  const raw = streamText(undefined, texts[0] ?? '', one.client);
  const perToken = (streamed: Streamed, streams: number): number => sizeOf(streamed) / (TOKENS * streams);
  const length = TOKENS * TOKEN_LENGTH;
  const figures = [
    judge('stream_bytes', null, sizeOf(one) / sizeOf(raw), { what: ONE }),
    judge('stream_bytes', null, sizeOf(four) / (4 * sizeOf(raw)), { what: FOUR }),
    judge('stream_growth', null, one.growth / length, { what: ONE }),
    judge('stream_growth', null, four.growth / (4 * length), { what: FOUR }),
    judge('stream_structs', null, one.structs, { what: ONE }),
    judge('stream_structs', null, four.structs / 4, { what: FOUR }),
    figure('stream: update bytes a token, chatdoc', null, perToken(one, 1), 'B'),
    figure('stream: update bytes a token, Y.Text', null, perToken(raw, 1), 'B'),
  ];
  figures.push(...benchCpu('in an empty document', undefined, undefined, texts[0] ?? '', reps));
  const [chat, flat] = [fixtures.chat(aged, 'many'), fixtures.flat(aged, 'many')];
  const where = `at ${formatCount(aged)} messages, ${aged / 100} clientIDs`;
  figures.push(...benchCpu(where, chat, flat, texts[0] ?? '', reps));
  return { figures };
}

function benchCpu(
  where: string,
  chat: Uint8Array | undefined,
  flat: Uint8Array | undefined,
  text: string,
  reps: number,
): readonly Figure[] {
  const beginning = Y.encodeStateAsUpdate(prepareChat(chat, 1).doc);
  const updates = streamChat(chat, [text]).updates;
  const rawUpdates = streamText(flat, text, 0x9000_0001).updates;
  const writers = pair(`stream: writers ${where}`, reps, [
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
  const readers = pair(`stream: readers ${where}`, reps, [
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

/** Token by token, the streams in turn. Returns the updates. */
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
