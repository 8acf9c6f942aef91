import type { AppendMessage, ExternalStoreAdapter } from '@assistant-ui/react';
import { type Chat, ChatDocError, formatDate, type Message, systemEnvironment } from '@chatdoc/schema';
import { type RequestResult, resubmitPrompt, retryTurn, stopTurn, submitPrompt } from '@chatdoc/turns';
import { drawId } from '../store/draw-id.js';

export interface RuntimeScope {
  readonly chat: Chat;
  readonly thread_id: string;
  readonly user_id: string;
  readonly setThread?: ((threadId: string) => void) | undefined;
}

type Calls = Pick<ExternalStoreAdapter<Message>, 'onNew' | 'onEdit' | 'onReload' | 'onCancel' | 'onDelete'>;

/** The calls of the runtime as requests of the user. An edit forks the thread, as the kit expects it. */
export function createRuntimeCalls({ chat, thread_id, user_id, setThread }: RuntimeScope): Calls {
  const newKey = () => ({
    client_message_id: drawId(systemEnvironment),
    date: formatDate(systemEnvironment.now()),
  });
  const calls: Calls = {
    onNew: async (message) => {
      submitPrompt(chat, { ...newKey(), thread_id, sender_id: user_id, content: textOf(message) });
    },
    // The message that is asked for again: the one before it may be of another turn.
    onReload: async (parentId, { sourceId }) => {
      const message_id = sourceId ?? parentId ?? '';
      assertDone(retryTurn(chat, { message_id, by: user_id }));
    },
    onCancel: async () => {
      const { active_message_id } = chat.state(thread_id);
      const message_id = active_message_id ?? chat.queue(thread_id)[0];
      if (message_id !== undefined) stopTurn(chat, { message_id, by: user_id });
    },
    onDelete: (message_id) => {
      chat.delete({ message_id, author_id: user_id });
    },
  };
  if (setThread === undefined) return calls;
  const onEdit = async (message: AppendMessage): Promise<void> => {
    const message_id = message.sourceId ?? '';
    const forked = resubmitPrompt(chat, {
      ...newKey(),
      message_id,
      author_id: user_id,
      content: textOf(message),
      as: 'fork',
    });
    if (forked.ok) setThread(forked.thread_id);
    else assertDone(forked);
  };
  return { ...calls, onEdit };
}

function assertDone(result: RequestResult<string>): void {
  if (!result.ok) throw new ChatDocError('not_found', 'message', `expected a turn, got ${result.code}`);
}

/** Throws for what a document would lose. */
function textOf({ content, attachments = [] }: AppendMessage): string {
  if (attachments.length > 0) {
    throw new ChatDocError('invalid_argument', 'attachments', 'expected text alone');
  }
  return content
    .map((part) => {
      if (part.type === 'text') return part.text;
      throw new ChatDocError('invalid_argument', 'content', `expected text, got a ${part.type}`);
    })
    .join('\n');
}
