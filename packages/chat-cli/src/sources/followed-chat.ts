import type { Chat } from '@chatdoc/schema';
import type { Failure } from './read-source.js';

/** What is heard of a chat that others write. */
export interface FollowListener {
  /** The chat is there, to be read, and changes by itself from now on. Again: another has taken its place. */
  onChat(chat: Chat): void;
  /** What is wrong with where it comes from, for a person; null once all is well again. */
  onState(state: string | null): void;
  /** It cannot be followed any more. */
  onEnd(failure: Failure): void;
}

/** Calls nothing before `open` is called, and nothing after `close`. */
export interface FollowedChat {
  /** As it may be printed. */
  readonly name: string;
  open(listener: FollowListener): void;
  close(): void;
}
