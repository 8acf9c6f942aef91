import type { Json, JsonObject } from '@chatdoc/schema';
import { toStorable } from '../engine/storable.js';
import type { Turn, TurnEvent } from './agent.js';

/** A function that a model may call. */
export interface FunctionTool {
  readonly name: string;
  readonly description: string;
  /** JSON schema of the input. */
  readonly parameters: JsonObject;
  /** Runs a call, and returns the result for the model. Of an error the model is sent the message. */
  readonly run: (
    input: JsonObject,
    context: { readonly turn: Turn; readonly signal: AbortSignal },
  ) => Promise<unknown> | unknown;
}

/** A call as the model made it. */
export interface FunctionCall {
  readonly id: string;
  readonly name: string;
  /** JSON, as the model wrote it. */
  readonly arguments: string;
}

/** The event that a call has begun. What is not JSON is shown as it was written. */
export function beginCall(call: FunctionCall): TurnEvent {
  const { id: part_id, name: title } = call;
  return {
    type: 'tool_call',
    part_id,
    title,
    state: 'in_progress',
    input: readInput(call) ?? call.arguments,
  };
}

/** Runs a call. Returns its last event, and the text for the model. Never throws. */
export async function runCall(
  call: FunctionCall,
  tools: readonly FunctionTool[],
  context: { readonly turn: Turn; readonly signal: AbortSignal },
): Promise<{ readonly event: TurnEvent; readonly text: string }> {
  const ended = { type: 'tool_call', part_id: call.id } as const;
  const tool = tools.find(({ name }) => name === call.name);
  const input = readInput(call);
  if (tool === undefined || input === undefined) {
    const text = tool === undefined ? `there is no tool ${call.name}` : 'the arguments are not a JSON object';
    return { event: { ...ended, state: 'failed', output: text }, text: `error: ${text}` };
  }
  try {
    const output: Json = toStorable(await tool.run(input, context)).value ?? null;
    const text = typeof output === 'string' ? output : JSON.stringify(output);
    return { event: { ...ended, state: 'completed', output }, text };
  } catch (error) {
    // For the model alone: the message may hold what was asked.
    const text = error instanceof Error ? error.message : String(error);
    return { event: { ...ended, state: 'failed' }, text: `error: ${text}` };
  }
}

function readInput({ arguments: text }: FunctionCall): JsonObject | undefined {
  if (text.trim() === '') return {};
  try {
    const input: unknown = JSON.parse(text);
    const isObject = typeof input === 'object' && input !== null && !Array.isArray(input);
    return isObject ? (input as JsonObject) : undefined;
  } catch {
    return undefined;
  }
}

/** A name that every provider takes as one of a function. */
export function toFunctionName(name: string): string {
  return name.replace(/[^\w-]/g, '_').slice(0, 64) || 'tool';
}
