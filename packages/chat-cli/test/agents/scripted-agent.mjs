import { Readable, Writable } from 'node:stream';
import * as acp from '@agentclientprotocol/sdk';

/** A real ACP agent that does what the last line of its prompt says: steps with spaces between them. */

const stops = new Map();

const STEPS = {
  say: (tell, what) =>
    tell({ sessionUpdate: 'agent_message_chunk', content: { type: 'text', text: readText(what) } }),
  think: (tell, what) =>
    tell({ sessionUpdate: 'agent_thought_chunk', content: { type: 'text', text: readText(what) } }),
  call: (tell, what) =>
    tell({ sessionUpdate: 'tool_call', toolCallId: what, title: what, status: 'in_progress' }),
  done: (tell, what) => tell({ sessionUpdate: 'tool_call_update', toolCallId: what, status: 'completed' }),
  pause: (_tell, what) => new Promise((resolve) => setTimeout(resolve, Number(what))),
  /** Until it is cancelled. */
  wait: (_tell, _what, { sessionId }) => new Promise((resolve) => stops.set(sessionId, resolve)),
  /** Never ends, whatever it hears. */
  hang: () => new Promise(() => setInterval(() => undefined, 1000)),
  die: () => process.exit(3),
  fail: () => {
    throw new acp.RequestError(-32000, 'no credit\u001b[31m left');
  },
  cut: () => 'max_tokens',
  ask: async (tell, what, { sessionId, client }) => {
    const { outcome } = await client.request(acp.methods.client.session.requestPermission, {
      sessionId,
      toolCall: { toolCallId: what, title: what },
      options: [
        { optionId: 'always', name: 'Always', kind: 'allow_always' },
        { optionId: 'yes', name: 'Yes', kind: 'allow_once' },
        { optionId: 'no', name: 'No', kind: 'reject_once' },
      ],
    });
    await STEPS.say(tell, outcome.optionId ?? outcome.outcome);
  },
};

function readText(text) {
  return JSON.parse(`"${text.replaceAll('_', ' ')}"`);
}

acp
  .agent({ name: 'scripted' })
  .onRequest('initialize', () => ({ protocolVersion: acp.PROTOCOL_VERSION, agentCapabilities: {} }))
  .onRequest('session/new', () => ({ sessionId: `s${process.pid}` }))
  .onRequest('session/prompt', async ({ params, client }) => {
    const { sessionId, prompt } = params;
    const text = prompt.map((block) => block.text).join('');
    const isContinued = text.includes('Your answer was cut off.');
    const script = isContinued
      ? 'say:and_the_rest.'
      : text
          .trim()
          .split('\n')
          .at(-1)
          .replace(/^\S+: /, '');
    const tell = (update) => client.notify(acp.methods.client.session.update, { sessionId, update });
    for (const step of script.split(' ')) {
      const [name, ...what] = step.split(':');
      if (stops.get(sessionId) === null && name !== 'say') return { stopReason: 'cancelled' };
      const reason = await STEPS[name]?.(tell, what.join(':'), { sessionId, client });
      if (typeof reason === 'string') return { stopReason: reason };
    }
    return { stopReason: 'end_turn' };
  })
  .onNotification('session/cancel', ({ params }) => {
    stops.get(params.sessionId)?.();
    stops.set(params.sessionId, null);
  })
  .connect(acp.ndJsonStream(Writable.toWeb(process.stdout), Readable.toWeb(process.stdin)));
