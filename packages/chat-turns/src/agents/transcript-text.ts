import type { Message } from '@chatdoc/schema';
import type { Turn } from './agent.js';

/**
 * What an agent that takes plain text is to be told: of a run its messages, else what the provider does not know
 * yet. One message is sent as it stands; of several each says whose it is.
 */
export function writePrompt(turn: Turn, knowsSession: boolean): string {
  const told = turn.run === undefined ? tellMessages(turn, knowsSession) : tellRun(turn.run.messages);
  const { continues } = turn;
  if (continues === undefined || continues.content === '') return told;
  return `${told}\n\nYour answer was cut off. Go on exactly where it ends, without repeating any of it:\n\n${continues.content}`;
}

function tellRun(messages: readonly { readonly content: string }[]): string {
  return messages.map(({ content }) => content).join('\n\n');
}

function tellMessages({ messages, fresh, prompt }: Turn, knowsSession: boolean): string {
  const due = (knowsSession ? fresh : messages).filter(isSaid);
  if (due.length <= 1) return prompt.content;
  return due.map(({ sender_id, content }) => `${sender_id}: ${content}`).join('\n\n');
}

/** The record of a run and an answer without text say nothing. */
export function isSaid({ content }: Message): boolean {
  return content !== '';
}
