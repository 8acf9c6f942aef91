import { useConfig, useMessage, useMessages, useThreadState, useThreads, useUnread } from '@chatdoc/react';

interface ThreadListProps {
  readonly picked: string | undefined;
  readonly loaded: boolean;
  open(threadId: string): void;
  start(): void;
}

export function ThreadList({ picked, open, start, loaded }: ThreadListProps) {
  const threads = useThreads();
  return (
    <nav aria-label="Threads">
      <button type="button" className="primary" onClick={start}>
        New thread
      </button>
      {loaded && threads.length === 0 && <p className="hint">No threads yet.</p>}
      <ul>
        {[...threads].reverse().map(({ thread_id }) => (
          <li key={thread_id}>
            <ThreadItem thread_id={thread_id} isOpen={thread_id === picked} open={open} />
          </li>
        ))}
      </ul>
    </nav>
  );
}

interface ThreadItemProps {
  readonly thread_id: string;
  readonly isOpen: boolean;
  open(threadId: string): void;
}

function ThreadItem({ thread_id, isOpen, open }: ThreadItemProps) {
  const { name, pin } = useConfig(thread_id);
  const unread = useUnread(thread_id);
  const { state } = useThreadState(thread_id);
  const { ids } = useMessages(thread_id, { size: 1 });
  const last = useMessage(ids.at(-1) ?? '');
  return (
    <button
      type="button"
      className="thread"
      aria-current={isOpen ? 'page' : undefined}
      onClick={() => open(thread_id)}
    >
      <span className="name">
        {pin === true && <span title="pinned">📌 </span>}
        {name ?? 'Untitled'}
      </span>
      <span className="last">
        {state === 'running'
          ? 'answering…'
          : last === undefined
            ? 'empty'
            : last.content.slice(0, 80) || 'deleted'}
      </span>
      {unread > 0 && (
        <span className="unread" role="status" aria-label={`${unread} unread`}>
          {unread}
        </span>
      )}
    </button>
  );
}
