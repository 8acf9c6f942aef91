import type { Chat, Json } from '@chatdoc/schema';
import { describe, expect, it } from 'vitest';
import { writeConversation } from '../src/agents/ai-sdk/index.js';
import {
  addInstance,
  continueTurn,
  getOrCreateThread,
  listFailedStarts,
  listRuns,
  type NewRun,
  type RunScopes,
  readRunRecord,
  replayRun,
  resolveRun,
  type SlotOf,
  scriptedAgent,
  startRun,
  stopTurn,
  type Template,
  type ThreadHandle,
} from '../src/index.js';
import {
  bytesOf,
  createBackend,
  createReplica,
  createThread,
  DATE,
  entriesOf,
  FakeTimers,
  HandAgent,
  outcomes,
  present,
  say,
  settle,
  syncAll,
} from './world.js';

const SLOT: SlotOf<'run'> = { root_id: 'r', owner_id: 'ada', provider: 'codex', purpose: 'run' };
const SCOPES: RunScopes = { org: 'acme', project: 'p1', user: 'ada' };

function createRunThread(
  chat: Chat,
  template: Template,
  variables?: Record<string, Json>,
): ThreadHandle<'run'> {
  return getOrCreateThread(chat, SLOT, {
    created_by: 'ada',
    template: template as never,
    ...(variables && { variables }),
  });
}

const run = ({ thread_id }: ThreadHandle<'run'>, fields: Partial<NewRun> = {}): NewRun => ({
  thread_id,
  sender_id: 'ada',
  client_message_id: 'c1',
  date: DATE,
  scopes: SCOPES,
  ...fields,
});

const user = (content: string): Template => ({ messages: [{ role: 'user', content }] });

describe('prompts and variables', () => {
  it('[PV1] the nearest scope that has the name wins', () => {
    const { chat } = createReplica();
    const thread = createRunThread(chat, { ...user('{{x}}'), defaults: { x: 'default' } });
    const shown = (call?: Record<string, Json>): string | undefined => {
      const resolved = resolveRun(chat, {
        thread_id: thread.thread_id,
        scopes: SCOPES,
        ...(call && { call }),
      });
      return resolved.ok ? resolved.messages[0]?.content : resolved.code;
    };
    expect(shown()).toBe('default');
    const set = (scope: 'org' | 'project' | 'user', scope_id: string, x: Json): void =>
      chat.setVariables({ scope, scope_id, values: { x } });
    set('org', 'acme', 'org');
    expect(shown()).toBe('org');
    set('project', 'other', 'not this one');
    expect(shown()).toBe('org');
    set('project', 'p1', 'project');
    expect(shown()).toBe('project');
    set('user', 'ada', 'user');
    expect(shown()).toBe('user');
    chat.configure({ thread_id: thread.thread_id, updated_by: 'ada', variables: { x: 'thread' } });
    expect(shown()).toBe('thread');
    expect(shown({ x: 'call' })).toBe('call');
    expect(shown({ x: null }), 'null is no value').toBe('thread');
    set('user', 'ada', null);
    chat.configure({ thread_id: thread.thread_id, updated_by: 'ada', variables: null });
    expect(shown()).toBe('project');
  });

  it('[PV1] a value that changes between form and dispatch is sent, which a captured one is not', async () => {
    const hand = new HandAgent();
    const { chat } = createBackend(hand.agent);
    const thread = createRunThread(chat, user('Deploy {{version}}.'));
    chat.setVariables({ scope: 'project', scope_id: 'p1', values: { version: '1.0' } });
    // What forms do: the handler keeps what it was rendered with.
    const render = (): (() => string) => {
      const { version } = chat.variables('project', 'p1');
      return () => `Deploy ${String(version)}.`;
    };
    const naive = render();
    const ours = (): void => void startRun(chat, run(thread));
    chat.setVariables({ scope: 'project', scope_id: 'p1', values: { version: '2.0' } });
    expect(naive()).toBe('Deploy 1.0.');
    ours();
    await settle();
    expect(hand.turn().run?.messages).toEqual([{ role: 'user', content: 'Deploy 2.0.' }]);
    expect(hand.turn().prompt.content).toBe('Deploy 2.0.');
  });

  it('[PV2] preview and execution give the same messages and record', async () => {
    const hand = new HandAgent();
    const { chat } = createBackend(hand.agent, { secrets: { token: 't0p' } });
    const template = {
      messages: [
        { role: 'system', content: 'Be {{tone}}.' },
        { role: 'user', content: '{{ask}} with {{secret.token}} for {{ n }}' },
      ],
      defaults: { tone: 'brief', n: 3 },
    } satisfies Template;
    const thread = createRunThread(chat, template);
    const request = { thread_id: thread.thread_id, scopes: SCOPES, call: { ask: 'Count {{tone}}' } };
    const preview = resolveRun(chat, request);
    if (!preview.ok) throw new Error(preview.code);
    startRun(chat, run(thread, request));
    await settle();
    const dispatched = present(hand.turn().run);
    expect(dispatched.record).toEqual(preview.record);
    expect(preview.messages).toEqual([
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'Count {{tone}} with {{secret.token}} for 3' },
    ]);
    expect(dispatched.messages[1]?.content).toBe('Count {{tone}} with t0p for 3');
    expect(dispatched.messages[0]).toEqual(preview.messages[0]);
    expect(hand.turn().prompt.content).toBe(preview.messages[1]?.content);
  });

  it('[PV3] the record is frozen, names where each value came from, and replays to the same bytes', async () => {
    const hand = new HandAgent();
    const { chat } = createBackend(hand.agent);
    const thread = createRunThread(
      chat,
      { ...user('{{a}} {{b}} {{c}} {{d}}'), version: 'v7', defaults: { a: 1 } },
      { b: [2] },
    );
    chat.setVariables({ scope: 'org', scope_id: 'acme', values: { c: 'old' } });
    chat.setVariables({ scope: 'org', scope_id: 'acme', values: { c: { x: 3 } } });
    const started = startRun(chat, run(thread, { call: { d: 'four' } }));
    if (!started.ok) throw new Error(started.code);
    await settle();
    const sent = JSON.stringify(hand.turn().run?.messages);
    const record = present(readRunRecord(chat, present(chat.message(started.prompt_id))));
    const [config] = entriesOf(chat, 'thread_config');
    const [, second] = entriesOf(chat, 'variables');
    expect(record.template).toMatchObject({ version: 'v7', entry: config?.['id'] });
    expect(record.values).toEqual({
      a: { value: 1, scope: 'default', entry: config?.['id'] },
      b: { value: [2], scope: 'thread', entry: config?.['id'] },
      c: { value: { x: 3 }, scope: 'org', entry: second?.['id'] },
      d: { value: 'four', scope: 'call', entry: null },
    });
    expect(sent).toContain('1 [2] {\\"x\\":3} four');
    await hand.feed().end();
    chat.setVariables({ scope: 'org', scope_id: 'acme', values: { c: 'new' } });
    chat.configure({ thread_id: thread.thread_id, updated_by: 'ada', template: user('other') as never });
    const replay = { prompt_id: started.prompt_id, sender_id: 'bob', client_message_id: 'c2', date: DATE };
    const again = replayRun(chat, replay);
    expect(replayRun(chat, replay)).toEqual(again);
    await settle();
    expect(JSON.stringify(hand.turn().run?.messages)).toBe(sent);
    expect(hand.turns).toHaveLength(2);
    expect(replayRun(chat, { ...replay, prompt_id: thread.thread_id })).toMatchObject({ code: 'not_found' });
  });

  it('[PV3] where the values came from is found without a copy of the document', () => {
    const { chat } = createReplica();
    const thread = createRunThread(chat, user('{{a}} {{b}}'), { b: 2 });
    chat.setVariables({ scope: 'org', scope_id: 'acme', values: { a: 1 } });
    const [template] = entriesOf(chat, 'thread_config');
    const [setting] = entriesOf(chat, 'variables');
    const watched = { ...chat, toJSONL: () => expect.unreachable() };
    const resolved = resolveRun(watched, run(thread));
    expect(resolved).toMatchObject({
      record: {
        template: { entry: template?.['id'] },
        values: {
          a: { value: 1, scope: 'org', entry: setting?.['id'] },
          b: { value: 2, scope: 'thread', entry: template?.['id'] },
        },
      },
    });
  });

  it('[PV4] filling is one pass', () => {
    const { chat } = createReplica();
    const template = user('{{a}}-{{b}}-{{a}} {{not {a} name}} {{}} {{constructor}}');
    const thread = createRunThread(chat, template, { a: '{{b}}', b: '$& $1 {{a}}', constructor: 'c' });
    const resolved = resolveRun(chat, { thread_id: thread.thread_id });
    if (!resolved.ok) throw new Error(resolved.code);
    expect(resolved.messages[0]?.content).toBe('{{b}}-$& $1 {{a}}-{{b}} {{not {a} name}} {{}} c');
    const proto = addInstance(chat, SLOT, thread, 'ada');
    chat.configure({
      thread_id: proto.thread_id,
      updated_by: 'ada',
      template: user('{{toString}}') as never,
    });
    expect(resolveRun(chat, { thread_id: proto.thread_id })).toMatchObject({ names: ['toString'] });
  });

  it('[PV5] a secret reaches the agent, and nothing else', async () => {
    const timers = new FakeTimers();
    const seen: string[] = [];
    const agent = scriptedAgent((turn) => {
      seen.push(JSON.stringify(turn.run?.messages));
      return { steps: [say('ok'), { type: 'fail', error: new Error('with sk-live') }] };
    }, timers);
    const { chat, events } = createBackend(agent, { timers, secrets: { key: 'sk-live', other: 'sk-other' } });
    const thread = createRunThread(chat, user('Use {{secret.key}}. {{note}}'));
    startRun(chat, run(thread, { call: { note: 'and {{secret.other}}' } }));
    await settle();
    expect(seen).toEqual([expect.stringContaining('Use sk-live. and {{secret.other}}')]);
    const written = `${chat.toJSONL()} ${JSON.stringify(events)}`;
    expect(written).not.toContain('sk-live');
    expect(written).toContain('{{secret.key}}');
  });

  it('[PV5] a message of a person names no secret', async () => {
    const hand = new HandAgent();
    const { chat } = createBackend(hand.agent, { secrets: { key: 'sk-live' } });
    const thread_id = createThread(chat);
    chat.send({ thread_id, sender_id: 'mallory', content: 'Say {{secret.key}}', expects: 'answer' });
    await settle();
    expect(hand.turn().run).toBeUndefined();
    expect(JSON.stringify(hand.turn().messages)).not.toContain('sk-live');
  });

  it('[TE15] a run whose secret the host does not give ends as an error that names it', async () => {
    const hand = new HandAgent();
    const { chat, events, engine } = createBackend(hand.agent);
    const thread = createRunThread(chat, user('Use {{secret.key}}.'));
    startRun(chat, run(thread));
    await engine.idle();
    expect(hand.turns).toHaveLength(0);
    expect(outcomes(events)).toEqual(['error']);
    const [output] = listRuns(chat, SLOT);
    expect(output?.answer?.attempt?.error).toEqual({ code: 'missing_secret', message: 'not given: key' });
  });

  it('[TE15] whatever else fails at dispatch ends as dispatch_failed', async () => {
    const hand = new HandAgent();
    const secrets = new Proxy(
      {},
      {
        getOwnPropertyDescriptor: () => {
          throw new Error('vault is sealed');
        },
      },
    );
    const { chat, events, engine } = createBackend(hand.agent, { secrets });
    const thread = createRunThread(chat, user('Use {{secret.key}}.'));
    startRun(chat, run(thread));
    await engine.idle();
    expect(outcomes(events)).toEqual(['error']);
    expect(listRuns(chat, SLOT)[0]?.answer?.attempt?.error).toEqual({ code: 'dispatch_failed' });
    expect(chat.toJSONL()).not.toContain('sealed');
  });

  it('[PV6] a run that cannot start leaves its record', () => {
    const { chat } = createReplica();
    const bare = getOrCreateThread(chat, SLOT, { created_by: 'ada' });
    expect(startRun(chat, run(bare))).toMatchObject({ ok: false, code: 'no_template', names: [] });
    const odd = [{ messages: 'x' }, { messages: [{ role: 'root', content: '' }] }, { messages: [7] }, {}];
    for (const template of odd) {
      chat.configure({ thread_id: bare.thread_id, updated_by: 'ada', template: template as never });
      expect(startRun(chat, run(bare))).toMatchObject({ code: 'no_template' });
    }
    chat.configure({ thread_id: bare.thread_id, updated_by: 'ada', template: user('{{b}} {{a}}') as never });
    const failed = startRun(chat, run(bare));
    expect(failed).toMatchObject({ code: 'missing_variable', names: ['a', 'b'] });
    const records = listFailedStarts(chat, bare.thread_id);
    expect(records, 'one for each reason').toHaveLength(2);
    expect(records.at(-1)?.message_id).toBe(!failed.ok && failed.record_id);
    const data = { failed: 'missing_variable', names: ['a', 'b'], client_message_id: 'c1' };
    expect(records.at(-1)?.parts[0]?.data).toMatchObject(data);
    expect(chat.queue(bare.thread_id)).toEqual([]);
    const talk = createThread(chat);
    const before = chat.toJSONL();
    expect(startRun(chat, { ...run(bare), thread_id: talk })).toMatchObject({
      code: 'other_purpose',
      record_id: null,
    });
    const nowhere = { ...run(bare), thread_id: '01M7YZMHG0XQ0D9MKQ1ZWKK2DM' };
    expect(startRun(chat, nowhere)).toMatchObject({ code: 'not_found', record_id: null });
    expect(chat.toJSONL()).toBe(before);
  });

  it('[PV7] instances run at once, and starting one again is the same run', async () => {
    const hand = new HandAgent();
    const { chat, doc } = createBackend(hand.agent, { engine: { concurrency: 10 } });
    const first = createRunThread(chat, user('Item {{i}}'));
    const threads = [first, ...Array.from({ length: 4 }, () => addInstance(chat, SLOT, first, 'ada'))];
    for (const [i, thread] of threads.entries()) startRun(chat, run(thread, { call: { i } }));
    await settle();
    expect(hand.turns.map(({ turn }) => turn.prompt.content)).toEqual(
      [0, 1, 2, 3, 4].map((i) => `Item ${i}`),
    );
    const before = bytesOf(doc);
    expect(startRun(chat, run(first, { call: { i: 99 } }))).toMatchObject({ ok: true });
    expect(bytesOf(doc)).toBe(before);
    expect(listRuns(chat, SLOT)).toHaveLength(5);
  });

  it('[PV8] ✗ what follows a run has the system message of its template, with the values and secrets of now', async () => {
    const hand = new HandAgent();
    const secrets: Record<string, string> = { KEY: 'S-1' };
    const { chat } = createBackend(hand.agent, { secrets });
    const template: Template = {
      messages: [
        { role: 'system', content: 'You write for {{who}} with {{secret.KEY}}.' },
        { role: 'user', content: 'About {{text}}, key {{secret.KEY}}, style {{style}}.' },
      ],
    };
    const thread = createRunThread(chat, template, { text: 'rain', style: 'plain' });
    chat.setVariables({ scope: 'org', scope_id: 'acme', values: { who: 'Acme' } });
    startRun(chat, run(thread, { call: { style: 'odd' } }));
    await settle();
    await hand.feed().push(say('Drip.'));
    await hand.feed().end();
    chat.setVariables({ scope: 'org', scope_id: 'acme', values: { who: 'Emca' } });
    secrets['KEY'] = 'S-2';
    chat.send({ thread_id: thread.thread_id, sender_id: 'ada', content: 'Shorter.', expects: 'answer' });
    await settle();
    const turn = hand.turn();
    expect(turn.run).toBeUndefined();
    expect(writeConversation(turn)).toEqual([
      { role: 'system', content: 'You write for Emca with S-2.' },
      { role: 'user', content: 'About rain, key S-2, style odd.' },
      { role: 'assistant', content: [{ type: 'text', text: 'Drip.' }] },
      { role: 'user', content: 'Shorter.' },
    ]);
    expect(chat.toJSONL()).not.toMatch(/S-[12]/);
    await hand.feed().push(say('Dr.'));
    await hand.feed().end();
    const [first, second] = listRuns(chat, SLOT);
    expect(second).toMatchObject({
      follows: first?.prompt_id,
      record: first?.record,
      answer: { content: 'Dr.' },
    });
    expect(first).not.toHaveProperty('follows');
  });

  it('[PV8] a run that goes on is told its own messages, and what it has said', async () => {
    const hand = new HandAgent();
    const { chat } = createBackend(hand.agent);
    const started = startRun(chat, run(createRunThread(chat, user('Count {{x}}.'), { x: 3 })));
    await settle();
    await hand.feed().push(say('1 2'));
    const message_id = started.ok ? started.prompt_id : '';
    stopTurn(chat, { message_id, by: 'ada' });
    await hand.feed().end();
    continueTurn(chat, { message_id, by: 'ada' });
    await settle();
    const told = writeConversation(hand.turn());
    expect(told.slice(0, 2)).toEqual([
      { role: 'user', content: 'Count 3.' },
      { role: 'assistant', content: [{ type: 'text', text: '1 2' }] },
    ]);
    expect(told).toHaveLength(3);
  });

  it('[PV8] a secret that it lacks ends it as an error, without values', async () => {
    const hand = new HandAgent();
    const secrets: Record<string, string> = { KEY: 'S-1' };
    const { chat } = createBackend(hand.agent, { secrets });
    const thread = createRunThread(chat, user('Key {{secret.KEY}}.'));
    startRun(chat, run(thread));
    await settle();
    await hand.feed().end();
    delete secrets['KEY'];
    chat.send({ thread_id: thread.thread_id, sender_id: 'ada', content: 'Again.', expects: 'answer' });
    await settle();
    const error = { code: 'missing_secret', message: 'not given: KEY' };
    expect(chat.messages(thread.thread_id).at(-1)?.attempt).toMatchObject({ error });
  });

  it('[PV9] ✗ any name between braces is a place or an error, and never sent as it is', () => {
    const { chat } = createReplica();
    for (const name of [
      'user name',
      'имя',
      'user-name',
      '1st',
      'a.b',
      '名前',
      'a|b',
      'x"y',
      "it's",
      '👍',
      '$1',
    ]) {
      const slot = { ...SLOT, root_id: name };
      const template = user(`<{{${name}}}> <{{ ${name} }}>`) as never;
      const thread = getOrCreateThread(chat, slot, { created_by: 'ada', template });
      const resolve = () => resolveRun(chat, { thread_id: thread.thread_id });
      expect(resolve()).toMatchObject({ ok: false, code: 'missing_variable', names: [name] });
      chat.configure({
        thread_id: thread.thread_id,
        updated_by: 'ada',
        variables: { [name]: 'VAL $& {{x}}' },
      });
      expect(resolve()).toMatchObject({ ok: true, messages: [{ content: '<VAL $& {{x}}> <VAL $& {{x}}>' }] });
    }
  });

  it('[PV6] ✗ a run that cannot start leaves one record, however often it is tried', () => {
    const { chat } = createReplica();
    const bare = createRunThread(chat, user('{{gone}}'));
    const first = startRun(chat, run(bare));
    const before = entriesOf(chat, 'message').length;
    expect(startRun(chat, run(bare))).toEqual(first);
    expect(startRun(chat, run(bare))).toEqual(first);
    expect(entriesOf(chat, 'message')).toHaveLength(before);
    startRun(chat, run(bare, { client_message_id: 'c2' }));
    expect(listFailedStarts(chat, bare.thread_id)).toHaveLength(2);
    const [a, b] = [createReplica('a'), createReplica('b')];
    const thread = createRunThread(a.chat, user('{{gone}}'));
    syncAll([a, b]);
    startRun(a.chat, run(thread));
    startRun(b.chat, run(thread));
    syncAll([a, b]);
    expect(listFailedStarts(a.chat, thread.thread_id)).toHaveLength(1);
    expect(listFailedStarts(b.chat, thread.thread_id)).toEqual(listFailedStarts(a.chat, thread.thread_id));
  });
});
