import type { Json, JsonObject } from '@chatdoc/schema';
import { type ModelMessage, streamText, type TextStreamPart, type ToolSet } from 'ai';
import { toStorable } from '../../engine/storable.js';
import { type Agent, AgentError, type Turn, type TurnEvent } from '../agent.js';
import { addUsage, isJsonObject } from '../usage.js';
import { writeConversation } from './model-messages.js';

type StreamOptions = Parameters<typeof streamText>[0];
type Result = ReturnType<typeof streamText>;

/** A call of a tool that has no `execute`: the host runs it. */
export interface ClientToolCall {
  readonly tool_call_id: string;
  readonly tool_name: string;
  readonly input: unknown;
  readonly turn: Turn;
  readonly signal: AbortSignal;
}

/** Options of `streamText`, in `ai` 6 and 7, except those that come from the turn. */
export type AiSdkAgentOptions = Omit<StreamOptions, 'messages' | 'prompt' | 'abortSignal'> & {
  /** Of `ai` 7; the same as `system` of 6. Comes before the system messages of a run. */
  readonly instructions?: string;
  /** The messages to send. Defaults to `writeConversation`. System messages among them become instructions. */
  readonly writeMessages?: (turn: Turn) => ModelMessage[];
  /** Runs tools that have no `execute`, and returns the result. Without it such a call ends the answer. */
  readonly onToolCall?: (call: ClientToolCall) => unknown;
  /** How often the model is called again with results of `onToolCall`. Defaults to 20. */
  readonly max_rounds?: number;
};

const MAX_ROUNDS = 20;

/** An agent over `streamText` of the AI SDK, 6 or 7. The whole conversation is sent each time: it keeps no session. */
export function aiSdkAgent(agentOptions: AiSdkAgentOptions): Agent {
  const {
    writeMessages = writeConversation,
    onToolCall,
    max_rounds,
    instructions,
    ...options
  } = agentOptions;
  return async function* (turn, signal) {
    const { system, messages } = splitSystem(instructions ?? options.system, writeMessages(turn));
    let usage: JsonObject = {};
    for (let round = 0; ; round += 1) {
      const settings = { onError: () => undefined, ...options, messages, abortSignal: signal };
      // By the name of 6 and of 7.
      const named = system === undefined ? {} : { system, instructions: system };
      const result = streamText({ ...settings, ...named } as StreamOptions);
      const calls = new OpenCalls();
      let finish: TurnEvent | undefined;
      for await (const event of readStream(result, calls)) {
        if (event.type === 'usage') {
          usage = addUsage(usage, event.usage);
          yield { type: 'usage', usage };
        } else if (event.type === 'finish') finish = event;
        else yield event;
      }
      const isOver = onToolCall === undefined || calls.size === 0 || round + 1 >= (max_rounds ?? MAX_ROUNDS);
      if (isOver || signal.aborted) {
        if (finish !== undefined) yield finish;
        return;
      }
      messages.push(...(await readResponse(result)));
      yield* runCalls(calls, messages, (call) => onToolCall({ ...call, turn, signal }));
    }
  };
}

/** Calls without a result. */
class OpenCalls extends Map<string, { readonly tool_name: string; readonly input: unknown }> {}

async function* readStream(result: Result, calls: OpenCalls): AsyncGenerator<TurnEvent, void, undefined> {
  const metadata = new Map<string, JsonObject>();
  for await (const part of result.fullStream) {
    if (part.type === 'tool-call')
      calls.set(part.toolCallId, { tool_name: part.toolName, input: part.input });
    if (part.type === 'tool-result' || part.type === 'tool-error') calls.delete(part.toolCallId);
    if (part.type === 'finish') yield { type: 'usage', usage: toObject(part.totalUsage) };
    if (part.type === 'reasoning-start' || part.type === 'reasoning-delta' || part.type === 'reasoning-end') {
      const known = { ...metadata.get(part.id), ...toObject(part.providerMetadata) };
      metadata.set(part.id, known);
      if (part.type === 'reasoning-end' && Object.keys(known).length > 0) {
        yield { type: 'reasoning', text: '', data: { provider_metadata: known } };
      }
    }
    const event = readPart(part);
    if (event !== undefined) yield event;
  }
}

/** `result.responseMessages` in 7, those of `result.response` in 6. */
async function readResponse(result: Result): Promise<readonly ModelMessage[]> {
  const { responseMessages } = result as { readonly responseMessages?: PromiseLike<ModelMessage[]> };
  return responseMessages === undefined ? (await result.response).messages : await responseMessages;
}

async function* runCalls(
  calls: OpenCalls,
  messages: ModelMessage[],
  run: (call: Pick<ClientToolCall, 'tool_call_id' | 'tool_name' | 'input'>) => unknown,
): AsyncGenerator<TurnEvent, void, undefined> {
  for (const [toolCallId, { tool_name: toolName, input }] of calls) {
    const call = { type: 'tool_call', part_id: toolCallId } as const;
    let output:
      | { readonly type: 'json'; readonly value: Json }
      | { readonly type: 'error-text'; readonly value: string };
    try {
      output = {
        type: 'json',
        value: toJson(await run({ tool_call_id: toolCallId, tool_name: toolName, input })),
      };
      yield { ...call, state: 'completed', output: output.value };
    } catch (error) {
      output = { type: 'error-text', value: describeError(error) };
      yield { ...call, state: 'failed' };
    }
    const content = [{ type: 'tool-result', toolCallId, toolName, output }] as never;
    messages.push({ role: 'tool', content });
  }
}

function splitSystem(
  given: unknown,
  written: readonly ModelMessage[],
): { readonly system: string | undefined; readonly messages: ModelMessage[] } {
  const texts = typeof given === 'string' ? [given] : [];
  for (const { role, content } of written) if (role === 'system') texts.push(content as string);
  const messages = written.filter(({ role }) => role !== 'system');
  return { system: texts.length === 0 ? undefined : texts.join('\n\n'), messages };
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
      const { toolCallId: part_id, toolName: title, input, providerMetadata } = part;
      const data = providerMetadata && { provider_metadata: toObject(providerMetadata) };
      return {
        type: 'tool_call',
        part_id,
        title,
        state: 'in_progress',
        input: toJson(input),
        ...(data && { data }),
      };
    }
    case 'tool-result':
      // One that is not final yet is about progress.
      return {
        type: 'tool_call',
        part_id: part.toolCallId,
        state: part.preliminary === true ? 'in_progress' : 'completed',
        output: toJson(part.output),
      };
    case 'tool-error':
      return {
        type: 'tool_call',
        part_id: part.toolCallId,
        state: 'failed',
      };
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

/** The name of an error: its message may hold what was sent. */
function describeName(error: unknown): string {
  return error instanceof Error ? error.name : typeof error;
}

/** For the model alone: the message of an error may hold what was asked. */
function describeError(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function toJson(value: unknown): Json {
  return toStorable(value).value ?? null;
}

function toObject(value: unknown): JsonObject {
  const stored = toStorable(value).value;
  return isJsonObject(stored) ? stored : {};
}
