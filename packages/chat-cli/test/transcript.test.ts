import stringWidth from 'string-width';
import { describe, expect, it } from 'vitest';
import { renderTranscript } from '../src/index.js';
import { createAgentChat, createChat } from './agent-chat.js';
import { listControls, stripColors } from './controls.js';

describe('a transcript', () => {
  it('[CL20] [CL21] [CL22] shows threads, senders, times, states, replies and tools', () => {
    const { chat } = createAgentChat();
    expect(renderTranscript(chat).replaceAll(/thread \w{26}/g, 'thread ID')).toMatchInlineSnapshot(`
      "# Release
        running, 16 messages, by ada
        thread ID

      ada  2024-11-21 10:01 UTC
        Ship it today?

      bob  2024-11-21 10:02 UTC  (edited)  ↳ ada
        Yes.

      bob  2024-11-21 10:04 UTC  (deleted)

      ada  2024-11-21 10:06 UTC  (redacted)

      cyd  2024-11-21 10:08 UTC  ↳ bob: Yes.
        Agreed.

      ada  2024-11-21 10:10 UTC
        Run the tests.

      codex  2024-11-21 10:11 UTC
        thinking: They want the whole suite.
        Running them.
        ▸ tool [completed]: pnpm test
        All green.

      ada  2024-11-21 10:12 UTC
        Deploy.

      codex  2024-11-21 10:13 UTC  (stopped)
        Deploying to

      ada  2024-11-21 10:14 UTC
        Deploy again.

      codex  2024-11-21 10:15 UTC  (failed: no network)

      ada  2024-11-21 10:16 UTC
        Write the notes.

      codex  2024-11-21 10:17 UTC  (interrupted)
        Release notes

      ada  2024-11-21 10:18 UTC
        Tell people.

      codex  2024-11-21 10:19 UTC  (streaming…)
        Dear all

      ada  2024-11-21 10:20 UTC  (waiting for an answer)
        And then?
      "
    `);
  });

  it('[CL20] gives each thread in order of age, and only the one that is asked for', () => {
    const chat = createChat();
    const make = (name: string, created_at: string): string => {
      const { thread_id } = chat.createThread({ created_by: 'ada', created_at, name });
      chat.send({ thread_id, sender_id: 'ada', content: `about ${name}` });
      return thread_id;
    };
    make('second', '2026-02-01T00:00:00.000Z');
    const first = make('first', '2026-01-01T00:00:00.000Z');
    const all = renderTranscript(chat);
    expect(all.match(/^# .*/gm)).toEqual(['# first', '# second']);
    const one = renderTranscript(chat, { thread_id: first });
    expect(one).toContain('about first');
    expect(one).not.toContain('second');
  });

  it('[CL20] names a thread without a name by its first words, and leaves the heading of a lone message out', () => {
    const chat = createChat();
    const { thread_id } = chat.createThread({ created_by: 'ada' });
    chat.send({ thread_id, sender_id: 'ada', content: 'Where is the key?\nI looked everywhere.' });
    expect(renderTranscript(chat)).toMatch(/^ada {2}/);
    expect(renderTranscript(chat, { thread_id })).toMatch(/^# Where is the key\? I looked everywhere\.\n/);
    chat.send({ thread_id, sender_id: 'bob', content: 'Here.' });
    expect(renderTranscript(chat)).toMatch(/^# Where is the key/);
    const lunch = chat.createThread({ created_by: 'cyd' });
    chat.send({ thread_id: lunch.thread_id, sender_id: 'cyd', content: 'Lunch?' });
    // Without one it would read as part of the thread above.
    expect(renderTranscript(chat)).toContain('\n# Lunch?\n');
  });

  it('[CL20] of an empty chat says so', () => {
    expect(renderTranscript(createChat())).toBe('No messages.\n');
    expect(renderTranscript(createChat(), { thread_id: 'nope' })).toBe('No messages.\n');
  });

  it('[CL22] says how many other answers there are', () => {
    const chat = createChat();
    const { thread_id } = chat.createThread({ created_by: 'ada', name: 'Twice' });
    const { message_id } = chat.send({
      thread_id,
      sender_id: 'ada',
      content: 'Say something.',
      expects: 'answer',
    });
    for (const text of ['One.', 'Two.']) {
      const attempt = chat.openAttempt({ prompt_id: message_id, sender_id: 'codex', runner_id: text });
      attempt.addPart({ kind: 'text', text });
      attempt.finish({ finish_reason: 'complete' });
      chat.retry({ message_id, by: 'ada' });
    }
    const text = renderTranscript(chat);
    expect(text).toContain('Two.');
    expect(text).not.toContain('One.');
    expect(text).toContain('▸ 1 other answer is not shown');
  });

  it('[CL23] wraps at the width, by what a terminal shows, and keeps lists and code indented', () => {
    const chat = createChat();
    const { thread_id } = chat.createThread({ created_by: 'ada', name: `A long name ${'x'.repeat(200)}` });
    const content = [
      'word '.repeat(40),
      '世界'.repeat(60),
      '👩‍👩‍👧‍👦'.repeat(40),
      'x'.repeat(300),
      `- item ${'more '.repeat(30)}`,
      `    code ${'more '.repeat(30)}`,
    ].join('\n');
    chat.send({ thread_id, sender_id: `a${'b'.repeat(100)}`, content });
    chat.send({ thread_id, sender_id: 'bob', content: 'ok' });
    for (const width of [24, 40, 80, 120]) {
      const lines = renderTranscript(chat, { width }).split('\n');
      // A head holds name and time, whatever the width.
      const long = lines.filter((line) => stringWidth(line) > width && !line.includes(' UTC'));
      expect(long).toEqual([]);
    }
    const text = renderTranscript(chat, { width: 40 });
    expect(text).toMatch(/^ {2}- item more more.*\n {4}more/m);
    expect(text).toMatch(/^ {6}code more.*\n {6}more/m);
    expect(text.replaceAll(/\s/g, '')).toContain('x'.repeat(300));
  });

  it('[CL23] takes any width', () => {
    const { chat } = createAgentChat();
    for (const width of [0, -5, 1, Number.NaN, Number.POSITIVE_INFINITY, 33.3]) {
      expect(renderTranscript(chat, { width })).toContain('Ship it');
    }
  });

  it('[CL4] has colours only if told, and then dims what an agent thought', () => {
    const { chat } = createAgentChat();
    const plain = renderTranscript(chat);
    const colored = renderTranscript(chat, { color: true });
    expect(plain).not.toContain('\u001b');
    expect(colored).toContain('\u001b[2mthinking: They want the whole suite.\u001b[22m');
    expect(stripColors(colored)).toBe(plain);
  });

  it('[CL6] lets no control character of the chat through, wherever it stands', () => {
    const evil = 'a\u001b[2J\u001b]0;owned\u0007\rb\u0008\u009b31m\u202eright\u2066\u2028\u007f\ud800\u0000z';
    const chat = createChat();
    const { thread_id } = chat.createThread({ created_by: evil, name: evil, acp_config: {} });
    const first = chat.send({ thread_id, sender_id: evil, content: evil });
    chat.send({ thread_id, sender_id: evil, content: evil, reply_to_message_id: first.message_id });
    chat.edit({ message_id: first.message_id, author_id: evil, content: evil });
    const { message_id } = chat.send({ thread_id, sender_id: evil, content: evil, expects: 'answer' });
    const attempt = chat.openAttempt({ prompt_id: message_id, sender_id: evil, runner_id: evil });
    for (const kind of ['reasoning', 'tool_call', 'plan', 'file', evil]) {
      attempt.addPart({ kind, title: evil, state: evil, text: evil });
    }
    attempt.finish({ finish_reason: evil, error: { message: evil } });
    for (const width of [24, 80]) {
      const text = renderTranscript(chat, { width });
      expect(listControls(text)).toEqual([]);
      expect(text).toContain('␛');
    }
  });
});
