import { isDeepStrictEqual } from 'node:util';
import { Chat as UIChat } from '@ai-sdk/react';
import { type AttemptWriter, type Chat, type Message, openChat } from '@chatdoc/schema';
import { stopTurn } from '@chatdoc/turns';
import * as Y from 'yjs';
import {
  ChatDocTransport,
  type ChatUIMessage,
  docChatOf,
  fromUIMessages,
  toUIMessages,
} from '../../src/ai-sdk/index.js';
import { ADA, createChat, GRACE } from '../world.js';

/** What an application of AI SDK UI does, over the major of `ai` that is installed: one check a line. */

/** Names of the checks, and whether each holds. */
export type Checks = Record<string, boolean>;

interface Page {
  readonly chat: Chat;
  readonly thread_id: string;
  readonly ui: UIChat<ChatUIMessage>;
  last(): ChatUIMessage | undefined;
  text(): string;
}

function openPage(onAbort: 'detach' | 'stop' = 'detach', { chat, thread_id } = createChat()): Page {
  const ui = new UIChat<ChatUIMessage>({
    id: thread_id,
    transport: new ChatDocTransport({ chat, thread_id, user_id: ADA, onAbort }),
    messages: toUIMessages(chat, thread_id),
    generateId: ChatDocTransport.generateId,
    onError: () => {},
  });
  const last = (): ChatUIMessage | undefined => ui.messages.at(-1);
  return { chat, thread_id, ui, last, text: () => textOf(last()) };
}

function textOf(message: ChatUIMessage | undefined): string {
  return (message?.parts ?? []).map((part) => (part.type === 'text' ? part.text : '')).join('');
}

/** Waits for what only promises and streams are in the way of. */
async function until(holds: () => boolean): Promise<boolean> {
  for (let round = 0; round < 500; round += 1) {
    if (holds()) return true;
    await new Promise((resolve) => setImmediate(resolve));
  }
  return false;
}

/** Begins the answer of the prompt that is next. */
function run({ chat, thread_id }: Pick<Page, 'chat' | 'thread_id'>): AttemptWriter {
  const [prompt_id = ''] = chat.queue(thread_id);
  return chat.openAttempt({ prompt_id, sender_id: 'bot', runner_id: 'laptop' });
}

async function streamed(): Promise<Checks> {
  const page = openPage();
  const { chat, thread_id, ui } = page;
  const done = ui.sendMessage({ text: 'Hello?' });
  const isQueued = await until(() => chat.queue(thread_id).length === 1);
  const waits = ui.status === 'submitted';
  const attempt = run(page);
  const part = attempt.openPart({ kind: 'text' });
  part.append('Hel');
  const first = await until(() => page.text() === 'Hel');
  const streams = ui.status === 'streaming';
  part.append('lo.');
  const grown = await until(() => page.text() === 'Hello.');
  attempt.finish({ finish_reason: 'stop' });
  await done;
  const [prompt] = chat.messages(thread_id);
  return {
    'a prompt is in the document at once, and waits': isQueued && waits,
    'tokens show as they come': first && grown && streams,
    'the end is the end': ui.status === 'ready' && page.last()?.metadata?.finish_reason === 'stop',
    'the prompt is there once, under the id of useChat':
      chat.messageCount(thread_id) === 2 && prompt?.client_message_id === ui.messages[0]?.id,
    'the answer has the id of the document': page.last()?.id === attempt.message_id,
    'a reload shows the same ids': isDeepStrictEqual(
      toUIMessages(chat, thread_id).map(({ id }) => id),
      ui.messages.map(({ id }) => id),
    ),
  };
}

async function reloaded(): Promise<Checks> {
  const page = openPage();
  const idle = openPage('detach', page);
  await idle.ui.resumeStream();
  void page.ui.sendMessage({ text: 'Count.' });
  await until(() => page.chat.queue(page.thread_id).length === 1);
  const attempt = run(page);
  const part = attempt.openPart({ kind: 'text' });
  part.append('one ');
  await until(() => page.text() === 'one ');
  const again = openPage('detach', page);
  const before = again.text();
  const resumed = again.ui.resumeStream();
  part.append('two');
  const both = await until(() => again.text() === 'one two' && page.text() === 'one two');
  attempt.finish({ finish_reason: 'stop' });
  await resumed;
  return {
    'where nothing runs, there is nothing to resume':
      idle.ui.status === 'ready' && idle.ui.messages.length === 0,
    'a reload in mid-stream goes on, every word once':
      before === 'one ' && both && again.ui.messages.length === 2 && again.ui.status === 'ready',
  };
}

async function stopped(): Promise<Checks> {
  const page = openPage();
  const sent = page.ui.sendMessage({ text: 'Go.' });
  await until(() => page.chat.queue(page.thread_id).length === 1);
  const attempt = run(page);
  attempt.openPart({ kind: 'text' }).append('Half');
  await until(() => page.text() === 'Half');
  // Another replica stops it; the runner sees that, and ends.
  stopTurn(page.chat, { message_id: attempt.message_id, by: GRACE });
  attempt.finish({ finish_reason: 'stopped' });
  await sent;
  const answer = page.chat.message(attempt.message_id) as Message;
  const [detached, stopping] = await Promise.all([stopOwn('detach'), stopOwn('stop')]);
  return {
    'a stop by another replica ends the stream, its text kept':
      page.ui.status === 'ready' && page.text() === 'Half' && answer.content === 'Half',
    'that it was stopped is in the metadata': page.last()?.metadata?.finish_reason === 'stopped',
    'an abort detaches: the answer goes on for everyone': !detached,
    'an abort stops the answer where that is asked for': stopping,
  };
}

/** Whether an abort has asked the runner to stop. */
async function stopOwn(onAbort: 'detach' | 'stop'): Promise<boolean> {
  const page = openPage(onAbort);
  const sent = page.ui.sendMessage({ text: 'Go.' });
  await until(() => page.chat.queue(page.thread_id).length === 1);
  const attempt = run(page);
  attempt.openPart({ kind: 'text' }).append('Half');
  await until(() => page.text() === 'Half');
  await page.ui.stop();
  await sent;
  return page.chat.message(attempt.message_id)?.attempt?.stop_requested === true;
}

async function again(): Promise<Checks> {
  const page = openPage();
  const { chat, thread_id, ui } = page;
  const first = ui.sendMessage({ text: 'Draw.' });
  await until(() => chat.queue(thread_id).length === 1);
  const one = run(page);
  one.addPart({ kind: 'text', text: 'A cat' });
  one.finish({ finish_reason: 'stop' });
  await first;
  const second = ui.regenerate();
  await until(() => chat.queue(thread_id).length === 1);
  const two = run(page);
  two.addPart({ kind: 'text', text: 'A dog' });
  two.finish({ finish_reason: 'stop' });
  await second;
  const answer = chat.message(one.message_id) as Message;
  const regenerated =
    page.text() === 'A dog' && answer.alternates.length === 1 && chat.messageCount(thread_id) === 2;
  const edited = ui.sendMessage({ text: 'Paint.', messageId: ui.messages[0]?.id ?? '' });
  await until(() => chat.queue(thread_id).length === 1);
  const three = run(page);
  three.addPart({ kind: 'text', text: 'A fish' });
  three.finish({ finish_reason: 'stop' });
  await edited;
  const prompt = chat.messages(thread_id)[0] as Message;
  return {
    'regenerating is one answer with an alternate': regenerated,
    'an edit is a revision, and asks again':
      prompt.content === 'Paint.' && prompt.history.length === 2 && page.text() === 'A fish',
  };
}

async function offline(): Promise<Checks> {
  const page = openPage();
  const { chat, thread_id, ui } = page;
  void ui.sendMessage({ text: 'Later?' });
  await until(() => chat.queue(thread_id).length === 1);
  const waits = ui.status === 'submitted';
  const other = openChat(new Y.Doc());
  other.importJSONL(chat.toJSONL());
  const attempt = run({ chat: other, thread_id });
  attempt.addPart({ kind: 'text', text: 'Now.' });
  attempt.finish({ finish_reason: 'stop' });
  chat.importJSONL(other.toJSONL());
  const came = await until(() => page.text() === 'Now.' && ui.status === 'ready');
  const two = [openPage('detach', page), openPage('detach', page)] as const;
  const sent = two.map((one, i) => one.ui.sendMessage({ text: `At once ${i}` }));
  await until(() => chat.queue(thread_id).length === 2);
  for (let i = 0; i < 2; i += 1) {
    const next = run(page);
    next.addPart({ kind: 'text', text: `Answer ${i}` });
    next.finish({ finish_reason: 'stop' });
  }
  await Promise.all(sent);
  return {
    'a prompt that was sent offline is answered later': waits && came,
    'two prompts at once are two answers, each on its page': isDeepStrictEqual(
      two.map((one) => one.text()),
      ['Answer 0', 'Answer 1'],
    ),
  };
}

async function parts(): Promise<Checks> {
  const page = openPage();
  const sent = page.ui.sendMessage({ text: 'Look.' });
  await until(() => page.chat.queue(page.thread_id).length === 1);
  const attempt = run(page);
  attempt.addPart({ kind: 'reasoning', text: 'Hm.' });
  attempt.addPart({ kind: 'tool_call', part_id: 't1', title: 'read', state: 'in_progress', input: { a: 1 } });
  const called = await until(() => toolState(page, 't1') === 'input-available');
  attempt.addPart({ kind: 'tool_call', part_id: 't1', state: 'completed', output: ['ok'] });
  const ended = await until(() => toolState(page, 't1') === 'output-available');
  attempt.addPart({ kind: 'file', title: 'p.png', data: { media_type: 'image/png', base64: 'AAAA' } });
  attempt.addPart({
    kind: 'file',
    data: { type: 'source', sourceType: 'url', id: 's', url: 'https://example.org' },
  });
  attempt.addPart({ kind: 'plan', data: [{ step: 'one' }] });
  attempt.addPart({ kind: 'tool_call', part_id: 't2', title: 'write', state: 'in_progress', input: {} });
  attempt.finish({ finish_reason: 'stopped' });
  await sent;
  const shown = toUIMessages(page.chat, page.thread_id).at(-1)?.parts ?? [];
  const kinds = ['reasoning', 'dynamic-tool', 'file', 'source-url', 'data-plan', 'dynamic-tool'];
  return {
    'a tool is called, and ends': called && ended,
    'a call that was cut reads as cancelled, streamed and reloaded':
      toolState(page, 't2') === 'output-error' && 'errorText' in (shown.at(-1) ?? {}),
    'every kind of part shows, streamed as reloaded': isDeepStrictEqual(
      [(page.last()?.parts ?? []).map(({ type }) => type), shown.map(({ type }) => type)],
      [kinds, kinds],
    ),
  };
}

function toolState(page: Page, toolCallId: string): string | undefined {
  for (const part of page.last()?.parts ?? []) {
    if (part.type === 'dynamic-tool' && part.toolCallId === toolCallId) return part.state;
  }
  return undefined;
}

async function wrong(): Promise<Checks> {
  const page = openPage();
  const { chat, thread_id, ui } = page;
  const sent = ui.sendMessage({ text: 'Fail.' });
  await until(() => chat.queue(thread_id).length === 1);
  const attempt = run(page);
  attempt.finish({ finish_reason: 'error', error: { code: 'unauthorized', message: 'No key.' } });
  await sent;
  const failed = ui.status === 'error' && ui.error?.message === 'No key.';
  // A peer copies the client id of another's prompt.
  const [prompt] = chat.messages(thread_id);
  const copy = chat.send({
    thread_id,
    sender_id: 'mallory',
    content: 'Copy',
    client_message_id: prompt?.client_message_id ?? '',
  });
  const ids = toUIMessages(chat, thread_id).map(({ id }) => id);
  const before = chat.messageCount(thread_id);
  const file = { type: 'file', mediaType: 'image/png', url: 'data:image/png;base64,AAAA' } as const;
  await ui.sendMessage({ text: 'See', files: [file] });
  return {
    'a failed answer is an error on the page': failed,
    'a copied id is shown under the id of its message':
      ids.includes(copy.message_id) && new Set(ids).size === ids.length,
    'what a document cannot hold is refused, not dropped':
      ui.error !== undefined && chat.messageCount(thread_id) === before,
  };
}

async function documents(): Promise<Checks> {
  const { chat, thread_id } = createChat(2);
  const page = docChatOf(chat, thread_id, ADA);
  const calls = { messages: 0 };
  const off = page['~registerMessagesCallback'](() => {
    calls.messages += 1;
  });
  const [one = ''] = chat.messageIds(thread_id);
  const before = page.messages;
  chat.edit({ message_id: one, author_id: ADA, content: 'Edited' });
  const edited =
    textOf(page.messages[0]) === 'Edited' && page.messages[1] === before[1] && calls.messages > 0;
  await page.sendMessage({ text: 'Go.' });
  const submitted = page.status === 'submitted' && page.experimental_queuedMessages.length === 1;
  const attempt = run({ chat, thread_id });
  const part = attempt.openPart({ kind: 'text' });
  part.append('Slow');
  const streams = page.status === 'streaming' && page.experimental_queuedMessages.length === 0;
  const shown = page.messages;
  part.append('er');
  const tokens = page.messages.every((message, i) => (message === shown[i]) === i < 3);
  const again = page.messages;
  const isStable = page.messages === again;
  await page.stop();
  const isStopped = chat.message(attempt.message_id)?.attempt?.stop_requested === true;
  attempt.finish({ finish_reason: 'stopped' });
  const refused = await Promise.allSettled([page.addToolApprovalResponse(), page.addToolOutput()]);
  let threw = false;
  try {
    page.messages = [];
  } catch {
    threw = true;
  }
  off();
  return {
    'another person sends and edits: it shows': edited,
    'the status is that of the thread': submitted && streams && page.status === 'ready',
    'a token is another object for one message': tokens && isStable,
    'a stop is for everyone': isStopped,
    'what would be lost is refused': threw && refused.every(({ status }) => status === 'rejected'),
  };
}

/** Two runners answer apart: what shows changes when they meet. */
async function losing(): Promise<Checks> {
  const { chat, thread_id } = createChat();
  const page = docChatOf(chat, thread_id, ADA);
  await page.sendMessage({ text: 'Go.' });
  const other = openChat(new Y.Doc());
  other.importJSONL(chat.toJSONL());
  run({ chat, thread_id }).openPart({ kind: 'text' }).append('Loses');
  const winner = run({ chat: other, thread_id });
  winner.addPart({ kind: 'text', text: 'Wins' });
  winner.finish({ finish_reason: 'stop' });
  const before = textOf(page.lastMessage);
  chat.importJSONL(other.toJSONL());
  return {
    'an attempt that loses in mid-stream does not stay':
      before === 'Loses' && textOf(page.lastMessage) === 'Wins' && page.messages.length === 2,
  };
}

async function imported(): Promise<Checks> {
  const source = createChat();
  const page = docChatOf(source.chat, source.thread_id, ADA);
  await page.sendMessage({ text: 'Look.' });
  const attempt = run(source);
  attempt.addPart({ kind: 'reasoning', text: 'Hm.' });
  attempt.addPart({
    kind: 'tool_call',
    part_id: 't',
    title: 'read',
    state: 'completed',
    input: 1,
    output: [2],
  });
  attempt.addPart({ kind: 'file', title: 'p.png', data: { media_type: 'image/png', base64: 'AAAA' } });
  attempt.addPart({ kind: 'text', text: 'Seen.' });
  attempt.finish({ finish_reason: 'stop' });
  source.chat.send({ thread_id: source.thread_id, sender_id: ADA, content: 'Thanks.' });
  const messages = toUIMessages(source.chat, source.thread_id);
  const { chat, thread_id } = createChat();
  const options = { user_id: ADA, date: '2026-11-30T12:00:00.000Z' };
  fromUIMessages(chat, thread_id, messages, options);
  const lines = chat.report().lines;
  fromUIMessages(chat, thread_id, messages, options);
  const strip = (all: readonly ChatUIMessage[]) => all.map(({ role, parts }) => ({ role, parts }));
  return {
    'a conversation is imported whole, and once':
      isDeepStrictEqual(strip(toUIMessages(chat, thread_id)), strip(messages)) &&
      chat.report().lines === lines,
  };
}

/** Of `ai`: only the later one keeps a queue of its own. */
export function findMajor(): 6 | 7 {
  return 'experimental_removeQueuedMessage' in openPage().ui ? 7 : 6;
}

export async function runScenarios(): Promise<Checks> {
  const all: Checks[] = [];
  const scenarios = [streamed, reloaded, stopped, again, offline, parts, wrong, documents, losing, imported];
  for (const scenario of scenarios) all.push(await scenario());
  return Object.assign({}, ...all);
}

if (process.argv.at(-1) === 'print') {
  process.stdout.write(JSON.stringify({ major: findMajor(), checks: await runScenarios() }));
}
