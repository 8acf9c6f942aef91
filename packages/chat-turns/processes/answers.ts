import type { Attempt, Message } from '@chatdoc/schema';
import { type Agent, type ScriptStep, scriptedAgent, TOOL_ENDS } from '@chatdoc/turns';

/** An agent whose every word says which attempt wrote it and at what place, so that a reader can tell. */

const WORD_MS = 25;

const tagOf = (attempt: string): string => attempt.slice(-8);

export function writePrompt(words: number): string {
  return `Write ${words} words.`;
}

function readPrompt({ content }: Message): number {
  return Number(/\d+/.exec(content)?.[0] ?? 0);
}

const WORD = /^(\w{8})\.(\d+|last)🙂$/u;

function readWords(content: string): { readonly tag: string; readonly place: string }[] {
  return content
    .split(' ')
    .slice(0, -1)
    .map((word) => {
      const [, tag = '', place = ''] = WORD.exec(word) ?? [];
      return { tag, place };
    });
}

/** Goes on at the word after those that it is to continue. A tool runs for the first half. */
export function createWriter(): Agent {
  return scriptedAgent(({ attempt, prompt, continues }) => {
    const tag = tagOf(attempt);
    const from = readWords(continues?.content ?? '').filter(({ place }) => place !== 'last').length;
    const steps: ScriptStep[] = [{ type: 'tool_call', part_id: `tool ${tag}`, state: 'in_progress' }];
    const words = readPrompt(prompt);
    for (let place = from; place < words; place += 1) {
      if (place === Math.floor((from + words) / 2)) {
        steps.push({ type: 'tool_call', part_id: `tool ${tag}`, state: 'completed' });
      }
      steps.push({ type: 'text', text: `${tag}.${place}🙂 ` }, { type: 'wait', ms: WORD_MS });
    }
    steps.push({ type: 'session', session: { acp_session_id: tag } });
    return { steps, after_stop: [{ type: 'text', text: `${tag}.last🙂 ` }] };
  });
}

/**
 * What is wrong with an attempt at the answer to `prompt`, or nothing. Words are in order, each once, and of one
 * attempt behind the other: only a person's wish to continue lets one begin where another ends.
 */
export function findFault(
  prompt: Message,
  { attempt, state, finish_reason, content, parts }: Attempt,
  isFinished: boolean,
): string | undefined {
  const words = readWords(content);
  const tags: string[] = [];
  let places = 0;
  for (const { tag, place } of words) {
    if (tag === '') return 'a word is cut';
    if (tags.at(-1) !== tag) {
      if (tags.includes(tag)) return 'two attempts interleave';
      tags.push(tag);
    }
    if (place === 'last') continue;
    if (Number(place) !== places) return `word ${place} stands at ${places}`;
    places += 1;
  }
  if (finish_reason === 'stop' && tags.at(-1) !== tagOf(attempt) && places > 0) return 'the words of another';
  if (finish_reason === 'stop' && places !== readPrompt(prompt)) return `${places} words are all`;
  // An interrupted attempt that was skipped reads as settled, but its runner could end nothing.
  if (state !== 'settled' || !isFinished) return undefined;
  const isOpen = parts.some((part) => part.kind === 'tool_call' && !TOOL_ENDS.has(part.state ?? ''));
  return isOpen ? 'a tool call is open' : undefined;
}
