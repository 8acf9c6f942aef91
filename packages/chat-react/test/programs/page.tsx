import {
  ChatProvider,
  useConfig,
  useDraft,
  useMessage,
  useMessages,
  useThreads,
  useTurn,
  useUnread,
} from '@chatdoc/react';
import { type Chat, chatOf } from '@chatdoc/schema';
import * as Y from 'yjs';

const doc = new Y.Doc(); // any Yjs provider syncs it
export const chat: Chat = chatOf(doc); // the same one at each call, also within components
export const { thread_id } = chat.createThread({ created_by: 'ada', name: 'Roadmap' });

export function Page() {
  return (
    <ChatProvider chat={chat} user_id="ada">
      <Threads />
      <Messages thread_id={thread_id} />
      <Composer thread_id={thread_id} />
    </ChatProvider>
  );
}

function Threads() {
  return useThreads().map((thread) => <ThreadName key={thread.thread_id} {...thread} />);
}

function ThreadName({ thread_id }: { thread_id: string }) {
  return (
    <h2>
      {useConfig(thread_id).name} ({useUnread(thread_id)})
    </h2>
  );
}

function Messages({ thread_id }: { thread_id: string }) {
  const { ids, hasOlder, loadOlder } = useMessages(thread_id);
  return (
    <section>
      {hasOlder && (
        <button type="button" onClick={() => loadOlder()}>
          Older
        </button>
      )}
      {ids.map((id) => (
        <Row key={id} id={id} />
      ))}
    </section>
  );
}

// Renders again when its own message changes: a streamed token renders one row.
function Row({ id }: { id: string }) {
  const message = useMessage(id);
  return <p>{message?.content}</p>;
}

function Composer({ thread_id }: { thread_id: string }) {
  const [text, setText] = useDraft(thread_id);
  const { state, submit, stop } = useTurn(thread_id);
  const send = () => {
    submit(text);
    setText('');
  };
  return (
    <footer>
      <input value={text} onChange={(event) => setText(event.target.value)} />
      {state === 'running' ? (
        <button type="button" onClick={() => stop()}>
          Stop
        </button>
      ) : (
        <button type="button" onClick={send}>
          Send
        </button>
      )}
    </footer>
  );
}
