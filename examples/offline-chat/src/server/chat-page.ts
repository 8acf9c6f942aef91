import { existsSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';
import { openChat } from '@chatdoc/schema';
import { readDocument } from '@chatdoc/sync';
import { type ChatFile, openChatFile } from '@chatdoc/sync/file';
import { type ChatServer, serveFolder } from '@chatdoc/sync/server';
import { TurnEngine } from '@chatdoc/turns';
import * as Y from 'yjs';
import { agent } from './agents.js';

export interface ChatPageOptions {
  /** Where the document is kept; made if it is not there. */
  readonly directory: string;
  /** The built page. */
  readonly pages: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** Lines that a new document begins with. */
  readonly jsonl?: string;
}

export interface ChatPage {
  readonly url: string;
  readonly doc_id: string;
  close(): Promise<void>;
}

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
};
/** Nothing of anybody is executed, whatever a message says. */
const POLICY =
  "default-src 'self'; connect-src 'self' ws: wss:; img-src 'self' data:; style-src 'self' 'unsafe-inline'; object-src 'none'; base-uri 'none'";

/** Serves one document, the page that shows it, and two agents that answer in it. */
export async function openChatPage({ directory, pages, port, jsonl }: ChatPageOptions): Promise<ChatPage> {
  await mkdir(directory, { recursive: true });
  const path = join(directory, 'team.ychat');
  const file = await openDocument(path, jsonl);
  const read = readDocument(new Uint8Array(await readFile(path)));
  if (!read.ok) throw new Error(read.code);
  const { doc_id } = read;
  const config = { doc_id, url: '' };
  const http = createServer((request, response) => {
    void answer(pages, request.url ?? '/', config).then(({ status, type, body }) => {
      response.writeHead(status, {
        'content-type': type,
        'content-security-policy': POLICY,
        'cache-control': 'no-cache',
        'service-worker-allowed': '/',
      });
      response.end(body);
    });
  });
  const origin = await listen(http, port);
  const chats = await openServer(directory, origin);
  config.url = `ws://127.0.0.1:${chats.port}`;
  const engine = new TurnEngine({ runner_id: 'offline-chat' });
  const service = engine.serve(file.chat, { agentFor: () => ({ agent, sender_id: 'agent' }) });
  // The file is always there.
  service.setSynced(true);
  // A flush also brings in what the server has written.
  const timer = setInterval(() => void file.flush(), 100);
  return {
    url: `${origin}/`,
    doc_id,
    close: async () => {
      clearInterval(timer);
      await service.close();
      await engine.close();
      await file.close();
      await chats.close();
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
    },
  };
}

async function openDocument(path: string, jsonl: string | undefined): Promise<ChatFile> {
  const isNew = !existsSync(path);
  // What it begins with also says which document it is.
  const doc = new Y.Doc();
  if (isNew && jsonl !== undefined) openChat(doc).importJSONL(jsonl);
  const opened = await openChatFile(path, { create: true, doc, flush: 'at_once', user_id: 'agent' });
  if (!opened.ok) throw new Error(`${path}: ${opened.code}`);
  const { file } = opened;
  if (isNew) {
    const { thread_id } = file.chat.createThread({ created_by: 'agent', name: 'Welcome', pin: true });
    file.chat.send({
      thread_id,
      sender_id: 'agent',
      content:
        'This chat is one document. Open it in a second browser, switch one of them to **Work offline**, write in both, ' +
        'and switch back: nothing is lost, and both show the same.\n\nAsk `@echo` or `@plan` something, and stop the answer.',
    });
  }
  await file.flush();
  return file;
}

async function openServer(directory: string, origin: string): Promise<ChatServer> {
  const served = await serveFolder({
    directory,
    port: 0,
    origins: [origin, origin.replace('127.0.0.1', 'localhost')],
    // A demo without accounts: everybody speaks as anybody, and may bring in old chats.
    authorize: () => true,
  });
  if (!served.ok) throw new Error(served.code);
  return served.server;
}

async function listen(http: Server, port: number): Promise<string> {
  await new Promise<void>((resolve, reject) => {
    http.on('error', reject);
    http.listen(port, '127.0.0.1', resolve);
  });
  return `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
}

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string | Uint8Array;
}

async function answer(pages: string, url: string, config: object): Promise<Answer> {
  const { pathname } = new URL(url, 'http://localhost');
  if (pathname === '/config.json') {
    return { status: 200, type: 'application/json', body: JSON.stringify(config) };
  }
  const name = pathname === '/' ? '/index.html' : pathname;
  try {
    const body = await readFile(join(pages, normalize(name)));
    return { status: 200, type: TYPES[extname(name)] ?? 'application/octet-stream', body };
  } catch {
    return { status: 404, type: 'text/plain', body: 'not found\n' };
  }
}
