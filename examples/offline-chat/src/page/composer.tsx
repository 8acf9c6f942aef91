import { useChat, useDraft, useMessage, useTurn, useTyping } from '@chatdoc/react';
import { type KeyboardEvent, useContext, useEffect, useRef } from 'react';
import { UserContext } from './user.js';

interface ComposerProps {
  readonly thread_id: string;
  readonly replyTo: string | undefined;
  setReplyTo(messageId: string | undefined): void;
}

/** Text that names one of the agents asks it. */
const ASKS = /(^|\s)@(echo|plan)\b/;

export function Composer({ thread_id, replyTo, setReplyTo }: ComposerProps) {
  const chat = useChat();
  const user_id = useContext(UserContext);
  const [text, setText] = useDraft(thread_id);
  const { submit } = useTurn(thread_id);
  const [, key, endTyping] = useTyping(thread_id);
  const target = useMessage(replyTo ?? '');
  const field = useRef<HTMLTextAreaElement>(null);
  useEffect(() => {
    if (replyTo !== undefined) field.current?.focus();
  }, [replyTo]);

  const send = (): void => {
    const content = text.trim();
    if (content === '') return;
    if (ASKS.test(content)) submit(content);
    else {
      const reply = replyTo === undefined ? {} : { reply_to_message_id: replyTo };
      chat.send({ thread_id, sender_id: user_id, content, ...reply });
    }
    setText('');
    setReplyTo(undefined);
    endTyping();
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key !== 'Enter' || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    send();
  };
  return (
    <form
      className="composer"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      {target !== undefined && (
        <p className="quote">
          Reply to {target.sender_id}: {target.content.slice(0, 60)}
          <button type="button" aria-label="No reply" onClick={() => setReplyTo(undefined)}>
            ×
          </button>
        </p>
      )}
      <textarea
        ref={field}
        rows={2}
        value={text}
        aria-label="Message"
        placeholder="Write a message. @echo and @plan answer."
        onChange={({ target: { value } }) => {
          setText(value);
          key();
        }}
        onKeyDown={onKeyDown}
      />
      <button type="submit" className="primary" disabled={text.trim() === ''}>
        Send
      </button>
    </form>
  );
}
