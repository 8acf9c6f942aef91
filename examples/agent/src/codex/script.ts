import type { ModelInput, ModelReply } from './model-server.js';

/** What the model of the example does: looks into the folder, tells a story without end, remembers what was asked. */
export function answerByScript({ said, answered, output }: ModelInput): ModelReply {
  if (output !== undefined) return say(`There is one file: ${output.trim().split('\n').at(-1)}.`);
  const asked = said.at(-1) ?? '';
  if (asked.startsWith('What is in')) {
    return { type: 'run', command: 'ls', reason: 'May I list the folder?' };
  }
  if (asked.startsWith('Tell')) return { type: 'say', words: STORY };
  return say(`You asked: "${said[0]}" I said: "${answered.at(0)}"`);
}

/** Ten minutes of it. */
export const STORY: readonly string[] = Array.from({ length: 60_000 }, (_, at) => `word${at}`);

function say(text: string): ModelReply {
  return { type: 'say', words: text.split(' ') };
}
