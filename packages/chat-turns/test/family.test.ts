import type { Chat } from '@chatdoc/schema';
import { describe, expect, it } from 'vitest';
import {
  type Cascade,
  continueTurn,
  familySummary,
  getOrCreateThread,
  listCascades,
  listRuns,
  type NewCascade,
  promptDetailsTool,
  resumeCascades,
  retryTurn,
  startCascade,
  startRun,
  stopTurn,
  type Turn,
  writeFamilySummary,
} from '../src/index.js';
import {
  createBackend,
  createReplica,
  DATE,
  entriesOf,
  HandAgent,
  present,
  reload,
  say,
  settle,
  syncAll,
} from './world.js';

const FAMILY = { root_id: 'r', owner_id: 'ada', provider: 'p' };

function thread(chat: Chat, name: string, content: string): string {
  const slot = { ...FAMILY, root_id: name, purpose: 'run' } as const;
  const template = { messages: [{ role: 'user', content }] };
  return getOrCreateThread(chat, slot, { created_by: 'ada', template }).thread_id;
}

/** Outline, then draft and title of it, then a page of all three. */
function createCascade(chat: Chat): NewCascade {
  return {
    sender_id: 'ada',
    client_message_id: 'c1',
    date: DATE,
    steps: [
      { name: 'outline', thread_id: thread(chat, 'outline', 'Outline {{topic}}.'), call: { topic: 'rain' } },
      { name: 'draft', thread_id: thread(chat, 'draft', 'Draft: {{outline}}') },
      { name: 'title', thread_id: thread(chat, 'title', 'Title: {{outline}}'), needs: ['outline'] },
      { name: 'page', thread_id: thread(chat, 'page', '{{title}} / {{draft}}'), needs: ['draft', 'title'] },
    ],
  };
}

const asked = (turn: Turn): string => turn.run?.messages.map(({ content }) => content).join() ?? '';
const states = (cascade: Pick<Cascade, 'status'>) =>
  cascade
    .status()
    .steps.map(({ name, state }) => `${name} ${state}`)
    .join();

describe('cascades', () => {
  it('[CA1] ✗ each step runs once, after those that it needs, with their answers', async () => {
    const hand = new HandAgent();
    const { chat } = createBackend(hand.agent);
    const cascade = startCascade(chat, createCascade(chat));
    await settle();
    expect(hand.turns.map(({ turn }) => asked(turn))).toEqual(['Outline rain.']);
    await hand.feed(0).push(say('Clouds, drops'));
    await hand.feed(0).end();
    expect(
      hand.turns
        .slice(1)
        .map(({ turn }) => asked(turn))
        .sort(),
    ).toEqual(['Draft: Clouds, drops', 'Title: Clouds, drops']);
    for (const at of [1, 2]) {
      await hand.feed(at).push(say(asked(hand.turn(at)).startsWith('Draft') ? 'It rains.' : 'Rain'));
      expect(states(cascade)).toMatch(/page waiting$/);
      await hand.feed(at).end();
    }
    expect(asked(hand.turn(3))).toBe('Rain / It rains.');
    await hand.feed(3).push(say('# Rain'));
    await hand.feed(3).end();
    expect((await cascade.done).state).toBe('complete');
    expect(hand.turns).toHaveLength(4);
    const records = createCascade(chat).steps.flatMap(({ thread_id }) =>
      chat.messages(thread_id).filter(({ expects }) => expects),
    );
    expect(records, 'one record for each').toHaveLength(4);
    expect(startCascade(chat, createCascade(chat)).status().state, 'started again it is the same').toBe(
      'complete',
    );
    expect(hand.turns).toHaveLength(4);
  });

  it('[CA2] ✗ after a crash at any point it goes on in another process, and nothing runs again', async () => {
    for (const crash of [0, 1, 2, 3]) {
      const board = new HandAgent();
      const before = createBackend(board.agent, { runner_id: `a${crash}` });
      startCascade(before.chat, createCascade(before.chat));
      const answered: string[] = [];
      const work = async (hand: HandAgent, from: number, to: number) => {
        for (let at = from; at < to; at += 1) {
          await settle();
          answered.push(asked(hand.turn(at)));
          await hand.feed(at).push(say(`re ${answered.length}`));
          await hand.feed(at).end();
        }
      };
      await settle();
      await work(board, 0, crash);
      const ran = board.turns.length;
      before.kill();
      const hand = new HandAgent();
      const after = createBackend(hand.agent, {
        replica: reload(before.doc, `b${crash}`),
        runner_id: `b${crash}`,
      });
      const [first] = createCascade(after.chat).steps;
      const [cascade, ...others] = resumeCascades(after.chat, present(first).thread_id);
      expect(others).toEqual([]);
      // What the first process ran is open, and a person has it go on.
      await after.timers.advance(200_000);
      for (const { prompt_id, state } of present(cascade).status().steps) {
        const isCut = state === 'running' && prompt_id !== undefined && !after.chat.isQueued(prompt_id);
        if (isCut) continueTurn(after.chat, { message_id: prompt_id, by: 'ada' });
      }
      await settle();
      for (let at = 0; at < 4 && present(cascade).status().state === 'running'; at += 1)
        await work(hand, at, at + 1);
      expect((await present(cascade).done).state, `crash ${crash}`).toBe('complete');
      expect(new Set(answered).size).toBe(answered.length);
      expect(answered).toHaveLength(4);
      expect(ran + hand.turns.length).toBeLessThanOrEqual(4 + (ran - crash));
      expect(resumeCascades(after.chat, present(first).thread_id)).toEqual([]);
    }
  });

  it('[CA3] a stop ends what runs, and begins nothing more, whoever drives it', async () => {
    const hand = new HandAgent();
    const { chat, doc } = createBackend(hand.agent);
    const cascade = startCascade(chat, createCascade(chat));
    await settle();
    await hand.feed(0).end();
    await settle();
    expect(hand.turns).toHaveLength(3);
    const viewer = reload(doc, 'viewer');
    const [first] = createCascade(viewer.chat).steps;
    present(resumeCascades(viewer.chat, present(first).thread_id)[0]).stop('bob');
    syncAll([viewer, { doc }]);
    await settle();
    for (const at of [1, 2]) {
      expect(hand.isAborted(at)).toBe(true);
      await hand.feed(at).end();
    }
    expect((await cascade.done).state).toBe('stopped');
    expect(states(cascade)).toBe('outline complete,draft stopped,title stopped,page waiting');
    expect(listCascades(chat, present(first).thread_id)).toMatchObject([
      { client_message_id: 'c1', state: 'stopped' },
    ]);
  });

  it('[CA4] a step that fails holds those that need it, until it is tried again', async () => {
    const hand = new HandAgent();
    const { chat } = createBackend(hand.agent);
    const given = createCascade(chat);
    const first = present(given.steps[0]).thread_id;
    const cascade = startCascade(chat, given);
    await settle();
    await hand.feed(0).fail(new Error('no'));
    await settle();
    expect(await cascade.done).toMatchObject({
      state: 'failed',
      steps: [{ state: 'failed', code: 'agent_failed' }, {}, {}, {}],
    });
    retryTurn(chat, { message_id: present(cascade.status().steps[0]?.prompt_id), by: 'ada' });
    const again = present(resumeCascades(chat, first)[0]);
    await settle();
    await hand.feed(1).end();
    await settle();
    expect(hand.turns).toHaveLength(4);
    again.close();
    const bare = startCascade(chat, {
      ...given,
      client_message_id: 'c2',
      steps: [{ name: 'x', thread_id: first, call: {} }],
    });
    expect(await bare.done).toMatchObject({ state: 'failed', steps: [{ code: 'missing_variable' }] });
  });

  it('[CA4] steps that cannot be in order are refused, and what others wrote is not one', () => {
    const { chat } = createReplica();
    const given = createCascade(chat);
    const [a, b] = given.steps.map((step) => ({ ...step, needs: [] as string[] }));
    const bad = [
      [],
      [a, a],
      [{ ...present(a), needs: ['draft'] }, b],
      [{ ...present(a), needs: ['outline'] }],
      [{ ...present(a), thread_id: 7 }],
    ];
    for (const steps of bad) {
      expect(() => startCascade(chat, { ...given, steps: steps as never })).toThrow(/steps/);
    }
    const thread_id = present(a).thread_id;
    for (const value of [7, {}, { steps: 'x' }, { date: DATE, steps: [{ name: 'x' }] }]) {
      chat.annotate({ thread_id, user_id: 'eve', key: 'turn:cascade:x', value });
      expect(listCascades(chat, thread_id)).toEqual([]);
    }
    expect(entriesOf(chat, 'message')).toEqual([]);
  });
});

describe('the family', () => {
  it('[FA1] the chat sees in previews what the runs were asked and have answered', async () => {
    const hand = new HandAgent();
    const { chat } = createBackend(hand.agent, { secrets: { KEY: 'S-1' } });
    const slot = { ...FAMILY, purpose: 'run' } as const;
    const template = { messages: [{ role: 'user', content: 'Say {{what}} with {{secret.KEY}}.' }] };
    const run = getOrCreateThread(chat, slot, { created_by: 'ada', template });
    const start = (id: string, what: string) =>
      startRun(chat, {
        thread_id: run.thread_id,
        sender_id: 'ada',
        client_message_id: id,
        date: DATE,
        call: { what },
      });
    expect(writeFamilySummary(chat, FAMILY)).toMatch(/^No prompts/);
    start('1', 'hi');
    await settle();
    await hand.feed().push(say(`\u{1F600}${'long\n'.repeat(2_000)}`));
    await hand.feed().end();
    start('2', 'stop');
    await settle();
    await hand.feed().push(say('st'));
    const second = present(listRuns(chat, FAMILY)[1]).prompt_id;
    stopTurn(chat, { message_id: second, by: 'ada' });
    await hand.feed().end();
    start('3', 'fail');
    await settle();
    start('4', 'wait');
    const summary = familySummary(chat, FAMILY);
    expect(summary.map(({ state }) => state)).toEqual(['complete', 'stopped', 'running', 'queued']);
    const [first] = summary;
    expect([...present(first).answer]).toHaveLength(200);
    expect(first).toMatchObject({
      prompt: 'Say hi with {{secret.KEY}}.',
      answer: expect.stringMatching(/^\u{1F600}long long .*…$/u),
    });
    expect(writeFamilySummary(chat, FAMILY)).toContain(
      `- ${second} (stopped): Say stop with {{secret.KEY}}. → st`,
    );
  });

  it('[FA2] its agent reads a run as a whole by a tool, and no other thread', async () => {
    const hand = new HandAgent();
    const { chat } = createBackend(hand.agent, { secrets: { KEY: 'S-1' } });
    const other = { ...FAMILY, root_id: 'other' };
    const ids = [FAMILY, other].map((family) => {
      const template = { messages: [{ role: 'user', content: 'Say {{what}} with {{secret.KEY}}.' }] };
      const { thread_id } = getOrCreateThread(
        chat,
        { ...family, purpose: 'run' },
        { created_by: 'ada', template },
      );
      const run = { thread_id, sender_id: 'ada', client_message_id: 'c', date: DATE, call: { what: 'hi' } };
      const started = startRun(chat, run);
      return started.ok ? started.prompt_id : '';
    });
    await settle();
    for (const at of [0, 1]) {
      await hand.feed(at).push(say('x'.repeat(5_000)));
      await hand.feed(at).end();
    }
    const tool = promptDetailsTool(chat, FAMILY);
    const context = { turn: hand.turn(), signal: new AbortController().signal };
    expect(tool).toMatchObject({ name: 'get_prompt_details', parameters: { required: ['prompt_id'] } });
    const details = await tool.run({ prompt_id: present(ids[0]) }, context);
    expect(details).toEqual({
      prompt_id: ids[0],
      state: 'complete',
      prompt: 'Say hi with {{secret.KEY}}.',
      variables: { what: 'hi' },
      answer: 'x'.repeat(5_000),
    });
    for (const prompt_id of [present(ids[1]), 'nowhere', 7])
      expect(await tool.run({ prompt_id }, context)).toEqual({ error: 'not_found' });
  });
});
