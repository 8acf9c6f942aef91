import { useAnnotations, useChat, useMessage, useTurn } from '@chatdoc/react';
import type { Message, Part } from '@chatdoc/schema';
import { memo, useContext, useMemo, useState } from 'react';
import { renderMarkdown } from './markdown.js';
import { UserContext } from './user.js';

const REACTIONS = ['👍', '❤️', '🎉'];

interface MessageRowProps {
  readonly id: string;
  reply(messageId: string): void;
}

export const MessageRow = memo(function MessageRow({ id, reply }: MessageRowProps) {
  const message = useMessage(id);
  const me = useContext(UserContext);
  const [isEditing, setEditing] = useState(false);
  if (message === undefined) return null;
  const { sender_id, date, content, history, deleted, attempt } = message;
  const time = new Date(date).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });
  return (
    <article className={sender_id === me ? 'message own' : 'message'} aria-label={`${sender_id}, ${time}`}>
      <p className="by">
        <b>{sender_id}</b> <time dateTime={date}>{time}</time>
        {history.length > 1 && !deleted && <History message={message} />}
      </p>
      <Target message={message} />
      {deleted ? (
        <p className="hint">deleted</p>
      ) : isEditing ? (
        <EditField message={message} close={() => setEditing(false)} />
      ) : attempt === undefined ? (
        <Text text={content} />
      ) : (
        <Answer message={message} />
      )}
      {!deleted && (
        <Actions message={message} isOwn={sender_id === me} edit={() => setEditing(true)} reply={reply} />
      )}
    </article>
  );
});

function Text({ text }: { readonly text: string }) {
  const html = useMemo(() => renderMarkdown(text), [text]);
  // biome-ignore lint/security/noDangerouslySetInnerHtml: sanitized
  return <div className="text" dangerouslySetInnerHTML={{ __html: html }} />;
}

function Target({ message: { reply_to_message_id } }: { readonly message: Message }) {
  const target = useMessage(reply_to_message_id ?? '');
  if (target === undefined) return null;
  return (
    <blockquote>
      {target.sender_id}: {target.content.slice(0, 80)}
    </blockquote>
  );
}

function History({ message: { history } }: { readonly message: Message }) {
  return (
    <details className="history">
      <summary>edited</summary>
      <ol>
        {history.map(({ date, content }) => (
          <li key={date}>{content}</li>
        ))}
      </ol>
    </details>
  );
}

function EditField({ message, close }: { readonly message: Message; close(): void }) {
  const chat = useChat();
  const me = useContext(UserContext);
  const [text, setText] = useState(message.content);
  const save = (): void => {
    if (text !== message.content) {
      chat.edit({ message_id: message.message_id, author_id: me, content: text });
    }
    close();
  };
  return (
    <form
      className="edit"
      onSubmit={(event) => {
        event.preventDefault();
        save();
      }}
    >
      <textarea aria-label="New text" value={text} onChange={({ target }) => setText(target.value)} />
      <button type="submit">Save</button>
      <button type="button" onClick={close}>
        Cancel
      </button>
    </form>
  );
}

function Answer({ message }: { readonly message: Message }) {
  const { parts, attempt, thread_id, message_id } = message;
  const { retry, resume } = useTurn(thread_id);
  const isOpen = attempt?.state === 'open';
  const reason = attempt?.finish_reason;
  return (
    <>
      {parts.map((part) => (
        <AnswerPart key={part.n} part={part} />
      ))}
      {isOpen && <span className="caret" role="img" aria-label="is answering" />}
      {!isOpen && reason !== undefined && reason !== 'stop' && (
        <p className="hint">
          {reason === 'error' ? 'This answer failed.' : 'This answer was stopped.'}{' '}
          <button type="button" onClick={() => resume(message_id)}>
            Continue
          </button>{' '}
          <button type="button" onClick={() => retry(message_id)}>
            Try again
          </button>
        </p>
      )}
    </>
  );
}

function AnswerPart({ part: { kind, text, title, state, output } }: { readonly part: Part }) {
  if (kind === 'text') return <Text text={text ?? ''} />;
  return (
    <details className="part">
      <summary>
        {kind === 'reasoning' ? 'Reasoning' : (title ?? kind)} {state !== undefined && <small>{state}</small>}
      </summary>
      <pre>{text ?? (output === undefined ? '' : JSON.stringify(output, null, 2))}</pre>
    </details>
  );
}

interface ActionsProps {
  readonly message: Message;
  readonly isOwn: boolean;
  edit(): void;
  reply(messageId: string): void;
}

function Actions({ message: { message_id }, isOwn, edit, reply }: ActionsProps) {
  const chat = useChat();
  const me = useContext(UserContext);
  const annotations = useAnnotations({ message_id });
  const react = (key: string, isSet: boolean): void => {
    chat.annotate({ message_id, user_id: me, key, value: isSet ? null : true });
  };
  return (
    <div className="actions">
      {REACTIONS.map((face) => {
        const key = `reaction:${face}`;
        const by = annotations.filter((each) => each.key === key).map(({ user_id }) => user_id);
        return (
          <button
            key={face}
            type="button"
            className={by.length > 0 ? 'reaction set' : 'reaction'}
            aria-pressed={by.includes(me)}
            aria-label={`React with ${face}`}
            title={by.join(', ')}
            onClick={() => react(key, by.includes(me))}
          >
            {face} {by.length > 0 ? by.length : ''}
          </button>
        );
      })}
      <button type="button" onClick={() => reply(message_id)}>
        Reply
      </button>
      {isOwn && (
        <>
          <button type="button" onClick={edit}>
            Edit
          </button>
          <button type="button" onClick={() => chat.delete({ message_id, author_id: me })}>
            Delete
          </button>
        </>
      )}
    </div>
  );
}
