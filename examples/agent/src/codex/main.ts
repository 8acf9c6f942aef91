import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Chat, Message } from '@chatdoc/schema';
import { openChatFile } from '@chatdoc/sync/file';
import { getOrCreateThread, stopTurn, submitPrompt, TurnEngine } from '@chatdoc/turns';
import { acpAgent } from '@chatdoc/turns/acp';
import { findCodex, installCodex, PACKAGE, prepareCodex, VERSION } from './codex-acp.js';
import { startModelServer } from './model-server.js';
import { answerByScript, STORY } from './script.js';

/**
 * The real Codex answers in a document file: a turn with a tool call, a stop in mid-turn, and a restart after which it
 * still knows what was said. Its model is a script on this machine: no account, no network.
 */

const say = (line: string): void => console.log(line);
const folder = mkdtempSync(join(tmpdir(), 'chatdoc-codex-'));
const slot = { root_id: 'demo', owner_id: 'ada', provider: 'codex', purpose: 'chat' } as const;

async function main(): Promise<void> {
  let program = findCodex();
  if (program === undefined) {
    say(`Installing ${PACKAGE} ${VERSION}, 230 MB, once.`);
    program = installCodex();
  }
  if (program === undefined) {
    say('It could not be installed from npm.');
    process.exitCode = 1;
    return;
  }
  const model = await startModelServer(answerByScript);
  const command = prepareCodex(program, folder, model.url);
  writeFileSync(join(command.cwd ?? folder, 'notes.txt'), 'Friday\n');
  const agent = acpAgent({
    ...command,
    onPermission: ({ tool_call, options }) => {
      say(`  codex asks for leave: ${String((tool_call.rawInput as { reason?: string }).reason)} Ada: yes.`);
      return options.find(({ kind }) => kind === 'allow_once')?.optionId ?? null;
    },
  });
  try {
    await session(async (chat, ask) => {
      say('A turn: ada asks what is in the folder.');
      const { parts, content } = await ask('What is in this folder?', () => undefined);
      const tool = parts.find(({ kind }) => kind === 'tool_call');
      say(`  it ran a tool, which is ${tool?.state}`);
      say(`  codex: ${content}`);

      say('A stop: ada asks for a story, and stops it.');
      const told = await ask('Tell me a long story.', ({ message_id, content: text }) => {
        if (text.length > 100) stopTurn(chat, { message_id, by: 'ada' });
      });
      const isKept = told.content.length > 100 && STORY.join(' ').startsWith(told.content);
      say(`  ${told.attempt?.finish_reason}, the thread is ${stateOf(chat)}, its text is kept: ${isKept}`);
    });
    say('A restart: the document is opened again from its file, Codex is another process.');
    await session(async (_, ask) => {
      const { content } = await ask('What did I ask first?', () => undefined);
      say(`  codex: ${content}`);
    });
  } finally {
    model.close();
  }

  /** Opens the document file, serves it, and ends. */
  async function session(
    work: (
      chat: Chat,
      ask: (content: string, onText: (answer: Message) => void) => Promise<Message>,
    ) => Promise<void>,
  ): Promise<void> {
    const opened = await openChatFile(join(folder, 'team.ychat'), { create: true });
    if (!opened.ok) throw new Error(opened.code);
    const { chat } = opened.file;
    const engine = new TurnEngine({ runner_id: `process ${process.pid}` });
    engine.serve(chat, { agentFor: () => ({ agent, sender_id: 'codex' }) });
    const { thread_id } = getOrCreateThread(chat, slot, { created_by: 'ada' });
    const answerTo = (promptId: string): Message | undefined =>
      chat.messages(thread_id).find(({ prompt_id }) => prompt_id === promptId);
    try {
      await work(chat, async (content, onText) => {
        const date = new Date().toISOString();
        const prompt = { thread_id, sender_id: 'ada', content, client_message_id: date, date };
        const sent = submitPrompt(chat, prompt);
        if (!sent.ok) throw new Error(sent.code);
        const { message_id } = sent.message;
        const off = chat.subscribe(() => {
          const answer = answerTo(message_id);
          if (answer?.generating) onText(answer);
        });
        await engine.idle();
        off();
        const answer = answerTo(message_id);
        if (answer === undefined) throw new Error('no answer');
        return answer;
      });
    } finally {
      await engine.close();
      await opened.file.close();
    }
  }
}

function stateOf(chat: Chat): string {
  return chat
    .threads()
    .map(({ thread_id }) => chat.state(thread_id).state)
    .join();
}

try {
  await main();
} finally {
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}
