import type { Message } from '@chatdoc/schema';
import { describe, expect, it } from 'vitest';
import { Awareness, applyAwarenessUpdate, encodeAwarenessUpdate } from 'y-protocols/awareness';
import * as Y from 'yjs';
import {
  AwarenessLiveness,
  continueTurn,
  LEASE_MS,
  retryTurn,
  type ScriptStep,
  scriptedAgent,
} from '../src/index.js';
import {
  answerTo,
  ask,
  type Backend,
  createBackend,
  createReplica,
  createThread,
  entriesOf,
  FakeTimers,
  HandAgent,
  LivenessBoard,
  outcomes,
  present,
  reload,
  say,
  settle,
  syncAll,
} from './world.js';

interface Crash {
  readonly board: LivenessBoard;
  readonly hand: HandAgent;
  readonly dead: Backend;
  readonly thread_id: string;
  readonly prompt: Message;
}

/** A runner that was killed in mid-turn, and one more prompt that waits. */
async function crash(): Promise<Crash> {
  const board = new LivenessBoard();
  const hand = new HandAgent();
  const dead = createBackend(hand.agent, { board, runner_id: 'dead' });
  const thread_id = createThread(dead.chat);
  const prompt = ask(dead.chat, thread_id);
  await settle();
  await hand.feed().push(say('so far'));
  ask(dead.chat, thread_id, 'next');
  dead.kill();
  return { board, hand, dead, thread_id, prompt };
}

const answerOf = ({ chat }: Backend, { thread_id, prompt }: Crash): Message =>
  answerTo(chat, thread_id, prompt.message_id);

describe('recovery', () => {
  it('[RC1] after a whole lease the attempt is interrupted, its text kept, and the queue waits', async () => {
    const before = await crash();
    const { board, hand, dead } = before;
    const again = createBackend(hand.agent, { board, replica: reload(dead.doc, 'again') });
    await again.timers.advance(LEASE_MS - 1);
    expect(answerOf(again, before)).toMatchObject({ generating: true, content: 'so far' });
    await again.timers.advance(LEASE_MS / 8 + 1);
    expect(answerOf(again, before)).toMatchObject({ acp_interrupted: true, content: 'so far' });
    expect(again.chat.state(before.thread_id).state).toBe('interrupted');
    await again.timers.advance(10 * LEASE_MS);
    expect(hand.turns).toHaveLength(1);
    expect(again.timers.pending, 'nothing is watched any more').toBe(0);
  });

  it('[RC1] an attempt that a live peer shows is left alone, however long it takes', async () => {
    const board = new LivenessBoard();
    const hand = new HandAgent();
    const runner = createBackend(hand.agent, { board, runner_id: 'slow' });
    const thread_id = createThread(runner.chat);
    const prompt = ask(runner.chat, thread_id);
    await settle();
    const other = createBackend(hand.agent, { board, replica: reload(runner.doc, 'other') });
    await other.timers.advance(20 * LEASE_MS);
    expect(entriesOf(other.chat, 'interrupt')).toEqual([]);
    // It dies: the lease begins when it was last shown.
    runner.kill();
    await other.timers.advance(LEASE_MS - LEASE_MS / 8);
    expect(entriesOf(other.chat, 'interrupt')).toEqual([]);
    await other.timers.advance(LEASE_MS / 4);
    expect(answerTo(other.chat, thread_id, prompt.message_id).acp_interrupted).toBe(true);
  });

  it('[RC2] not by a process that cannot run the thread', async () => {
    const before = await crash();
    const viewer = createBackend(before.hand.agent, {
      board: before.board,
      replica: reload(before.dead.doc, 'viewer'),
      serve: { agentFor: () => undefined },
    });
    await viewer.timers.advance(10 * LEASE_MS);
    expect(answerOf(viewer, before).generating).toBe(true);
  });

  it('[RC2] not by one that cannot see who lives', async () => {
    const before = await crash();
    const blind = createBackend(before.hand.agent, {
      replica: reload(before.dead.doc, 'blind'),
      serve: { liveness: undefined } as never,
    });
    await blind.timers.advance(10 * LEASE_MS);
    expect(answerOf(blind, before).generating).toBe(true);
  });

  it('[RC2] not by one that was offline for any part of the lease', async () => {
    const before = await crash();
    const again = createBackend(before.hand.agent, {
      board: before.board,
      replica: reload(before.dead.doc, 'again'),
    });
    for (let round = 0; round < 5; round += 1) {
      await again.timers.advance(LEASE_MS - 1_000);
      again.liveness.setSynced(false);
      await again.timers.advance(LEASE_MS * 2);
      expect(answerOf(again, before).generating).toBe(true);
      again.liveness.setSynced(true);
    }
    await again.timers.advance(LEASE_MS + LEASE_MS / 8);
    expect(answerOf(again, before).acp_interrupted).toBe(true);
  });

  it('[RC3] recovery begins nothing and asks for nothing', async () => {
    const before = await crash();
    const again = createBackend(before.hand.agent, {
      board: before.board,
      replica: reload(before.dead.doc, 'again'),
    });
    await again.timers.advance(4 * LEASE_MS);
    expect(entriesOf(again.chat, 'retry')).toEqual([]);
    expect(answerOf(again, before).attempt?.epoch).toBe(1);
    expect(outcomes(again.events)).toEqual([]);
    retryTurn(again.chat, { message_id: before.prompt.message_id, by: 'ada' });
    await settle();
    expect(before.hand.turn()).toMatchObject({ epoch: 2, prompt: { content: 'How?' } });
    await before.hand.feed().end();
    expect(before.hand.turn().prompt.content).toBe('next');
  });

  it('[RC4] ten that recover at once write one entry', async () => {
    const before = await crash();
    const { board, hand, dead } = before;
    const others = Array.from({ length: 10 }, (_, at) =>
      createBackend(hand.agent, { board, replica: reload(dead.doc, at), runner_id: `r${at}` }),
    );
    for (const { timers } of others) await timers.advance(2 * LEASE_MS);
    syncAll(others);
    const written = others.flatMap(({ chat }) =>
      entriesOf(chat, 'interrupt').map((each) => JSON.stringify(each)),
    );
    expect(written.length).toBeGreaterThanOrEqual(10);
    expect(new Set(written).size).toBe(1);
    const digests = new Set(others.map(({ chat }) => chat.digest()));
    expect(digests.size).toBe(1);
  });

  it('[RC5] a stop that nobody heard settles what is found gone, and the queue goes on', async () => {
    const before = await crash();
    const { board, hand, dead, prompt } = before;
    const again = createBackend(hand.agent, { board, replica: reload(dead.doc, 'again') });
    again.chat.stop({ message_id: prompt.message_id, by: 'ada' });
    await again.timers.advance(2 * LEASE_MS);
    expect(answerOf(again, before).attempt).toMatchObject({ state: 'settled', finish_reason: 'stopped' });
    expect(hand.turn().prompt.content).toBe('next');
  });
});

describe('a crash at every event', () => {
  const copyOf = ({ doc }: Backend): Y.Doc => reload(doc).doc;

  const TOKENS = 200;
  const steps: ScriptStep[] = Array.from({ length: TOKENS }, (_, at): ScriptStep[] => {
    const token: ScriptStep[] = [say(`token${at} `)];
    if (at % 40 === 20) {
      const part_id = `tool${at}`;
      token.push({ type: 'tool_call', part_id, state: 'in_progress', title: 'run' });
      token.push({ type: 'tool_call', part_id, state: 'completed', output: at });
    }
    return token;
  }).flat();
  const full = Array.from({ length: TOKENS }, (_, at) => `token${at} `).join('');

  it('[RC6] loses at most what was not flushed, and can be continued to its end', async () => {
    const hand = new HandAgent();
    const runner = createBackend(hand.agent, { runner_id: 'first' });
    const thread_id = createThread(runner.chat);
    const prompt = ask(runner.chat, thread_id);
    await settle();
    // What every crash leaves, and what had been given by then.
    const crashes = [{ doc: copyOf(runner), given: '' }];
    let given = '';
    for (const step of steps as ReturnType<typeof say>[]) {
      if (step.type === 'text') given += step.text;
      await hand.feed().push(step);
      crashes.push({ doc: copyOf(runner), given });
      // A token in 10 ms: five between two flushes.
      await runner.timers.advance(10);
    }
    expect(crashes).toHaveLength(TOKENS + 2 * 5 + 1);
    let worst = 0;
    for (const [at, { doc, given }] of crashes.entries()) {
      const board = new LivenessBoard();
      const second = createBackend(
        scriptedAgent(({ continues }) => ({ steps: [say(full.slice(present(continues).content.length))] })),
        { board, replica: reload(doc, at), runner_id: 'second' },
      );
      const answer = (): Message => answerTo(second.chat, thread_id, prompt.message_id);
      const kept = answer().content;
      expect(given.startsWith(kept)).toBe(true);
      worst = Math.max(worst, given.length - kept.length);
      await second.timers.advance(2 * LEASE_MS);
      expect(answer(), `after ${at}`).toMatchObject({ acp_interrupted: true, generating: false });
      continueTurn(second.chat, { message_id: prompt.message_id, by: 'ada' });
      await second.timers.advance(100);
      expect(answer()).toMatchObject({
        content: full,
        generating: false,
        attempt: { finish_reason: 'stop' },
      });
      const tools = answer().parts.filter(({ kind }) => kind === 'tool_call');
      expect(tools.every(({ state }) => state === 'completed' || state === 'cancelled')).toBe(true);
    }
    // Five tokens of at most nine characters.
    expect(worst).toBeLessThanOrEqual(5 * 9);
    expect(worst).toBeGreaterThan(0);
  });
});

describe('liveness over awareness', () => {
  function createPeer(): { awareness: Awareness; liveness: AwarenessLiveness; timers: FakeTimers } {
    const timers = new FakeTimers();
    const awareness = new Awareness(new Y.Doc());
    return { awareness, timers, liveness: new AwarenessLiveness(awareness, { timers }) };
  }

  function tell(from: { awareness: Awareness }, to: { awareness: Awareness }): void {
    const update = encodeAwarenessUpdate(from.awareness, [from.awareness.clientID]);
    applyAwarenessUpdate(to.awareness, update, 'network');
  }

  const close = (...peers: { awareness: Awareness; liveness: AwarenessLiveness }[]): void => {
    for (const { awareness, liveness } of peers) {
      liveness.close();
      awareness.destroy();
    }
  };

  it('[RC7] shows what a live peer runs, and forgets one that falls silent', async () => {
    const [a, b] = [createPeer(), createPeer()];
    let heard = 0;
    b.liveness.subscribe(() => {
      heard += 1;
    });
    a.liveness.show('one');
    a.liveness.show('two');
    a.liveness.hide('two');
    tell(a, b);
    expect([...b.liveness.attempts()]).toEqual(['one']);
    expect([...a.liveness.attempts()]).toEqual(['one']);
    expect(heard).toBeGreaterThan(0);
    await b.timers.advance(29_999);
    expect(b.liveness.attempts().size).toBe(1);
    // It renews what it shows, with nothing new in it.
    a.awareness.setLocalState(a.awareness.getLocalState());
    tell(a, b);
    await b.timers.advance(29_999);
    expect(b.liveness.attempts().size).toBe(1);
    // The same update again is no sign of life.
    tell(a, b);
    await b.timers.advance(1);
    expect(b.liveness.attempts().size).toBe(0);
    close(a, b);
  });

  it('[RC7] a wall clock that jumps changes nothing', async () => {
    const now = Date.now;
    const [a, b] = [createPeer(), createPeer()];
    a.liveness.show('one');
    for (const jump of [86_400_000, -86_400_000]) {
      Date.now = () => now() + jump;
      tell(a, b);
      await b.timers.advance(10_000);
      expect(b.liveness.attempts().has('one')).toBe(true);
    }
    await b.timers.advance(30_000);
    expect(b.liveness.attempts().has('one')).toBe(false);
    Date.now = now;
    close(a, b);
  });

  it('[RC7] what is no list of attempts is none', () => {
    const [a, b] = [createPeer(), createPeer()];
    const odd: unknown[] = [
      7,
      'text',
      [],
      { attempts: 'x' },
      { attempts: [1, null, {}] },
      { attempts: { length: 9 } },
    ];
    for (const state of odd) {
      a.awareness.setLocalState(state as Record<string, unknown>);
      tell(a, b);
      expect([...b.liveness.attempts()], JSON.stringify(state)).toEqual([]);
    }
    a.awareness.setLocalState({ attempts: Array.from({ length: 10_000 }, (_, at) => `a${at}`) });
    tell(a, b);
    expect(b.liveness.attempts().size).toBe(256);
    close(a, b);
  });

  it('[RC7] being in sync begins when the host says so, and anew after a break', async () => {
    const peer = createPeer();
    expect(peer.liveness.syncedSince()).toBeUndefined();
    await peer.timers.advance(10);
    peer.liveness.setSynced(true);
    const since = peer.liveness.syncedSince();
    await peer.timers.advance(10);
    peer.liveness.setSynced(true);
    expect(peer.liveness.syncedSince()).toBe(since);
    peer.liveness.setSynced(false);
    expect(peer.liveness.syncedSince()).toBeUndefined();
    peer.liveness.setSynced(true);
    expect(peer.liveness.syncedSince()).toBe(peer.timers.now());
    close(peer);
  });

  it('[RC7] over real awareness a turn is shown while it runs, and recovered when its runner is gone', async () => {
    const timers = new FakeTimers();
    const replicas = [createReplica('a'), createReplica('b')] as const;
    const awareness = replicas.map(({ doc }) => new Awareness(doc));
    const [one, two] = awareness as [Awareness, Awareness];
    for (const [from, to] of [
      [one, two],
      [two, one],
    ] as const) {
      from.on('update', ({ added, updated, removed }: Record<string, number[]>) => {
        const changed = [...(added ?? []), ...(updated ?? []), ...(removed ?? [])];
        applyAwarenessUpdate(to, encodeAwarenessUpdate(from, changed), 'network');
      });
    }
    const livenesses = awareness.map((each) => new AwarenessLiveness(each, { timers }));
    for (const liveness of livenesses) liveness.setSynced(true);
    const hand = new HandAgent();
    const backends = replicas.map((replica, at) =>
      createBackend(hand.agent, { replica, timers, serve: { liveness: present(livenesses[at]) } }),
    ) as [Backend, Backend];
    const thread_id = createThread(replicas[0].chat);
    const prompt = ask(replicas[0].chat, thread_id);
    await settle();
    syncAll(replicas);
    const attempt = hand.turn().attempt;
    expect(present(livenesses[1]).attempts().has(attempt)).toBe(true);
    for (let second = 0; second < 100; second += 10) {
      one.setLocalState(one.getLocalState());
      await timers.advance(10_000);
    }
    expect(backends[1].chat.state(thread_id).state).toBe('running');
    await timers.advance(2 * LEASE_MS);
    expect(answerTo(backends[1].chat, thread_id, prompt.message_id).acp_interrupted).toBe(true);
    for (const each of awareness) each.destroy();
  });
});
