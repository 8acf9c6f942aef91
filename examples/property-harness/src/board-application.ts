import type { Application } from '@chatdoc/integrity/testing';
import type * as Y from 'yjs';
import type { Board, Machine } from './board.js';

/** All that the harness asks of a program: what people do with it, and what they see. */
export const boardApplication = (Kind: new (doc: Y.Doc, machine: Machine) => Board): Application<Board> => ({
  open: ({ doc, environment }) => new Kind(doc, environment),
  commands: {
    add: (board, pick) => {
      const title = `Card ${pick.below(1000)}`;
      return [`card ${board.add(title)}: ${title}`];
    },
    comment: (board, pick) => {
      const [id, text] = [pick.one(board.list())?.id, `Comment ${pick.below(1000)}`];
      if (id === undefined) return false;
      board.comment(id, text);
      return [`on ${id}: ${text}`];
    },
  },
  read: (board) => board.list(),
  facts: (board) =>
    board
      .list()
      .flatMap(({ id, title, comments }) => [
        `card ${id}: ${title}`,
        ...comments.map((text) => `on ${id}: ${text}`),
      ]),
});
