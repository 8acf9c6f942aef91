import * as acp from '@agentclientprotocol/sdk';
import { systemTimers, type Timers } from '@chatdoc/schema';
import { type Agent, AgentError, type Turn, type TurnEvent } from '../agent.js';
import { EventQueue } from '../event-queue.js';
import { redactSecrets } from '../redact.js';
import { writeBlocks } from './acp-prompt.js';
import { applySettings } from './acp-settings.js';
import { isObject, readUpdate } from './acp-updates.js';
import { type AgentCommand, AgentProcess } from './agent-process.js';

/** A permission that an agent asks for. */
export interface PermissionRequest {
  readonly turn: Turn;
  readonly tool_call: acp.ToolCallUpdate;
  readonly options: readonly acp.PermissionOption[];
  /** Aborts when the turn is stopped: then the answer is no longer heard. */
  readonly signal: AbortSignal;
}

export interface AcpAgentOptions extends AgentCommand {
  /**
   * Returns the id of the method by which to log in, when the agent asks for it; null to give up. A string names one
   * in advance. Without it such a turn ends as `acp_auth`, which names the methods.
   */
  readonly authenticate?:
    | string
    | ((request: {
        readonly turn: Turn;
        readonly methods: readonly acp.AuthMethod[];
        readonly signal: AbortSignal;
      }) => Promise<string | null> | string | null);
  /** Returns the id of the option chosen; null refuses. Without it everything is refused. */
  readonly onPermission?: (request: PermissionRequest) => Promise<string | null> | string | null;
  readonly mcp_servers?: readonly acp.McpServer[];
  /** Writes the prompt. Defaults to a text of what the agent does not know yet, and the files with it. */
  readonly writePrompt?: (turn: Turn, knowsSession: boolean) => acp.ContentBlock[];
  /** How long an agent may go on after it was cancelled, ms; below the engine's `stop_grace_ms`. Defaults to 4,000. */
  readonly cancel_grace_ms?: number;
  readonly timers?: Timers;
}

const CANCEL_GRACE_MS = 4_000;
/** Code of an ACP error. */
const AUTH_REQUIRED = -32000;

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
  /** Updates count only between prompt and answer: a session that is loaded is replayed from its start. */
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
      // Before the prompt there is nothing to cancel, and nothing to keep.
      if (!this.#isPrompted) void process.end();
      else
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

  /** Takes updates before the connection does, which would refuse, and print, updates of a later protocol. */
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
      throw await this.#explain(error, process);
    }
  }

  async #take(agent: acp.ClientContext): Promise<void> {
    const { initialize, session } = acp.methods.agent;
    const { agentCapabilities: can, ...initialized } = await agent.request<acp.InitializeResponse>(
      initialize,
      {
        protocolVersion: acp.PROTOCOL_VERSION,
        clientCapabilities: { fs: { readTextFile: false, writeTextFile: false }, terminal: false },
      },
    );
    if (initialized.protocolVersion !== acp.PROTOCOL_VERSION) {
      const versions = `version ${initialized.protocolVersion}, expected ${acp.PROTOCOL_VERSION}`;
      throw new AgentError('acp_version', `the agent speaks another version of the protocol: ${versions}`);
    }
    const isKnown = await this.#openSession(agent, can, initialized.authMethods ?? []);
    this.#events.push({ type: 'session', session: { acp_session_id: this.#sessionId } });
    if (this.#signal.aborted) return;
    // The prompt is on its way before any cancel can be.
    this.#isPrompted = true;
    const { writePrompt } = this.#options;
    const prompting = agent.request<acp.PromptResponse>(session.prompt, {
      sessionId: this.#sessionId,
      prompt: writePrompt?.(this.#turn, isKnown) ?? writeBlocks(this.#turn, isKnown, can?.promptCapabilities),
      _meta: this.#meta(),
    });
    const cancel = (): void => {
      agent.notify(session.cancel, { sessionId: this.#sessionId }).catch(() => undefined);
    };
    this.#signal.addEventListener('abort', cancel, { once: true });
    const { stopReason } = await prompting;
    this.#signal.removeEventListener('abort', cancel);
    this.#isPrompted = false;
    // It has answered: its side of the conversation is whole, also after a cancel.
    this.#events.push({ type: 'session', session: { acp_session_id: this.#sessionId }, confirmed: true });
    this.#events.push({ type: 'finish', finish_reason: stopReason === 'end_turn' ? 'stop' : stopReason });
  }

  #meta(): { readonly [key: string]: unknown } {
    const { thread, prompt, message_id, attempt } = this.#turn;
    const ids = { thread_id: thread.thread_id, prompt_id: prompt.message_id, message_id, attempt };
    return { chatdoc: ids };
  }

  /** True where the agent goes on with the session that it had. */
  async #openSession(
    agent: acp.ClientContext,
    can: acp.AgentCapabilities | undefined,
    methods: readonly acp.AuthMethod[],
  ): Promise<boolean> {
    const { session } = acp.methods.agent;
    const place = {
      cwd: this.#options.cwd ?? process.cwd(),
      mcpServers: [...(this.#options.mcp_servers ?? [])],
      _meta: this.#meta(),
    };
    const sessionId = this.#turn.session?.acp_session_id;
    const canResume = can?.sessionCapabilities?.resume;
    if (sessionId !== undefined && (canResume || can?.loadSession)) {
      try {
        const method = canResume ? session.resume : session.load;
        const loaded = await this.#loggedIn(agent, methods, () =>
          agent.request(method, { ...place, sessionId }),
        );
        this.#sessionId = sessionId;
        await this.#applySettings(agent, loaded);
        return true;
      } catch (error) {
        if (this.#signal.aborted || !(error instanceof acp.RequestError)) throw error;
        // Lost on the agent's side: a new one is sent everything.
        const message = 'the agent could not go on in its session: a new one was sent the conversation';
        this.#events.push({ type: 'notice', code: 'session_lost', message });
      }
    }
    const created = await this.#loggedIn(agent, methods, () =>
      agent.request<acp.NewSessionResponse>(session.new, place),
    );
    this.#sessionId = created.sessionId;
    await this.#applySettings(agent, created);
    return false;
  }

  async #applySettings(agent: acp.ClientContext, offered: unknown): Promise<void> {
    const { acp_config } = this.#turn.config;
    const refused = await applySettings(agent, this.#sessionId, acp_config, isObject(offered) ? offered : {});
    for (const message of refused) this.#events.push({ type: 'notice', code: 'acp_config', message });
  }

  /** Logs in where the agent asks for it, and asks once more. */
  async #loggedIn<T>(
    agent: acp.ClientContext,
    methods: readonly acp.AuthMethod[],
    request: () => Promise<T>,
  ): Promise<T> {
    try {
      return await request();
    } catch (error) {
      if (!(error instanceof acp.RequestError) || error.code !== AUTH_REQUIRED) throw error;
      const methodId = await this.#chooseMethod(methods);
      if (methodId === null) {
        const names = methods.map(({ id, name }) => `${name} (${id})`).join(', ');
        throw new AgentError(
          'acp_auth',
          `the agent asks to log in${names === '' ? '' : ` by ${names}`}`,
          error,
        );
      }
      await agent.request(acp.methods.agent.authenticate, { methodId });
      return request();
    }
  }

  async #chooseMethod(methods: readonly acp.AuthMethod[]): Promise<string | null> {
    const { authenticate = null } = this.#options;
    if (typeof authenticate !== 'function') return authenticate;
    return authenticate({ turn: this.#turn, methods, signal: this.#signal });
  }

  /** The agent's own words, its last lines of standard error, and how it ended; the connection alone has no reason. */
  async #explain(error: unknown, process: AgentProcess): Promise<AgentError> {
    const describe = (message: string): string => {
      const { env } = this.#options;
      const words = process.lastWords;
      const text = words === '' ? message : `${message}\n${words}`;
      return redactSecrets(text, this.#turn.secrets, env ?? globalThis.process.env);
    };
    if (error instanceof AgentError) return new AgentError(error.code, describe(error.message), error.cause);
    if (error instanceof acp.RequestError) {
      const said = describeRequestError(error);
      return new AgentError(
        'acp_failed',
        describe(`the agent answered with error ${error.code}${said}`),
        error,
      );
    }
    await process.end();
    const failed = await process.ended;
    return failed ?? new AgentError('acp_closed', describe('the agent ended before its answer did'), error);
  }

  #onUpdate(params: unknown): void {
    if (isObject(params)) this.#pushUpdate(params['sessionId'], params['update']);
  }

  #pushUpdate(sessionId: unknown, update: unknown): void {
    if (!this.#isPrompted || sessionId !== this.#sessionId) return;
    const event = readUpdate(update);
    if (event !== undefined) this.#events.push(event);
  }

  async #onPermission(request: acp.RequestPermissionRequest): Promise<acp.RequestPermissionResponse> {
    const cancelled: acp.RequestPermissionResponse = { outcome: { outcome: 'cancelled' } };
    if (this.#signal.aborted) return cancelled;
    // Some agents send a call only here, and nothing more of one that is refused.
    this.#pushUpdate(request.sessionId, { ...request.toolCall, sessionUpdate: 'tool_call_update' });
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

/** The message of the agent, which is for people; of `data` only its message, the rest may be anything. */
function describeRequestError({ message, data }: acp.RequestError): string {
  const more = isObject(data) && typeof data['message'] === 'string' ? data['message'] : '';
  const said = [message, more].filter((text, at, all) => text !== '' && all.indexOf(text) === at);
  return said.length === 0 ? '' : `: ${said.join(': ')}`;
}
