import { type Chat, type Environment, formatDate, type JsonObject, openChat } from '@chatdoc/schema';
import fc from 'fast-check';
import * as Y from 'yjs';
import { createScriptEnvironment, SCRIPT_START } from './script-environment.js';

const PEOPLE = ['ada', 'grace', 'Ada "A" <b>Example</b>', '日本 👋'] as const;
const WORDS = [
  'hello',
  '```js\nlet a = "<b>";\n',
  '# title\n\n- a\n  ```\n<script>alert(1)</script>',
  '👋 & <i>x</i>',
  '日本語',
  'a\u0000b\r\nc',
  '~~~\n````\n~~~',
  '',
] as const;

const CALLS = [
  'thread',
  'fork',
  'send',
  'send',
  'send',
  'reply',
  'edit',
  'delete',
  'redact',
  'configure',
  'clear',
  'feedback',
  'react',
  'read',
  'ask',
  'ask',
  'answer',
  'answer',
  'retry',
  'stop',
  'state',
  'variables',
  'slot',
  'undated',
] as const;

/** One call; its numbers pick among what there is when it is made. */
interface ScriptCall {
  readonly call: (typeof CALLS)[number];
  readonly at: number;
  readonly who: number;
  readonly word: string;
  /** Dates are for display: they need not rise. */
  readonly minutes: number;
  readonly flavor: number;
}

const scriptCall: fc.Arbitrary<ScriptCall> = fc.record({
  call: fc.constantFrom(...CALLS),
  at: fc.nat(7),
  who: fc.nat(PEOPLE.length - 1),
  word: fc.constantFrom(...WORDS),
  minutes: fc.integer({ min: -3, max: 3 }),
  flavor: fc.nat(5),
});

type Call = Pick<ScriptCall, 'flavor'> & Readonly<Record<'user' | 'date' | 'said', string>>;

/** Makes calls as they come; those that have nothing to be about do nothing. */
class ChatAuthor {
  readonly chat: Chat;
  #count = 0;

  constructor(environment: Environment) {
    this.chat = openChat(new Y.Doc(), { environment });
  }

  #pickThread(at: number): string {
    const threads = this.chat.threads();
    const thread = threads[at % Math.max(threads.length, 1)];
    return thread?.thread_id ?? this.chat.createThread({ created_by: 'ada' }).thread_id;
  }

  #pickMessage(at: number): string | undefined {
    const ids = this.chat.messageIds(this.#pickThread(at));
    return ids[at % Math.max(ids.length, 1)];
  }

  do({ call, at, who, word, minutes, flavor }: ScriptCall): void {
    const { chat } = this;
    this.#count += 1;
    const user = PEOPLE[who] ?? 'ada';
    const thread_id = this.#pickThread(at);
    const date = formatDate(SCRIPT_START + (this.#count * 10 + minutes * 7) * 60_000);
    const message_id = this.#pickMessage(at);
    // Blank is how CoCalc deletes; what a person writes here has a text.
    const content = word === '' ? '' : `${word} ${this.#count}`;
    const said = word === '' ? `said ${this.#count}` : content;
    switch (call) {
      case 'thread':
        chat.createThread({ created_by: user, created_at: date, ...(flavor < 3 ? { name: said } : {}) });
        return;
      case 'fork':
        chat.createThread({
          created_by: user,
          created_at: date,
          forked_from: { thread_id, ...(message_id === undefined ? {} : { message_id }) },
        });
        return;
      case 'send':
      case 'ask':
      case 'undated':
        chat.send({
          thread_id,
          sender_id: user,
          content,
          date: call === 'undated' ? formatDate(0) : date,
          ...(call === 'ask' ? { expects: 'answer' } : {}),
        });
        return;
      case 'slot':
        chat.createThread({
          created_by: user,
          created_at: date,
          purpose: 'run',
          slot: { root_id: `root-${flavor}`, owner_id: user, provider: 'openai' },
          session: { session_id: `s${this.#count}` },
        });
        return;
      case 'configure':
        chat.configure({ thread_id, updated_by: user, updated_at: date, ...CONFIGS[flavor] });
        return;
      case 'clear':
        chat.configure({ thread_id, updated_by: user, updated_at: date, name: null, anchor: null });
        return;
      case 'read':
        if (message_id !== undefined)
          chat.annotate({ thread_id, user_id: user, key: 'read', value: message_id });
        return;
      case 'state':
        chat.setState({ thread_id, state: flavor < 3 ? 'running' : 'complete', updated_at: date });
        return;
      case 'variables':
        chat.setVariables({ scope: 'user', scope_id: user, values: { [`v${flavor}`]: said } });
        return;
      default:
        if (message_id !== undefined) this.#doWith(message_id, { call, user, date, said, flavor });
    }
  }

  #doWith(message_id: string, { call, user, date, said, flavor }: Call & Pick<ScriptCall, 'call'>): void {
    const { chat } = this;
    const message = chat.message(message_id);
    if (message === undefined) return;
    const { thread_id } = message;
    switch (call) {
      case 'reply':
        chat.send({ thread_id, sender_id: user, content: said, date, reply_to_message_id: message_id });
        return;
      case 'edit':
        if (!message.redacted) chat.edit({ message_id, author_id: user, content: said, date });
        return;
      case 'delete':
        if (!message.redacted) chat.delete({ message_id, author_id: user, date });
        return;
      case 'redact':
        if (flavor === 0) chat.redact({ message_id, by: user, date });
        return;
      case 'feedback':
        chat.annotate({ message_id, user_id: user, key: 'feedback', value: flavor < 2 ? null : 'positive' });
        return;
      case 'react':
        chat.annotate({ message_id, user_id: user, key: 'reaction:👍', value: true });
        return;
      case 'answer':
        this.#answer(thread_id, { user, date, said, flavor });
        return;
      case 'retry':
      case 'stop':
        if (message.expects !== 'answer' && message.attempt === undefined) return;
        if (call === 'stop') chat.stop({ message_id, by: user });
        else chat.retry({ message_id, by: user });
        return;
    }
  }

  /** Answers the last prompt of the thread. */
  #answer(thread_id: string, { user, date, said, flavor }: Call): void {
    const prompt = this.chat
      .messages(thread_id)
      .filter(({ expects }) => expects === 'answer')
      .at(-1);
    if (prompt === undefined) return;
    const prompt_id = prompt.message_id;
    const writer = this.chat.openAttempt({
      prompt_id,
      sender_id: `bot of ${user}`,
      runner_id: 'runner',
      date,
    });
    writer.addPart({ kind: 'reasoning', text: 'hm' });
    const tool: JsonObject = { command: 'ls', '`': '|' };
    writer.addPart({
      kind: 'tool_call',
      part_id: 't1',
      title: 'ls `*`',
      state: 'completed',
      input: tool,
      output: 'a',
    });
    writer.addPart({
      kind: 'file',
      part_id: 'f1',
      title: 'a.txt',
      data: { type: 'file', value: 'a.txt', flavor },
    });
    const part = writer.openPart({ kind: 'text' });
    part.append(said);
    if (flavor === 0) return;
    part.close();
    if (flavor === 1) return;
    const finish_reason = flavor === 2 ? 'stopped' : flavor === 3 ? 'error' : 'complete';
    writer.finish({
      finish_reason,
      acp_usage: { tokens: 7 },
      acp_thread_id: 'acp-1',
      ...(flavor === 3 ? { error: { message: 'boom' } } : {}),
    });
  }
}

const CONFIGS = [
  { name: 'Renamed' },
  { pin: true, thread_color: '#fff' },
  { archived: false, agent_kind: 'acp', acp_config: { model: 'gpt' } },
  { anchor: { id: 'cell-1', path: 'a.ipynb' } },
  { resolved: { account_id: 'ada', at: '2026-11-21T12:00:00.000Z' } },
  { session: { session_id: 's' }, template: { messages: [] }, variables: { a: 1 } },
] as const;

/** Calls that write a chat: the same script writes the same bytes. */
export interface ChatScript {
  readonly calls: readonly ScriptCall[];
  readonly seed: number;
  /** Milliseconds that pass between two looks at the clock. */
  readonly step: number;
}

/** The calls of people and agents in a chat, in order. */
export function chatScripts(): fc.Arbitrary<ChatScript> {
  const calls = fc.array(scriptCall, { minLength: 6, maxLength: 30, size: 'max' });
  return fc.record({ calls, seed: fc.nat(1000), step: fc.constantFrom(0, 1, 60_000) });
}

/** The chat that the library then holds. */
export function writeChat({ calls, seed, step }: ChatScript): Chat {
  const author = new ChatAuthor(createScriptEnvironment(seed, step));
  for (const one of calls) author.do(one);
  return author.chat;
}
