import { type JsonObject, systemTimers, type Timers } from '@chatdoc/schema';
import { AgentError } from '../agent.js';
import { redactSecrets } from '../redact.js';

/** An endpoint that speaks as OpenAI's does. */
export interface OpenAiEndpoint {
  /** Defaults to OpenAI's own. */
  readonly base_url?: string;
  /** Sent as a bearer token. A function is asked for each request, with the secrets of the turn. */
  readonly api_key?: string | ((secrets: Readonly<Record<string, string>>) => string);
  readonly headers?: Readonly<Record<string, string>>;
  readonly fetch?: typeof fetch;
  readonly timers?: Timers;
  /** How often a request is sent again that was refused for its rate or by an overloaded server, or did not reach it. Defaults to 2. */
  readonly max_retries?: number;
  /** The longest wait that a server may ask for before a request is sent again, ms. Defaults to 60,000. */
  readonly max_wait_ms?: number;
}

/** A request that the server refused. `code` is the server's own, where it has one. */
export class HttpError extends AgentError {
  readonly status: number;
  readonly reason: { readonly code: string; readonly param: string; readonly message: string };

  constructor(status: number, reason: HttpError['reason']) {
    const code =
      status === 401 || status === 403 ? 'openai_auth' : status === 429 ? 'openai_rate' : 'openai_failed';
    super(code, `the server answered with status ${status}${reason.message && `: ${reason.message}`}`);
    this.status = status;
    this.reason = reason;
  }
}

const BASE_URL = 'https://api.openai.com/v1';
const MAX_RETRIES = 2;
const MAX_WAIT_MS = 60_000;
const FIRST_WAIT_MS = 1_000;

/** Sends JSON, and again after the time that a busy server asks for. Throws `HttpError`, `openai_failed`. */
export async function postJson(
  endpoint: OpenAiEndpoint,
  path: string,
  body: JsonObject,
  { signal, secrets }: { readonly signal: AbortSignal; readonly secrets: Readonly<Record<string, string>> },
): Promise<Response> {
  const {
    base_url = BASE_URL,
    api_key,
    headers,
    max_retries = MAX_RETRIES,
    timers = systemTimers,
  } = endpoint;
  const key = typeof api_key === 'function' ? api_key(secrets) : api_key;
  const init = {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(key !== undefined && { authorization: `Bearer ${key}` }),
      ...headers,
    },
    body: JSON.stringify(body),
    signal,
  };
  const hidden = key === undefined ? secrets : { ...secrets, '': key };
  for (let tries = 0; ; tries += 1) {
    let response: Response;
    try {
      response = await (endpoint.fetch ?? fetch)(`${base_url.replace(/\/$/, '')}${path}`, init);
    } catch (error) {
      if (signal.aborted) throw error;
      // A connection that was kept for reuse may have been closed by the server just then.
      if (tries >= max_retries)
        throw new AgentError('openai_failed', 'the server could not be reached', error);
      await sleep(FIRST_WAIT_MS * 2 ** tries, timers, signal);
      continue;
    }
    if (response.ok) return response;
    const wait = readWait(response, tries);
    const isLast = tries >= max_retries || wait > (endpoint.max_wait_ms ?? MAX_WAIT_MS);
    const isBusy = response.status === 429 || response.status >= 500;
    const reason = await readReason(response, hidden);
    // A quota that is used up does not come back by waiting.
    if (isLast || !isBusy || reason.code === 'insufficient_quota')
      throw new HttpError(response.status, reason);
    await sleep(wait, timers, signal);
  }
}

/** The events of a stream, one JSON object each, until it ends. Throws `openai_failed` where it is cut. */
export async function* readEvents(
  response: Response,
  signal: AbortSignal,
): AsyncGenerator<JsonObject, void, undefined> {
  if (response.body === null) return;
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let buffer = '';
  try {
    for (;;) {
      const { done, value } = await reader.read();
      buffer += done ? '\n\n' : value.replaceAll('\r', '');
      for (let end = buffer.indexOf('\n\n'); end >= 0; end = buffer.indexOf('\n\n')) {
        const data = readData(buffer.slice(0, end));
        buffer = buffer.slice(end + 2);
        if (data !== undefined) yield data;
      }
      if (done) return;
    }
  } catch (error) {
    if (signal.aborted || error instanceof AgentError) throw error;
    throw new AgentError('openai_failed', 'the stream was cut', error);
  } finally {
    reader.cancel().catch(() => undefined);
  }
}

function readData(event: string): JsonObject | undefined {
  const lines = event.split('\n').filter((line) => line.startsWith('data:'));
  const data = lines.map((line) => line.slice('data:'.length).trimStart()).join('\n');
  if (data === '' || data === '[DONE]') return undefined;
  try {
    const parsed: unknown = JSON.parse(data);
    return typeof parsed === 'object' && parsed !== null ? (parsed as JsonObject) : undefined;
  } catch {
    return undefined;
  }
}

async function readReason(
  response: Response,
  secrets: Readonly<Record<string, string>>,
): Promise<HttpError['reason']> {
  const text = await response.text().catch(() => '');
  let error: { readonly [key: string]: unknown } = {};
  try {
    error = (JSON.parse(text) as { error?: Record<string, unknown> }).error ?? {};
  } catch {
    // Not JSON: a proxy's page, of which nothing is for people.
  }
  const [code, param, message] = [error['code'] ?? error['type'], error['param'], error['message']].map(
    (field) => (typeof field === 'string' ? field : ''),
  ) as [string, string, string];
  return { code, param, message: redactSecrets(message, secrets) };
}

/** As the server asks, else twice as long each time, ms. */
function readWait({ headers }: Response, tries: number): number {
  const exact = Number(headers.get('retry-after-ms') ?? Number.NaN);
  if (exact >= 0) return exact;
  const after = headers.get('retry-after');
  if (after === null) return FIRST_WAIT_MS * 2 ** tries;
  const seconds = Number(after);
  if (seconds >= 0) return seconds * 1_000;
  // A date: by the server's own clock.
  const wait = Date.parse(after) - Date.parse(headers.get('date') ?? '');
  return wait >= 0 ? wait : FIRST_WAIT_MS * 2 ** tries;
}

function sleep(ms: number, timers: Timers, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = timers.setTimer(resolve, ms);
    const onAbort = (): void => {
      timers.clearTimer(timer);
      reject(new DOMException('stopped', 'AbortError'));
    };
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
  });
}
