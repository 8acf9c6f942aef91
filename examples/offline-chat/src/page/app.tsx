import { ChatProvider, useChat, useConnection, useThreads } from '@chatdoc/react';
import { type Connection, connect } from '@chatdoc/sync/client';
import { useEffect, useState } from 'react';
import { type Config, readName } from './config.js';
import { DropZone } from './drop-zone.js';
import { StatusBar } from './status-bar.js';
import { ThreadList } from './thread-list.js';
import { ThreadView } from './thread-view.js';
import { UserContext } from './user.js';

const OFFLINE = 'offline-chat:offline';

/** Opened outside of components: StrictMode and hot reload have nothing to close. */
function open({ doc_id, url }: Config, name: string, isOffline: boolean): Connection {
  return connect({
    ...(!isOffline && { url }),
    doc_id,
    user: { user_id: name.toLowerCase(), name },
    storage: 'indexeddb',
  });
}

let connection: Connection | undefined;

export function App({ config }: { readonly config: Config }) {
  const [name] = useState(readName);
  const [isOffline, setOffline] = useState(() => localStorage.getItem(OFFLINE) === 'yes');
  const [current, setCurrent] = useState(() => {
    connection ??= open(config, name, isOffline);
    return connection;
  });
  const toggle = async (): Promise<void> => {
    localStorage.setItem(OFFLINE, isOffline ? 'no' : 'yes');
    await current.close();
    connection = open(config, name, !isOffline);
    setOffline(!isOffline);
    setCurrent(connection);
  };
  return (
    <UserContext value={current.user.user_id}>
      <ChatProvider connection={current} key={String(isOffline)}>
        <DropZone>
          <StatusBar connection={current} name={name} isOffline={isOffline} toggle={toggle} />
          <Rooms connection={current} />
        </DropZone>
      </ChatProvider>
    </UserContext>
  );
}

function Rooms({ connection: current }: { readonly connection: Connection }) {
  const chat = useChat();
  const { loaded } = useConnection(current);
  const threads = useThreads();
  const [picked, pick] = useState(() => location.hash.slice(1));
  useEffect(() => {
    const follow = (): void => pick(location.hash.slice(1));
    addEventListener('hashchange', follow);
    return () => removeEventListener('hashchange', follow);
  }, []);
  const thread = threads.find(({ thread_id }) => thread_id === picked);
  const show = (thread_id: string): void => {
    location.hash = thread_id;
    pick(thread_id);
  };
  const start = (): void => {
    const { user_id } = current.user;
    show(chat.createThread({ created_by: user_id, name: 'New thread' }).thread_id);
  };
  return (
    <div className="rooms" data-open={thread !== undefined}>
      <ThreadList picked={thread?.thread_id} open={show} start={start} loaded={loaded} />
      {thread === undefined ? (
        <main className="empty">
          <p>{loaded ? 'Choose a thread, or start one.' : 'Loading…'}</p>
        </main>
      ) : (
        <ThreadView key={thread.thread_id} thread_id={thread.thread_id} back={() => show('')} />
      )}
    </div>
  );
}
