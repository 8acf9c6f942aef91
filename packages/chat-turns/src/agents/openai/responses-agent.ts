import type { Json, JsonObject } from '@chatdoc/schema';
import { type Agent, AgentError, type Turn, type TurnEvent } from '../agent.js';
import { tellConversation } from '../conversation.js';
import { beginCall, type FunctionCall, type FunctionTool, runCall } from '../function-tool.js';
import { addUsage, isJsonObject } from '../usage.js';
import { joinSystem, writeInput } from './content.js';
import { HttpError, type OpenAiEndpoint, postJson, readEvents } from './http.js';

export interface ResponsesAgentOptions extends OpenAiEndpoint {
  readonly model: string;
  /** Sent with each request, before the system messages of a run. */
  readonly instructions?: string;
  readonly tools?: readonly FunctionTool[];
  /**
   * `response`: a chain of `previous_response_id`. `conversation`: the provider keeps a conversation for each thread,
   * which is made by the first turn. Defaults to `response`.
   */
  readonly state?: 'response' | 'conversation';
  /** Other fields of the request, such as `reasoning`. */
  readonly body?: JsonObject;
  /** Requests in one turn: results of tools are sent by another. Defaults to 20. */
  readonly max_rounds?: number;
}

const MAX_ROUNDS = 20;

/**
 * An agent over the OpenAI Responses API. The provider keeps the conversation of each thread; where it has lost it, all
 * is sent again once, with a notice. Only a response that is whole is gone on from.
 */
export function openAiResponsesAgent(options: ResponsesAgentOptions): Agent {
  return (turn, signal) => new ResponsesTurn(options, turn, signal).run();
}

class ResponsesTurn {
  readonly #options: ResponsesAgentOptions;
  readonly #turn: Turn;
  readonly #signal: AbortSignal;
  #usage: JsonObject = {};
  #finishReason: string | undefined;

  constructor(options: ResponsesAgentOptions, turn: Turn, signal: AbortSignal) {
    this.#options = options;
    this.#turn = turn;
    this.#signal = signal;
  }

  async *run(): AsyncGenerator<TurnEvent, void, undefined> {
    const { tools = [], max_rounds = MAX_ROUNDS } = this.#options;
    let { link, input } = this.#readSession();
    let isResent = link === undefined;
    link ??= await this.#createLink();
    for (let round = 0; round < max_rounds; round += 1) {
      let response: Response;
      try {
        response = await this.#post('/responses', { ...this.#request(), ...link, input });
      } catch (error) {
        if (isResent || round > 0 || !isBrokenChain(error)) throw error;
        isResent = true;
        const message = 'the provider has lost the conversation: all of it was sent again';
        yield { type: 'notice', code: 'session_lost', message };
        input = writeInput(tellConversation(this.#turn));
        link = await this.#createLink();
        round -= 1;
        continue;
      }
      const calls: FunctionCall[] = [];
      const id = yield* this.#readStream(response, calls);
      if (calls.length === 0) {
        yield {
          type: 'session',
          session: { ...this.#conversation(link), last_response_id: id },
          confirmed: true,
        };
        break;
      }
      input = [];
      for (const call of calls) {
        const { event, text } = await runCall(call, tools, { turn: this.#turn, signal: this.#signal });
        yield event;
        input.push({ type: 'function_call_output', call_id: call.id, output: text });
      }
      if (this.#signal.aborted) return;
      if (this.#options.state !== 'conversation') link = { previous_response_id: id };
    }
    yield { type: 'finish', finish_reason: this.#finishReason ?? 'stop' };
  }

  /** Where the provider is to go on, and what it lacks; without a link everything. */
  #readSession(): { link: JsonObject | undefined; input: Json[] } {
    const { conversation_id, last_response_id } = this.#turn.session ?? {};
    const isConversation = this.#options.state === 'conversation';
    const id = isConversation ? conversation_id : last_response_id;
    const input = writeInput(tellConversation(this.#turn, id !== undefined));
    if (id === undefined) return { link: undefined, input };
    return { link: isConversation ? { conversation: id } : { previous_response_id: id }, input };
  }

  async #createLink(): Promise<JsonObject> {
    if (this.#options.state !== 'conversation') return {};
    const { thread } = this.#turn;
    const response = await this.#post('/conversations', { metadata: { thread_id: thread.thread_id } });
    const { id } = (await response.json()) as { readonly id?: string };
    if (typeof id !== 'string') throw new AgentError('openai_failed', 'the provider gave no conversation');
    return { conversation: id };
  }

  #conversation({ conversation }: JsonObject): { readonly conversation_id?: string } {
    return typeof conversation === 'string' ? { conversation_id: conversation } : {};
  }

  #request(): JsonObject {
    const { model, instructions, tools = [], body } = this.#options;
    const system = joinSystem(instructions, this.#turn);
    return {
      model,
      stream: true,
      ...(system !== undefined && { instructions: system }),
      ...(tools.length > 0 && {
        tools: tools.map(({ name, description, parameters }) => ({
          type: 'function',
          name,
          description,
          parameters,
        })),
      }),
      ...body,
    };
  }

  #post(path: string, body: JsonObject): Promise<Response> {
    return postJson(this.#options, path, body, { signal: this.#signal, secrets: this.#turn.secrets });
  }

  /** Returns the id of the response. */
  async *#readStream(
    response: Response,
    calls: FunctionCall[],
  ): AsyncGenerator<TurnEvent, string, undefined> {
    for await (const event of readEvents(response, this.#signal)) {
      const { type, delta, item, response: whole } = event;
      if (type === 'response.output_text.delta') yield { type: 'text', text: delta as string };
      else if (type === 'response.reasoning_summary_text.delta' || type === 'response.reasoning_text.delta') {
        yield { type: 'reasoning', text: delta as string };
      } else if (type === 'response.refusal.delta') yield { type: 'text', text: delta as string };
      else if (type === 'response.output_item.done' && isJsonObject(item)) yield* readItem(item, calls);
      else if ((type === 'response.completed' || type === 'response.incomplete') && isJsonObject(whole)) {
        if (isJsonObject(whole['usage'])) {
          this.#usage = addUsage(this.#usage, whole['usage']);
          yield { type: 'usage', usage: this.#usage };
        }
        const details = whole['incomplete_details'];
        const reason = isJsonObject(details) ? details['reason'] : undefined;
        this.#finishReason = typeof reason === 'string' ? reason : 'stop';
        return String(whole['id']);
      } else if (type === 'response.failed' || type === 'error') throw readFailure(event);
    }
    throw new AgentError('openai_failed', 'the stream ended before the response did');
  }
}

function* readItem(item: JsonObject, calls: FunctionCall[]): Generator<TurnEvent, void, undefined> {
  if (item['type'] === 'function_call') {
    const call = {
      id: String(item['call_id']),
      name: String(item['name']),
      arguments: String(item['arguments']),
    };
    calls.push(call);
    yield beginCall(call);
  } else if (item['type'] === 'reasoning') yield { type: 'reasoning', text: '', data: item };
  else if (item['type'] !== 'message') {
    // A tool that the provider runs itself.
    const part_id = String(item['id'] ?? item['type']);
    yield { type: 'tool_call', part_id, title: String(item['type']), state: 'completed', output: item };
  }
}

function readFailure({ response, message, code }: JsonObject): AgentError {
  const error =
    isJsonObject(response) && isJsonObject(response['error']) ? response['error'] : { message, code };
  return new AgentError(
    'openai_failed',
    `the provider failed: ${String(error['message'] ?? error['code'] ?? '')}`,
  );
}

/** Whether the provider does not know, or cannot go on from, what it is to go on from. */
function isBrokenChain(error: unknown): boolean {
  if (!(error instanceof HttpError) || (error.status !== 400 && error.status !== 404)) return false;
  const { code, param, message } = error.reason;
  return /previous_response|conversation|no tool output/i.test(`${code} ${param} ${message}`);
}
