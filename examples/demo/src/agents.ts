import type { AttemptWriter, Chat, Message } from '@chatdoc/schema';

/** Scripted agents: what they stream is a function of the chat, so that every run is the same. */

/** Streams a text word by word, as a model would. Each step is one transaction. */
export class ScriptedAgent {
  readonly text: string;
  readonly attempt: string;
  readonly message_id: string;
  readonly #writer: AttemptWriter;
  readonly #part: ReturnType<AttemptWriter['openPart']>;
  readonly #tokens: readonly string[];
  #next = 0;

  constructor(chat: Chat, turn: { prompt_id: string; sender_id: string; runner_id: string }, text: string) {
    this.text = text;
    this.#writer = chat.openAttempt(turn);
    this.attempt = this.#writer.attempt;
    this.message_id = this.#writer.message_id;
    this.#part = this.#writer.openPart();
    this.#tokens = text.match(/\s*\S+/g) ?? [];
  }

  get done(): boolean {
    return this.#next >= this.#tokens.length;
  }

  /** What was streamed so far. */
  get streamed(): string {
    return this.#tokens.slice(0, this.#next).join('');
  }

  get isHalfWay(): boolean {
    return this.#next >= this.#tokens.length / 2;
  }

  step(): void {
    const token = this.#tokens[this.#next];
    if (token === undefined) return;
    this.#next += 1;
    this.#part.append(token);
  }

  finish(finish_reason: 'stop' | 'stopped'): void {
    this.#writer.finish({ finish_reason });
  }
}

/** A word of each in turn, until `until` says so of the round or all are done. */
export function streamTogether(agents: readonly ScriptedAgent[], until: () => boolean = () => false): void {
  while (!until() && agents.some((agent) => !agent.done)) for (const agent of agents) agent.step();
}

/** Each machine counts what it has heard of. */
export function countMessages(chat: Chat, machine: string): string {
  const messages = listWritten(chat);
  const senders = new Set(messages.map(({ sender_id }) => sender_id));
  return `The ${machine} has ${messages.length} messages of ${senders.size} senders.`;
}

export function countWords(chat: Chat): string {
  const words = new Map<string, number>();
  for (const { sender_id, content } of listWritten(chat)) {
    words.set(sender_id, (words.get(sender_id) ?? 0) + (content.match(/\S+/g)?.length ?? 0));
  }
  const most = [...words].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1)).slice(0, 4);
  return ['Words, by sender:', ...most.map(([sender, count]) => `- ${nameOf(sender)}: ${count}`)].join('\n');
}

/** All but prompts and answers. */
function listWritten(chat: Chat): readonly Message[] {
  return chat
    .threads()
    .flatMap(({ thread_id }) => chat.messages(thread_id))
    .filter(({ expects, prompt_id }) => expects === undefined && prompt_id === undefined);
}

/** The last, readable piece of ids such as `package::module::Name`; of an account id, its beginning. */
function nameOf(sender: string): string {
  const name = sender.split('::').at(-1) ?? sender;
  return name.length > 24 ? `${name.slice(0, 8)}…` : name;
}

export const VERSES = [
  'A row was once its time of day,',
  'and two that shared it fought;',
  'the later one was there to stay,',
  'the earlier came to naught.',
  'Now each one has a name to keep',
  'and nobody writes over it;',
  'a laptop may go off to sleep',
  'and wake, and not a word will split.',
].join('\n');
