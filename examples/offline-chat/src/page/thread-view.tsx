import { useChat, useConfig, useMarkRead, useMessages, useTurn, useTyping } from '@chatdoc/react';
import { useContext, useEffect, useLayoutEffect, useRef, useState } from 'react';
import { Composer } from './composer.js';
import { MessageRow } from './message-row.js';
import { UserContext } from './user.js';

/** So near to its end a list counts as at its end, pixels. */
const NEAR = 80;

export function ThreadView({ thread_id, back }: { readonly thread_id: string; back(): void }) {
  const { ids, hasOlder, loadOlder } = useMessages(thread_id);
  const [replyTo, setReplyTo] = useState<string>();
  const [typing] = useTyping(thread_id);
  const { state, queue, stop } = useTurn(thread_id);
  const markRead = useMarkRead(thread_id);
  const list = useRef<HTMLDivElement>(null);
  const isAtEnd = useRef(true);
  const height = useRef(0);

  useLayoutEffect(() => {
    const element = list.current;
    if (element === null) return;
    const keep = (): void => {
      if (isAtEnd.current) element.scrollTop = element.scrollHeight;
    };
    keep();
    // Rows grow while an answer streams.
    const observer = new ResizeObserver(keep);
    for (const row of element.children) observer.observe(row);
    return () => observer.disconnect();
  });
  // Older rows push what is on the screen down: it stays where it is.
  // biome-ignore lint/correctness/useExhaustiveDependencies: after the list has changed
  useLayoutEffect(() => {
    const element = list.current;
    if (element !== null && height.current > 0) element.scrollTop += element.scrollHeight - height.current;
    height.current = 0;
  }, [ids]);
  useEffect(() => {
    if (document.visibilityState === 'visible' && ids.length > 0) markRead();
  }, [ids, markRead]);

  const older = (): void => {
    height.current = list.current?.scrollHeight ?? 0;
    isAtEnd.current = false;
    loadOlder();
  };
  const onScroll = (): void => {
    const { scrollHeight, scrollTop, clientHeight } = list.current as HTMLDivElement;
    isAtEnd.current = scrollHeight - scrollTop - clientHeight < NEAR;
  };
  return (
    <main>
      <ThreadHeader thread_id={thread_id} back={back} />
      <div className="messages" ref={list} onScroll={onScroll} role="log" aria-label="Messages">
        {hasOlder && (
          <button type="button" className="older" onClick={older}>
            Show older messages
          </button>
        )}
        {ids.length === 0 && (
          <p className="hint">Nothing here yet. Write something, or ask @echo or @plan.</p>
        )}
        {ids.map((id) => (
          <MessageRow key={id} id={id} reply={setReplyTo} />
        ))}
      </div>
      <div className="below">
        <span className="hint" role="status">
          {typing.length > 0 ? `${typing.join(', ')} is typing…` : ''}
          {queue.length > 0 ? ` ${queue.length} waiting` : ''}
        </span>
        {state === 'running' && (
          <button type="button" onClick={() => stop()}>
            Stop
          </button>
        )}
      </div>
      <Composer thread_id={thread_id} replyTo={replyTo} setReplyTo={setReplyTo} />
    </main>
  );
}

function ThreadHeader({ thread_id, back }: { readonly thread_id: string; back(): void }) {
  const chat = useChat();
  const { name, pin } = useConfig(thread_id);
  const user_id = useContext(UserContext);
  const change = (fields: { name?: string; pin?: boolean }): void => {
    chat.configure({ thread_id, updated_by: user_id, ...fields });
  };
  return (
    <div className="title">
      <button type="button" className="back" onClick={back} aria-label="Back to the threads">
        ←
      </button>
      <input
        key={name}
        aria-label="Name of the thread"
        defaultValue={name ?? ''}
        onBlur={({ target }) => target.value !== name && change({ name: target.value })}
        onKeyDown={(event) => event.key === 'Enter' && event.currentTarget.blur()}
      />
      <button type="button" aria-pressed={pin === true} onClick={() => change({ pin: pin !== true })}>
        {pin === true ? 'Unpin' : 'Pin'}
      </button>
    </div>
  );
}
