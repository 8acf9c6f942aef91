import { fileURLToPath } from 'node:url';
import { type Chat, openChat } from '@chatdoc/schema';
import {
  AwarenessLiveness,
  continueTurn,
  getOrCreateThread,
  stopTurn,
  submitPrompt,
  systemTimers,
  TurnEngine,
} from '@chatdoc/turns';
import { acpAgent } from '@chatdoc/turns/acp';
import { Awareness, applyAwarenessUpdate, encodeAwarenessUpdate } from 'y-protocols/awareness';
import * as Y from 'yjs';
import { keepDocument } from './document-file.js';
import { decode, encode, type FromBackend, type ToBackend } from './wire.js';

/** One backend, a process of its own: a replica in a file, and an engine. `backend.ts NAME FILE CLAIM_DELAY` */

const [, , name = 'backend', path = 'chat', claimDelay = '0'] = process.argv;
/** Short, so that nobody who watches has to wait. */
const LEASE_MS = 2_000;
const RENEW_MS = 250;

const doc = new Y.Doc();
keepDocument(doc, path);
const chat: Chat = openChat(doc, { user_id: name });
const awareness = new Awareness(doc);
const liveness = new AwarenessLiveness(awareness, { timers: systemTimers, stale_ms: LEASE_MS / 2 });
const engine = new TurnEngine({ runner_id: name, lease_ms: LEASE_MS });

const tell = (message: FromBackend): void => void process.send?.(message);
const slot = { root_id: 'demo', owner_id: 'ada', provider: 'counter', purpose: 'chat' } as const;
// Derived from the slot: both backends make the same thread.
const { thread_id } = getOrCreateThread(chat, slot, {
  created_by: 'ada',
  created_at: '2026-01-01T00:00:00.000Z',
} as never);

doc.on('update', (update: Uint8Array, origin: unknown) => {
  if (origin !== 'peer') tell({ type: 'update', bytes: encode(update) });
});
awareness.on('update', (_changes: unknown, origin: unknown) => {
  if (origin !== 'peer') tellAwareness();
});
chat.subscribe(() => show());
setInterval(() => awareness.setLocalState(awareness.getLocalState()), RENEW_MS);

const agent = acpAgent({
  command: process.execPath,
  args: ['--import', 'tsx', fileURLToPath(new URL('agent-process.ts', import.meta.url))],
});
engine.serve(chat, {
  agentFor: () => ({ agent, sender_id: 'counter' }),
  liveness,
  claim_delay_ms: Number(claimDelay),
});

process.on('message', (message: ToBackend) => {
  switch (message.type) {
    case 'update':
      Y.applyUpdate(doc, decode(message.bytes), 'peer');
      break;
    case 'awareness':
      applyAwarenessUpdate(awareness, decode(message.bytes), 'peer');
      break;
    case 'tell':
      tell({ type: 'update', bytes: encode(Y.encodeStateAsUpdate(doc)) });
      tellAwareness();
      break;
    case 'ask': {
      const date = new Date().toISOString();
      const { content } = message;
      submitPrompt(chat, {
        thread_id,
        sender_id: 'ada',
        content,
        client_message_id: `${name} ${date}`,
        date,
      });
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
liveness.setSynced(true);
show();

function tellAwareness(): void {
  tell({ type: 'awareness', bytes: encode(encodeAwarenessUpdate(awareness, [awareness.clientID])) });
}

function lastAnswer(): string {
  return (
    chat
      .messages(thread_id)
      .filter(({ attempt }) => attempt !== undefined)
      .at(-1)?.message_id ?? ''
  );
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
