import { type Chat, openChat, type Timers } from '@chatdoc/schema';
import { type Agent, FLUSH_LENGTH, FLUSH_MS, TurnEngine } from '@chatdoc/turns';
import * as Y from 'yjs';
import { ScriptedEnvironment } from '../chat/chat-document.js';
import { AGENT, USER } from '../chat/generator.js';
import { loadDoc } from '../chat/layouts.js';
import { Prose } from '../chat/prose.js';
import { Random } from '../chat/random.js';
import { collectGarbage, ratioOf, type Samples, spreadOf } from '../measure/pair.js';
import { formatCount, progress } from '../measure/progress.js';
import type { Plan } from '../plan.js';
import { type Figure, figure, judge, type Measured, ratio } from '../report/figure.js';
import { TARGETS } from '../targets.js';

const TOKENS = 8_000;
const TOKEN_LENGTH = 4;
/** A fast model: a hundred tokens a second, five of them in a flush. */
const TOKEN_MS = 10;
const WARM_UP = 2;

/**
 * One turn of 8,000 tokens through the engine, against the same tokens taken from the same agent and inserted
 * into a Y.Text by the same flush rule; each flush is applied to a second replica. Time is simulated: what is
 * measured is work, not waiting.
 */
export async function benchTurns({ fixtures, reps: repsOf, amount }: Plan): Promise<Measured> {
  const reps = repsOf(15);
  const size = amount(10_000);
  const text = new Prose(new Random(6)).ascii(TOKENS * TOKEN_LENGTH);
  // Each transaction costs what the document's clients do: in a chat of some age that is most of it.
  const [chat, flat] = [fixtures.chat(size, 'many'), fixtures.flat(size, 'many')];
  const aged = await benchIn(
    `at ${formatCount(size)} messages, ${size / 100} clientIDs`,
    chat,
    flat,
    text,
    reps,
  );
  const fresh = await benchIn('in an empty document', undefined, undefined, text, reps);
  return { figures: [...aged, ...fresh] };
}

async function benchIn(
  where: string,
  chat: Uint8Array | undefined,
  flat: Uint8Array | undefined,
  text: string,
  reps: number,
): Promise<readonly Figure[]> {
  progress(`turns: ${reps} paired repetitions of ${TOKENS} tokens ${where}`);
  const samples = await pairAsync(reps, {
    engine: () => prepareEngine(chat, text),
    append: () => prepareAppend(chat, text),
    raw: () => prepareRaw(flat, text),
  });
  const micros = (samples['engine'] ?? []).map((time) => (time * 1_000) / TOKENS);
  const measured = ratioOf(samples['engine'], samples['raw']);
  return [
    chat === undefined
      ? ratio(`${TARGETS.turns.work}, ${where}`, null, measured)
      : judge('turns', null, measured, { what: where }),
    ratio(
      `turns: engine / append to an open part, ${where}`,
      null,
      ratioOf(samples['engine'], samples['append']),
    ),
    figure(`turns: engine, a token, ${where}`, null, spreadOf(micros), 'µs'),
  ];
}

/** Prepares a repetition, not timed; gives what is timed. */
type Prepare = () => Promise<() => Promise<void>>;

async function pairAsync(reps: number, subjects: Readonly<Record<string, Prepare>>): Promise<Samples> {
  const samples: Record<string, number[]> = {};
  const names = Object.keys(subjects);
  for (let rep = -WARM_UP; rep < reps; rep += 1) {
    for (let turn = 0; turn < names.length; turn += 1) {
      const name = names[(turn + rep + WARM_UP) % names.length] as string;
      const run = await (subjects[name] as Prepare)();
      collectGarbage();
      const start = performance.now();
      await run();
      const time = performance.now() - start;
      samples[name] ??= [];
      if (rep >= 0) samples[name].push(time);
    }
  }
  return samples;
}

/** A clock that the agent moves on, one token after the other. Nothing here waits but for the next turn of the loop. */
class TokenClock implements Timers {
  time = 0;

  now(): number {
    return this.time;
  }

  setTimer(callback: () => void, ms: number): unknown {
    if (ms === 0) setImmediate(callback);
    return undefined;
  }

  clearTimer(): void {
    // Nothing was set.
  }
}

async function* speak(text: string, clock: TokenClock): AsyncGenerator<{ type: 'text'; text: string }, void> {
  for (let at = 0; at < text.length; at += TOKEN_LENGTH) {
    clock.time += TOKEN_MS;
    yield { type: 'text', text: text.slice(at, at + TOKEN_LENGTH) };
  }
}

async function prepareEngine(base: Uint8Array | undefined, text: string): Promise<() => Promise<void>> {
  const doc = docOf(base);
  const chat: Chat = openChat(doc, { environment: new ScriptedEnvironment(7), user_id: AGENT });
  const { thread_id } = chat.createThread({ created_by: USER });
  const reader = createReader(doc);
  const clock = new TokenClock();
  const agent: Agent = () => speak(text, clock);
  const engine = new TurnEngine({ runner_id: 'runner', timers: clock });
  engine.serve(chat, {
    agentFor: (thread) => (thread.thread_id === thread_id ? { agent, sender_id: AGENT } : undefined),
  });
  // It has looked at every thread: a turn begins on what is known.
  await engine.idle();
  return async () => {
    chat.send({ thread_id, sender_id: USER, content: 'Go on.', expects: 'answer' });
    await engine.idle();
    const answer = chat.messages(thread_id).at(-1);
    if (answer?.content !== text || answer.generating) throw new Error('the turn was not written');
    if (Y.encodeStateVector(reader).length !== Y.encodeStateVector(doc).length)
      throw new Error('not in sync');
  };
}

/** The document's own part of the work: a part that is open, a subscriber, and no engine. */
async function prepareAppend(base: Uint8Array | undefined, text: string): Promise<() => Promise<void>> {
  const doc = docOf(base);
  const chat: Chat = openChat(doc, { environment: new ScriptedEnvironment(7), user_id: AGENT });
  const { thread_id } = chat.createThread({ created_by: USER });
  const prompt = chat.send({ thread_id, sender_id: USER, content: 'Go on.', expects: 'answer' });
  chat.subscribe(() => undefined);
  createReader(doc);
  const clock = new TokenClock();
  return async () => {
    const attempt = chat.openAttempt({ prompt_id: prompt.message_id, sender_id: AGENT, runner_id: 'runner' });
    const part = attempt.openPart();
    await flushInto((chunk) => part.append(chunk), text, clock);
    attempt.finish({ finish_reason: 'stop' });
  };
}

async function prepareRaw(base: Uint8Array | undefined, text: string): Promise<() => Promise<void>> {
  const doc = docOf(base);
  const reader = createReader(doc);
  const clock = new TokenClock();
  return async () => {
    const target = doc.getText('stream');
    await flushInto((chunk) => target.insert(target.length, chunk), text, clock);
    if (reader.getText('stream').length !== text.length) throw new Error('the text was not read back');
  };
}

/** The flush rule by hand. */
async function flushInto(write: (chunk: string) => void, text: string, clock: TokenClock): Promise<void> {
  let buffer = '';
  let flushed = -FLUSH_MS;
  for await (const token of speak(text, clock)) {
    buffer += token.text;
    if (buffer.length < FLUSH_LENGTH && clock.time - flushed < FLUSH_MS) continue;
    write(buffer);
    buffer = '';
    flushed = clock.time;
  }
  write(buffer);
}

function docOf(base: Uint8Array | undefined): Y.Doc {
  return base === undefined ? new Y.Doc() : loadDoc(base);
}

/** A replica that is given every update. */
function createReader(doc: Y.Doc): Y.Doc {
  const reader = new Y.Doc();
  Y.applyUpdate(reader, Y.encodeStateAsUpdate(doc));
  doc.on('update', (update: Uint8Array) => Y.applyUpdate(reader, update));
  return reader;
}
