import { describe, expect, it } from 'vitest';
import { writeConversation } from '../src/agents/ai-sdk/index.js';
import { writePrompt } from '../src/agents/transcript-text.js';
import { AgentError, continueTurn, retryTurn, stopTurn, type TurnEvent } from '../src/index.js';
import { ask, createBackend, createThread, HandAgent, say, settle } from './world.js';

const pay: readonly TurnEvent[] = [
  { type: 'reasoning', text: 'I must ' },
  { type: 'reasoning', text: 'pay.', data: { provider_metadata: { maker: { signature: 's-1' } } } },
  { type: 'tool_call', part_id: 'c1', title: 'pay', state: 'in_progress', input: { eur: 5 } },
  { type: 'tool_call', part_id: 'c1', state: 'completed', output: { receipt: 'R-1' } },
];

/** A thread in which one turn has been given `events`, and has ended as it is told to. */
async function converse(events: readonly TurnEvent[], end: 'complete' | 'stop' | 'fail' | 'kill') {
  const hand = new HandAgent();
  const backend = createBackend(hand.agent);
  const thread_id = createThread(backend.chat);
  const { message_id } = ask(backend.chat, thread_id, 'Pay 5 EUR.');
  await settle();
  await hand.feed().push(...events);
  if (end === 'stop') stopTurn(backend.chat, { message_id, by: 'ada' });
  if (end === 'fail') await hand.feed().fail(new AgentError('quota', 'no more'));
  else await hand.feed().end();
  await settle();
  const turn = async (how: 'continue' | 'retry' | 'next') => {
    if (how === 'next') ask(backend.chat, thread_id, 'Which receipt?');
    else (how === 'retry' ? retryTurn : continueTurn)(backend.chat, { message_id, by: 'ada' });
    await settle();
    return hand.turn();
  };
  return { ...backend, hand, thread_id, message_id, turn };
}

const CALL = {
  role: 'assistant',
  content: [
    { type: 'reasoning', text: 'I must pay.', providerOptions: { maker: { signature: 's-1' } } },
    { type: 'tool-call', toolCallId: 'c1', toolName: 'pay', input: { eur: 5 } },
  ],
};
const RESULT = {
  role: 'tool',
  content: [
    {
      type: 'tool-result',
      toolCallId: 'c1',
      toolName: 'pay',
      output: { type: 'json', value: { receipt: 'R-1' } },
    },
  ],
};
const PROMPT = { role: 'user', content: 'Pay 5 EUR.' };

describe('the conversation as a model is told it', () => {
  it('[MC1] ✗ a following turn is told calls, results and signed reasoning', async () => {
    const { turn } = await converse([...pay, say('Paid.')], 'complete');
    expect(writeConversation(await turn('next'))).toEqual([
      PROMPT,
      CALL,
      RESULT,
      { role: 'assistant', content: [{ type: 'text', text: 'Paid.' }] },
      { role: 'user', content: 'Which receipt?' },
    ]);
  });

  it('[MC1] ✗ a turn that goes on is told what its tools have done, and what it said', async () => {
    const { turn, hand, chat, message_id } = await converse([...pay, say('Paid, the re')], 'stop');
    const told = writeConversation(await turn('continue'));
    expect(told).toEqual([
      PROMPT,
      CALL,
      RESULT,
      { role: 'assistant', content: [{ type: 'text', text: 'Paid, the re' }] },
      { role: 'user', content: expect.stringMatching(/cut off.*do not call them again/s) },
    ]);
    // Twice is as once: what was carried is told as what was done.
    stopTurn(chat, { message_id, by: 'ada' });
    await hand.feed().end();
    expect(writeConversation(await turn('continue')).slice(0, 3)).toEqual(told.slice(0, 3));
  });

  it('[MC2] ✗ a retry is told what the attempts before it have done with tools, and not what they said', async () => {
    const { turn, hand, chat, message_id } = await converse([...pay, say('Paid.')], 'complete');
    const told = writeConversation(await turn('retry'));
    const call = { role: 'assistant', content: [CALL.content[1]] };
    const discarded = { role: 'user', content: expect.stringMatching(/discarded.*stays done/) };
    expect(told).toEqual([PROMPT, call, RESULT, discarded]);
    expect(JSON.stringify(told)).not.toContain('Paid.');
    await hand.feed().push(...pay, say('Again.'));
    stopTurn(chat, { message_id, by: 'ada' });
    await hand.feed().end();
    const ids = JSON.stringify(writeConversation(await turn('retry'))).match(/"toolCallId":"[^"]*"/g);
    expect(new Set(ids).size, 'an id that an agent repeats is two calls').toBe(2);
  });

  it('[MC3] ✗ an answer that was cut is followed by why', async () => {
    const cases = [
      [[say('I will')], 'stop', /Your answer above was stopped by a person before its end/],
      [[], 'stop', /Your answer to this was stopped by a person before it began/],
      [[say('I will')], 'fail', /cut off before its end by an error: quota/],
      [[say('I will'), { type: 'finish', finish_reason: 'length' }], 'complete', /limit of length/],
    ] as const;
    for (const [events, end, note] of cases) {
      const { turn } = await converse([...events], end);
      const next = await turn('next');
      expect(writeConversation(next).at(-1)).toEqual({ role: 'user', content: expect.stringMatching(note) });
      expect(JSON.stringify(writeConversation(next).at(-1))).toContain('Which receipt?');
      expect(writePrompt(next, false)).toMatch(note);
    }
    const { turn } = await converse([say('Fine.')], 'complete');
    expect(writeConversation(await turn('next')).at(-1)).toEqual({ role: 'user', content: 'Which receipt?' });
  });

  it('[MC3] a call without a result has one all the same, which says that it may have had an effect', async () => {
    const open: TurnEvent[] = [
      { type: 'tool_call', part_id: 'a', title: 'rm', state: 'in_progress', input: { path: 'x' } },
      { type: 'tool_call', part_id: 'b', title: 'rm', state: 'failed', output: 'no such file' },
    ];
    const { turn } = await converse([...open, say('Half')], 'stop');
    expect(writeConversation(await turn('next'))[2]).toMatchObject({
      role: 'tool',
      content: [
        {
          toolCallId: 'a',
          output: { type: 'error-text', value: expect.stringMatching(/may have had an effect/) },
        },
        { toolCallId: 'b', output: { type: 'error-text', value: 'no such file' } },
      ],
    });
  });

  it('[MC1] an agent that takes text is told the same, in words', async () => {
    const { turn } = await converse([...pay, say('Paid, the re')], 'stop');
    const next = await turn('next');
    expect(writePrompt(next, false)).toBe(
      'ada: Pay 5 EUR.\n\nagent: [tool pay {"eur":5} → {"receipt":"R-1"}]\n\nPaid, the re\n\n' +
        'ada: (Your answer above was stopped by a person before its end)\n\nWhich receipt?',
    );
    const other = await converse([...pay, say('Paid, the re')], 'stop');
    const text = writePrompt(await other.turn('continue'), false);
    expect(text).toMatch(/^Pay 5 EUR\.\n\n/);
    expect(text).toMatch(/without repeating any of it:\n\n\[tool pay .*R-1.*\]\n\nPaid, the re$/);
  });

  it('[MC1] what a person wrote in place of an answer is told in its place', async () => {
    const { turn, chat, thread_id } = await converse([...pay, say('Paid.')], 'complete');
    const answer = chat.messages(thread_id).at(-1);
    chat.edit({ message_id: answer?.message_id ?? '', author_id: 'ada', content: 'Paid, I hope.' });
    const told = JSON.stringify(writeConversation(await turn('next')));
    expect(told).toContain('Paid, I hope.');
    expect(told).toContain('R-1');
    expect(told).not.toContain('"Paid."');
  });
});
