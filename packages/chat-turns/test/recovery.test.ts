import type { Message } from '@chatdoc/schema';
import { openPresence, PRESENCE_LIMITS, type Presence } from '@chatdoc/sync';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Awareness, applyAwarenessUpdate, encodeAwarenessUpdate } from 'y-protocols/awareness';
import * as Y from 'yjs';
import {
  type AgentBinding,
  continueTurn,
  LEASE_MS,
  retryTurn,
  type ScriptStep,
  scriptedAgent,
  TurnEngine,
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
  NETWORK,
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
    // It dies between two looks: the lease begins then, not with the look before.
    await other.timers.advance(LEASE_MS / 16);
    runner.kill();
    await other.timers.advance(LEASE_MS);
    expect(entriesOf(other.chat, 'interrupt')).toEqual([]);
    await other.timers.advance(LEASE_MS / 8);
    expect(answerTo(other.chat, thread_id, prompt.message_id).acp_interrupted).toBe(true);
  });

  it('[RC1] a sign of life in the last moment begins the lease anew, also if nobody tells of it', async () => {
    const before = await crash();
    let live: readonly string[] = [];
    const silent = { liveAttempts: () => live, subscribe: () => () => undefined };
    const again = createBackend(before.hand.agent, {
      replica: reload(before.dead.doc, 'again'),
      serve: { liveness: { ...before.board.join(), ...silent } },
    });
    await again.timers.advance(LEASE_MS - 1);
    live = [before.hand.turn().attempt];
    await again.timers.advance(1);
    live = [];
    await again.timers.advance(LEASE_MS - 1);
    expect(answerOf(again, before).generating).toBe(true);
    await again.timers.advance(LEASE_MS / 4);
    expect(answerOf(again, before).acp_interrupted).toBe(true);
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
      again.service.setSynced(false);
      await again.timers.advance(LEASE_MS * 2);
      expect(answerOf(again, before).generating).toBe(true);
      again.service.setSynced(true);
    }
    await again.timers.advance(LEASE_MS + LEASE_MS / 8);
    expect(answerOf(again, before).acp_interrupted).toBe(true);
  });

  it('[RC9] not before the host has said that it is in sync, which it may say again', async () => {
    const before = await crash();
    const replica = reload(before.dead.doc, 'again');
    const timers = new FakeTimers();
    const engine = new TurnEngine({ runner_id: 'again', timers });
    const liveness = before.board.join();
    const agentFor = (): AgentBinding => ({ agent: before.hand.agent, sender_id: 'agent' });
    const service = engine.serve(replica.chat, { agentFor, liveness });
    const isOpen = (): boolean =>
      answerTo(replica.chat, before.thread_id, before.prompt.message_id).generating;
    await timers.advance(10 * LEASE_MS);
    expect(isOpen()).toBe(true);
    service.setSynced(true);
    await timers.advance(LEASE_MS - 1_000);
    service.setSynced(true);
    expect(isOpen()).toBe(true);
    await timers.advance(1_000 + LEASE_MS / 8);
    expect(isOpen()).toBe(false);
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

/** Processes with presence, over real awareness and the timers of all; while `isConnected` each hears the others. */
class Room {
  readonly timers = new FakeTimers();
  isConnected = true;
  readonly #all: Awareness[] = [];

  join(user_id: string, doc: Y.Doc): Presence {
    const awareness = new Awareness(doc);
    for (const other of this.#all) {
      applyAwarenessUpdate(awareness, encodeAwarenessUpdate(other, [other.clientID]), NETWORK);
    }
    this.#all.push(awareness);
    awareness.on('update', ({ added, updated, removed }: Record<string, number[]>) => {
      if (!this.isConnected) return;
      const changed = [...(added ?? []), ...(updated ?? []), ...(removed ?? [])];
      for (const other of this.#all) {
        if (other !== awareness)
          applyAwarenessUpdate(other, encodeAwarenessUpdate(awareness, changed), NETWORK);
      }
    });
    return openPresence(awareness, { user: { user_id }, timers: this.timers });
  }

  close(): void {
    for (const awareness of this.#all) awareness.destroy();
  }
}

describe('the presence of a provider as liveness', () => {
  let room: Room;
  beforeEach(() => {
    room = new Room();
  });
  afterEach(() => room.close());

  it('[RC8] everybody who looks at presence sees what an engine runs, while it runs', async () => {
    const hand = new HandAgent();
    const replica = createReplica('runner');
    const liveness = room.join('runner', replica.doc);
    const runner = createBackend(hand.agent, { replica, timers: room.timers, serve: { liveness } });
    const editor = room.join('ada', new Y.Doc());
    ask(runner.chat, createThread(runner.chat));
    await settle();
    const { attempt } = hand.turn();
    expect(editor.peers()).toMatchObject([{ user_id: 'runner', attempts: [attempt] }]);
    expect(editor.liveAttempts()).toEqual([attempt]);
    await room.timers.advance(5 * LEASE_MS);
    expect(editor.liveAttempts(), 'it is renewed').toEqual([attempt]);
    await hand.feed().end();
    expect(outcomes(runner.events)).toEqual(['complete']);
    expect(editor.liveAttempts()).toEqual([]);
  });

  it('[RC8] recovery leaves alone what presence shows, and sees when the runner is gone', async () => {
    const hand = new HandAgent();
    const replicas = [createReplica('a'), createReplica('b')] as const;
    const [one, two] = replicas.map((replica, at) =>
      createBackend(hand.agent, {
        replica,
        timers: room.timers,
        serve: { liveness: room.join(`r${at}`, replica.doc) },
      }),
    ) as [Backend, Backend];
    const thread_id = createThread(one.chat);
    const prompt = ask(one.chat, thread_id);
    await settle();
    syncAll(replicas);
    await room.timers.advance(5 * LEASE_MS);
    expect(two.chat.state(thread_id).state).toBe('running');
    room.isConnected = false;
    await room.timers.advance(PRESENCE_LIMITS.lease + LEASE_MS / 2);
    expect(two.chat.state(thread_id).state).toBe('running');
    await room.timers.advance(LEASE_MS);
    expect(answerTo(two.chat, thread_id, prompt.message_id).acp_interrupted).toBe(true);
  });

  it('[RC8] [TE16] a presence that was closed ends what is served, and loses no turn', async () => {
    const replica = createReplica('runner');
    const liveness = room.join('runner', replica.doc);
    const agent = scriptedAgent({ steps: [say('yes')] });
    const runner = createBackend(agent, { replica, timers: room.timers, serve: { liveness } });
    liveness.close();
    const thread_id = createThread(replica.chat);
    const { message_id } = ask(replica.chat, thread_id);
    await runner.engine.idle();
    expect(runner.events.map((event) => event.type)).toContain('fault');
    expect(answerTo(replica.chat, thread_id, message_id).content).toBe('yes');
  });
});
