import { fileURLToPath } from 'node:url';
import { openPresence } from '@chatdoc/sync';
import { openChatFile } from '@chatdoc/sync/file';
import { continueTurn, getOrCreateThread, stopTurn, submitPrompt, TurnEngine } from '@chatdoc/turns';
import { acpAgent } from '@chatdoc/turns/acp';
import { Awareness, applyAwarenessUpdate, encodeAwarenessUpdate } from 'y-protocols/awareness';
import type { FromBackend, ToBackend } from './wire.js';

/**
 * One backend, a process of its own: it has the document file open, as others have, and an engine.
 * `backend.ts NAME FILE CLAIM_DELAY`
 */

const [, , name = 'backend', path = 'team.ychat', claimDelay = '0'] = process.argv;
/** Short, so that nobody who watches has to wait. */
const LEASE_MS = 2_000;
const READ_MS = 50;

const opened = await openChatFile(path, { create: true, flush: 'at_once', user_id: name });
if (!opened.ok) throw new Error(opened.code);
const { chat, doc } = opened.file;
// A flush also brings in what the other backend has written.
const read = (): void => void opened.file.flush().then(() => setTimeout(read, READ_MS));
read();

const awareness = new Awareness(doc);
const liveness = openPresence(awareness, { user: { user_id: name }, limits: { lease: LEASE_MS / 2 } });
awareness.on('update', (_changes: unknown, origin: unknown) => {
  if (origin !== 'peer') tellAwareness();
});

const agent = acpAgent({
  command: process.execPath,
  args: ['--import', 'tsx', fileURLToPath(new URL('agent-process.ts', import.meta.url))],
});
const engine = new TurnEngine({ runner_id: name, lease_ms: LEASE_MS });
const service = engine.serve(chat, {
  agentFor: () => ({ agent, sender_id: 'counter' }),
  liveness,
  claim_delay_ms: Number(claimDelay),
});
// The file is always there.
service.setSynced(true);

const slot = { root_id: 'demo', owner_id: 'ada', provider: 'counter', purpose: 'chat' } as const;
// Derived from the slot: both backends make the same thread.
const { thread_id } = getOrCreateThread(chat, slot, { created_by: 'ada' });

process.on('message', (message: ToBackend) => {
  switch (message.type) {
    case 'awareness':
      applyAwarenessUpdate(awareness, message.update, 'peer');
      break;
    case 'tell':
      tellAwareness();
      break;
    case 'ask': {
      const date = new Date().toISOString();
      const prompt = { thread_id, sender_id: 'ada', content: message.content };
      submitPrompt(chat, { ...prompt, client_message_id: `${name} ${date}`, date });
      break;
    }
    case 'stop':
      stopTurn(chat, { message_id: lastAnswer(), by: 'ada' });
      break;
    case 'continue':
      continueTurn(chat, { message_id: lastAnswer(), by: 'ada' });
      break;
  }
});
process.on('disconnect', () => process.exit());

tell({ type: 'ready' });
chat.subscribe(show);
show();

function tell(message: FromBackend): void {
  process.send?.(message);
}

function tellAwareness(): void {
  tell({ type: 'awareness', update: encodeAwarenessUpdate(awareness, [awareness.clientID]) });
}

function lastAnswer(): string {
  const answers = chat.messages(thread_id).filter(({ attempt }) => attempt !== undefined);
  return answers.at(-1)?.message_id ?? '';
}

function show(): void {
  const messages = chat.messages(thread_id);
  const last = messages.at(-1);
  tell({
    type: 'view',
    question: messages.filter(({ expects }) => expects === 'answer').at(-1)?.content ?? '',
    state: chat.state(thread_id).state,
    text: last?.attempt === undefined ? '' : last.content.trim(),
    finish_reason: last?.attempt?.finish_reason ?? null,
    runner: last?.attempt?.runner_id ?? null,
    digest: chat.digest(),
  });
}
