import type { Json, JsonObject } from '@chatdoc/schema';
import { type ModelMessage, streamText, type TextStreamPart, type ToolSet } from 'ai';
import { type Agent, AgentError, type Turn, type TurnEvent } from '../agent.js';
import { isSaid } from '../transcript-text.js';

type StreamOptions = Parameters<typeof streamText>[0];

export type AiSdkAgentOptions = Omit<StreamOptions, 'messages' | 'prompt' | 'abortSignal'> & {
  /** What the model is sent; the conversation, or the messages of a run, unless given. */
  readonly writeMessages?: (turn: Turn) => ModelMessage[];
};

/** An agent over `streamText` of the AI SDK. The whole conversation is sent each time: it keeps no session. */
export function aiSdkAgent({ writeMessages = writeConversation, ...options }: AiSdkAgentOptions): Agent {
  return async function* (turn, signal) {
    const request = { ...options, messages: writeMessages(turn), abortSignal: signal } as StreamOptions;
    // The host hears of an error by the outcome of the turn; unless told, the SDK prints it.
    const result = streamText({ onError: () => undefined, ...request } as StreamOptions);
    for await (const part of result.fullStream) {
      if (part.type === 'finish') yield { type: 'usage', usage: toJson(part.totalUsage) as JsonObject };
      const event = readPart(part);
      if (event !== undefined) yield event;
    }
  };
}

/** Answers are the model's; all else is said by people, each named where there are several. */
export function writeConversation({ messages, run, continues }: Turn): ModelMessage[] {
  if (run !== undefined) return run.messages.map(({ role, content }) => ({ role, content }) as ModelMessage);
  const said = messages.filter(isSaid);
  const people = new Set(
    said.flatMap(({ attempt, sender_id }) => (attempt === undefined ? [sender_id] : [])),
  );
  const written: ModelMessage[] = said.map(({ attempt, sender_id, content }) => {
    if (attempt !== undefined) return { role: 'assistant', content };
    return { role: 'user', content: people.size > 1 ? `${sender_id}: ${content}` : content };
  });
  if (continues !== undefined && continues.content !== '') {
    written.push({ role: 'assistant', content: continues.content });
    written.push({ role: 'user', content: 'Go on exactly where you stopped, without repeating any of it.' });
  }
  return written;
}

function readPart(part: TextStreamPart<ToolSet>): TurnEvent | undefined {
  switch (part.type) {
    case 'text-delta':
      return { type: 'text', text: part.text };
    case 'reasoning-delta':
      return { type: 'reasoning', text: part.text };
    case 'tool-input-start':
      return { type: 'tool_call', part_id: part.id, title: part.toolName, state: 'pending' };
    case 'tool-call': {
      const { toolCallId: part_id, toolName: title, input } = part;
      return { type: 'tool_call', part_id, title, state: 'in_progress', input: toJson(input) };
    }
    case 'tool-result':
      // One that is not final yet tells how far the tool is.
      return {
        type: 'tool_call',
        part_id: part.toolCallId,
        state: part.preliminary === true ? 'in_progress' : 'completed',
        output: toJson(part.output),
      };
    case 'tool-error':
      return { type: 'tool_call', part_id: part.toolCallId, state: 'failed' };
    case 'tool-output-denied':
      return { type: 'tool_call', part_id: part.toolCallId, state: 'cancelled' };
    case 'file': {
      const { mediaType, base64 } = part.file;
      return { type: 'file', data: { media_type: mediaType, base64 } };
    }
    case 'source':
      return { type: 'file', data: toJson({ ...part, type: 'source' }) };
    case 'finish':
      return { type: 'finish', finish_reason: part.finishReason };
    case 'abort':
      return { type: 'finish', finish_reason: 'cancelled' };
    case 'error':
      throw new AgentError('ai_failed', describeName(part.error), part.error);
    default:
      return undefined;
  }
}

/** What an error is called: its message may hold what was sent. */
function describeName(error: unknown): string {
  return error instanceof Error ? error.name : typeof error;
}

/** As JSON writes it: what a tool gives may hold dates, undefined, or more. */
function toJson(value: unknown): Json {
  const text = JSON.stringify(value);
  return text === undefined ? null : (JSON.parse(text) as Json);
}
