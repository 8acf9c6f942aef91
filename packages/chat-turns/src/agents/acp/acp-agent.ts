import * as acp from '@agentclientprotocol/sdk';
import { systemTimers, type Timers } from '@chatdoc/schema';
import { type Agent, AgentError, type Turn, type TurnEvent } from '../agent.js';
import { EventQueue } from '../event-queue.js';
import { writePrompt } from '../transcript-text.js';
import { isObject, readUpdate } from './acp-updates.js';
import { type AgentCommand, AgentProcess } from './agent-process.js';

/** What an agent asks before it does something. */
export interface PermissionRequest {
  readonly turn: Turn;
  readonly tool_call: acp.ToolCallUpdate;
  readonly options: readonly acp.PermissionOption[];
  /** Aborts when the turn is stopped: then the answer is no longer heard. */
  readonly signal: AbortSignal;
}

export interface AcpAgentOptions extends AgentCommand {
  /** Gives the id of the option chosen; null refuses. Without it everything is refused. */
  readonly onPermission?: (request: PermissionRequest) => Promise<string | null> | string | null;
  readonly mcp_servers?: readonly acp.McpServer[];
  /** What is sent as the prompt; a text of what the agent does not know yet unless given. */
  readonly writePrompt?: (turn: Turn, knowsSession: boolean) => acp.ContentBlock[];
  /** How long an agent may go on after it was cancelled, ms; below the engine's `stop_grace_ms`. */
  readonly cancel_grace_ms?: number;
  readonly timers?: Timers;
}

const CANCEL_GRACE_MS = 4_000;

/**
 * An agent that speaks the Agent Client Protocol over stdio. Each turn is a process of its own, which loads or
 * resumes the session of its thread where it can: nothing of one thread can reach another.
 */
export function acpAgent(options: AcpAgentOptions): Agent {
  return (turn, signal) => new AcpTurn(options, turn, signal).run();
}

class AcpTurn {
  readonly #options: AcpAgentOptions;
  readonly #turn: Turn;
  readonly #signal: AbortSignal;
  readonly #timers: Timers;
  readonly #events = new EventQueue<TurnEvent>();
  /** Updates count only between prompt and answer: a session that is loaded is told again from its start. */
  #isPrompted = false;
  #sessionId = '';

  constructor(options: AcpAgentOptions, turn: Turn, signal: AbortSignal) {
    this.#options = options;
    this.#turn = turn;
    this.#signal = signal;
    this.#timers = options.timers ?? systemTimers;
  }

  async *run(): AsyncGenerator<TurnEvent, void, undefined> {
    if (this.#signal.aborted) return;
    const process = new AgentProcess(this.#options, this.#timers);
    let timer: unknown;
    // Also for an agent that hears nothing: this loop may be waiting for it, and nobody else ends it.
    const onAbort = (): void => {
      timer = this.#timers.setTimer(() => process.kill(), this.#options.cancel_grace_ms ?? CANCEL_GRACE_MS);
    };
    this.#signal.addEventListener('abort', onAbort, { once: true });
    const connection = this.#connect(process);
    try {
      this.#converse(connection.agent, process).then(
        () => this.#events.end(),
        (error: unknown) => this.#events.fail(error),
      );
      yield* this.#events.drain();
    } finally {
      this.#signal.removeEventListener('abort', onAbort);
      connection.close();
      await process.end();
      this.#timers.clearTimer(timer);
    }
  }

  #connect(process: AgentProcess): acp.ClientConnection {
    const { readable, writable } = acp.ndJsonStream(process.input, process.output);
    return acp
      .client({ name: 'chatdoc' })
      .onRequest(acp.methods.client.session.requestPermission, ({ params }) => this.#onPermission(params))
      .connect({ writable, readable: readable.pipeThrough(this.#takeUpdates()) });
  }

  /** Takes updates before the connection does, which would refuse, and print, what a later protocol tells. */
  #takeUpdates(): TransformStream<acp.AnyMessage, acp.AnyMessage> {
    return new TransformStream({
      transform: (message, controller) => {
        const isUpdate = 'method' in message && message.method === acp.methods.client.session.update;
        if (isUpdate) this.#onUpdate(message.params);
        else controller.enqueue(message);
      },
    });
  }

  async #converse(agent: acp.ClientContext, process: AgentProcess): Promise<void> {
    try {
      await this.#take(agent);
    } catch (error) {
      if (this.#signal.aborted) return;
      throw await explain(error, process);
    }
  }

  async #take(agent: acp.ClientContext): Promise<void> {
    const { initialize, session } = acp.methods.agent;
    const { agentCapabilities } = await agent.request(initialize, {
      protocolVersion: acp.PROTOCOL_VERSION,
      clientCapabilities: { fs: { readTextFile: false, writeTextFile: false }, terminal: false },
    });
    const isKnown = await this.#openSession(agent, agentCapabilities);
    this.#events.push({ type: 'session', session: { acp_session_id: this.#sessionId } });
    if (this.#signal.aborted) return;
    // The prompt is on its way before any cancel can be.
    this.#isPrompted = true;
    const prompting = agent.request(session.prompt, {
      sessionId: this.#sessionId,
      prompt: (this.#options.writePrompt ?? writeText)(this.#turn, isKnown),
    });
    const cancel = (): void => {
      agent.notify(session.cancel, { sessionId: this.#sessionId }).catch(() => undefined);
    };
    this.#signal.addEventListener('abort', cancel, { once: true });
    const { stopReason } = await prompting;
    this.#signal.removeEventListener('abort', cancel);
    this.#isPrompted = false;
    this.#events.push({ type: 'finish', finish_reason: stopReason === 'end_turn' ? 'stop' : stopReason });
  }

  /** True where the agent goes on with the session that it had. */
  async #openSession(agent: acp.ClientContext, can: acp.AgentCapabilities | undefined): Promise<boolean> {
    const { session } = acp.methods.agent;
    const place = {
      cwd: this.#options.cwd ?? process.cwd(),
      mcpServers: [...(this.#options.mcp_servers ?? [])],
    };
    const sessionId = this.#turn.session?.acp_session_id;
    if (sessionId !== undefined) {
      try {
        if (can?.sessionCapabilities?.resume) await agent.request(session.resume, { ...place, sessionId });
        else if (can?.loadSession) await agent.request(session.load, { ...place, sessionId });
        else throw new Error('neither');
        this.#sessionId = sessionId;
        return true;
      } catch {
        // Lost on the agent's side: a new one is told everything.
      }
    }
    const { sessionId: created } = await agent.request<acp.NewSessionResponse>(session.new, place);
    this.#sessionId = created;
    return false;
  }

  #onUpdate(params: unknown): void {
    if (isObject(params)) this.#tell(params['sessionId'], params['update']);
  }

  #tell(sessionId: unknown, update: unknown): void {
    if (!this.#isPrompted || sessionId !== this.#sessionId) return;
    const event = readUpdate(update);
    if (event !== undefined) this.#events.push(event);
  }

  async #onPermission(request: acp.RequestPermissionRequest): Promise<acp.RequestPermissionResponse> {
    const cancelled: acp.RequestPermissionResponse = { outcome: { outcome: 'cancelled' } };
    if (this.#signal.aborted) return cancelled;
    // Some tell of a call only here, and nothing more of one that is refused.
    this.#tell(request.sessionId, { ...request.toolCall, sessionUpdate: 'tool_call_update' });
    // A cancel does not settle what the agent still asks: without an answer the turn would hang.
    const aborted = new Promise<undefined>((resolve) => {
      this.#signal.addEventListener('abort', () => resolve(undefined), { once: true });
    });
    const optionId = await Promise.race([aborted, this.#askPermission(request)]);
    if (this.#signal.aborted) return cancelled;
    const chosen = optionId ?? request.options.find(({ kind }) => kind === 'reject_once')?.optionId;
    return chosen === undefined ? cancelled : { outcome: { outcome: 'selected', optionId: chosen } };
  }

  async #askPermission({ toolCall, options }: acp.RequestPermissionRequest): Promise<string | null> {
    const request = { turn: this.#turn, tool_call: toolCall, options, signal: this.#signal };
    return (await this.#options.onPermission?.(request)) ?? null;
  }
}

function writeText(turn: Turn, knowsSession: boolean): acp.ContentBlock[] {
  return [{ type: 'text', text: writePrompt(turn, knowsSession) }];
}

/** An error of the connection, or of the agent: the first says nothing about why. */
async function explain(error: unknown, process: AgentProcess): Promise<AgentError> {
  if (error instanceof acp.RequestError) {
    return new AgentError('acp_failed', `the agent answered with error ${error.code}`, error);
  }
  await process.end();
  const failed = await process.ended;
  return failed ?? new AgentError('acp_closed', 'the agent ended before its answer did', error);
}
