import { type Chat, type Environment, openChat } from '@chatdoc/schema';
import * as Y from 'yjs';

/** A clock that moves a minute with each id, and randomness that counts: the same chat in every run. */
function createEnvironment(): Environment {
  let calls = 0;
  return {
    now: () => Date.UTC(2024, 10, 21, 10) + calls * 60_000,
    random: (bytes) => {
      calls += 1;
      return Uint8Array.from({ length: bytes }, (_, i) => (calls * 37 + i * 11) % 256);
    },
  };
}

export function createChat(): Chat {
  return openChat(new Y.Doc(), { environment: createEnvironment() });
}

const at = (minute: number): string => new Date(Date.UTC(2024, 10, 21, 10, minute)).toISOString();

/** A thread with everything that a transcript marks, and ids by name. */
export function createAgentChat(): { readonly chat: Chat; readonly thread_id: string } {
  const chat = createChat();
  const { thread_id } = chat.createThread({
    created_by: 'ada',
    created_at: at(0),
    name: 'Release',
    acp_config: {},
  });
  const say = (sender_id: string, minute: number, content: string, fields: object = {}) =>
    chat.send({ thread_id, sender_id, date: at(minute), content, ...fields });
  const root = say('ada', 1, 'Ship it today?');
  const typo = say('bob', 2, 'Yse.', { reply_to_message_id: root.message_id });
  chat.edit({ message_id: typo.message_id, author_id: 'bob', content: 'Yes.', date: at(3) });
  const gone = say('bob', 4, 'Never mind.');
  chat.delete({ message_id: gone.message_id, author_id: 'bob', date: at(5) });
  const secret = say('ada', 6, 'The password is hunter2');
  chat.redact({ message_id: secret.message_id, by: 'ada', date: at(7) });
  say('cyd', 8, 'Agreed.', { reply_to_message_id: typo.message_id });
  const ask = (minute: number, content: string) => {
    const { message_id } = say('ada', minute, content, { expects: 'answer' });
    return () =>
      chat.openAttempt({
        prompt_id: message_id,
        sender_id: 'codex',
        runner_id: 'laptop',
        date: at(minute + 1),
      });
  };
  const done = ask(10, 'Run the tests.')();
  done.addPart({ kind: 'reasoning', text: 'They want the whole suite.' });
  done.addPart({ kind: 'text', text: 'Running them.' });
  done.addPart({ kind: 'tool_call', part_id: 't1', title: 'pnpm test', state: 'completed', output: 'ok' });
  done.addPart({ kind: 'text', text: 'All green.' });
  done.finish({ finish_reason: 'complete' });
  const stopped = ask(12, 'Deploy.')();
  stopped.addPart({ kind: 'text', text: 'Deploying to' });
  stopped.finish({ finish_reason: 'stopped' });
  const failed = ask(14, 'Deploy again.')();
  failed.finish({ finish_reason: 'error', error: { message: 'no network' } });
  const lost = ask(16, 'Write the notes.')();
  lost.addPart({ kind: 'text', text: 'Release notes' });
  const answer = chat.messages(thread_id).at(-1)?.message_id ?? '';
  chat.interrupt({ message_id: answer });
  const open = ask(18, 'Tell people.')();
  open.openPart({ kind: 'text' }).append('Dear all');
  say('ada', 20, 'And then?', { expects: 'answer' });
  return { chat, thread_id };
}
