import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import * as acp from '@agentclientprotocol/sdk';

/** A real ACP agent, small: what it does is what it is asked. `--load` or `--resume`, then a folder for sessions. */

const [, , ability, folder] = process.argv;
const cancelled = new Set();
const waiting = new Map();
const fileOf = (sessionId) => join(folder ?? '.', `${sessionId}.json`);
const read = (sessionId) =>
  existsSync(fileOf(sessionId)) ? JSON.parse(readFileSync(fileOf(sessionId), 'utf8')) : undefined;

const tell = (client, sessionId, update) =>
  client.notify(acp.methods.client.session.update, { sessionId, update });
const say = (client, sessionId, text) =>
  tell(client, sessionId, { sessionUpdate: 'agent_message_chunk', content: { type: 'text', text } });

const DEEDS = {
  async everything(client, id) {
    // Noise, as agents make it.
    process.stdout.write('warning: noise on stdout\n');
    await tell(client, id, { sessionUpdate: 'agent_thought_chunk', content: { type: 'text', text: 'Hm.' } });
    await say(client, id, 'Hello ');
    await tell(client, id, {
      sessionUpdate: 'tool_call',
      toolCallId: 't1',
      title: 'ls',
      status: 'in_progress',
      rawInput: { d: '.' },
    });
    await tell(client, id, {
      sessionUpdate: 'tool_call_update',
      toolCallId: 't1',
      status: 'completed',
      rawOutput: 'a.txt',
    });
    await tell(client, id, {
      sessionUpdate: 'plan',
      entries: [{ content: 'x', priority: 'high', status: 'pending' }],
    });
    await tell(client, id, { sessionUpdate: 'hologram_update', beam: 1 });
    await tell(client, id, { sessionUpdate: 'available_commands_update', availableCommands: [] });
    await tell(client, id, {
      sessionUpdate: 'agent_message_chunk',
      content: { type: 'image', data: 'AA==', mimeType: 'image/png' },
    });
    await tell(client, id, { sessionUpdate: 'usage_update', used: 5, size: 100 });
    await say(client, id, 'world.');
    return 'end_turn';
  },
  async slow(client, id) {
    await tell(client, id, {
      sessionUpdate: 'tool_call',
      toolCallId: 't2',
      title: 'sleep',
      status: 'in_progress',
    });
    await say(client, id, 'started');
    await new Promise((resolve) => waiting.set(id, resolve));
    await say(client, id, ', flushed');
    setTimeout(() => say(client, id, ' TOO LATE'), 5);
    return 'cancelled';
  },
  async deaf(client, id) {
    await say(client, id, `pid ${process.pid}: I hear nothing`);
    process.on('SIGTERM', () => undefined);
    setInterval(() => undefined, 1000);
    return new Promise(() => undefined);
  },
  async ask(client, id) {
    const toolCall = { toolCallId: 't3', title: 'rm' };
    const options = [
      { optionId: 'yes', name: 'Yes', kind: 'allow_once' },
      { optionId: 'no', name: 'No', kind: 'reject_once' },
    ];
    const { outcome } = await client.request(acp.methods.client.session.requestPermission, {
      sessionId: id,
      toolCall,
      options,
    });
    await say(client, id, outcome.outcome === 'selected' ? `chosen: ${outcome.optionId}` : outcome.outcome);
    return cancelled.has(id) ? 'cancelled' : 'end_turn';
  },
  async die(client, id) {
    await say(client, id, 'last words');
    await new Promise((resolve) => setTimeout(resolve, 50));
    process.exit(3);
  },
  async fail() {
    throw acp.RequestError.internalError({ secret: 'what was asked' });
  },
  async recall(client, id, said) {
    await say(client, id, JSON.stringify({ pid: process.pid, said }));
    return 'end_turn';
  },
};

acp
  .agent({ name: 'small' })
  .onRequest('initialize', () => ({
    protocolVersion: acp.PROTOCOL_VERSION,
    agentCapabilities: {
      loadSession: ability === '--load',
      sessionCapabilities: ability === '--resume' ? { resume: {} } : {},
    },
  }))
  .onRequest('session/new', () => {
    const sessionId = `s${process.pid}`;
    writeFileSync(fileOf(sessionId), '[]');
    return { sessionId };
  })
  .onRequest('session/load', async ({ params, client }) => {
    const said = read(params.sessionId);
    if (said === undefined) throw acp.RequestError.resourceNotFound();
    for (const text of said) await say(client, params.sessionId, `replayed ${text}`);
    return {};
  })
  .onRequest('session/resume', ({ params }) => {
    if (read(params.sessionId) === undefined) throw acp.RequestError.resourceNotFound();
    return {};
  })
  .onRequest('session/prompt', async ({ params, client }) => {
    const { sessionId, prompt } = params;
    const text = prompt.map((block) => block.text).join('');
    const said = [...(read(sessionId) ?? []), text];
    writeFileSync(fileOf(sessionId), JSON.stringify(said));
    const deed = Object.keys(DEEDS).find((name) => text.endsWith(name)) ?? 'recall';
    return { stopReason: await DEEDS[deed](client, sessionId, said) };
  })
  .onNotification('session/cancel', ({ params }) => {
    cancelled.add(params.sessionId);
    waiting.get(params.sessionId)?.();
  })
  .connect(acp.ndJsonStream(Writable.toWeb(process.stdout), Readable.toWeb(process.stdin)));
