import type { Json, JsonObject } from '@chatdoc/schema';
import { type Agent, AgentError, type Turn, type TurnEvent } from '../agent.js';
import { type ToldStep, tellConversation } from '../conversation.js';
import {
  beginCall,
  type FunctionCall,
  type FunctionTool,
  runCall,
  toFunctionName,
} from '../function-tool.js';
import { addUsage, isJsonObject } from '../usage.js';
import { hasSeveral, joinSystem, writeContent } from './content.js';
import { type OpenAiEndpoint, postJson, readEvents } from './http.js';

export interface ChatAgentOptions extends OpenAiEndpoint {
  readonly model: string;
  /** Sent as the first system message, before those of a run. */
  readonly instructions?: string;
  readonly tools?: readonly FunctionTool[];
  /** Other fields of the request, such as `temperature`. */
  readonly body?: JsonObject;
  /** Requests in one turn: results of tools are sent by another. Defaults to 20. */
  readonly max_rounds?: number;
}

const MAX_ROUNDS = 20;

/**
 * An agent over any endpoint that speaks OpenAI's chat completions, as local servers and most makers do. The whole
 * conversation is sent each time: it keeps no session.
 */
export function openAiChatAgent(options: ChatAgentOptions): Agent {
  const { tools = [], max_rounds = MAX_ROUNDS } = options;
  return async function* (turn, signal) {
    const messages = writeMessages(options.instructions, turn);
    let usage: JsonObject = {};
    let finishReason = 'stop';
    for (let round = 0; round < max_rounds; round += 1) {
      const body = createRequest(options, messages);
      const response = await postJson(options, '/chat/completions', body, { signal, secrets: turn.secrets });
      const answer = new StreamedAnswer();
      for await (const chunk of readEvents(response, signal)) {
        yield* answer.read(chunk);
        if (!isJsonObject(chunk['usage'])) continue;
        usage = addUsage(usage, chunk['usage']);
        yield { type: 'usage', usage };
      }
      if (answer.finishReason === undefined)
        throw new AgentError('openai_failed', 'the stream ended before the answer did');
      finishReason = answer.finishReason;
      const calls = answer.calls();
      if (calls.length === 0) break;
      messages.push(writeCalls(answer.text, calls));
      for (const call of calls) {
        yield beginCall(call);
        const { event, text } = await runCall(call, tools, { turn, signal });
        yield event;
        messages.push({ role: 'tool', tool_call_id: call.id, content: text });
      }
      if (signal.aborted) return;
    }
    yield { type: 'finish', finish_reason: finishReason };
  };
}

function createRequest({ model, tools = [], body }: ChatAgentOptions, messages: readonly Json[]): JsonObject {
  return {
    model,
    messages: [...messages],
    stream: true,
    stream_options: { include_usage: true },
    ...(tools.length > 0 && {
      tools: tools.map(({ name, description, parameters }) => ({
        type: 'function',
        function: { name, description, parameters },
      })),
    }),
    ...body,
  };
}

/** One answer, put together from the pieces that are streamed. */
class StreamedAnswer {
  text = '';
  finishReason: string | undefined;
  readonly #calls: { id: string; name: string; arguments: string }[] = [];

  *read(chunk: JsonObject): Generator<TurnEvent, void, undefined> {
    const error = chunk['error'];
    if (error !== undefined && error !== null) {
      const message = isJsonObject(error) ? String(error['message'] ?? error['code'] ?? '') : '';
      throw new AgentError('openai_failed', `the provider failed: ${message}`);
    }
    const choice = Array.isArray(chunk['choices']) ? (chunk['choices'][0] as Json | undefined) : undefined;
    if (!isJsonObject(choice)) return;
    const delta = isJsonObject(choice['delta']) ? choice['delta'] : {};
    const thought = delta['reasoning_content'] ?? delta['reasoning'];
    if (typeof thought === 'string' && thought !== '') yield { type: 'reasoning', text: thought };
    const said = delta['content'] ?? delta['refusal'];
    if (typeof said === 'string' && said !== '') {
      this.text += said;
      yield { type: 'text', text: said };
    }
    if (Array.isArray(delta['tool_calls']))
      for (const piece of delta['tool_calls'] as Json[]) this.#addCall(piece);
    if (typeof choice['finish_reason'] === 'string') this.finishReason = choice['finish_reason'];
  }

  calls(): readonly FunctionCall[] {
    return this.#calls.filter((call) => call !== undefined && call.name !== '');
  }

  #addCall(piece: Json): void {
    if (!isJsonObject(piece)) return;
    const { id, function: named } = piece;
    // Some servers give no index.
    const last = Math.max(0, this.#calls.length - 1);
    const at =
      typeof piece['index'] === 'number'
        ? piece['index']
        : typeof id === 'string'
          ? this.#calls.length
          : last;
    this.#calls[at] ??= { id: `call_${at}`, name: '', arguments: '' };
    const call = this.#calls[at];
    if (typeof id === 'string' && id !== '') call.id = id;
    if (!isJsonObject(named)) return;
    if (typeof named['name'] === 'string') call.name += named['name'];
    if (typeof named['arguments'] === 'string') call.arguments += named['arguments'];
  }
}

function writeMessages(instructions: string | undefined, turn: Turn): Json[] {
  const system = joinSystem(instructions, turn);
  const items = tellConversation(turn);
  const isNamed = hasSeveral(items);
  const messages: Json[] = system === undefined ? [] : [{ role: 'system', content: system }];
  for (const item of items) {
    if (item.role === 'user') messages.push({ role: 'user', content: writeContent(item, '', isNamed) });
    else if (item.role === 'assistant') messages.push(...writeSteps(item.steps));
  }
  return messages;
}

/** Reasoning is left out: these endpoints take none back. */
function writeSteps(steps: readonly ToldStep[]): Json[] {
  const messages: Json[] = [];
  let text = '';
  let calls: Extract<ToldStep, { readonly type: 'tool_call' }>[] = [];
  const flush = (): void => {
    if (text !== '' || calls.length > 0) {
      const made = calls.map(({ id, name, input }) => ({
        id,
        name: toFunctionName(name),
        arguments: JSON.stringify(input),
      }));
      messages.push(writeCalls(text, made));
    }
    for (const { id, output } of calls) {
      const content = typeof output === 'string' ? output : JSON.stringify(output);
      messages.push({ role: 'tool', tool_call_id: id, content });
    }
    text = '';
    calls = [];
  };
  for (const step of steps) {
    if (step.type === 'tool_call') calls.push(step);
    else if (step.type === 'text') {
      if (calls.length > 0) flush();
      text += step.text;
    }
  }
  flush();
  return messages;
}

function writeCalls(text: string, calls: readonly FunctionCall[]): JsonObject {
  const content = text === '' && calls.length > 0 ? null : text;
  if (calls.length === 0) return { role: 'assistant', content };
  const tool_calls = calls.map(({ id, ...named }) => ({ id, type: 'function', function: { ...named } }));
  return { role: 'assistant', content, tool_calls };
}
