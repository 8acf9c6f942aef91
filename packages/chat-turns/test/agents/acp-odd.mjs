import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** An ACP agent by hand, with one oddity: `acp-odd.mjs ODDITY`. It answers with what it was sent, as JSON. */

const oddity = process.argv[2];
const put = (message) => process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
const update = (sessionId, fields) =>
  put({ method: 'session/update', params: { sessionId, update: fields } });
const say = (sessionId, text) =>
  update(sessionId, { sessionUpdate: 'agent_message_chunk', content: { type: 'text', text } });
const requests = [];
let isLoggedIn = false;

const METHODS = {
  initialize(_params, reply) {
    if (oddity === 'hang') return;
    const protocolVersion = oddity === 'version' ? 99 : 1;
    const authMethods = oddity.startsWith('login') ? [{ id: 'key', name: 'API key' }] : [];
    const promptCapabilities = oddity === 'files' ? { image: true, embeddedContext: true } : {};
    reply({
      protocolVersion,
      authMethods,
      agentCapabilities: { loadSession: oddity === 'forgetful', promptCapabilities },
    });
  },
  authenticate({ methodId }, reply, fail) {
    isLoggedIn = methodId === 'key';
    if (isLoggedIn) reply({});
    else fail(-32602, 'no such method');
  },
  'session/new'(_params, reply, fail) {
    if (oddity.startsWith('login') && !isLoggedIn) return fail(-32000, 'Authentication required');
    const availableModes = [
      { id: 'ask', name: 'Ask' },
      { id: 'code', name: 'Code' },
    ];
    const select = (id, category, currentValue) => ({
      id,
      name: id,
      category,
      type: 'select',
      currentValue,
      options: [],
    });
    const configOptions = [select('m', 'model', 'small'), select('effort', 'thought_level', 'low')];
    const settings = { modes: { currentModeId: 'ask', availableModes }, configOptions };
    reply({ sessionId: `s${process.pid}`, ...(oddity.startsWith('settings') && settings) });
  },
  'session/load'(_params, _reply, fail) {
    fail(-32002, 'no such session');
  },
  'session/set_mode'(_params, reply, fail) {
    if (oddity === 'settings refused') fail(-32603, 'not now');
    else reply({});
  },
  'session/set_config_option'(_params, reply) {
    reply({ configOptions: [] });
  },
  'session/prompt'({ sessionId }, reply, fail) {
    if (oddity === 'quota') {
      process.stderr.write('\u001b[31mWARN\u001b[0m retrying with sk-live-12345678 and token=abcdef123\n');
      return setTimeout(
        () =>
          fail(-32603, 'Internal error: ANSWER-42', {
            message: 'You have run out of credits',
            asked: 'PRIVATE',
          }),
        50,
      );
    }
    if (oddity === 'deaf') {
      process.on('SIGTERM', () => undefined);
      say(sessionId, `pid ${process.pid} `);
      setInterval(() => say(sessionId, 'tick '), 20);
      return;
    }
    if (oddity === 'children') {
      const child = spawn('sleep', ['300'], { stdio: 'inherit' });
      say(sessionId, `pid ${child.pid} `);
    }
    if (oddity === 'tools') {
      const call = { toolCallId: 't', title: 'edit', kind: 'edit', locations: [{ path: '/a', line: 3 }] };
      update(sessionId, {
        sessionUpdate: 'tool_call',
        ...call,
        status: 'in_progress',
        rawInput: { path: '/a' },
      });
      const content = [{ type: 'diff', path: '/a', oldText: '1', newText: '2' }];
      update(sessionId, {
        sessionUpdate: 'tool_call_update',
        toolCallId: 't',
        status: 'completed',
        content,
        rawOutput: 'ok',
      });
    } else say(sessionId, JSON.stringify(requests));
    reply({ stopReason: 'end_turn' });
  },
};

if (oddity === 'dies') {
  process.stderr.write(`FATAL: cannot find config ${process.env.HIDDEN_KEY ?? ''}\n`);
  process.exitCode = 4;
} else {
  createInterface({ input: process.stdin }).on('line', (line) => {
    const { id, method, params } = JSON.parse(line);
    if (method === undefined || id === undefined) return;
    requests.push({ method, params });
    const reply = (result) => put({ id, result });
    const fail = (code, message, data) => put({ id, error: { code, message, data } });
    if (METHODS[method] === undefined) fail(-32601, 'no such method');
    else METHODS[method](params, reply, fail);
  });
  if (oddity === 'deaf') setInterval(() => undefined, 1000);
}
