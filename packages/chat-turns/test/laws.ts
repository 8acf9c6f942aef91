import { type Attempt, type Chat, deriveAnswerId, type Message, type ThreadConfig } from '@chatdoc/schema';
import type * as Y from 'yjs';
import { listAttempts } from '../src/engine/turn-chat.js';
import type { TurnResult } from '../src/index.js';
import { present, reload } from './world.js';

/** One replica, as the laws look at it. */
export interface Witness {
  readonly name: string;
  readonly doc: Y.Doc;
  readonly chat: Chat;
  /** What was last looked at: records are the same object until something in them changes. */
  config: ThreadConfig | undefined;
  readonly seen: Map<string, Message>;
  /** By attempt that its runner has finished, what it settled. */
  readonly settled: Map<string, string>;
}

/** An agent at work, in a process that has not been killed. */
export interface Running {
  readonly chat: Chat;
  readonly message_id: string;
  readonly attempt: string;
  readonly signal: AbortSignal;
}

/** What must hold in every schedule. It throws, and names the rule. */
export class Laws {
  /** Agents that have been called, and whose turns have not ended. */
  readonly running = new Set<Running>();
  readonly prompts = new Set<string>();
  readonly #threadId: string;
  /** Of what happened: for the suite to see that it did. */
  readonly #count: (name: string) => void;
  /** By attempt, all that it can ever show. */
  readonly #outputs = new Map<string, string>();
  readonly #finished = new Map<string, string>();
  readonly #claims = new Set<string>();
  readonly #configs = new Set<string>();
  #edits = 0;

  constructor(threadId: string, count: (name: string) => void) {
    this.#threadId = threadId;
    this.#count = count;
  }

  /** An agent is about to give this. */
  noteOutput(attempt: string, text: string): void {
    this.#outputs.set(attempt, (this.#outputs.get(attempt) ?? '') + text);
  }

  /** A person has set the config, or it is the first. */
  noteConfig(chat: Chat): void {
    this.#configs.add(JSON.stringify(chat.config(this.#threadId)));
    this.#edits += 1;
  }

  /** Once in each life of a process for each time that it was asked for, as far as its replica knows. */
  noteClaim(chat: Chat, promptId: string, life: number): void {
    const attempts = listAttempts(present(chat.message(deriveAnswerId(promptId))));
    const epoch = Math.max(...attempts.map((attempt) => attempt.epoch));
    const isOne = attempts.filter((attempt) => attempt.epoch === epoch).length === 1;
    assertLaw(isOne, 'RS4', 'an epoch was claimed that has an attempt');
    const key = `${life} ${promptId} ${epoch}`;
    assertLaw(!this.#claims.has(key), 'RS4', 'a prompt was claimed twice');
    this.#claims.add(key);
  }

  /** The runner has ended its turn, and its finish is in its own replica. */
  noteEnd(chat: Chat, { message_id: messageId, attempt, outcome }: TurnResult): void {
    for (const each of this.running) if (each.attempt === attempt) this.running.delete(each);
    const message = chat.message(messageId);
    const own = message && listAttempts(message).find((each) => each.attempt === attempt);
    const hasLost = outcome === 'superseded' || outcome === 'retried';
    assertLaw(!hasLost || own?.finish_reason === 'superseded', 'RS3', 'what has lost does not say so');
    if (own?.state !== 'settled') return;
    assertLaw(!this.#finished.has(attempt), 'RS2', 'an attempt was settled twice');
    this.#finished.set(attempt, describeEnd(own));
  }

  /** What must hold on a replica whenever something in it has changed. */
  check(witness: Witness): void {
    const { chat, name, seen } = witness;
    const config = chat.config(this.#threadId);
    if (witness.config !== config) {
      witness.config = config;
      assertLaw(this.#configs.has(JSON.stringify(config)), 'RS5', `${name} has a config that nobody wrote`);
    }
    for (const message of chat.messages(this.#threadId)) {
      if (message.attempt === undefined || seen.get(message.message_id) === message) continue;
      seen.set(message.message_id, message);
      this.#checkAnswer(witness, message, message.attempt);
    }
  }

  #checkAnswer({ name, settled }: Witness, message: Message, shown: Attempt): void {
    const output = this.#outputs.get(shown.attempt) ?? '';
    assertLaw(output.startsWith(message.content), 'RS3', `${name} shows what no attempt gave`);
    for (const attempt of listAttempts(message)) {
      assertLaw(attempt.epoch <= shown.epoch, 'RS3', `${name} shows a fenced attempt`);
      if (attempt !== shown && attempt.epoch === shown.epoch) {
        this.#count('two runners on one prompt');
        const isLost = shown.finish_reason === 'superseded' && attempt.finish_reason !== 'superseded';
        assertLaw(!isLost, 'RS3', `${name} shows what has lost`);
      }
      if (attempt.state === 'interrupted') this.#count('interrupted');
      const known = settled.get(attempt.attempt);
      const now = attempt.state === 'settled' ? describeEnd(attempt) : undefined;
      if (known !== undefined) {
        const isKept = message.redacted ? now !== undefined : now === known;
        assertLaw(isKept, 'RS2', `${name} changed a settled attempt`);
      }
      // One that is interrupted and stopped reads as settled, too, until its runner is heard after all.
      if (now !== undefined && now === this.#finished.get(attempt.attempt)) settled.set(attempt.attempt, now);
    }
  }

  /** A stop or a redaction that has reached the process of the runner has reached the agent. */
  checkStops(): void {
    for (const { chat, message_id, attempt, signal } of this.running) {
      if (signal.aborted) continue;
      const message = chat.message(message_id);
      const isRedacted = message?.redacted || chat.message(message?.prompt_id ?? '')?.redacted;
      assertLaw(!isRedacted, 'RS7', 'an agent runs on after its turn was redacted');
      const own = message && listAttempts(message).find((each) => each.attempt === attempt);
      assertLaw(own?.stop_requested !== true, 'RS7', 'an agent runs on after its stop has come');
    }
  }

  isSettled(chat: Chat): boolean {
    if (chat.queue(this.#threadId).length > 0) return false;
    return chat
      .messages(this.#threadId)
      .every(({ attempt }) => attempt === undefined || attempt.state === 'settled');
  }

  /** What must hold once all are connected and everything is still. */
  checkEnd(witnesses: readonly Witness[]): void {
    const { chat } = present(witnesses[0]);
    const lines = chat.toJSONL();
    const read = this.#read(chat);
    for (const witness of witnesses) {
      assertLaw(witness.chat.toJSONL() === lines, 'RS1', `${witness.name} holds something else`);
      assertLaw(this.#read(witness.chat) === read, 'RS1', `${witness.name} reads something else`);
    }
    assertLaw(this.isSettled(chat), 'RS1', 'a turn is not settled');
    this.#checkTurns(chat, lines);
    const settings = countMatches(lines, /"type":"thread_config"/g);
    assertLaw(settings === this.#edits, 'RS5', 'somebody else wrote settings');
    assertLaw(!lines.includes('TOO LATE'), 'RS7', 'what came after the end was written');
    const finishes = lines.match(/"type":"finish","id":"[^"]*","attempt":"[^"]*"/g) ?? [];
    const attempts = new Set(finishes.map((finish) => finish.slice(-27)));
    assertLaw(attempts.size === finishes.length, 'RS7', 'an end was written twice');
  }

  /** The same against a replica that has all of it at once: dear, so for some schedules only. */
  checkFresh({ chat, doc }: Witness): void {
    const fresh = reload(doc).chat;
    assertLaw(this.#read(fresh) === this.#read(chat), 'RS1', 'a fresh replica reads something else');
    assertLaw(fresh.digest() === chat.digest(), 'RS1', 'a fresh replica has another digest');
    const { quarantined, ignored, damaged } = chat.report();
    assertLaw(quarantined + ignored.length + damaged === 0, 'RS1', 'lines do not count');
  }

  #read(chat: Chat): string {
    return JSON.stringify([chat.config(this.#threadId), chat.messages(this.#threadId)]);
  }

  #checkTurns(chat: Chat, lines: string): void {
    const messages = chat.messages(this.#threadId);
    const ids = new Set(messages.map(({ message_id }) => message_id));
    for (const prompt of this.prompts) assertLaw(ids.has(prompt), 'RS4', 'a prompt is lost');
    const ofType = (type: string): string[] =>
      lines.split('\n').filter((line) => line.startsWith(`{"type":"${type}"`));
    const [stops, retries] = [ofType('stop'), ofType('retry')];
    for (const { message_id, expects, attempt, alternates } of messages) {
      const isOver = [attempt, ...alternates].every((each) => each?.state !== 'open');
      assertLaw(isOver, 'RS1', 'an attempt is left open');
      const hasLost = attempt?.finish_reason === 'superseded';
      const isRetried = retries.some((line) => line.includes(message_id));
      assertLaw(!hasLost || isRetried, 'RS3', 'all attempts have lost against each other');
      if (expects !== 'answer') continue;
      const answer = deriveAnswerId(message_id);
      if (ids.has(answer)) continue;
      assertLaw(
        stops.some((line) => line.includes(answer)),
        'RS4',
        'a prompt neither ran nor was cancelled',
      );
      this.#count('cancelled');
    }
  }
}

function assertLaw(holds: boolean, rule: string, what: string): void {
  if (!holds) throw new Error(`[${rule}] ${what}`);
}

function describeEnd({ finish_reason, content }: Attempt): string {
  return `${finish_reason} ${content}`;
}

function countMatches(text: string, pattern: RegExp): number {
  return text.match(pattern)?.length ?? 0;
}
