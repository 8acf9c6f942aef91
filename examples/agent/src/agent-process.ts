import { Readable, Writable } from 'node:stream';
import * as acp from '@agentclientprotocol/sdk';

/** An ACP agent that counts: "Count to 5." It keeps no sessions, and goes on from where an answer was cut off. */

const TICK_MS = 20;
const cancelled = new Set<string>();

acp
  .agent({ name: 'counter' })
  .onRequest('initialize', () => ({ protocolVersion: acp.PROTOCOL_VERSION, agentCapabilities: {} }))
  .onRequest('session/new', () => ({ sessionId: `count-${process.pid}` }))
  .onRequest('session/prompt', async ({ params, client }) => {
    const { sessionId, prompt } = params;
    const asked = prompt.map((block) => (block.type === 'text' ? block.text : '')).join('');
    const [question = '', said = ''] = asked.split('without repeating any of it:');
    const last = Number(
      question
        .match(/Count to (\d+)/g)
        ?.at(-1)
        ?.slice('Count to '.length) ?? 3,
    );
    const first = Number(said.trim().split(' ').at(-1)) + 1;
    for (let number = first; number <= last; number += 1) {
      if (cancelled.has(sessionId)) return { stopReason: 'cancelled' };
      const content = { type: 'text', text: `${number} ` } as const;
      const update = { sessionUpdate: 'agent_message_chunk', content } as const;
      await client.notify('session/update', { sessionId, update });
      await new Promise((resolve) => setTimeout(resolve, TICK_MS));
    }
    return { stopReason: 'end_turn' };
  })
  .onNotification('session/cancel', ({ params }) => {
    cancelled.add(params.sessionId);
  })
  .connect(
    acp.ndJsonStream(
      Writable.toWeb(process.stdout),
      Readable.toWeb(process.stdin) as ReadableStream<Uint8Array>,
    ),
  );
