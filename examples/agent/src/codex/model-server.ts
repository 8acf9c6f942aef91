import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text as readText } from 'node:stream/consumers';

/** What the model is given: all that was said to it, and what its commands gave. */
export interface ModelInput {
  readonly said: readonly string[];
  readonly answered: readonly string[];
  /** What the last command printed, if it has just ended. */
  readonly output: string | undefined;
}

export type ModelReply =
  /** A word every few milliseconds. */
  | { readonly type: 'say'; readonly words: readonly string[] }
  /** Outside of the sandbox, so that a person is asked for leave. */
  | { readonly type: 'run'; readonly command: string; readonly reason: string };

export interface ModelServer {
  /** Base URL of its API. */
  readonly url: string;
  readonly inputs: readonly ModelInput[];
  close(): void;
}

const WORD_MS = 10;

/** A language model that is a function, behind as much of the Responses API as Codex asks for. On loopback. */
export async function startModelServer(reply: (input: ModelInput) => ModelReply): Promise<ModelServer> {
  const inputs: ModelInput[] = [];
  const server = createServer((request, response) => {
    void answer(request, response).catch(() => response.destroy());
  });
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (request.method !== 'POST' || request.url !== '/v1/responses') {
      response.writeHead(404).end();
      return;
    }
    const input = readInput(JSON.parse(await readText(request)) as { input: Item[] });
    inputs.push(input);
    await streamReply(response, inputs.length, reply(input));
  };
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const close = (): void => {
    server.close();
    server.closeAllConnections();
  };
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`, inputs, close };
}

interface Item {
  readonly type: string;
  readonly role?: string;
  readonly content?: readonly { readonly text?: string }[];
  readonly output?: unknown;
}

function readInput({ input }: { readonly input: readonly Item[] }): ModelInput {
  const textsOf = (role: string): string[] =>
    input
      .filter((item) => item.type === 'message' && item.role === role)
      .map(({ content = [] }) => content.map(({ text = '' }) => text).join(''));
  const last = input.at(-1);
  return {
    // Codex describes the machine in the name of the user, between tags.
    said: textsOf('user').filter((text) => !text.startsWith('<')),
    answered: textsOf('assistant'),
    output: last?.type === 'function_call_output' ? String(last.output) : undefined,
  };
}

async function streamReply(response: ServerResponse, count: number, reply: ModelReply): Promise<void> {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  const send = (type: string, fields: object): void => {
    response.write(`event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`);
  };
  send('response.created', { response: { id: `response-${count}` } });
  if (reply.type === 'run') {
    const wish = {
      cmd: reply.command,
      sandbox_permissions: 'require_escalated',
      justification: reply.reason,
    };
    send('response.output_item.done', {
      item: {
        type: 'function_call',
        call_id: `call-${count}`,
        name: 'exec_command',
        arguments: JSON.stringify(wish),
      },
    });
  } else {
    const item = { type: 'message', role: 'assistant', id: `message-${count}` };
    // Without it the deltas are dropped.
    send('response.output_item.added', { item: { ...item, content: [] } });
    let said = '';
    for (const word of reply.words) {
      if (response.destroyed) return;
      const delta = said === '' ? word : ` ${word}`;
      said += delta;
      send('response.output_text.delta', { item_id: item.id, delta });
      await new Promise((resolve) => setTimeout(resolve, WORD_MS));
    }
    send('response.output_item.done', { item: { ...item, content: [{ type: 'output_text', text: said }] } });
  }
  const usage = { input_tokens: 10, output_tokens: 5, total_tokens: 15 };
  send('response.completed', { response: { id: `response-${count}`, usage } });
  response.end();
}
