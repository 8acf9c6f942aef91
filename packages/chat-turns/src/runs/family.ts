import type { Chat, Json, JsonObject, Message } from '@chatdoc/schema';
import type { FunctionTool } from '../agents/function-tool.js';
import type { SlotOf } from '../slots.js';
import { listRuns, type RunOutput } from './runs.js';

/** Threads of one root, owner and provider: a chat and the runs beside it. */
export type Family = Omit<SlotOf<'run'>, 'purpose'>;

export interface FamilyEntry {
  readonly prompt_id: string;
  readonly thread_id: string;
  /** When the prompt was sent. */
  readonly date: string;
  readonly state: 'queued' | 'running' | 'interrupted' | 'complete' | 'stopped' | 'error';
  /** The first characters of prompt and answer, on one line. */
  readonly prompt: string;
  readonly answer: string;
}

/** Code points of a preview. */
export const PREVIEW_LENGTH = 200;

/** The runs of a family, oldest first, in previews. Costs O(messages of the run threads). */
export function familySummary(chat: Chat, family: Family): readonly FamilyEntry[] {
  return listRuns(chat, family).map((output) => {
    const { prompt_id, thread_id, answer } = output;
    const prompt = chat.message(prompt_id);
    return {
      prompt_id,
      thread_id,
      date: prompt?.date ?? '',
      state: stateOf(chat, output),
      prompt: preview(prompt?.content ?? ''),
      answer: preview(answer?.content ?? ''),
    };
  });
}

/** The summary as a text for the instructions of the chat's agent, with the ids that `get_prompt_details` takes. */
export function writeFamilySummary(chat: Chat, family: Family): string {
  const entries = familySummary(chat, family);
  if (entries.length === 0) return 'No prompts of this family have been run.';
  const lines = entries.map(({ prompt_id, state, prompt, answer }) => {
    return `- ${prompt_id} (${state}): ${prompt}${answer === '' ? '' : ` → ${answer}`}`;
  });
  return `Prompts of this family, and what they were answered:\n${lines.join('\n')}`;
}

/** A tool with which the agent of a chat reads a run of its family as a whole. Other threads are not found. */
export function promptDetailsTool(chat: Chat, family: Family): FunctionTool {
  return {
    name: 'get_prompt_details',
    description:
      'Returns the whole prompt, its variables, and the whole answer of a run of this family, by its id.',
    parameters: {
      type: 'object',
      properties: { prompt_id: { type: 'string', description: 'The id of the prompt, from the summary.' } },
      required: ['prompt_id'],
      additionalProperties: false,
    },
    run: ({ prompt_id }) => readDetails(chat, family, prompt_id),
  };
}

function readDetails(chat: Chat, family: Family, promptId: Json | undefined): JsonObject {
  const output = listRuns(chat, family).find(({ prompt_id }) => prompt_id === promptId);
  if (output === undefined) return { error: 'not_found' };
  const { answer, record, follows } = output;
  const values = Object.entries(record.values).map(([name, { value }]) => [name, value] as const);
  return {
    prompt_id: output.prompt_id,
    state: stateOf(chat, output),
    // As the document has it: secrets are places in it.
    prompt: chat.message(output.prompt_id)?.content ?? '',
    variables: Object.fromEntries(values),
    answer: answer?.content ?? '',
    ...(follows !== undefined && { follows }),
    ...(answer?.attempt?.error !== undefined && { failure: answer.attempt.error }),
  };
}

function stateOf(
  chat: Chat,
  { prompt_id, answer }: Pick<RunOutput, 'answer' | 'prompt_id'>,
): FamilyEntry['state'] {
  if (chat.isQueued(prompt_id)) return 'queued';
  const attempt: Message['attempt'] = answer?.attempt;
  // Taken out of the queue before anybody had begun.
  if (attempt === undefined) return 'stopped';
  if (attempt.state !== 'settled') return attempt.state === 'open' ? 'running' : 'interrupted';
  if (attempt.error !== undefined) return 'error';
  return attempt.finish_reason === 'stopped' ? 'stopped' : 'complete';
}

function preview(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim();
  // Twice as many code units hold at least as many code points; a long text is not split as a whole.
  const points = [...line.slice(0, 2 * PREVIEW_LENGTH + 2)];
  return points.length <= PREVIEW_LENGTH ? line : `${points.slice(0, PREVIEW_LENGTH - 1).join('')}…`;
}
