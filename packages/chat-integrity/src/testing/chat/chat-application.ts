import { ChatDocError, openChat } from '@chatdoc/schema';
import { compactChat } from '@chatdoc/sync';
import * as Y from 'yjs';
import { watch } from '../../watch.js';
import type { Application } from '../subject/application.js';
import { CHAT_COMMANDS, CHAT_WEIGHTS } from './chat-commands.js';
import { findFault, findViolation, listFacts } from './chat-laws.js';
import { CHAT_MARKS } from './chat-marks.js';
import type { ChatState } from './chat-state.js';

/** Our own chat under test: everything that people, runners and hosts do with a document of `@chatdoc/schema`. */
export function chatApplication(): Application<ChatState> {
  return {
    name: 'chat',
    open: (seat) => {
      const user = `user ${seat.index}`;
      const { doc, environment, generation } = seat;
      const chat = openChat(doc, { environment, user_id: user, generation });
      return {
        seat,
        chat,
        user,
        watcher: watch(chat),
        running: [],
        written: [],
        lastStamp: '',
        structs: 0,
        lanes: 0,
        isDamaged: false,
        looks: 0,
        threads: [],
      };
    },
    commands: CHAT_COMMANDS,
    weights: CHAT_WEIGHTS,
    // The fold digest is SHA-256 over all records.
    read: ({ chat }) => ({
      fold: chat.foldDigest(),
      quarantine: chat.quarantine(),
      waiting: chat.waiting(),
    }),
    detail: ({ chat }) =>
      chat.threads().map((thread) => ({
        ...thread,
        config: chat.config(thread.thread_id),
        state: chat.state(thread.thread_id),
        messages: chat.messages(thread.thread_id),
      })),
    facts: listFacts,
    invariants: findViolation,
    audit: findFault,
    marks: CHAT_MARKS,
    move: ({ chat, seat }, generation): Y.Doc => {
      try {
        const next = compactChat(chat, { environment: seat.environment, generation });
        next.chat.close();
        return next.doc;
      } catch (error) {
        // Nothing but lines without any lane: damage, which stays behind.
        if (error instanceof ChatDocError && error.code === 'import_no_header') return new Y.Doc();
        throw error;
      }
    },
    close: ({ watcher, chat }) => {
      watcher.close();
      chat.close();
    },
  };
}
